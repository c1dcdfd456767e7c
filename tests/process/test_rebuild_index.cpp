// project rebuild on a project in which much has happened: imports of files, of nothing but labels, of a snapshot from elsewhere,
// snapshots, runs that ended well, badly and at the second attempt, an evaluation, an export, a bundle. The new index must say what the old
// one said.
#include <QtTest>

#include "core/domain/files.h"
#include "core/store/project.h"
#include "tests/support/run_project.h"

using namespace cloister;

namespace {

template <typename T>
T get(Result<T> result) {
  if (!result) qFatal("%s: %s", qPrintable(describe(result.error())), qPrintable(result.error().detail));
  return std::move(*result);
}

QJsonObject call(const QStringList& arguments, int expected = 0) {
  QProcess process;
  process.start(QStringLiteral(CLOISTER_BIN_DIR "/cloister-cli"), arguments + QStringList{"--json"});
  if (!process.waitForFinished(120'000) || process.exitCode() != expected)
    qFatal("%s: exit %d\n%s%s", qPrintable(arguments.join(' ')), process.exitCode(), process.readAllStandardError().constData(),
           process.readAllStandardOutput().constData());
  return QJsonDocument::fromJson(process.readAllStandardOutput()).object();
}

QJsonArray samplesOf(const Project& project) {
  QJsonArray all;
  for (const qint64 id : get(project.sampleIds({}))) {
    const Sample s = get(project.samplesById({id})).first();
    QJsonObject o = s.toJson();
    o["import"] = s.importId;
    o.remove("labelOrigin");  // a snapshot keeps the label, not where it came from
    QJsonArray in;
    for (const auto& [digest, split] : get(project.snapshotsOfSample(id))) in << digest + ' ' + split;
    o["snapshots"] = in;
    all << o;
  }
  return all;
}

QJsonArray importsOf(const Project& project) {
  QJsonArray all;
  for (const ImportRecord& r : get(project.imports())) {
    QJsonArray refused, duplicates;
    for (const RefusedFile& f : get(project.refusals(r.id))) refused << QJsonArray{f.file, f.kind, f.message};
    for (const auto& [file, original] : get(project.duplicates(r.id))) duplicates << QJsonArray{file, original};
    all << QJsonObject{{"id", r.id},
                       {"source", r.source},
                       {"state", r.state},
                       {"startedAt", r.startedAt},
                       {"finishedAt", r.finishedAt},
                       {"request", r.request},
                       {"accepted", r.accepted},
                       {"refused", refused},
                       {"duplicates", duplicates},
                       {"offset", get(project.importOffset(r.id))}};
  }
  return all;
}

QJsonArray snapshotsOf(const Project& project) {
  QJsonArray all;
  for (const SnapshotRecord& s : get(project.snapshots())) {
    QJsonObject counts;
    for (auto it = s.splitCounts.begin(); it != s.splitCounts.end(); ++it) counts[it.key()] = it.value();
    all << QJsonObject{{"digest", s.digest}, {"createdAt", s.createdAt}, {"samples", s.samples},
                       {"groups", s.groups}, {"counts", counts},         {"classes", QJsonArray::fromStringList(s.classes)}};
  }
  return all;
}

QJsonArray runsOf(const Project& project) {
  QJsonArray all;
  for (const RunRecord& r : get(project.runs()))
    all << QJsonObject{{"id", r.id},          {"family", r.family},       {"snapshot", r.snapshot},
                       {"state", r.state},    {"createdAt", r.createdAt}, {"finishedAt", r.finishedAt},
                       {"step", r.step},      {"steps", r.steps},         {"attempts", r.attempts},
                       {"summary", r.summary}};
  return all;
}

QJsonObject indexOf(const QString& dir) {
  auto project = get(Project::open(dir, Project::Mode::ReadOnly));
  const SampleCounts c = get(project->counts());
  QJsonObject counts{{"samples", c.samples},   {"labelled", c.labelled},     {"excluded", c.excluded},
                     {"patients", c.patients}, {"refused", c.refused},       {"duplicates", c.duplicates},
                     {"problems", c.problems}, {"labels", c.byLabel.size()}, {"sites", c.bySite.size()}};
  return {{"samples", samplesOf(*project)},
          {"imports", importsOf(*project)},
          {"snapshots", snapshotsOf(*project)},
          {"runs", runsOf(*project)},
          {"counts", counts}};
}

QByteArray text(const QJsonValue& value) { return QJsonDocument(value.toObject()).toJson(); }

/// Everything else in the project, by name and bytes.
QMap<QString, QString> filesOf(const QString& dir) {
  QMap<QString, QString> all;
  QDirIterator files(dir, QDir::Files | QDir::Hidden, QDirIterator::Subdirectories);
  while (files.hasNext()) {
    const QString path = files.next(), name = QDir(dir).relativeFilePath(path);
    if (!name.startsWith("project.sqlite") && !name.startsWith("audit.sqlite") && !name.contains("lock"))
      all[name] = get(sha256OfFile(path));
  }
  return all;
}

/// A grey portable bitmap is no format of ours; BMP is, and needs no library here.
QByteArray bitmap(int number) {
  constexpr int kSide = 16;
  QByteArray file =
      QByteArray::fromHex("424d360300000000000036000000280000001000000010000000010018000000000000030000130b0000130b00000000000000000000");
  for (int i = 0; i < kSide * kSide * 3; ++i) file.append(char((i * (number % 11 + 1) + number * 37) & 255));
  return file;
}

}  // namespace

class TestRebuildIndex : public QObject {
  Q_OBJECT
  QTemporaryDir dir_;
  QString project_ = dir_.filePath("p"), images_ = dir_.filePath("images"), table_ = dir_.filePath("labels.csv");

  QStringList on(const QStringList& words) const { return words + QStringList{"--project", project_}; }

  void writeFiles() {
    QByteArray table = "file,label,patient,site\n";
    QVERIFY(QDir().mkpath(images_ + "/a"));
    for (int i = 0; i < 60; ++i) {
      const QString name = QStringLiteral("a/%1.bmp").arg(i);
      QVERIFY(bool(writeFileAtomically(images_ + '/' + name, bitmap(i))));
      table += QStringLiteral("%1,%2,p%3,s%4\n").arg(name, i % 4 < 2 ? "well" : "sick").arg(i / 2).arg(i % 3).toUtf8();
    }
    QVERIFY(bool(writeFileAtomically(images_ + "/a/copy.bmp", bitmap(7))));
    QVERIFY(bool(writeFileAtomically(images_ + "/a/torn.bmp", bitmap(8).left(40))));
    QVERIFY(bool(writeFileAtomically(table_, table)));
  }

  void importAndFreeze() {
    call({"project", "create", "--project", project_, "--task", "image-classification"});
    const QStringList columns{"--labels", table_, "--key", "file", "--label", "label", "--group", "patient", "--site", "site"};
    const QJsonObject first = call(on({"data", "import", "--source", "images", images_}));
    QCOMPARE(first["accepted"].toInt(), 60);
    QCOMPARE(first["duplicateCount"].toInt(), 1);
    QVERIFY(first["refusedCount"].toInt() >= 1);
    call(on(QStringList{"data", "import", "--source", "images", images_} + columns));  // nothing new but the labels
    call(on({"data", "snapshot", "--seed", "1", "--size", "16"}));
    call(on({"data", "snapshot", "--seed", "2", "--size", "16"}));
  }

  /// A snapshot that another project made, with pictures of its own.
  void recreateForeignSnapshot() {
    const QString other = dir_.filePath("other"), there = dir_.filePath("there"), exported = dir_.filePath("exported");
    for (int i = 0; i < 12; ++i) {
      const QString folder = there + (i % 2 ? "/sick" : "/well");
      QVERIFY(QDir().mkpath(folder));
      QVERIFY(bool(writeFileAtomically(folder + QStringLiteral("/%1.bmp").arg(i), bitmap(100 + i))));
    }
    call({"project", "create", "--project", other, "--task", "image-classification"});
    call({"data", "import", "--project", other, "--source", "images", there});
    call({"data", "snapshot", "--project", other, "--size", "16", "--group", "sample", "--override-reason", "made up"});
    call({"data", "export", "--project", other, "--to", exported});
    call(on({"data", "recreate", exported}));
  }

  void trainAndExport() {
    test::useFakePrograms(CLOISTER_BIN_DIR);
    QVERIFY(test::writeScript(dir_.filePath("script"), test::goodRun()));
    call(on({"train"}));
    QVERIFY(test::writeScript(dir_.filePath("script"),
                              "event started {\"steps\":4}\nevent metric {\"step\":1,\"values\":{\"loss\":2}}\ncrash\n"));
    call(on({"train"}), 1);
    QVERIFY(test::writeScript(dir_.filePath("script"), test::goodRun()));
    call(on({"runs", "resume"}));
    QVERIFY(test::writeScript(dir_.filePath("script"),
                              "event started {\"steps\":4}\n"
                              "event failed {\"failure\":{\"kind\":\"non_finite\",\"args\":{\"step\":3,\"batch\":1}}}\nexit 40\n"));
    call(on({"train"}), 1);
    QVERIFY(test::writeScript(dir_.filePath("script"), "file evaluation/report.json {\"headline\":[]}\nexit 0\n"));
    call(on({"evaluate", "--run", "r-0001"}));
    QVERIFY(
        test::writeScript(dir_.filePath("script"),
                          "file export/fp32.onnx graph\nfile export/export.json {\"recommended\":\"fp32\",\"candidates\":[]}\nexit 0\n"));
    call(on({"export", "--run", "r-0001"}));
    for (const char* name : {"CLOISTER_WORKER", "CLOISTER_BIN_DIR", "CLOISTER_PLUGINS", "FAKE_WORKER_SCRIPT"}) qunsetenv(name);
    QVERIFY(QDir().mkpath(project_ + "/bundles/b"));
    QVERIFY(bool(writeFileAtomically(project_ + "/bundles/b/model.onnx", "graph")));
  }

 private Q_SLOTS:
  void saysWhatTheOldIndexSaid() {
    writeFiles();
    importAndFreeze();
    recreateForeignSnapshot();
    trainAndExport();
    const QJsonObject before = indexOf(project_);
    const QMap<QString, QString> files = filesOf(project_);
    QCOMPARE(before["samples"].toArray().size(), 72);
    QCOMPARE(before["runs"].toArray().size(), 3);
    QCOMPARE(before["snapshots"].toArray().size(), 3);
    QFile damaged(project_ + "/project.sqlite");
    QVERIFY(damaged.open(QIODevice::ReadWrite) && damaged.seek(8192) && damaged.write(QByteArray(4096, 'x')) == 4096);
    damaged.close();

    const QJsonObject rebuilt = call(on({"project", "rebuild"}));
    QCOMPARE(rebuilt["unreadable"].toArray().size(), 0);
    const QJsonObject after = indexOf(project_);
    for (const QString& part : before.keys()) {
      const QJsonArray was = before[part].toArray(), is = after[part].toArray();
      for (qsizetype i = 0; i < std::min(was.size(), is.size()); ++i) QVERIFY2(was[i] == is[i], text(was[i]) + "became\n" + text(is[i]));
      QCOMPARE(is.size(), was.size());
      QCOMPARE(after[part], before[part]);
    }
    QCOMPARE(filesOf(project_), files);
    call(on({"audit", "verify"}));
    // And it is an index to go on with.
    QCOMPARE(call(on({"data", "import", "--source", "images", images_}))["accepted"].toInt(), 0);
    QCOMPARE(call(on({"data", "snapshot", "--seed", "1", "--size", "16"}))["samples"].toInt(), 72);
  }
};

QTEST_GUILESS_MAIN(TestRebuildIndex)
#include "test_rebuild_index.moc"
