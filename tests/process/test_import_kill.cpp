// Imports that are killed, stopped and resumed end as if nothing had happened: the real cloister-cli and cloister-ingest.
#include <signal.h>
#include <random>

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <QThread>

#include "core/domain/files.h"
#include "core/store/project.h"

using namespace cloister;

namespace {

constexpr int kImages = 500;

template <typename T>
T get(Result<T> result) {
  if (!result) qFatal("%s: %s", qPrintable(describe(result.error())), qPrintable(result.error().detail));
  return std::move(*result);
}

void put(QByteArray& to, quint32 value, int bytes) {
  for (int i = 0; i < bytes; ++i) to.append(char(value >> (8 * i)));
}

/// A 24-bit BMP with a pattern of its own; side: a multiple of four, so that rows need no padding.
QByteArray bitmap(int number, int side) {
  QByteArray pixels;
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x)
      for (int c = 0; c < 3; ++c) pixels.append(char((x * (number % 13 + 1) + y * (number % 7 + 1) + number) & 255));
  QByteArray file("BM");
  put(file, quint32(54 + pixels.size()), 4);
  put(file, 0, 4);
  put(file, 54, 4);
  put(file, 40, 4);
  put(file, quint32(side), 4);
  put(file, quint32(side), 4);
  put(file, 1, 2);
  put(file, 24, 2);
  for (const quint32 value : {0u, quint32(pixels.size()), 2835u, 2835u, 0u, 0u}) put(file, value, 4);
  return file + pixels;
}

QString tool() { return QStringLiteral(CLOISTER_BIN_DIR "/cloister-cli"); }

struct Ended {
  int code = -1;
  bool killed = false;
  QJsonObject json;
  QString errors;
};

Ended collect(QProcess& process) {
  process.waitForFinished(120'000);
  return {process.exitCode(), process.exitStatus() == QProcess::CrashExit,
          QJsonDocument::fromJson(process.readAllStandardOutput()).object(), QString::fromLocal8Bit(process.readAllStandardError())};
}

Ended call(const QStringList& arguments) {
  QProcess process;
  process.start(tool(), arguments + QStringList{"--json"});
  return collect(process);
}

/// What an import leaves: key → label, digest, thumbnail bytes.
QMap<QString, QByteArray> contentOf(const QString& dir) {
  auto project = get(Project::open(dir, Project::Mode::ReadOnly));
  QMap<QString, QByteArray> content;
  for (const Sample& s : get(project->samples({}, 0, 1'000'000))) {
    QFile thumbs(project->importDir(s.importId) + "/thumbs.pack");
    if (!thumbs.open(QIODevice::ReadOnly) || !thumbs.seek(s.thumbOffset)) qFatal("thumbs.pack");
    const QByteArray thumb = thumbs.read(s.thumbWidth * s.thumbHeight * s.thumbChannels);
    if (get(sha256OfFile(project->objectPath(s.sha256))) != s.sha256) qFatal("object of %s", qPrintable(s.key));
    content[s.key] = s.label.toUtf8() + ' ' + s.sha256.toLatin1() + ' ' + thumb;
  }
  return content;
}

/// Keys only: a picture's bytes in a failure message help nobody.
QStringList differences(const QMap<QString, QByteArray>& a, const QMap<QString, QByteArray>& b) {
  QStringList keys;
  for (const QString& key : a.keys() + b.keys())
    if (a.value(key) != b.value(key)) keys.append(key);
  return keys;
}

QList<qint64> childrenOf(qint64 pid) {
  QList<qint64> children;
  QDir tasks(QStringLiteral("/proc/%1/task").arg(pid));
  for (const QString& task : tasks.entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
    QFile file(tasks.filePath(task) + "/children");
    if (!file.open(QIODevice::ReadOnly)) continue;
    for (const QByteArray& child : file.readAll().split(' '))
      if (child.toLongLong() > 0) children.append(child.toLongLong());
  }
  return children;
}

}  // namespace

class TestImportKill : public QObject {
  Q_OBJECT
 private:
  QTemporaryDir folder_;
  QString images_;
  QMap<QString, QByteArray> unbroken_;
  std::mt19937 random_{7};

  QString newProject(const QString& name) {
    const QString dir = folder_.filePath(name);
    if (call({"project", "create", "--project", dir}).code != 0) qFatal("project create");
    return dir;
  }
  QStringList importOf(const QString& dir) const { return {"data", "import", "--project", dir, "--source", "images", images_}; }

