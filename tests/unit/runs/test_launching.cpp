// Runs that others start, and runs that start again by themselves: scripts and manifests, sweeps, what Slurm says, a run followed by its
// folder alone, packed for a closed cluster and taken back, and the policy of restarts.
#include <signal.h>
#include <QDirIterator>
#include <QtTest>

#include "core/domain/files.h"
#include "core/domain/process_identity.h"
#include "core/runs/launcher.h"
#include "core/runs/remote_run.h"
#include "core/runs/run_pack.h"
#include "core/runs/run_row.h"
#include "core/runs/run_supervisor.h"
#include "core/runs/worker_launch.h"
#include "core/store/project.h"
#include "tests/support/run_project.h"

using namespace cloister;

class TestLaunching : public QObject {
  Q_OBJECT
  QTemporaryDir dir_;
  std::unique_ptr<Project> project_;
  std::unique_ptr<RunSupervisor> supervisor_;
  int number_ = 0;

  void script(const QByteArray& lines) { QVERIFY(test::writeScript(dir_.filePath("script"), lines)); }

  void reopen() {
    supervisor_ = std::make_unique<RunSupervisor>(*project_);
    QVERIFY(bool(supervisor_->attach()));
  }

  QString state(const QString& run) const {
    const auto row = project_->run(run);
    return row ? row->state : QStringLiteral("none");
  }

  QString runDir(const QString& run = "r-0001") const { return project_->runDir(run); }

  void put(const QString& path, const QByteArray& bytes) {
    QVERIFY(QDir().mkpath(QFileInfo(path).path()));
    QFile file(path);
    QVERIFY(file.open(QIODevice::Append));
    file.write(bytes);
  }

  /// What the ranks of another host leave in an attempt's folder.
  void attemptElsewhere(int attempt, int ranks, const QByteArray& events) {
    const QString folder = attemptFolder(runDir(), attempt);
    for (int rank = 0; rank < ranks; ++rank) {
      put(folder + QString("/worker-%1.json").arg(rank),
          QString(R"({"rank":%1,"pid":1,"startTicks":5,"host":"node%1","bootId":"x"})").arg(rank).toUtf8());
      put(folder + QString("/alive-%1").arg(rank), {});
    }
    put(folder + "/rank-0.events.jsonl", events);
  }

  static LaunchOrder order(const QString& on) {
    LaunchOrder o;
    o.cluster.on = on;
    o.cluster.perNode = 2;
    o.submit = false;
    return o;
  }

  static QByteArray started(int steps = 4) { return QString(R"({"seq":1,"type":"started","steps":%1})").arg(steps).toUtf8() + '\n'; }
  static QByteArray finished() {
    return R"({"seq":2,"type":"finished","step":4,"best":{"metric":"auc","value":0.5}})"
           "\n";
  }

 private Q_SLOTS:
  void initTestCase() { test::useFakePrograms(CLOISTER_BIN_DIR); }

  void init() {
    project_ = test::makeProject(dir_.filePath(QStringLiteral("p%1").arg(++number_)));
    QVERIFY(project_);
    reopen();
  }

  void cleanup() {
    supervisor_.reset();
    project_.reset();
  }

  void theTorchrunLineIsExact() {
    ClusterRequest r;
    r.on = "torchrun";
    r.perNode = 2;
    r.restarts = 3;
    r.worker = "/opt/our cloister/cloister-worker";
    QCOMPARE(
        torchrunLine(r, "/data/p", {"r-0004", 2}),
        "torchrun --no-python --nnodes=1 --nproc-per-node=2 --standalone --max-restarts=3 -- '/opt/our cloister/cloister-worker' train "
        "--run /data/p/runs/r-0004 --attempt 2 --stop-code 0");
    r.nodes = 2;
    QVERIFY(!checkCluster(r));
    r.endpoint = "node1:29400";
    QVERIFY(bool(checkCluster(r)));
    QVERIFY(torchrunLine(r, "/data/p", {"r-0004", 1})
                .contains("--nnodes=2 --nproc-per-node=2 --rdzv-backend=c10d --rdzv-endpoint=node1:29400 --rdzv-id=r-0004-1"));
  }

