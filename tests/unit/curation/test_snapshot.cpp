// Freezing, opening, exporting and recreating snapshots, and a sample's lineage.
#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>

#include "core/curation/dataset.h"
#include "core/curation/lineage.h"
#include "core/trust/audit_log.h"
#include "tests/unit/curation/dataset_fixture.h"

using namespace cloister;
using namespace cloister::test;

class TestSnapshot : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void frozenContentIsWhatTheFormatSays() {
    DatasetFixture f;
    f.addUsual();
    const Snapshot snapshot = get(freezeSnapshot(*f.project, {}, {64, 1, "voi", "letterbox"}));
    QCOMPARE(snapshot.samples, 80);
    QCOMPARE(snapshot.groups, 40);
    QCOMPARE(snapshot.classes, (QStringList{"sick", "well"}));
    QCOMPARE(snapshot.dir, f.project->dir() + "/snapshots/" + snapshot.digest.left(12));
    // The digest, put together here from the files alone.
    const QByteArray lines = get(readFile(snapshot.dir + "/samples.jsonl"));
    const QJsonObject rest{{"split", snapshot.json["split"]}, {"preprocessing", snapshot.json["preprocessing"]}};
    QCOMPARE(sha256Hex(lines + "\n" + QJsonDocument(rest).toJson(QJsonDocument::Compact)), snapshot.digest);
    QString former;
    int count = 0;
    for (const QByteArray& line : lines.split('\n')) {
      if (line.isEmpty()) continue;
      const QJsonObject o = QJsonDocument::fromJson(line).object();
      QVERIFY(former < o["sha256"].toString());
      former = o["sha256"].toString();
      QCOMPARE(o["classIndex"].toInt(), o["label"].toString() == "sick" ? 0 : 1);
      QCOMPARE(o["group"], o["patient"]);
      ++count;
    }
    QCOMPARE(count, 80);
  }

  void sameContentIsTheSameSnapshot() {
    DatasetFixture f;
    f.addUsual();
    const Snapshot one = get(freezeSnapshot(*f.project, {}, {}));
    const Snapshot two = get(freezeSnapshot(*f.project, {}, {}));
    QCOMPARE(one.digest, two.digest);
    QCOMPARE(get(f.project->snapshots()).size(), 1);
    // Another project, another order of import.
    DatasetFixture g;
    QList<Sample> all = get(f.project->samples({}, 0, 1000));
    std::reverse(all.begin(), all.end());
    get(g.project->addSamples(g.importId, all));
    QCOMPARE(get(freezeSnapshot(*g.project, {}, {})).digest, one.digest);
    SplitRequest otherSeed;
    otherSeed.seed = 2;
    QVERIFY(get(freezeSnapshot(*f.project, otherSeed, {})).digest != one.digest);
    QVERIFY(get(freezeSnapshot(*f.project, {}, {128, 1, "voi", "letterbox"})).digest != one.digest);
    QCOMPARE(get(openSnapshot(*f.project, {})).json.value("preprocessing").toObject().value("size").toInt(), 128);
    QCOMPARE(get(openSnapshot(*f.project, one.digest.left(10))).digest, one.digest);
    QCOMPARE(openSnapshot(*f.project, "zz").error().kind, FailureKind::NotFound);
  }

  void labelsAndExclusionsDecideWhatIsIn() {
    DatasetFixture f;
    f.addUsual();
    f.add({madeUp(500, "p500", "")});
    ok(f.project->changeSamples({{1, {}, {}, {}, true, {}}}, "out"));
    const Snapshot snapshot = get(freezeSnapshot(*f.project, {}, {}));
    QCOMPARE(snapshot.samples, 79);
    for (const auto& [s, split] : get(snapshotSamples(snapshot))) QVERIFY(!s.label.isEmpty() && s.key != madeUp(0, "p0", "well").key);
  }

  void emptyProjectIsSaid() {
    DatasetFixture f;
    QCOMPARE(freezeSnapshot(*f.project, {}, {}).error().kind, FailureKind::NothingToDo);
    QCOMPARE(openSnapshot(*f.project, {}).error().kind, FailureKind::NothingToDo);
  }

  void blockingFindingNeedsAReason() {
    DatasetFixture f;
    QList<Sample> all;
    for (int i = 0; i < 40; ++i) all.append(madeUp(i, QStringLiteral("p%1").arg(i), "only"));
    f.add(all);
    auto refused = freezeSnapshot(*f.project, {}, {});
    QVERIFY(!refused);
    QCOMPARE(refused.error().kind, FailureKind::PolicyRefused);
    QCOMPARE(refused.error().args["finding"].toString(), "single_label");
    QVERIFY(QDir(f.project->dir() + "/snapshots").isEmpty());
    SplitRequest request;
    request.overrideReason = "pretraining";
    const Snapshot snapshot = get(freezeSnapshot(*f.project, request, {}));
    QCOMPARE(snapshot.json["overrideReason"].toString(), "pretraining");
    QCOMPARE(snapshot.json["findings"].toArray().first()["kind"].toString(), "single_label");
  }

  void splitBySampleThatPartsAPatientNeedsAReason() {
    DatasetFixture f;
    f.addUsual();
    SplitRequest request;
    request.groupBy = "sample";
    QCOMPARE(freezeSnapshot(*f.project, request, {}).error().kind, FailureKind::PolicyRefused);
    request.overrideReason = "comparison with an older paper";
    const Snapshot snapshot = get(freezeSnapshot(*f.project, request, {}));
    bool found = false;
    for (const QJsonValue& finding : snapshot.json["findings"].toArray()) found |= finding["kind"].toString() == u"group_on_both_sides";
    QVERIFY(found);
  }

  void wrongPreprocessingIsRefused_data() {
    QTest::addColumn<int>("size");
    QTest::addColumn<int>("channels");
    QTest::addColumn<QString>("window");
    QTest::addColumn<QString>("fit");
    QTest::newRow("size") << 8 << 1 << "voi"
                          << "letterbox";
    QTest::newRow("channels") << 64 << 2 << "voi"
                              << "letterbox";
    QTest::newRow("window") << 64 << 1 << "40"
                            << "letterbox";
    QTest::newRow("width 0") << 64 << 1 << "40,0"
                             << "letterbox";
    QTest::newRow("fit") << 64 << 1 << "voi"
                         << "tile";
  }
  void wrongPreprocessingIsRefused() {
    DatasetFixture f;
    f.addUsual();
    QFETCH(int, size);
    QFETCH(int, channels);
    QFETCH(QString, window);
    QFETCH(QString, fit);
    QCOMPARE(freezeSnapshot(*f.project, {}, {size, channels, window, fit}).error().kind, FailureKind::InvalidArgument);
  }

  void freezingLeavesAnAuditEntry() {
    DatasetFixture f;
    f.addUsual();
    const Snapshot snapshot = get(freezeSnapshot(*f.project, {}, {}));
    get(freezeSnapshot(*f.project, {}, {}));  // nothing new: no entry
    auto log = get(AuditLog::open(f.project->dir(), true));
    const auto entries = get(log->entries());
    QCOMPARE(entries.size(), 1);
    QCOMPARE(entries[0].body["action"].toString(), "snapshot");
    QCOMPARE(entries[0].body["obj"]["snapshot"].toString(), snapshot.digest);
    QVERIFY(get(log->verify()).intact);
  }

  void changedFilesAreNoticed() {
    DatasetFixture f;
    f.addUsual();
    const Snapshot snapshot = get(freezeSnapshot(*f.project, {}, {}));
    QByteArray lines = get(readFile(snapshot.dir + "/samples.jsonl"));
    const QByteArray good = lines;
    lines.replace(lines.indexOf("\"sick\""), 6, "\"well\"");
    ok(writeFileAtomically(snapshot.dir + "/samples.jsonl", lines));
    QCOMPARE(snapshotSamples(snapshot).error().kind, FailureKind::CorruptFile);
    ok(writeFileAtomically(snapshot.dir + "/samples.jsonl", good.left(good.size() - 20)));
    QCOMPARE(snapshotSamples(snapshot).error().kind, FailureKind::CorruptFile);
    ok(writeFileAtomically(snapshot.dir + "/samples.jsonl", good));
    QVERIFY(snapshotSamples(snapshot));
  }

  void exportedSnapshotIsRecreatedElsewhere() {
    DatasetFixture f;
    f.addUsual();
    const Snapshot snapshot = get(freezeSnapshot(*f.project, {}, {}));
    const QString out = f.folder.filePath("out");
    ok(exportSnapshot(*f.project, snapshot, out, {}));
    QCOMPARE(get(readFile(out + "/digest.txt")), snapshot.digest.toLatin1() + '\n');
    QCOMPARE(QDir(out + "/files").entryList(QDir::Files).size(), 80);
    QCOMPARE(get(readFile(out + "/samples.csv")).count('\n'), 81);
    QCOMPARE(exportSnapshot(*f.project, snapshot, out, {}).error().kind, FailureKind::AlreadyExists);

    DatasetFixture g;
    const Snapshot again = get(recreateSnapshot(*g.project, out));
    QCOMPARE(again.digest, snapshot.digest);
    QCOMPARE(get(g.project->counts()).samples, 80);
    SampleFilter test;
    test.snapshot = again.digest, test.split = "test";
    QCOMPARE(get(g.project->countSamples(test)), snapshot.splitCounts["test"]);
    get(recreateSnapshot(*g.project, out));  // twice is once
    QCOMPARE(get(g.project->counts()).samples, 80);
    QCOMPARE(get(g.project->counts()).duplicates, 0);
    // And frozen anew from what it brought, it is the same data.
    QCOMPARE(get(freezeSnapshot(*g.project, {}, {})).digest, snapshot.digest);
  }

  void damagedBytesAreNeverHandedOn() {
    DatasetFixture f;
    f.addUsual();
    const Snapshot snapshot = get(freezeSnapshot(*f.project, {}, {}));
    const QString out = f.folder.filePath("out");
    ok(exportSnapshot(*f.project, snapshot, out, {}));
    const QString file = QDir(out + "/files").entryInfoList(QDir::Files).first().filePath();
    ok(writeFileAtomically(file, "other bytes"));
    DatasetFixture g;
    auto recreated = recreateSnapshot(*g.project, out);
    QVERIFY(!recreated);
    QCOMPARE(recreated.error().kind, FailureKind::CorruptFile);
    QVERIFY(get(g.project->snapshots()).isEmpty());
    ok(writeFileAtomically(f.project->objectPath(madeUp(3, {}, {}).sha256), "other bytes"));
    auto exported = exportSnapshot(*f.project, snapshot, f.folder.filePath("second"), {});
    QVERIFY(!exported);
    QCOMPARE(exported.error().kind, FailureKind::CorruptFile);
    QVERIFY(!QFileInfo::exists(f.folder.filePath("second")));
  }

  void stoppedExportLeavesNothing() {
    DatasetFixture f;
    f.addUsual();
    const Snapshot snapshot = get(freezeSnapshot(*f.project, {}, {}));
    auto stopped = exportSnapshot(*f.project, snapshot, f.folder.filePath("out"), [](qint64 done, qint64) { return done < 10; });
    QCOMPARE(stopped.error().kind, FailureKind::Stopped);
    QCOMPARE(QDir(f.folder.path()).entryList(QDir::Dirs | QDir::NoDotAndDotDot), QStringList{"p"});
  }

  void lineageGoesFromFileToBundle() {
    DatasetFixture f;
    f.addUsual();
    ok(f.project->changeSamples({{1, QStringLiteral("sick"), {}, {}, {}, "person"}}, "second look"));
    SplitRequest request;
    request.overrideReason = "one label was changed";
    const Snapshot snapshot = get(freezeSnapshot(*f.project, request, {}));
    ok(f.project->saveRun({"r-0001", "image_classifier", snapshot.digest, "finished", "t", "", 1, 1, 1, {}}));
    QDir().mkpath(f.project->bundlesDir() + "/b1");
    ok(writeJsonAtomically(f.project->bundlesDir() + "/b1/bundle.json", {{"run", "r-0001"}, {"snapshot", snapshot.digest}}));
    const Sample first = get(f.project->samplesById({1})).first();
    const QJsonObject o = get(sampleLineage(*f.project, first.key));
    QCOMPARE(o["file"].toString(), first.file);
    QCOMPARE(o["label"]["value"].toString(), "sick");
    QCOMPARE(o["changes"].toArray().size(), 2);  // label and where it came from
    QCOMPARE(o["snapshots"].toArray().first()["digest"].toString(), snapshot.digest);
    QCOMPARE(o["runs"].toArray().first()["run"].toString(), "r-0001");
    QCOMPARE(o["bundles"].toArray().first()["name"].toString(), "b1");
    QCOMPARE(get(sampleLineage(*f.project, first.sha256.left(12))), o);
    QCOMPARE(sampleLineage(*f.project, "nothing").error().kind, FailureKind::NotFound);
    QCOMPARE(sampleLineage(*f.project, "ffffffffffff").error().kind, FailureKind::NotFound);
  }
};

QTEST_GUILESS_MAIN(TestSnapshot)
#include "test_snapshot.moc"
