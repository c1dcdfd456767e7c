// The supervisor from start to verdict on a real project, with a scripted worker (tests/support): queue, stop with grace, resume, restart,
// jobs, and every check before the start.
#include <signal.h>
#include <QtTest>

#include "core/domain/files.h"
#include "core/domain/process_identity.h"
#include "core/runs/run_row.h"
#include "core/runs/run_supervisor.h"
#include "core/runs/worker_launch.h"
#include "core/store/project.h"
#include "core/tensors/safetensors.h"
#include "core/trust/audit_log.h"
#include "tests/support/run_project.h"

using namespace cloister;

namespace {
const QByteArray kGoodRun = test::goodRun();
}

class TestRunSupervisor : public QObject {
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

  QString started(const TrainRequest& request = {}, bool queue = false) {
    const auto run = supervisor_->start(request, queue);
    if (!run) qWarning("%s %s", qPrintable(describe(run.error())), qPrintable(run.error().detail));
    return run ? *run : QString();
  }

  FailureKind refusal(const TrainRequest& request) {
    const auto run = supervisor_->start(request);
    return run ? FailureKind::Stopped : run.error().kind;
  }

 private Q_SLOTS:
  void initTestCase() { test::useFakePrograms(CLOISTER_BIN_DIR); }

  void init() {
    project_ = test::makeProject(dir_.filePath(QStringLiteral("p%1").arg(++number_)));
    QVERIFY(project_);
    reopen();
    qunsetenv("FAKE_WORKER_PLAN");
    qunsetenv("FAKE_INGEST_FAIL");
  }

  void cleanup() {
    supervisor_.reset();
    project_.reset();
  }

  void aRunGoesFromStartToFinish() {
    script(kGoodRun);
    QSignalSpy events(supervisor_.get(), &RunSupervisor::eventsArrived);
    TrainRequest request;
    request.parameters = {{"epochs", "8"}};
    request.seed = 11;
    const QString run = started(request);
    QCOMPARE(run, "r-0001");
    QTRY_COMPARE(state(run), "finished");
    const auto row = project_->run(run);
    QCOMPARE(row->step, 4);
    QCOMPARE(row->steps, 4);
    QCOMPARE(row->attempts, 1);
    QCOMPARE(row->summary["best"].toObject()["value"].toDouble(), 0.9);
    QCOMPARE(row->summary["values"].toObject()["train/loss"].toDouble(), 0.5);
    QVERIFY(events.count() >= 1);
    const auto spec = RunSpec::fromJson(*readJson(project_->runDir(run) + "/spec.json"));
    QCOMPARE(spec->parameters["epochs"].toInt(), 8);
    QCOMPARE(spec->parameters["architecture"].toString(), "small_cnn");
    QCOMPARE(spec->seed, 11);
    QVERIFY(QFileInfo::exists(project_->dir() + '/' + spec->prepared + "/prepared.json"));
    QCOMPARE(readRunEvents(project_->runDir(run))->size(), 4);
  }

  void actionsAreInTheAuditLog() {
    script("event started {\"steps\":4}\nwaitstop\n");
    const QString run = started();
    QVERIFY(bool(supervisor_->requestStop(run)));
    QTRY_COMPARE(state(run), "stopped");
    script(kGoodRun);
    QVERIFY(bool(supervisor_->resume(run)));
    QTRY_COMPARE(state(run), "finished");
    const auto log = AuditLog::open(project_->dir(), true);
    QVERIFY(bool(log));
    QStringList actions;
    const auto entries = (*log)->entries();
    QVERIFY(bool(entries));
    for (const AuditEntry& e : *entries) actions << e.body["action"].toString();
    QVERIFY2(actions.endsWith("resume") && actions.mid(actions.size() - 3) == QStringList({"train", "stop", "resume"}),
             qPrintable(actions.join(' ')));
    QVERIFY((*log)->verify()->intact);
  }

  void oneRunAtATimeOrInTheQueue() {
    script("waitstop\n");
    const QString first = started();
    QVERIFY(!first.isEmpty());
    QCOMPARE(refusal({}), FailureKind::PolicyRefused);
    const QString second = started({}, true);
    const QString third = started({}, true);
    QCOMPARE(state(second), "queued");
    QVERIFY(supervisor_->isQueued(third));
    QVERIFY(bool(supervisor_->requestStop(third)));
    QCOMPARE(state(third), "stopped");
    QVERIFY(bool(supervisor_->requestStop(first)));
    QTRY_COMPARE(state(first), "stopped");
    QTRY_COMPARE(state(second), "running");
    QVERIFY(bool(supervisor_->requestStop(second)));
    QTRY_COMPARE(state(second), "stopped");
    QCOMPARE(state(third), "stopped");
  }