  void theSbatchScriptAsksForWhatWasAsked() {
    ClusterRequest r;
    r.on = "slurm";
    r.nodes = 2, r.perNode = 4, r.gpusPerNode = 4, r.cpusPerTask = 8, r.grace = 90, r.restarts = 2, r.atOnce = 2;
    r.memory = "64G", r.time = "12:00:00", r.partition = "gpu", r.account = "lab", r.interface = "ib0";
    r.options = {"--exclusive"};
    QVERIFY(bool(checkCluster(r)));
    const auto text = clusterFile(r, "/data/it's p", {{"r-0001", 1}, {"r-0002", 1}, {"r-0003", 1}});
    QVERIFY(bool(text));
    for (const char* line :
         {"#SBATCH --nodes=2\n", "#SBATCH --ntasks-per-node=4\n", "#SBATCH --gpus-per-node=4\n", "#SBATCH --cpus-per-task=8\n",
          "#SBATCH --mem=64G\n", "#SBATCH --time=12:00:00\n", "#SBATCH --partition=gpu\n", "#SBATCH --account=lab\n", "#SBATCH --requeue\n",
          "#SBATCH --signal=B:TERM@90\n", "#SBATCH --array=0-2%2\n", "#SBATCH --exclusive\n",
          "RUNS=(runs/r-0001 runs/r-0002 runs/r-0003)\n", "export NCCL_SOCKET_IFNAME=ib0\n", "restarts=2\n"})
      QVERIFY2(text->contains(line), line);
    QVERIFY(text->contains("ROOT=${CLOISTER_ROOT:-'/data/it'\\''s p'}"));
    QProcess bash;
    bash.start("bash", {"-n"});
    bash.write(*text);
    bash.closeWriteChannel();
    QVERIFY(bash.waitForFinished());
    QCOMPARE(bash.exitCode(), 0);
  }

  void whatWouldBreakAScriptIsRefused() {
    const auto refusal = [](auto change) {
      ClusterRequest r;
      r.on = "slurm";
      change(r);
      const auto good = checkCluster(r);
      return good ? QString() : good.error().args["name"].toString();
    };
    QCOMPARE(refusal([](ClusterRequest&) {}), QString());
    QCOMPARE(refusal([](ClusterRequest& r) { r.on = "condor"; }), "--on");
    QCOMPARE(refusal([](ClusterRequest& r) { r.partition = "gpu\n#SBATCH --wrap=rm"; }), "--partition");
    QCOMPARE(refusal([](ClusterRequest& r) { r.time = "soon"; }), "--time");
    QCOMPARE(refusal([](ClusterRequest& r) { r.memory = "a lot"; }), "--mem");
    QCOMPARE(refusal([](ClusterRequest& r) { r.options = {"rm -rf"}; }), "--sbatch");
    QCOMPARE(refusal([](ClusterRequest& r) { r.interface = "$(id)"; }), "--interface");
    QCOMPARE(refusal([](ClusterRequest& r) { r.on = "kubernetes", r.claim = "Big Disk"; }), "--claim");
    QCOMPARE(refusal([](ClusterRequest& r) { r.on = "kubernetes", r.mount = "/a b"; }), "--mount");
  }

  void anAdministratorsTemplateIsFilledIn() {
    ClusterRequest r;
    r.on = "slurm";
    r.fileTemplate = dir_.filePath("own.sbatch");
    QVERIFY(bool(writeFileAtomically(r.fileTemplate, "#!/bin/bash\n#SBATCH --job-name=@JOB_NAME@\n@SBATCH_LINES@\nmodule load x\n")));
    QCOMPARE(*clusterFile(r, "/p", {{"r-0009", 1}}), "#!/bin/bash\n#SBATCH --job-name=cloister-r-0009\nmodule load x\n");
    QVERIFY(bool(writeFileAtomically(r.fileTemplate, "#!/bin/bash\n@NODEZ@\n")));
    const auto text = clusterFile(r, "/p", {{"r-0009", 1}});
    QVERIFY(!text);
    QCOMPARE(text.error().args["line"].toInt(), 2);
  }

  void aSweepIsTheProductOfItsAxes() {
    TrainRequest recipe;
    const auto all = sweepOf(recipe, {{"learning_rate", {"0.1", "0.01"}}, {"seed", {"1", "2", "3"}}});
    QVERIFY(bool(all));
    QCOMPARE(all->size(), 6);
    QCOMPARE(all->at(4).parameters["learning_rate"].toString(), "0.01");
    QCOMPARE(all->at(4).seed, 2);
    QStringList many;
    for (int i = 0; i < 1001; ++i) many << QString::number(i);
    QVERIFY(!sweepOf(recipe, {{"seed", many}}));
  }

