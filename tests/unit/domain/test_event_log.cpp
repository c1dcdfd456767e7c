#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include "core/domain/run_event.h"

using namespace cloister;

class TestEventLog : public QObject {
  Q_OBJECT
  QTemporaryDir dir_;
  QString path(const char* name) const { return dir_.filePath(QString::fromLatin1(name)); }
  static void appendRaw(const QString& file, const QByteArray& bytes) {
    QFile f(file);
    QVERIFY(f.open(QIODevice::Append));
    QCOMPARE(f.write(bytes), bytes.size());
  }

 private Q_SLOTS:
  void aReaderSeesWhatAWriterWroteInOrder() {
    auto writer = EventWriter::open(path("a"));
    QVERIFY(writer);
    QVERIFY(writer->append("started", {{"pid", 7}}));
    QVERIFY(writer->append("metric", {{"step", 1}}));
    EventReader reader(path("a"));
    auto events = reader.readNew();
    QVERIFY(events);
    QCOMPARE(events->size(), 2);
    QCOMPARE(events->at(0).seq, 1);
    QCOMPARE(events->at(1).type, QStringLiteral("metric"));
    QVERIFY(reader.readNew()->isEmpty());
    QVERIFY(writer->append("finished"));
    QCOMPARE(reader.readNew()->size(), 1);
  }

  void halfALineWaitsForItsRest() {
    appendRaw(path("b"), "{\"seq\":1,\"type\":\"metric\"}\n{\"seq\":2,\"ty");
    EventReader reader(path("b"));
    QCOMPARE(reader.readNew()->size(), 1);
    QVERIFY(reader.readNew()->isEmpty());
    appendRaw(path("b"), "pe\":\"stopped\"}\n");
    auto events = reader.readNew();
    QCOMPARE(events->size(), 1);
    QCOMPARE(events->at(0).seq, 2);
  }

  void everyCutOfALogGivesTheWholeLinesBeforeIt() {
    const QByteArray log = "{\"seq\":1,\"type\":\"a\"}\n{\"seq\":2,\"type\":\"b\"}\n{\"seq\":3,\"type\":\"c\"}\n";
    for (qsizetype n = 0; n <= log.size(); ++n) {
      const QString file = path("cut") + QString::number(n);
      appendRaw(file, log.first(n));
      QCOMPARE(EventReader(file).readNew()->size(), log.first(n).count('\n'));
    }
  }

  void aWriterAfterACrashCutsTheTornLineAndGoesOn() {
    appendRaw(path("c"), "{\"seq\":41,\"type\":\"metric\"}\n{\"seq\":42,\"typ");
    auto writer = EventWriter::open(path("c"));
    QVERIFY(writer);
    QVERIFY(writer->append("started"));
    auto events = EventReader(path("c")).readNew();
    QCOMPARE(events->size(), 2);
    QCOMPARE(events->at(1).seq, 42);
    QCOMPARE(events->at(1).type, QStringLiteral("started"));
  }

  void noiseInTheLogIsNamedAndPassed() {
    appendRaw(path("d"), "library noise\n{\"seq\":1,\"type\":\"a\"}\n\xff\xfe\n");
    auto events = EventReader(path("d")).readNew();
    QCOMPARE(events->size(), 3);
    QCOMPARE(events->at(0).type, QStringLiteral("garbled"));
    QCOMPARE(events->at(1).type, QStringLiteral("a"));
  }

  void aFullDiskIsSaidAndDoesNotTearTheNextLine() {
    auto writer = EventWriter::open(QStringLiteral("/dev/full"));
    if (!writer) QSKIP("/dev/full cannot be opened for a log here");
    auto written = writer->append("metric");
    QVERIFY(!written);
    QCOMPARE(written.error().kind, FailureKind::DiskFull);
  }

  void aMissingFileIsAnEmptyLog() { QVERIFY(EventReader(path("none")).readNew()->isEmpty()); }
};

QTEST_GUILESS_MAIN(TestEventLog)
#include "test_event_log.moc"