  void aWorkerThatDoesNotStopIsKilledAfterTheGrace() {
    script("ignoreterm\nevent started {\"steps\":4}\nsleep 600000\n");
    supervisor_->setStopGrace(200);
    const QString run = started();
    QTRY_VERIFY(project_->run(run)->steps == 4);
    QVERIFY(bool(supervisor_->requestStop(run)));
    QCOMPARE(state(run), "stopping");
    QTRY_COMPARE_WITH_TIMEOUT(state(run), "stopped", 20'000);
    QVERIFY(project_->run(run)->summary["forced"].toBool());
  }

  void aSilentWorkerIsNoticedAndLeftAlone() {
    script("event started {\"steps\":4}\nsleep 1500\nevent metric {\"step\":1,\"values\":{}}\nwaitstop\n");
    supervisor_->setSilenceLimit(500);
    const QString run = started();
    QTRY_VERIFY(project_->run(run)->summary.contains("silentSeconds"));
    QCOMPARE(state(run), "running");
    QTRY_COMPARE(project_->run(run)->step, 1);
    QVERIFY(!project_->run(run)->summary.contains("silentSeconds"));
    QVERIFY(bool(supervisor_->requestStop(run)));
    QTRY_COMPARE(state(run), "stopped");
  }

  void aStopFileOfAnotherProgramIsSeen() {
    script("event started {\"steps\":4}\nwaitstop\n");
    const QString run = started();
    QVERIFY(bool(writeStopRequest(project_->runDir(run))));
    QTRY_COMPARE(state(run), "stopped");
  }

  void aKilledWorkerKeepsWhatItWroteAndResumes() {
    script("event started {\"steps\":4}\nevent metric {\"step\":2,\"values\":{\"train/loss\":0.5}}\ntorn {\"seq\":3,\nsleep 600000\n");
    const QString run = started();
    QTRY_COMPARE(project_->run(run)->step, 2);
    QVERIFY(signalProcess(readWorkerFile(attemptFolder(project_->runDir(run), 1))[0], SIGKILL));
    QTRY_COMPARE(state(run), "attempt_failed");
    QCOMPARE(project_->run(run)->summary["failure"].toObject()["kind"].toString(), "crashed");
    script(kGoodRun);
    QVERIFY(bool(supervisor_->resume(run)));
    QTRY_COMPARE(state(run), "finished");
    QCOMPARE(project_->run(run)->attempts, 2);
    QVERIFY(!project_->run(run)->summary.contains("failure"));
    QCOMPARE(readRunEvents(project_->runDir(run))->size(), 6);
    const auto again = supervisor_->resume(run);
    QVERIFY(!again);
    QCOMPARE(again.error().kind, FailureKind::NothingToDo);
  }

  void theWorkerOutlivesTheSupervisor() {
    script("event started {\"steps\":4}\nevent metric {\"step\":1,\"values\":{}}\nwaitstop\n");
    const QString run = started();
    QTRY_COMPARE(project_->run(run)->step, 1);
    supervisor_.reset();
    QCOMPARE(livenessOf(readWorkerFile(attemptFolder(project_->runDir(run), 1))[0]), Liveness::Alive);
    reopen();
    QVERIFY(supervisor_->isActive(run));
    QVERIFY(bool(supervisor_->requestStop(run)));
    QTRY_COMPARE(state(run), "stopped");
  }

  void whatHappenedMeanwhileIsFound() {
    script("event started {\"steps\":4}\nsleep 300\n" + kGoodRun);
    const QString run = started();
    supervisor_.reset();
    const ProcessIdentity worker = readWorkerFile(attemptFolder(project_->runDir(run), 1))[0];
    QTRY_COMPARE(livenessOf(worker), Liveness::Dead);
    QCOMPARE(state(run), "running");
    supervisor_ = std::make_unique<RunSupervisor>(*project_);
    QSignalSpy events(supervisor_.get(), &RunSupervisor::eventsArrived);
    QVERIFY(bool(supervisor_->attach()));
    QCOMPARE(state(run), "finished");
    QCOMPARE(project_->run(run)->step, 4);
    QCOMPARE(events.count(), 1);
  }

  void aRunFolderWithoutARowIsAdopted() {
    script(kGoodRun);
    const QString run = started();
    QTRY_COMPARE(state(run), "finished");
    const QString copy = project_->runDir("r-0042");
    QProcess::execute("cp", {"-r", project_->runDir(run), copy});
    auto spec = *readJson(copy + "/spec.json");
    spec["run"] = "r-0042";
    QVERIFY(bool(writeJsonAtomically(copy + "/spec.json", spec)));
    reopen();
    QCOMPARE(state("r-0042"), "finished");
    QCOMPARE(project_->run("r-0042")->step, 4);
  }

  void theClockMayBeSetBack() {
    // Times in the log run backwards; order and verdict come from the sequence and the process.
    script("event started {\"steps\":4,\"at\":\"2030-01-01T00:00:00Z\"}\n" + kGoodRun);
    const QString run = started();
    QTRY_COMPARE(state(run), "finished");
    QCOMPARE(project_->run(run)->step, 4);
  }

  void jobsWriteTheirRequestAndBringTheirResult() {
    script(kGoodRun);
    const QString run = started();
    QTRY_COMPARE(state(run), "finished");
    script(
        "event progress {\"done\":1,\"total\":2}\nfile evaluation/report.json {\"headline\":[{\"name\":\"accuracy\",\"value\":0.8}]}\nexit "
        "0\n");
    QSignalSpy ended(supervisor_.get(), &RunSupervisor::jobFinished);
    QSignalSpy events(supervisor_.get(), &RunSupervisor::jobEvents);
    const auto folder = supervisor_->startJob(run, "evaluate", {{"attacks", false}});
    QVERIFY(bool(folder));
    const auto second = supervisor_->startJob(run, "evaluate", {});
    QCOMPARE(second.error().kind, FailureKind::PolicyRefused);
    QTRY_COMPARE(ended.count(), 1);
    QCOMPARE(ended[0][2].toInt(), 0);
    QCOMPARE(ended[0][3].toJsonObject()["headline"].toArray()[0].toObject()["value"].toDouble(), 0.8);
    QVERIFY(events.count() >= 1);
    QCOMPARE((*readJson(*folder + "/request.json"))["attacks"].toBool(true), false);
  }

  void aJobThatFailsSaysWhy() {
    script(kGoodRun);
    const QString run = started();
    QTRY_COMPARE(state(run), "finished");
    script("event failed {\"failure\":{\"kind\":\"disk_full\",\"args\":{\"path\":\"x\"}}}\nexit 1\n");
    QSignalSpy ended(supervisor_.get(), &RunSupervisor::jobFinished);
    QVERIFY(bool(supervisor_->startJob(run, "export", {})));
    QTRY_COMPARE(ended.count(), 1);
    QVERIFY(ended[0][2].toInt() != 0);
    QCOMPARE(ended[0][3].toJsonObject()["failure"].toObject()["kind"].toString(), "disk_full");
  }

  void aStoppedJobIsStopped() {
    script(kGoodRun);
    const QString run = started();
    QTRY_COMPARE(state(run), "finished");
    script("sleep 600000\n");
    QSignalSpy ended(supervisor_.get(), &RunSupervisor::jobFinished);
    QVERIFY(bool(supervisor_->startJob(run, "export", {})));
    QVERIFY(bool(supervisor_->stopJob(run, "export")));
    QTRY_COMPARE(ended.count(), 1);
    QCOMPARE(ended[0][2].toInt(), 10);
  }

  void aJobNeedsWeights() {
    script("exit 20\n");
    const QString run = started();
    QTRY_COMPARE(state(run), "failed");
    QCOMPARE(supervisor_->startJob(run, "evaluate", {}).error().kind, FailureKind::NothingToDo);
    QCOMPARE(supervisor_->startJob(run, "dance", {}).error().kind, FailureKind::InvalidArgument);
  }

  void badRequestsAreRefusedBeforeAnythingIsWritten() {
    script(kGoodRun);
    TrainRequest request;
    request.parameters = {{"epochs", 0}};
    QCOMPARE(refusal(request), FailureKind::InvalidArgument);
    request.parameters = {{"no_such_thing", 1}};
    QCOMPARE(refusal(request), FailureKind::InvalidArgument);
    request = {};
    request.family = "nobody";
    QCOMPARE(refusal(request), FailureKind::NotFound);
    request = {};
    request.snapshot = "ffff";
    QCOMPARE(refusal(request), FailureKind::NotFound);
    request = {};
    request.baseWeights = dir_.filePath("missing.safetensors");
    QCOMPARE(refusal(request), FailureKind::NotFound);
    QFile junk(dir_.filePath("junk.safetensors"));
    QVERIFY(junk.open(QIODevice::WriteOnly));
    junk.write("not a tensor");
    junk.close();
    request.baseWeights = junk.fileName();
    QCOMPARE(exitCodeFor(refusal(request)), 3);  // bad input, whatever the reader calls it
    request = {};
    request.processes = 0;
    QCOMPARE(refusal(request), FailureKind::InvalidArgument);
    qputenv("FAKE_INGEST_FAIL", "1");
    QCOMPARE(refusal({}), FailureKind::CorruptFile);
    QVERIFY(project_->runs()->isEmpty());
  }

  void whatDoesNotFitIsRefusedUnlessForced() {
    script(kGoodRun);
    qputenv("FAKE_WORKER_PLAN", R"({"memoryNeeded":1e18,"diskNeeded":1})");
    QCOMPARE(refusal({}), FailureKind::OutOfMemory);
    const auto fit = supervisor_->willItFit({});
    QVERIFY(bool(fit));
    QVERIFY(!fit->fits);
    QVERIFY(!fit->advice.isEmpty());
    qputenv("FAKE_WORKER_PLAN", R"({"memoryNeeded":1,"diskNeeded":1e18})");
    QCOMPARE(refusal({}), FailureKind::DiskFull);
    qputenv("FAKE_WORKER_PLAN", R"({"failure":{"kind":"invalid_argument","args":{"name":"micro_batch"}}})");
    QCOMPARE(refusal({}), FailureKind::InvalidArgument);
    qputenv("FAKE_WORKER_PLAN", R"({"memoryNeeded":1e18,"diskNeeded":1})");
    TrainRequest forced;
    forced.force = true;
    const QString run = started(forced);
    QTRY_COMPARE(state(run), "finished");
  }

  void aResumeWithOtherDataOrWeightsIsRefused() {
    script("event started {\"steps\":4}\nwaitstop\n");
    const QString weights = dir_.filePath("base.safetensors");
    const auto put = [&](float value) {
      std::vector<float> v(4, value);
      return writeSafetensors(weights, {{"w", {DType::F32, {4}, reinterpret_cast<const std::byte*>(v.data()), 16}}});
    };
    QVERIFY(bool(put(1)));
    TrainRequest request;
    request.baseWeights = weights;
    const QString run = started(request);
    QVERIFY(bool(supervisor_->requestStop(run)));
    QTRY_COMPARE(state(run), "stopped");
    QVERIFY(bool(put(2)));
    auto resumed = supervisor_->resume(run);
    QVERIFY(!resumed);
    QCOMPARE(resumed.error().kind, FailureKind::IdentityChanged);
    QCOMPARE(resumed.error().args["what"].toString(), "base weights");
    QVERIFY(bool(put(1)));
    const auto spec = RunSpec::fromJson(*readJson(project_->runDir(run) + "/spec.json"));
    const QString marker = project_->dir() + '/' + spec->prepared + "/prepared.json";
    auto prepared = *readJson(marker);
    prepared["mean"] = QJsonArray{0.25};
    QVERIFY(QFile::setPermissions(marker, QFile::ReadOwner | QFile::WriteOwner));
    QVERIFY(bool(writeJsonAtomically(marker, prepared)));
    resumed = supervisor_->resume(run);
    QVERIFY(!resumed);
    QCOMPARE(resumed.error().kind, FailureKind::IdentityChanged);
    QCOMPARE(resumed.error().args["what"].toString(), "prepared data");
  }

  void aWorkerThatCannotStartLeavesASentence() {
    const QByteArray before = qgetenv("CLOISTER_WORKER");
    qputenv("CLOISTER_WORKER", "/nonexistent/worker");
    TrainRequest forced;  // without asking the worker for its plan
    forced.force = true;
    const auto run = supervisor_->start(forced);
    qputenv("CLOISTER_WORKER", before);
    QVERIFY(!run);
    QCOMPARE(run.error().kind, FailureKind::NotFound);
    QCOMPARE(state("r-0001"), "attempt_failed");
    script(kGoodRun);
    QVERIFY(bool(supervisor_->resume("r-0001")));
    QTRY_COMPARE(state("r-0001"), "finished");
  }

  void severalRanksEndTogether() {
    script("event started {\"steps\":4}\n1: sleep 200\n1: crash\n0: sleep 600000\n");
    TrainRequest request;
    request.processes = 2;
    const QString run = started(request);
    QTRY_COMPARE_WITH_TIMEOUT(state(run), "attempt_failed", 20'000);
    QCOMPARE(project_->run(run)->summary["failure"].toObject()["kind"].toString(), "crashed");
    for (const ProcessIdentity& p : readWorkerFile(attemptFolder(project_->runDir(run), 1))) QCOMPARE(livenessOf(p), Liveness::Dead);
  }
};

QTEST_GUILESS_MAIN(TestRunSupervisor)
#include "test_run_supervisor.moc"