 private Q_SLOTS:
  void initTestCase() {
    images_ = folder_.filePath("images");
    for (int i = 0; i < kImages; ++i) {
      const QString place = QStringLiteral("%1/class-%2").arg(images_).arg(i % 3);
      QDir().mkpath(place);
      QFile file(QStringLiteral("%1/%2.bmp").arg(place).arg(i));
      QVERIFY(file.open(QIODevice::WriteOnly));
      file.write(bitmap(i, 148));
    }
    const QString dir = newProject("unbroken");
    const Ended ended = call(importOf(dir));
    QCOMPARE(ended.code, 0);
    QCOMPARE(ended.json["accepted"].toInt(), kImages);
    unbroken_ = contentOf(dir);
    QCOMPARE(unbroken_.size(), kImages);
  }

  void killedToolGoesOnWhereItWas() {
    const QString dir = newProject("tool");
    int kills = 0;
    Ended last;
    for (int round = 0; round < 200; ++round) {
      QProcess process;
      process.start(tool(), importOf(dir) + QStringList{"--json"});
      QVERIFY(process.waitForStarted());
      // Longer from round to round: on a busy machine a start alone may take longer than any fixed time.
      if (!process.waitForFinished(30 + int(random_() % quint32(200 + 40 * round)))) {
        ::kill(pid_t(process.processId()), SIGKILL);
        ++kills;
      }
      last = collect(process);
      if (!last.killed) break;
    }
    QCOMPARE(last.code, 0);
    QVERIFY2(kills >= 2, qPrintable(QString::number(kills)));
    // A kill after the last file but before the end makes the next call a new import of nothing new; all other calls go on.
    auto project = get(Project::open(dir, Project::Mode::ReadOnly));
    QVERIFY(get(project->imports()).size() < kills);
    QCOMPARE(get(project->counts()).samples, kImages);
    QCOMPARE(differences(contentOf(dir), unbroken_), QStringList());
  }

  void killedChildIsStartedAgain() {
    const QString dir = newProject("child");
    int kills = 0;
    Ended last;
    for (int round = 0; round < 50; ++round) {
      QProcess process;
      process.start(tool(), importOf(dir) + QStringList{"--json"});
      QVERIFY(process.waitForStarted());
      while (!process.waitForFinished(40 + int(random_() % quint32(60 + 100 * round))))
        for (const qint64 child : childrenOf(process.processId())) {
          ::kill(pid_t(child), SIGKILL);
          ++kills;
        }
      last = collect(process);
      QVERIFY(!last.killed);
      if (last.code == 0) break;
      QCOMPARE(last.json.value("error").toObject().value("kind").toString(),
               "crashed");  // killed before its first file: said, and resumable
    }
    QCOMPARE(last.code, 0);
    QVERIFY2(kills >= 1, qPrintable(QString::number(kills)));  // how many find a child alive depends on the machine
    QCOMPARE(last.json["accepted"].toInt(), kImages);
    QCOMPARE(differences(contentOf(dir), unbroken_), QStringList());
  }

  void stoppedImportSaysSoAndGoesOn() {
    const QString dir = newProject("stop");
    QProcess process;
    process.start(tool(), importOf(dir) + QStringList{"--json", "--workers", "1"});
    QVERIFY(process.waitForStarted());
    QThread::msleep(150);
    ::kill(pid_t(process.processId()), SIGINT);
    const Ended stopped = collect(process);
    QCOMPARE(stopped.code, 130);
    QVERIFY(stopped.json["stopped"].toBool());
    QVERIFY(stopped.json["accepted"].toInt() < kImages);
    const Ended ended = call(importOf(dir));
    QCOMPARE(ended.code, 0);
    QVERIFY(ended.json["resumed"].toBool());
    QCOMPARE(differences(contentOf(dir), unbroken_), QStringList());
  }

  void secondImportOfTheSameFilesAddsNothing() {
    const QString dir = newProject("twice");
    QCOMPARE(call(importOf(dir)).code, 0);
    const Ended again = call(importOf(dir));
    QCOMPARE(again.code, 0);
    QVERIFY(!again.json["resumed"].toBool());
    QCOMPARE(again.json["accepted"].toInt(), 0);
    QCOMPARE(again.json["duplicateCount"].toInt(), kImages);
    QCOMPARE(differences(contentOf(dir), unbroken_), QStringList());
  }
};

QTEST_GUILESS_MAIN(TestImportKill)
#include "test_import_kill.moc"
