// prepareSnapshot with the real cloister-ingest: made once, reused, remade when damaged, nothing left when stopped.
#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QTest>

#include "core/curation/dataset.h"
#include "tests/unit/curation/dataset_fixture.h"

using namespace cloister;
using namespace cloister::test;

namespace {

void put(QByteArray& to, quint32 value, int bytes) {
  for (int i = 0; i < bytes; ++i) to.append(char(value >> (8 * i)));
}

/// A 32×32 BMP of one grey.
QByteArray bitmap(int grey) {
  const QByteArray pixels(32 * 32 * 3, char(grey));
  QByteArray file("BM");
  for (const quint32 value : {quint32(54 + pixels.size()), 0u, 54u, 40u, 32u, 32u}) put(file, value, 4);
  put(file, 1, 2);
  put(file, 24, 2);
  for (const quint32 value : {0u, quint32(pixels.size()), 2835u, 2835u, 0u, 0u}) put(file, value, 4);
  return file + pixels;
}

struct Images : DatasetFixture {
  Snapshot snapshot;
  Images() {
    QList<Sample> all;
    for (int i = 0; i < 60; ++i) {
      Sample s = madeUp(i, QStringLiteral("p%1").arg(i), i % 2 ? "a" : "b");
      const QByteArray bytes = bitmap(i * 4);
      s.sha256 = sha256Hex(bytes);
      s.bytes = bytes.size();
      s.key = QStringLiteral("%1.bmp").arg(i);
      const QString place = project->objectPath(s.sha256);
      QDir().mkpath(QFileInfo(place).path());
      QFile file(place);
      if (!file.open(QIODevice::WriteOnly)) qFatal("%s", qPrintable(place));
      file.write(bytes);
      all.append(s);
    }
    get(project->addSamples(importId, all));
    snapshot = get(freezeSnapshot(*project, {}, how()));
  }
  static Preprocessing how(int size = 32) { return {size, 1, "voi", "letterbox"}; }
  QStringList folders() const { return QDir(snapshot.dir + "/prepared").entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot); }
};

}  // namespace

class TestPrepare : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() { qputenv("CLOISTER_BIN_DIR", CLOISTER_BIN_DIR); }

  void madeOnceAndReused() {
    Images f;
    qint64 last = -1;
    const PreparedData made = get(prepareSnapshot(*f.project, f.snapshot, Images::how(), [&](qint64 done, qint64) {
      if (done < last) qFatal("progress went back");
      last = done;
      return true;
    }));
    QCOMPARE(made.json["count"].toInt(), 60);
    QCOMPARE(made.json["classes"].toArray(), (QJsonArray{"a", "b"}));
    for (const char* split : {"train", "validation", "test"})
      QCOMPARE(made.json["splits"].toObject()[split].toArray().size(), f.snapshot.splitCounts[split]);
    const QDateTime time = QFileInfo(made.dir + "/prepared.json").lastModified();
    const PreparedData again = get(prepareSnapshot(*f.project, f.snapshot, Images::how(), {}));
    QCOMPARE(again.digest, made.digest);
    QCOMPARE(QFileInfo(made.dir + "/prepared.json").lastModified(), time);
    const PreparedData larger = get(prepareSnapshot(*f.project, f.snapshot, Images::how(48), {}));
    QVERIFY(larger.dir != made.dir);
    QCOMPARE(f.folders().size(), 2);
  }

  void damagedOneIsMadeAnew() {
    Images f;
    const PreparedData made = get(prepareSnapshot(*f.project, f.snapshot, Images::how(), {}));
    QVERIFY(QFile::remove(made.dir + "/" + made.json["shards"].toArray()[0].toObject()["file"].toString()));
    const PreparedData again = get(prepareSnapshot(*f.project, f.snapshot, Images::how(), {}));
    QCOMPARE(again.digest, made.digest);  // and the same bytes come out
    QJsonObject changed = again.json;
    changed["mean"] = QJsonArray{0.5};
    ok(writeJsonAtomically(again.dir + "/prepared.json", changed));
    QCOMPARE(get(prepareSnapshot(*f.project, f.snapshot, Images::how(), {})).json["mean"], made.json["mean"]);
  }

  void stoppedLeavesNothing() {
    Images f;
    auto stopped = prepareSnapshot(*f.project, f.snapshot, Images::how(), [](qint64, qint64) { return false; });
    QVERIFY(!stopped);
    QCOMPARE(stopped.error().kind, FailureKind::Stopped);
    QCOMPARE(f.folders(), QStringList());
  }

  void lostObjectFailsTheWhole() {
    Images f;
    const Sample first = get(f.project->samplesById({1})).first();
    QVERIFY(QFile::remove(f.project->objectPath(first.sha256)));
    auto failed = prepareSnapshot(*f.project, f.snapshot, Images::how(), {});
    QVERIFY(!failed);
    QCOMPARE(f.folders(), QStringList());
  }

  void missingProgramIsSaid() {
    Images f;
    qputenv("CLOISTER_BIN_DIR", "/nowhere");
    auto failed = prepareSnapshot(*f.project, f.snapshot, Images::how(), {});
    qputenv("CLOISTER_BIN_DIR", CLOISTER_BIN_DIR);
    QVERIFY(!failed);
    QCOMPARE(failed.error().kind, FailureKind::NotFound);
    QCOMPARE(f.folders(), QStringList());
  }
};

QTEST_GUILESS_MAIN(TestPrepare)
#include "test_prepare.moc"