  void slurmsWordsAreUnderstood() {
    using Phase = SlurmState::Phase;
    const auto s = slurmStateFrom(
        "JobId=7 JobName=x JobState=PENDING Reason=Resources Dependency=(null) Requeue=1 Restarts=2 NodeList=(null)\n", 0, {});
    QCOMPARE(s.phase, Phase::Waiting);
    QCOMPARE(s.reason, "Resources");
    QCOMPARE(s.restarts, 2);
    QVERIFY(s.nodes.isEmpty());
    QCOMPARE(slurmStateFrom("JobId=7 JobState=RUNNING Reason=None NodeList=n[1-2]", 0, {}).nodes, "n[1-2]");
    QCOMPARE(slurmStateFrom("JobId=7 JobState=NODE_FAIL", 0, {}).phase, Phase::Over);
    QCOMPARE(slurmStateFrom("", 1, "slurm_load_jobs error: Invalid job id specified\n").phase, Phase::Over);
    QCOMPARE(slurmStateFrom("", 1, "slurm_load_jobs error: Unable to contact slurm controller\n").phase, Phase::Unknown);
  }

  void aRunElsewhereIsFollowedByItsFolder() {
    const auto launched = launch(*project_, *supervisor_, order("torchrun"));
    QVERIFY2(bool(launched), launched ? "" : qPrintable(describe(launched.error())));
    QCOMPARE(launched->runs, QStringList{"r-0001"});
    QCOMPARE(state("r-0001"), "submitted");
    QVERIFY(QFileInfo(launched->file).isExecutable());
    // It is in nobody's way here.
    script(test::goodRun());
    const auto here = supervisor_->start({});
    QVERIFY(bool(here));
    QTRY_COMPARE(state(*here), "finished");
    QCOMPARE(state("r-0001"), "submitted");
    attemptElsewhere(1, 2, started());
    QTRY_COMPARE(state("r-0001"), "running");
    QCOMPARE(project_->run("r-0001")->steps, 4);
    reopen();  // and is found again
    QCOMPARE(state("r-0001"), "running");
    put(attemptFolder(runDir(), 1) + "/rank-0.events.jsonl", finished());
    put(attemptFolder(runDir(), 1) + "/exit.json", R"({"code":0})");
    QTRY_COMPARE(state("r-0001"), "finished");
    QCOMPARE(project_->run("r-0001")->attempts, 1);
  }

  void aPreemptedAttemptIsNotTheEnd() {
    auto o = order("slurm");
    const auto launched = launch(*project_, *supervisor_, o);
    QVERIFY(bool(launched));
    attemptElsewhere(1, 2,
                     started() + R"({"seq":2,"type":"stopped","step":2})"
                                 "\n");
    put(attemptFolder(runDir(), 1) + "/exit.json", R"({"code":10})");
    QTRY_COMPARE(project_->run("r-0001")->attempts, 1);
    QTest::qWait(600);
    QCOMPARE(state("r-0001"), "submitted");
    attemptElsewhere(2, 2, started());
    QTRY_COMPARE(state("r-0001"), "running");
    QVERIFY(bool(supervisor_->requestStop("r-0001")));
    QVERIFY(QFileInfo::exists(runDir() + "/stop.request"));
    put(attemptFolder(runDir(), 2) + "/rank-0.events.jsonl", R"({"seq":2,"type":"stopped","step":3})"
                                                             "\n");
    put(attemptFolder(runDir(), 2) + "/exit.json", R"({"code":10})");
    QTRY_COMPARE(state("r-0001"), "stopped");
    // It may go on here.
    script(test::goodRun());
    QVERIFY(bool(supervisor_->resume("r-0001")));
    QTRY_COMPARE(state("r-0001"), "finished");
    QCOMPARE(project_->run("r-0001")->attempts, 3);
    QVERIFY(!QFileInfo::exists(runDir() + "/launch.json"));
  }

  void whatWaitsIsTakenBack() {
    QVERIFY(bool(launch(*project_, *supervisor_, order("kubernetes"))));
    QVERIFY(bool(supervisor_->requestStop("r-0001")));
    QCOMPARE(state("r-0001"), "stopped");
    QVERIFY(QFileInfo::exists(runDir() + "/stop.request"));
    auto again = order("torchrun");
    again.run = "r-0001";
    QVERIFY(bool(launch(*project_, *supervisor_, again)));
    QVERIFY(!QFileInfo::exists(runDir() + "/stop.request"));
    again.cluster.perNode = 4;
    const auto other = launch(*project_, *supervisor_, again);
    QVERIFY(!other);
    QCOMPARE(other.error().kind, FailureKind::InvalidArgument);
  }

