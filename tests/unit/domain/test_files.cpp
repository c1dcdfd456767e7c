#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include "core/domain/files.h"

using namespace cloister;

class TestFiles : public QObject {
  Q_OBJECT
  QTemporaryDir dir_;

 private Q_SLOTS:
  void aFileIsReplacedWhole() {
    const QString path = dir_.filePath("f");
    QVERIFY(writeFileAtomically(path, "old"));
    QVERIFY(writeFileAtomically(path, "new content"));
    QCOMPARE(*readFile(path), QByteArray("new content"));
    QCOMPARE(QDir(dir_.path()).entryList(QDir::Files), QStringList{"f"});
  }

  void aWriteThatFailsLeavesTheOldFileAndNoLitter() {
    const QString path = dir_.filePath("g");
    QVERIFY(writeFileAtomically(path, "old"));
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    QCOMPARE(::getrlimit(RLIMIT_FSIZE, &before), 0);
    rlimit small = before;
    small.rlim_cur = 1000;
    QCOMPARE(::setrlimit(RLIMIT_FSIZE, &small), 0);
    auto written = writeFileAtomically(path, QByteArray(5000, 'x'));
    QCOMPARE(::setrlimit(RLIMIT_FSIZE, &before), 0);
    QVERIFY(!written);
    QCOMPARE(*readFile(path), QByteArray("old"));
    QCOMPARE(QDir(dir_.path()).entryList({"g*"}, QDir::Files), QStringList{"g"});
  }

  void aMissingFolderIsNamed() {
    auto written = writeFileAtomically(dir_.filePath("no/such/f"), "x");
    QVERIFY(!written);
    QCOMPARE(written.error().kind, FailureKind::NotFound);
  }

  void readingStopsAtTheLimit() {
    QVERIFY(writeFileAtomically(dir_.filePath("h"), QByteArray(100, 'x')));
    QCOMPARE(readFile(dir_.filePath("h"), 99).error().kind, FailureKind::TooLarge);
    QVERIFY(readFile(dir_.filePath("h"), 100));
  }

  void canonicalJsonDoesNotDependOnInsertionOrder() {
    QJsonObject a, b;
    a["x"] = 1;
    a["b"] = QString::fromUtf8("肺");
    b["b"] = QString::fromUtf8("肺");
    b["x"] = 1;
    QCOMPARE(canonicalJson(a), canonicalJson(b));
    QCOMPARE(canonicalJson(a), QByteArray("{\"b\":\"\xe8\x82\xba\",\"x\":1}"));
  }

  void sha256IsTheStandardOne() {  // FIPS 180-4 example "abc"
    QCOMPARE(sha256Hex("abc"), QStringLiteral("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    QVERIFY(writeFileAtomically(dir_.filePath("abc"), "abc"));
    QCOMPARE(*sha256OfFile(dir_.filePath("abc")), sha256Hex("abc"));
  }

  void everyKindOfFailureHasAWordASentenceAndAnExitCode() {
    QSet<QString> words;
    for (int k = 0; k <= int(FailureKind::NothingToDo); ++k) {
      const FailureKind kind = FailureKind(k);
      const QString word = failureKindName(kind);
      QVERIFY2(!words.contains(word), qPrintable(word));
      words.insert(word);
      QCOMPARE(failureKindFromName(word), kind);
      const QString sentence = describe({kind, {}, {}});
      QVERIFY2(sentence.endsWith('.') || sentence.endsWith(QStringLiteral("…")), qPrintable(sentence));
      QVERIFY2(!sentence.contains('%'), qPrintable(sentence));
      QVERIFY(QList<int>({1, 2, 3, 4, 130}).contains(exitCodeFor(kind)));
    }
  }

  void argumentsStandInTheSentence() {
    const QString s = describe({FailureKind::TruncatedFile, {{"path", "scan 7.dcm"}}, {}});
    QVERIFY2(s.contains("scan 7.dcm"), qPrintable(s));
  }
};

QTEST_GUILESS_MAIN(TestFiles)
#include "test_files.moc"
