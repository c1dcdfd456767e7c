// Project: creation, samples, filters, counters, changes with undo, imports, snapshots, runs and settings.
#include <QDir>
#include <QJsonArray>
#include <QSet>
#include <QTemporaryDir>
#include <QTest>

#include "core/domain/files.h"
#include "core/store/project.h"

using namespace cloister;

namespace {

Sample sample(int number, const QString& label = {}, const QString& patient = {}) {
  Sample s;
  s.key = QStringLiteral("folder/%1.png").arg(number);
  s.source = QStringLiteral("images");
  s.file = QStringLiteral("/from/") + s.key;
  s.sha256 = sha256Hex(QByteArray::number(number));
  s.bytes = 100 + number;
  s.width = 64;
  s.height = 32;
  s.label = label;
  s.labelOrigin = label.isEmpty() ? QString() : QStringLiteral("folder");
  s.patient = patient;
  s.perceptualHash = 0xfedcba9876543210ULL + quint64(number);
  s.windowCenter = 40.5;
  s.windowWidth = 400;
  s.header = {{"Rows", 32}, {"名前", "张三"}};
  return s;
}

struct Fixture {
  QTemporaryDir folder;
  std::unique_ptr<Project> project;
  qint64 importId = 0;
  Fixture() {
    auto created = Project::create(folder.filePath("p"), "Test", "image-classification");
    if (!created) qFatal("%s", qPrintable(describe(created.error()) + created.error().detail));
    project = std::move(*created);
    importId = *project->beginImport("images", {{"paths", "x"}});
  }
};

template <typename T>
T get(Result<T> result) {
  if (!result) qFatal("%s: %s", qPrintable(describe(result.error())), qPrintable(result.error().detail));
  return std::move(*result);
}

}  // namespace