  void theRankThatWasLostIsNamed() {
    QVERIFY(bool(launch(*project_, *supervisor_, order("torchrun"))));
    attemptElsewhere(1, 2,
                     started() + R"({"seq":2,"type":"failed","failure":{"kind":"internal","detail":"Connection closed by peer"}})"
                                 "\n");
    put(attemptFolder(runDir(), 1) + "/rank-1.events.jsonl", started());
    put(attemptFolder(runDir(), 1) + "/worker-1.log", "bus error on rank one\n");
    put(attemptFolder(runDir(), 1) + "/exit.json", R"({"code":1})");
    QTRY_COMPARE_WITH_TIMEOUT(state("r-0001"), "attempt_failed", 10'000);
    const Failure failure = Failure::fromJson(project_->run("r-0001")->summary["failure"].toObject());
    QCOMPARE(failure.kind, FailureKind::Crashed);
    QCOMPARE(failure.args["rank"].toInt(), 1);
    QVERIFY(failure.detail.contains("bus error") && failure.detail.contains("Connection closed"));
  }

  void aFailedAttemptStartsAgainSoManyTimes() {
    script("event started {\"steps\":4}\nevent checkpoint {\"step\":2}\nfile checkpoints/step-00000002/state.json {}\ncrash\n");
    QSignalSpy told(supervisor_.get(), &RunSupervisor::eventsArrived);
    TrainRequest request;
    request.restarts = 2;
    const auto run = supervisor_->start(request);
    QVERIFY(bool(run));
    QTRY_COMPARE_WITH_TIMEOUT(state(*run), "attempt_failed", 20'000);
    const auto row = project_->run(*run);
    QCOMPARE(row->attempts, 3);
    QCOMPARE(row->summary["restarts"].toInt(), 2);
    int warnings = 0;
    for (const auto& signal : told)
      for (const RunEvent& e : signal.at(1).value<QList<RunEvent>>())
        if (e.type == u"warning" && e.body["kind"] == "restarted") {
          ++warnings;
          QVERIFY2(e.body["message"].toString().contains("step 2"), qPrintable(e.body["message"].toString()));
        }
    QCOMPARE(warnings, 2);
    // Asked for by hand, it has its restarts again, and a run that succeeds ends them.
    script(test::goodRun());
    QVERIFY(bool(supervisor_->resume(*run)));
    QTRY_COMPARE(state(*run), "finished");
  }

  void whatWouldFailAgainIsNotRestarted() {
    script("event started {\"steps\":4}\nevent failed {\"failure\":{\"kind\":\"non_finite\",\"args\":{\"step\":3}}}\nexit 40\n");
    TrainRequest request;
    request.restarts = 5;
    const auto run = supervisor_->start(request);
    QVERIFY(bool(run));
    QTRY_COMPARE(state(*run), "failed");
    QCOMPARE(project_->run(*run)->attempts, 1);
  }

  void aRestartHappensAlsoWhenNobodyWatched() {
    script("event started {\"steps\":4}\ncrash\n");
    TrainRequest request;
    request.restarts = 1;
    const auto run = supervisor_->start(request);
    QVERIFY(bool(run));
    supervisor_.reset();
    QTRY_VERIFY(livenessOf(readWorkerFile(attemptFolder(runDir(*run), 1)).first()) == Liveness::Dead);
    script(test::goodRun());
    reopen();
    QTRY_COMPARE(state(*run), "finished");
    QCOMPARE(project_->run(*run)->attempts, 2);
  }

  void memoryThatRanOutIsNoted() {
    const QString counters = dir_.filePath("vmstat");
    QVERIFY(bool(writeFileAtomically(counters, "nr_free 1\noom_kill 3\n")));
    qputenv("CLOISTER_VMSTAT", QFile::encodeName(counters));
    script("event started {\"steps\":4}\nsleep 400\ncrash\n");
    const auto run = supervisor_->start({});
    QVERIFY(bool(run));
    QVERIFY(bool(writeFileAtomically(counters, "nr_free 1\noom_kill 4\n")));
    QTRY_COMPARE(state(*run), "attempt_failed");
    QVERIFY(project_->run(*run)->summary["failure"].toObject()["args"].toObject()["signal"].toString().contains("memory"));
    qunsetenv("CLOISTER_VMSTAT");
  }

  void aPackComesBack() {
    auto o = order("slurm");
    o.cluster.worker = "/opt/cloister/bin/cloister-worker";
    const auto launched = launch(*project_, *supervisor_, o);
    QVERIFY(bool(launched));
    const QString tar = dir_.filePath(QString("pack%1.tar").arg(number_));
    const auto packed = packRuns(*project_, launched->runs, launched->file, tar);
    QVERIFY2(bool(packed), packed ? "" : qPrintable(describe(packed.error()) + packed.error().detail));
    QVERIFY(!packRuns(*project_, launched->runs, launched->file, tar));
    const QString there = dir_.filePath(QString("there%1").arg(number_));
    QVERIFY(QDir().mkpath(there));
    QCOMPARE(QProcess::execute("tar", {"-xf", tar, "-C", there}), 0);
    const QString root = there + "/cloister-r-0001";
    QProcess sums;
    sums.setWorkingDirectory(root);
    sums.start("sha256sum", {"--quiet", "-c", "SHA256SUMS"});
    QVERIFY(sums.waitForFinished());
    QCOMPARE(sums.exitCode(), 0);
    QVERIFY(QFileInfo::exists(root + "/README.txt") && QFileInfo::exists(root + "/launch.sbatch"));
    const auto spec = RunSpec::fromJson(*readJson(root + "/runs/r-0001/spec.json"));
    QVERIFY(QFileInfo::exists(root + '/' + spec->prepared + "/prepared.json"));
    QDirIterator all(root, {"samples.jsonl"}, QDir::Files, QDirIterator::Subdirectories);
    QVERIFY(!all.hasNext());
    // Nothing ran yet.
    supervisor_.reset();
    QCOMPARE(importRuns(*project_, root).error().kind, FailureKind::NothingToDo);
    // It ran there.
    const QString run = root + "/runs/r-0001";
    put(run + "/attempt-001/rank-0.events.jsonl", started() + finished());
    put(run + "/attempt-001/exit.json", R"({"code":0})");
    put(run + "/best/model.safetensors", "weights");
    put(run + "/best/state.json", "{\"files\":{\"model.safetensors\":\"" + sha256Hex("weights").toUtf8() + "\"}}");
    put(run + "/checkpoints/step-00000004/model.safetensors", "broken");
    put(run + "/checkpoints/step-00000004/state.json", "{\"files\":{\"model.safetensors\":\"" + sha256Hex("whole").toUtf8() + "\"}}");
    QCOMPARE(importRuns(*project_, root).error().kind, FailureKind::CorruptFile);
    QCOMPARE(newestCheckpoint(runDir()), -1);
    QVERIFY(QFile::remove(run + "/checkpoints/step-00000004/model.safetensors"));
    put(run + "/checkpoints/step-00000004/model.safetensors", "whole");
    const auto imported = importRuns(*project_, root);
    QVERIFY2(bool(imported), imported ? "" : qPrintable(describe(imported.error())));
    QCOMPARE(state("r-0001"), "finished");
    QVERIFY(hasBestWeights(runDir()));
    QCOMPARE(newestCheckpoint(runDir()), 4);
    QCOMPARE(importRuns(*project_, root).error().kind, FailureKind::NothingToDo);
  }

  void aPackOfAnotherRecipeIsRefused() {
    const auto launched = launch(*project_, *supervisor_, order("slurm"));
    QVERIFY(bool(launched));
    const QString root = dir_.filePath(QString("pack%1").arg(number_));
    QVERIFY(bool(packRuns(*project_, launched->runs, launched->file, root)));
    supervisor_.reset();
    auto spec = *readJson(root + "/runs/r-0001/spec.json");
    spec["seed"] = 99;
    QVERIFY(bool(writeJsonAtomically(root + "/runs/r-0001/spec.json", spec)));
    put(root + "/runs/r-0001/attempt-001/rank-0.events.jsonl", started());
    const auto imported = importRuns(*project_, root);
    QVERIFY(!imported);
    QCOMPARE(imported.error().kind, FailureKind::IdentityChanged);
    QCOMPARE(imported.error().args["what"].toString(), "recipe");
    spec["snapshot"] = QString(64, 'a');
    QVERIFY(bool(writeJsonAtomically(root + "/runs/r-0001/spec.json", spec)));
    QCOMPARE(importRuns(*project_, root).error().args["what"].toString(), "snapshot");
  }
};

QTEST_GUILESS_MAIN(TestLaunching)
#include "test_launching.moc"
