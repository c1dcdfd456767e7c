// The decode child is locked in once its plugins are loaded: what a subverted decoder would try fails, and reading what the import was
// asked to read, also through links, does not.
#include <QtTest>

#include "core/domain/files.h"

using namespace cloister;

class TestSandbox : public QObject {
  Q_OBJECT

  static QString program(const QString& name) { return QStringLiteral(CLOISTER_BIN_DIR) + '/' + name; }

  static QByteArray run(const QString& name, const QStringList& arguments) {
    QProcess process;
    process.start(program(name), arguments);
    if (!process.waitForFinished(60'000) || process.exitStatus() != QProcess::NormalExit) qFatal("%s did not end", qPrintable(name));
    return process.readAllStandardOutput();
  }

  static QByteArray bitmap(int number) {
    QByteArray file =
        QByteArray::fromHex("424d360300000000000036000000280000001000000010000000010018000000000000030000130b0000130b00000000000000000000");
    for (int i = 0; i < 16 * 16 * 3; ++i) file.append(char((i * (number % 11 + 1) + number * 37) & 255));
    return file;
  }

 private Q_SLOTS:
  void whatIsForbiddenFails() {
    const QJsonObject test = QJsonDocument::fromJson(run("cloister-ingest", {"self-test"})).object();
    QCOMPARE(test["type"].toString(), "finished");
    const QJsonObject tried = test["tried"].toObject(), sandbox = test["sandbox"].toObject();
    QCOMPARE(tried.size(), 9);
    if (!sandbox["landlock"].toInt() || !sandbox["seccomp"].toBool()) {
      QVERIFY2(!sandbox["reason"].toString().isEmpty(), "what is missing must be said");
      QSKIP("this kernel has no Landlock or no seccomp; the reason is stated");
    }
    QCOMPARE(sandbox["reason"].toString(), "");
    for (const char* denied : {"readForeign", "writeForeign", "listForeign"}) QCOMPARE(tried[denied].toString(), "EACCES");
    for (const char* denied : {"socket", "process", "signal"}) QCOMPARE(tried[denied].toString(), "EPERM");
    for (const char* fatal : {"execve", "ptrace", "unshare"}) QCOMPARE(tried[fatal].toString(), "killed by SYS");
  }

  void linksInTheImportedFolderAreFollowed() {
    QTemporaryDir dir;
    const QString in = dir.filePath("in"), out = dir.filePath("elsewhere/deep"), project = dir.filePath("p");
    QVERIFY(QDir().mkpath(in) && QDir().mkpath(out));
    QVERIFY(bool(writeFileAtomically(in + "/plain.bmp", bitmap(1))));
    QVERIFY(bool(writeFileAtomically(out + "/file.bmp", bitmap(2))));
    QVERIFY(bool(writeFileAtomically(out + "/inside.bmp", bitmap(3))));
    QVERIFY(QFile::link(out + "/file.bmp", in + "/link.bmp"));
    QVERIFY(QFile::link(out, in + "/folder"));
    QVERIFY(QFile::link(in, dir.filePath("root")));
    run("cloister-cli", {"project", "create", "--project", project, "--task", "image-classification"});
    const QJsonObject done = QJsonDocument::fromJson(run("cloister-cli", {"data", "import", "--project", project, "--source", "images",
                                                                          dir.filePath("root"), "--json"}))
                                 .object();
    QCOMPARE(done["accepted"].toInt(), 3);
    QCOMPARE(done["refusedCount"].toInt(), 0);
    QCOMPARE(done["duplicateCount"].toInt(), 1);  // file.bmp by both ways
  }

  void singleFilesAreRead() {
    QTemporaryDir dir;
    QVERIFY(bool(writeFileAtomically(dir.filePath("one.bmp"), bitmap(1))));
    const QJsonObject line = QJsonDocument::fromJson(run("cloister-ingest", {"probe", dir.filePath("one.bmp")}).split('\n')[0]).object();
    QCOMPARE(line["sample"].toObject()["width"].toInt(), 16);
  }
};

QTEST_GUILESS_MAIN(TestSandbox)
#include "test_sandbox.moc"