class TestProject : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void createdProjectHasItsFoldersAndMarker() {
    Fixture f;
    for (const char* name : {"objects", "imports", "snapshots", "runs", "bundles", "project.json", "project.sqlite"})
      QVERIFY2(QFileInfo::exists(f.project->dir() + "/" + name), name);
    QCOMPARE(f.project->info().name, "Test");
    QCOMPARE(f.project->info().task, "image-classification");
    const QString id = f.project->info().id;
    f.project.reset();
    auto again = get(Project::open(f.folder.filePath("p")));
    QCOMPARE(again->info().id, id);
    auto twice = Project::create(f.folder.filePath("p"), "x", "y");
    QVERIFY(!twice);
    QCOMPARE(twice.error().kind, FailureKind::AlreadyExists);
  }

  void creationThatWasCutOffCanBeRepeated() {
    QTemporaryDir folder;
    const QString dir = folder.filePath("p");
    get(Project::create(dir, "a", "t"));
    QVERIFY(QFile::remove(dir + "/project.json"));  // as if killed before the marker
    QCOMPARE(get(Project::create(dir, "b", "t"))->info().name, "b");
  }

  void databaseWithImportsIsNeverReplaced() {
    Fixture f;
    const QString dir = f.project->dir();
    f.project.reset();
    QVERIFY(QFile::remove(dir + "/project.json"));
    auto created = Project::create(dir, "b", "t");
    QVERIFY(!created);
    QCOMPARE(created.error().kind, FailureKind::AlreadyExists);
  }

  void samplesComeBackAsStored() {
    Fixture f;
    const Sample in = sample(1, "NORMAL", "patient-1");
    QCOMPARE(get(f.project->addSamples(f.importId, {in})), 1);
    const Sample out = get(f.project->sampleByKey(in.key));
    QCOMPARE(out.toJson(), in.toJson());
    QCOMPARE(out.importId, f.importId);
    QVERIFY(out.id > 0);
    const QList<Sample> page = get(f.project->samples({}, 0, 10));
    QCOMPARE(page.size(), 1);
    QVERIFY(page[0].header.isEmpty());
    auto missing = f.project->sampleByKey("nowhere");
    QVERIFY(!missing);
    QCOMPARE(missing.error().kind, FailureKind::NotFound);
  }

  void sameBytesAreADuplicate() {
    Fixture f;
    Sample second = sample(1);
    second.file = "/other/place.png";
    Sample frame = sample(1);
    frame.frame = 1;
    QCOMPARE(get(f.project->addSamples(f.importId, {sample(1), second, frame})), 2);
    const auto duplicates = get(f.project->duplicates(f.importId));
    QCOMPARE(duplicates.size(), 1);
    QCOMPARE(duplicates[0].first, "/other/place.png");
    QCOMPARE(duplicates[0].second, "/from/folder/1.png");
    QCOMPARE(get(f.project->counts()).duplicates, 1);
  }

  void badDigestStopsTheWholeBatch() {
    Fixture f;
    Sample bad = sample(2);
    bad.sha256 = "../../etc/passwd";
    auto added = f.project->addSamples(f.importId, {sample(1), bad});
    QVERIFY(!added);
    QCOMPARE(get(f.project->counts()).samples, 0);
  }

  void countersFollowEveryChange() {
    Fixture f;
    QList<Sample> many;
    for (int i = 0; i < 60; ++i)
      many.append(sample(i, i % 3 ? QStringLiteral("c%1").arg(i % 3) : QString(), QStringLiteral("p%1").arg(i / 4)));
    for (int i = 0; i < 60; i += 2) many[i].site = "north", many[i].modality = "DX";
    many[5].problem = "timeout";
    get(f.project->addSamples(f.importId, many));
    QVERIFY(f.project->addRefusals(f.importId, {{"a", "corrupt_file", "m"}, {"b", "timeout", "m"}}));
    const auto check = [&] {
      // The counters against a plain walk over all samples.
      SampleCounts want;
      QSet<QString> patients;
      for (const Sample& s : get(f.project->samples({}, 0, 1000))) {
        ++want.samples;
        if (!s.label.isEmpty()) ++want.labelled, ++want.byLabel[s.label];
        if (!s.site.isEmpty()) ++want.bySite[s.site];
        if (!s.modality.isEmpty()) ++want.byModality[s.modality];
        if (!s.patient.isEmpty()) patients.insert(s.patient);
        want.excluded += s.excluded;
        want.problems += !s.problem.isEmpty();
      }
      const SampleCounts have = get(f.project->counts());
      QCOMPARE(have.samples, want.samples);
      QCOMPARE(have.labelled, want.labelled);
      QCOMPARE(have.excluded, want.excluded);
      QCOMPARE(have.patients, patients.size());
      QCOMPARE(have.problems, want.problems);
      QCOMPARE(have.byLabel, want.byLabel);
      QCOMPARE(have.bySite, want.bySite);
      QCOMPARE(have.byModality, want.byModality);
      QCOMPARE(have.refused, 2);
    };
    check();
    QList<Project::SampleChange> changes;
    for (const Sample& s : get(f.project->samples({}, 0, 30))) {
      Project::SampleChange c;
      c.id = s.id;
      if (s.id % 2) c.label = "c9", c.labelOrigin = "person";
      if (s.id % 3 == 0) c.patient = s.id % 6 ? "p0" : "";
      if (s.id % 5 == 0) c.site = s.id % 10 ? "south" : "";
      if (s.id % 7 == 0) c.excluded = true;
      if (s.id % 11 == 0) c.label = "";
      changes.append(c);
    }
    QVERIFY(f.project->changeSamples(changes, "mixed"));
    check();
    get(f.project->undo());
    check();
    get(f.project->redo());
    check();
  }

  void undoAndRedoRestoreWholeGroups() {
    Fixture f;
    get(f.project->addSamples(f.importId, {sample(1, "a"), sample(2, "a")}));
    const auto labels = [&] {
      QStringList all;
      for (const Sample& s : get(f.project->samples({}, 0, 10))) all.append(s.label + "/" + s.labelOrigin);
      return all.join(' ');
    };
    const auto change = [&](QList<qint64> ids, const QString& label) {
      QList<Project::SampleChange> changes;
      for (qint64 id : ids) changes.append({id, label, {}, {}, {}, "person"});
      QVERIFY(f.project->changeSamples(changes, "label " + label));
    };
    auto none = f.project->undo();
    QVERIFY(!none);
    QCOMPARE(none.error().kind, FailureKind::NothingToDo);
    change({1, 2}, "b");
    change({2}, "c");
    QCOMPARE(labels(), "b/person c/person");
    change({2}, "c");  // nothing differs: no step of its own
    QCOMPARE(get(f.project->undo()), "label c");
    QCOMPARE(labels(), "b/person b/person");
    QCOMPARE(get(f.project->undo()), "label b");
    QCOMPARE(labels(), "a/folder a/folder");
    QCOMPARE(get(f.project->redo()), "label b");
    QCOMPARE(get(f.project->redo()), "label c");
    QVERIFY(!f.project->redo());
    QCOMPARE(labels(), "b/person c/person");
    get(f.project->undo());
    change({1}, "d");  // a new change ends what could be redone
    QVERIFY(!f.project->redo());
    QCOMPARE(labels(), "d/person b/person");
    get(f.project->undo());
    QCOMPARE(get(f.project->undo()), "label b");
    QCOMPARE(labels(), "a/folder a/folder");
    const auto history = get(f.project->sampleHistory(1));
    QCOMPARE(history.size(), 3);  // label b (with origin), label d
    QVERIFY(history[0].undone);
    QVERIFY(!history[0].who.isEmpty());
  }

  void undoSurvivesReopening() {
    Fixture f;
    get(f.project->addSamples(f.importId, {sample(1, "a")}));
    QVERIFY(f.project->changeSamples({{1, QStringLiteral("b"), {}, {}, true, "person"}}, "x"));
    const QString dir = f.project->dir();
    f.project.reset();
    auto again = get(Project::open(dir));
    get(again->undo());
    const Sample s = get(again->samplesById({1})).first();
    QCOMPARE(s.label, "a");
    QVERIFY(!s.excluded);
  }

  void filtersFindWhatTheySay() {
    Fixture f;
    QList<Sample> many;
    for (int i = 0; i < 100; ++i) {
      Sample s = sample(i, i % 4 ? "cat" : "", QStringLiteral("p%1").arg(i % 10));
      s.site = i % 2 ? "east" : "";
      s.modality = i % 5 ? "CT" : "";
      s.problem = i % 25 ? "" : "timeout";
      many.append(s);
    }
    get(f.project->addSamples(f.importId, many));
    const auto count = [&](const SampleFilter& filter) {
      const qint64 n = get(f.project->countSamples(filter));
      const auto ids = get(f.project->sampleIds(filter));
      const auto page = get(f.project->samples(filter, 0, 1000));
      if (ids.size() != n || page.size() != n) return qint64(-1);
      return n;
    };
    QCOMPARE(count({}), 100);
    SampleFilter x;
    x.label = "cat";
    QCOMPARE(count(x), 75);
    x.label = "\x01unlabelled";
    QCOMPARE(count(x), 25);
    x = {};
    x.site = "east", x.patient = "p1";
    QCOMPARE(count(x), 10);
    x = {};
    x.problem = "*";
    QCOMPARE(count(x), 4);
    x = {};
    x.text = "p3";
    QCOMPARE(count(x), 10);
    x.text = "folder/9";
    QCOMPARE(count(x), 11);
    x.text = "%";  // no wildcard for the person who types it
    QCOMPARE(count(x), 0);
    x = {};
    x.keys = QStringList{"folder/7.png", "folder/8.png", "none"};
    QCOMPARE(count(x), 2);
    QVERIFY(f.project->changeSamples({{3, {}, {}, {}, true, {}}}, "out"));
    x = {};
    x.includeExcluded = false;
    QCOMPARE(count(x), 99);
  }

  void pagesMeetWithoutGapOrOverlap() {
    Fixture f;
    QList<Sample> many;
    for (int i = 0; i < 257; ++i) many.append(sample(i, i % 2 ? "a" : "b"));
    get(f.project->addSamples(f.importId, many));
    SampleFilter odd;
    odd.label = "a";
    QList<qint64> seen;
    qint64 after = 0;
    for (;;) {
      const auto page = get(f.project->samples(odd, after, 10));
      if (page.isEmpty()) break;
      for (const Sample& s : page) seen.append(s.id);
      after = page.last().id;
    }
    QCOMPARE(seen, get(f.project->sampleIds(odd)));
    QCOMPARE(seen.size(), 128);
  }

  void snapshotMembersCanBeFiltered() {
    Fixture f;
    get(f.project->addSamples(f.importId, {sample(1), sample(2), sample(3)}));
    const QString digest = sha256Hex("snapshot");
    const SnapshotRecord record{digest, "2026-01-01T00:00:00Z", 3, 2, {{"train", 2}, {"test", 1}}, {"a", "b"}};
    QVERIFY(f.project->addSnapshot(record, {{1, 0}, {2, 0}, {3, 2}}));
    QVERIFY(f.project->addSnapshot(record, {{1, 0}, {2, 0}, {3, 2}}));  // idempotent
    const auto all = get(f.project->snapshots());
    QCOMPARE(all.size(), 1);
    QCOMPARE(all[0].classes, record.classes);
    QCOMPARE(all[0].splitCounts, record.splitCounts);
    SampleFilter x;
    x.snapshot = digest.left(8);
    x.split = "train";
    QCOMPARE(get(f.project->sampleIds(x)), (QList<qint64>{1, 2}));
    QCOMPARE(get(f.project->snapshotsOfSample(3)), (QList<QPair<QString, QString>>{{digest, "test"}}));
  }

  void runIdsAreNeverReused() {
    Fixture f;
    QCOMPARE(get(f.project->newRunId()), "r-0001");
    QCOMPARE(get(f.project->newRunId()), "r-0002");
    QVERIFY(QDir().mkpath(f.project->runDir("r-0007")));
    QCOMPARE(get(f.project->newRunId()), "r-0008");
    RunRecord r{"r-0008", "image_classifier", "abc", "running", "t0", "", 5, 10, 1, {{"loss", 0.5}}};
    QVERIFY(f.project->saveRun(r));
    r.state = "finished", r.step = 10;
    QVERIFY(f.project->saveRun(r));
    QCOMPARE(get(f.project->runs()).size(), 1);
    QCOMPARE(get(f.project->run({})).state, "finished");
    QCOMPARE(get(f.project->run("r-0008")).summary, r.summary);
    QCOMPARE(f.project->run("r-0009").error().kind, FailureKind::NotFound);
  }

  void settingsKeepJsonValues() {
    Fixture f;
    QVERIFY(get(f.project->setting("none")).isNull());
    for (const QJsonValue& v : {QJsonValue(3), QJsonValue("x\"y"), QJsonValue(true), QJsonValue(QJsonObject{{"a", QJsonArray{1, 2}}})}) {
      QVERIFY(f.project->setSetting("k", v));
      QCOMPARE(get(f.project->setting("k")), v);
    }
  }

  void importsRememberWhereTheyWere() {
    Fixture f;
    QVERIFY(f.project->setImportOffset(f.importId, 1234));
    QCOMPARE(get(f.project->importOffset(f.importId)), 1234);
    QVERIFY(f.project->finishImport(f.importId, "finished", 5678));
    const ImportRecord r = get(f.project->importRecord(f.importId));
    QCOMPARE(r.state, "finished");
    QCOMPARE(get(f.project->importOffset(f.importId)), 5678);
    QCOMPARE(f.project->importRecord(99).error().kind, FailureKind::NotFound);
  }

  void failedTransactionLeavesNothing() {
    Fixture f;
    auto done = f.project->inTransaction([&]() -> Result<void> {
      get(f.project->addSamples(f.importId, {sample(1)}));
      auto inner = f.project->inTransaction([&]() -> Result<void> {
        get(f.project->addSamples(f.importId, {sample(2)}));
        return Failure{FailureKind::Stopped, {}, {}};
      });
      if (inner) return Failure{FailureKind::Internal, {}, "inner must fail"};
      if (get(f.project->counts()).samples != 1) return Failure{FailureKind::Internal, {}, "inner must be undone alone"};
      return Failure{FailureKind::NonFinite, {}, {}};
    });
    QVERIFY(!done);
    QCOMPARE(done.error().kind, FailureKind::NonFinite);
    QCOMPARE(get(f.project->counts()).samples, 0);
  }
};

QTEST_GUILESS_MAIN(TestProject)
#include "test_project.moc"
