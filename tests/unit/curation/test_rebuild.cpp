// rebuildIndex: what the files know comes back after the database is gone.
#include <QJsonDocument>
#include <QTest>

#include "core/curation/dataset.h"
#include "core/curation/import_records.h"
#include "core/curation/rebuild.h"
#include "tests/unit/curation/dataset_fixture.h"

using namespace cloister;
using namespace cloister::test;

class TestRebuild : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void filesBringTheIndexBack() {
    DatasetFixture f;
    const QString folder = f.project->importDir(f.importId);
    QDir().mkpath(folder);
    ok(writeJsonAtomically(folder + "/request.json", {{"format", 1}, {"source", "images"}}));
    QList<Sample> all;
    QByteArray lines;
    for (int i = 0; i < 80; ++i) {
      Sample s = madeUp(i, {}, {});
      s.sha256 = sha256Hex("bytes " + QByteArray::number(i));
      lines += QJsonDocument(QJsonObject{{"type", "accepted"}, {"sample", s.toJson()}}).toJson(QJsonDocument::Compact) + '\n';
      const QString staged = folder + "/objects/" + s.sha256.left(2) + "/" + s.sha256;
      QDir().mkpath(QFileInfo(staged).path());
      QFile file(staged);
      QVERIFY(file.open(QIODevice::WriteOnly));
      file.write("bytes " + QByteArray::number(i));
    }
    lines += "{\"type\":\"refused\",\"file\":\"/x\",\"kind\":\"timeout\",\"message\":\"m\"}\n";
    ok(writeFileAtomically(folder + "/records.jsonl", lines));
    QCOMPARE(get(ImportRecords(*f.project, f.importId, 0).applyNew()).accepted, 80);
    QList<Project::SampleChange> changes;
    for (int i = 1; i <= 80; ++i)
      changes.append({i, i / 2 % 2 ? QStringLiteral("sick") : QStringLiteral("well"), QStringLiteral("p%1").arg(i / 2), {}, {}, "csv"});
    ok(f.project->changeSamples(changes, "table"));
    const Snapshot snapshot = get(freezeSnapshot(*f.project, {}, {}));
    const QString dir = f.project->dir();
    const QMap<QString, qint64> labels = get(f.project->counts()).byLabel;
    QDir().mkpath(dir + "/imports/i-000009");  // an import that never got its request
    f.project.reset();
    QVERIFY(QFile::remove(dir + "/project.sqlite"));

    Rebuilt rebuilt = get(rebuildIndex(dir));
    QCOMPARE(rebuilt.samples, 80);
    QCOMPARE(rebuilt.imports, 1);
    QCOMPARE(rebuilt.snapshots, 1);
    QCOMPARE(rebuilt.unreadable.size(), 1);
    QCOMPARE(get(rebuilt.project->counts()).byLabel, labels);
    QCOMPARE(get(rebuilt.project->counts()).refused, 1);
    QCOMPARE(get(openSnapshot(*rebuilt.project, {})).digest, snapshot.digest);
    QCOMPARE(get(freezeSnapshot(*rebuilt.project, {}, {})).digest, snapshot.digest);
    SampleFilter test;
    test.snapshot = snapshot.digest, test.split = "test";
    QCOMPARE(get(rebuilt.project->countSamples(test)), snapshot.splitCounts["test"]);
    rebuilt.project.reset();
    QVERIFY(Project::open(dir));
  }

  void importsEndAsTheirFilesSay() {
    DatasetFixture f;
    const QString dir = f.project->dir(), imports = dir + "/imports/i-00000";
    f.project.reset();
    const auto put = [&](int id, const QJsonObject& request, const QJsonObject& outcome) {
      const QString folder = imports + QString::number(id);
      QDir().mkpath(folder);
      ok(writeJsonAtomically(folder + "/request.json", request));
      if (!outcome.isEmpty()) ok(writeJsonAtomically(folder + "/outcome.json", outcome));
    };
    const QString started = "2026-01-02T03:04:05.678Z", ended = "2026-01-02T03:05:05.678Z";
    put(2, {{"format", 1}, {"source", "images"}, {"startedAt", started}, {"folder", "x"}}, {{"state", "stopped"}, {"finishedAt", ended}});
    put(3, {{"format", 1}, {"source", "dicom"}, {"startedAt", started}}, {});  // killed
    put(4, {{"format", 1}, {"source", "images"}}, {});                         // by a version that kept no outcome
    Rebuilt rebuilt = get(rebuildIndex(dir));
    const ImportRecord stopped = get(rebuilt.project->importRecord(2));
    QCOMPARE(stopped.state, "stopped");
    QCOMPARE(stopped.startedAt, started);
    QCOMPARE(stopped.finishedAt, ended);
    QCOMPARE(stopped.request, (QJsonObject{{"source", "images"}}));
    QCOMPARE(get(rebuilt.project->importRecord(3)).state, "running");
    QCOMPARE(get(rebuilt.project->importRecord(4)).state, "finished");
  }

  void projectInUseIsLeftAlone() {
    DatasetFixture f;
    auto rebuilt = rebuildIndex(f.project->dir());
    QVERIFY(!rebuilt);
    QCOMPARE(rebuilt.error().kind, FailureKind::DatabaseLocked);
    QVERIFY(get(f.project->counts()).samples == 0);
  }
};

QTEST_GUILESS_MAIN(TestRebuild)
#include "test_rebuild.moc"
