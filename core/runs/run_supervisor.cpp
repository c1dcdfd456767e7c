#include "core/runs/run_supervisor.h"

#include <signal.h>
#include <algorithm>
#include <map>

#include <QDateTime>
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QTimer>

#include "core/curation/dataset.h"
#include "core/curation/text_dataset.h"
#include "core/domain/files.h"
#include "core/domain/version.h"
#include "core/extension/plugin_catalogue.h"
#include "core/runs/child_watch.h"
#include "core/runs/run_checks.h"
#include "core/runs/run_row.h"
#include "core/runs/worker_launch.h"
#include "core/store/project.h"
#include "core/trust/audit_log.h"

namespace cloister {
namespace {

constexpr int kPollMs = 250;
constexpr int kSaveEveryMs = 1000;  // the row is written at most this often while only numbers change
constexpr int kKillAfterTermMs = 5000;
const QString kTrainEvents = QStringLiteral("rank-0.events.jsonl");
const QString kJobEvents = QStringLiteral("events.jsonl");

QString now() { return QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs); }

QString stopFile(const QString& runDir) { return runDir + QStringLiteral("/stop.request"); }

Failure policy(const QString& rule) { return {FailureKind::PolicyRefused, {{"rule", rule}}, {}}; }

Result<void> removeIfThere(const QString& path) {
  if (!QFileInfo::exists(path) || QFile::remove(path)) return {};
  return Failure{FailureKind::PermissionDenied, {{"path", path}}, {}};
}

Result<void> makeFolder(const QString& path) {
  if (QDir().mkpath(path)) return {};
  return failureFromErrno(errno ? errno : EACCES, path);
}

/// A path as a spec keeps it: the project may be moved.
QString inProject(const Project& project, const QString& path) {
  return path.startsWith(project.dir() + '/') ? QDir(project.dir()).relativeFilePath(path) : path;
}

}  // namespace

struct RunSupervisor::Private {
  struct Active {  // a training run with a live worker
    RunRecord row;
    ChildWatch watch;
    bool terminated = false;
    QElapsedTimer sinceSaved = {}, sinceStop = {}, sinceEvent = {};
  };
  struct Job {
    QString run, verb;
    ChildWatch watch;
    bool stopping = false;
  };

  Private(Project& p, RunSupervisor* q) : project(p), supervisor(q), catalogue(PluginCatalogue::scan()) {}

  Result<void> audit(const QString& action, const QJsonObject& object);
  Result<void> launchAttempt(RunRecord& row);
  Result<void> startRow(RunRecord row);
  Result<RunSpec> makeSpec(const TrainRequest&, const CheckedRequest&);
  Result<RunRecord> adopt(const QString& run);
  Result<QList<RunRecord>> allRows();
  void attachJobs(const QString& run);
  void attachRun(const RunRecord& old);
  void poll();
  void pollRun(Active&);
  void watchStop(Active&);
  void watchSilence(Active&, bool spoke);
  bool pollJob(Job&);
  void startNextQueued();
  void saveAndTell(const RunRecord&);
  QStringList queued() const;

  Project& project;
  RunSupervisor* supervisor;
  PluginCatalogue catalogue;
  std::unique_ptr<AuditLog> log;
  std::map<QString, std::unique_ptr<Active>> active;
  std::vector<std::unique_ptr<Job>> jobs;
  QTimer timer;
  int graceMs = 60'000, silenceMs = 120'000;
  std::function<bool()> stopCheck;
};

RunSupervisor::RunSupervisor(Project& project, QObject* parent) : QObject(parent), d(std::make_unique<Private>(project, this)) {
  d->timer.setInterval(kPollMs);
  connect(&d->timer, &QTimer::timeout, this, [this] { d->poll(); });
}

RunSupervisor::~RunSupervisor() = default;

void RunSupervisor::setStopCheck(std::function<bool()> check) { d->stopCheck = std::move(check); }

void RunSupervisor::setStopGrace(int milliseconds) { d->graceMs = milliseconds; }

void RunSupervisor::setSilenceLimit(int milliseconds) { d->silenceMs = milliseconds; }

bool RunSupervisor::isActive(const QString& run) const { return d->active.contains(run); }

bool RunSupervisor::isQueued(const QString& run) const { return d->queued().contains(run); }

QStringList RunSupervisor::families() const {
  QStringList ids;
  // A family for another task cannot train on this project's data.
  for (const PluginInfo& p : d->catalogue.all(QStringLiteral("family")))
    if (const QString task = p.json["task"].toString(); task.isEmpty() || task == d->project.info().task) ids << p.id;
  return ids;
}

Result<ParameterSchema> RunSupervisor::familySchema(const QString& family) const {
  auto plugin = d->catalogue.find(QStringLiteral("family"), family);
  if (!plugin) return plugin.error();
  return plugin->schema;
}

Result<FitReport> RunSupervisor::willItFit(const TrainRequest& request) const {
  auto checked = checkRequest(d->project, d->catalogue, request);
  if (!checked) return checked.error();
  return planRequest(d->project, request, *checked);
}

// ---- what is written down

/// Before the effect: an action that cannot be recorded does not happen.
Result<void> RunSupervisor::Private::audit(const QString& action, const QJsonObject& object) {
  if (!log) {
    auto opened = AuditLog::open(project.dir());
    if (!opened) return opened.error();
    log = std::move(*opened);
  }
  auto entry = log->append(action, object);
  if (!entry) return entry.error();
  return {};
}

void RunSupervisor::Private::saveAndTell(const RunRecord& row) {
  // A row that cannot be written now (disk full, database busy) is rebuilt from the run's folder by attach(): nothing is lost.
  if (auto saved = project.saveRun(row); !saved) qWarning("%s", qUtf8Printable(describe(saved.error())));
  Q_EMIT supervisor->runChanged(row.id);
}

QStringList RunSupervisor::Private::queued() const {
  QStringList ids;
  if (auto rows = project.runs())
    for (const RunRecord& row : *rows)
      if (row.state == u"queued") ids << row.id;
  std::sort(ids.begin(), ids.end());
  return ids;
}

// ---- start

Result<RunSpec> RunSupervisor::Private::makeSpec(const TrainRequest& request, const CheckedRequest& checked) {
  const auto told = [this](qint64 done, qint64 total) {
    Q_EMIT supervisor->preparing(done, total);
    return !stopCheck || !stopCheck();
  };
  const int length = checked.parameters["sequence_length"].toInt(512);
  auto prepared = checked.isLanguage() ? prepareTexts(project, checked.snapshot, {checked.tokenizer, length, "auto"}, told)
                                       : prepareSnapshot(project, checked.snapshot, checked.preprocessing, told);
  if (!prepared) return prepared.error();
  if (!checked.isLanguage())
    if (auto whole = checkPrepared(prepared->dir, prepared->digest); !whole) return whole.error();
  auto id = project.newRunId();
  if (!id) return id.error();
  RunSpec spec;
  spec.run = *id;
  spec.family = checked.family;
  spec.snapshot = checked.snapshot.digest;
  spec.prepared = QDir(project.dir()).relativeFilePath(prepared->dir);
  spec.preparedDigest = prepared->digest;
  spec.baseWeights = inProject(project, checked.baseWeights);
  spec.tokenizer = inProject(project, checked.tokenizer);
  spec.baseWeightsSha256 = checked.baseWeightsSha256;
  spec.parameters = checked.parameters;
  spec.seed = request.seed;
  spec.processes = request.processes;
  spec.createdAt = now();
  spec.codeVersion = programVersion() + ' ' + codeCommit();
  return spec;
}

Result<QString> RunSupervisor::start(const TrainRequest& request, bool queue) {
  if (!queue && !d->active.empty())
    return policy(QStringLiteral("one run at a time, and %1 is still training; stop it, or queue this one").arg(d->active.begin()->first));
  auto checked = checkRequest(d->project, d->catalogue, request);
  if (!checked) return checked.error();
  if (!request.force) {
    auto fit = planRequest(d->project, request, *checked);
    if (!fit) return fit.error();
    if (auto enough = requireFit(*fit, d->project.dir()); !enough) return enough.error();
  }
  auto spec = d->makeSpec(request, *checked);
  if (!spec) return spec.error();
  const QString runDir = d->project.runDir(spec->run);
  if (QFileInfo::exists(runDir + "/spec.json")) return Failure{FailureKind::AlreadyExists, {{"path", runDir}}, {}};
  if (auto audited =
          d->audit(QStringLiteral("train"), {{"run", spec->run}, {"snapshot", spec->snapshot}, {"spec", spec->identityDigest()}});
      !audited)
    return audited.error();
  if (auto made = makeFolder(runDir); !made) return made.error();
  if (auto written = writeJsonAtomically(runDir + "/spec.json", spec->toJson()); !written) return written.error();
  RunRecord row = rowOf(*spec);
  row.state = queue && !d->active.empty() ? QStringLiteral("queued") : QStringLiteral("running");
  if (auto saved = d->project.saveRun(row); !saved) return saved.error();
  if (row.state == u"queued") Q_EMIT runChanged(row.id);
  else if (auto started = d->startRow(row); !started) return started.error();
  return spec->run;
}

/// Starts the next attempt of a row; a failure to start stands in the row as well.
Result<void> RunSupervisor::Private::startRow(RunRecord row) {
  auto launched = launchAttempt(row);
  if (launched) return {};
  applyOutcome(row, {QStringLiteral("attempt_failed"), 1, launched.error()});
  saveAndTell(row);
  return launched;
}

Result<void> RunSupervisor::Private::launchAttempt(RunRecord& row) {
  const QString runDir = project.runDir(row.id);
  auto specJson = readJson(runDir + "/spec.json");
  if (!specJson) return specJson.error();
  auto spec = RunSpec::fromJson(*specJson);
  if (!spec) return spec.error();
  if (auto removed = removeIfThere(stopFile(runDir)); !removed) return removed;
  const int attempt = attemptsIn(runDir) + 1;
  const QString folder = attemptFolder(runDir, attempt);
  if (auto made = makeFolder(folder); !made) return made;
  auto ranks = launchWorkers({{"train", "--run", runDir, "--attempt", QString::number(attempt)}, folder, spec->processes});
  if (!ranks) return ranks.error();
  row.state = QStringLiteral("running");
  row.attempts = attempt;
  row.finishedAt.clear();
  row.summary.remove("failure");
  row.summary.remove("exitCode");
  row.summary["offset"] = 0;
  auto entry = std::make_unique<Active>(Active{row, ChildWatch(folder, kTrainEvents)});
  active[row.id] = std::move(entry);
  timer.start();
  saveAndTell(row);
  return {};
}

void RunSupervisor::Private::startNextQueued() {
  while (active.empty()) {
    const QStringList waiting = queued();
    if (waiting.isEmpty()) return;
    auto row = project.run(waiting.first());
    if (!row) return;
    const auto spec = readJson(project.runDir(row->id) + "/spec.json");
    const auto parsed = spec ? RunSpec::fromJson(*spec) : Result<RunSpec>(spec.error());
    const auto same = parsed ? checkIdentity(project, *parsed) : Result<void>(parsed.error());
    if (same && startRow(*row)) return;
    if (same) continue;  // startRow wrote the failure into the row
    applyOutcome(*row, {QStringLiteral("failed"), 1, same.error()});
    if (!project.saveRun(*row)) return;
    Q_EMIT supervisor->runChanged(row->id);
  }
}

// ---- stop and resume

Result<void> RunSupervisor::requestStop(const QString& run) {
  auto row = d->project.run(run);
  if (!row) return row.error();
  if (row->state == u"queued") {
    if (auto audited = d->audit(QStringLiteral("stop"), {{"run", row->id}}); !audited) return audited;
    row->state = QStringLiteral("stopped");
    row->finishedAt = now();
    auto saved = d->project.saveRun(*row);
    if (saved) Q_EMIT runChanged(row->id);
    return saved;
  }
  const auto found = d->active.find(row->id);
  if (found == d->active.end())
    return Failure{FailureKind::NothingToDo, {{"what", "running worker of " + row->id}, {"next", "The run has already ended."}}, {}};
  if (auto audited = d->audit(QStringLiteral("stop"), {{"run", row->id}}); !audited) return audited;
  if (auto written = writeStopRequest(d->project.runDir(row->id)); !written) return written;
  d->watchStop(*found->second);
  return {};
}

Result<void> RunSupervisor::resume(const QString& run) {
  auto row = d->project.run(run);
  if (!row) return row.error();
  if (!d->active.empty()) return policy(QStringLiteral("one run at a time, and %1 is still training").arg(d->active.begin()->first));
  if (row->state == u"finished" || row->state == u"queued")
    return Failure{
        FailureKind::NothingToDo, {{"what", "interrupted attempt of " + row->id}, {"next", "Its state is " + row->state + "."}}, {}};
  auto specJson = readJson(d->project.runDir(row->id) + "/spec.json");
  if (!specJson) return specJson.error();
  auto spec = RunSpec::fromJson(*specJson);
  if (!spec) return spec.error();
  if (auto same = checkIdentity(d->project, *spec); !same) return same;
  const qint64 from = newestCheckpoint(d->project.runDir(row->id));
  if (auto audited = d->audit(QStringLiteral("resume"), {{"run", row->id}, {"fromStep", std::max<qint64>(0, from)}}); !audited)
    return audited;
  return d->startRow(*row);
}

/// The stop file may come from this program or from another one that only sees the folder.
void RunSupervisor::Private::watchStop(Active& run) {
  if (!run.sinceStop.isValid()) {
    if (!QFileInfo::exists(stopFile(project.runDir(run.row.id)))) return;
    run.sinceStop.start();
    run.row.state = QStringLiteral("stopping");
    saveAndTell(run.row);
    return;
  }
  const qint64 waited = run.sinceStop.elapsed();
  if (waited > graceMs + kKillAfterTermMs) run.watch.signalAll(SIGKILL);
  else if (waited > graceMs && !std::exchange(run.terminated, true)) run.watch.signalAll(SIGTERM);
}

/// A worker that lives and says nothing may hang in a driver or on a dead disk: people should know, and decide.
void RunSupervisor::Private::watchSilence(Active& run, bool spoke) {
  const bool known = run.row.summary.contains("silentSeconds");
  if (spoke || !run.sinceEvent.isValid()) {
    run.sinceEvent.start();
    run.row.summary.remove("silentSeconds");
  } else if (!known && run.sinceEvent.elapsed() > silenceMs) {
    run.row.summary["silentSeconds"] = run.sinceEvent.elapsed() / 1000;
    saveAndTell(run.row);
  }
}

// ---- follow

void RunSupervisor::Private::poll() {
  QStringList ids;
  for (const auto& [id, run] : active) ids << id;
  for (const QString& id : ids)
    if (const auto found = active.find(id); found != active.end()) pollRun(*found->second);
  std::vector<std::unique_ptr<Job>> current = std::move(jobs);
  jobs.clear();
  for (auto& job : current)
    if (pollJob(*job)) jobs.push_back(std::move(job));
  startNextQueued();
  if (active.empty() && jobs.empty()) timer.stop();
}

void RunSupervisor::Private::pollRun(Active& run) {
  const bool alive = run.watch.isAlive();  // before reading: what was written until death is then read below
  const QList<RunEvent> events = run.watch.readEvents();
  applyEvents(run.row, events);
  run.row.summary["offset"] = run.watch.offset();
  const QString id = run.row.id;
  if (!events.isEmpty()) Q_EMIT supervisor->eventsArrived(id, events);
  if (alive) {
    watchStop(run);
    watchSilence(run, !events.isEmpty());
    const bool due = !run.sinceSaved.isValid() || run.sinceSaved.elapsed() >= kSaveEveryMs;
    if (events.isEmpty() || !due) return;
    run.sinceSaved.start();
    saveAndTell(run.row);
    return;
  }
  ChildOutcome outcome = run.watch.outcome();
  if (run.terminated && outcome.state == u"attempt_failed") {
    outcome = {QStringLiteral("stopped"), int(WorkerExit::StoppedAsAsked), std::nullopt};
    run.row.summary["forced"] = true;  // the worker did not stop in time; what it did after its last checkpoint is gone
  }
  RunRecord row = run.row;
  applyOutcome(row, outcome);
  active.erase(id);  // run is gone from here on
  saveAndTell(row);
}

// ---- jobs

Result<QString> RunSupervisor::startJob(const QString& run, const QString& verb, const QJsonObject& options) {
  if (verb != u"evaluate" && verb != u"export")
    return Failure{FailureKind::InvalidArgument, {{"name", "verb"}, {"value", verb}, {"allowed", "evaluate, export"}}, {}};
  auto row = d->project.run(run);
  if (!row) return row.error();
  const QString runDir = d->project.runDir(row->id);
  if (!hasBestWeights(runDir))
    return Failure{
        FailureKind::NothingToDo, {{"what", "trained model in " + row->id}, {"next", "Let the run reach its first validation."}}, {}};
  for (const auto& job : d->jobs)
    if (job->run == row->id && job->verb == verb) return policy(QStringLiteral("%1 of %2 is already running").arg(verb, row->id));
  const QString folder = jobFolder(runDir, verb);
  if (auto audited = d->audit(verb, {{"run", row->id}, {"options", sha256Hex(canonicalJson(options))}}); !audited) return audited.error();
  if (auto made = makeFolder(folder); !made) return made.error();
  for (const QString& old : {kJobEvents, QStringLiteral("exit.json"), QStringLiteral("worker.json"), QStringLiteral("worker.log")})
    if (auto removed = removeIfThere(folder + '/' + old); !removed) return removed.error();
  QJsonObject request = options;
  request["format"] = 1;
  if (auto written = writeJsonAtomically(folder + "/request.json", request); !written) return written.error();
  auto started = launchWorkers({{verb, "--run", runDir}, folder, 1});
  if (!started) return started.error();
  d->jobs.push_back(std::make_unique<Private::Job>(Private::Job{row->id, verb, ChildWatch(folder, kJobEvents), false}));
  d->timer.start();
  return folder;
}

Result<void> RunSupervisor::stopJob(const QString& run, const QString& verb) {
  for (const auto& job : d->jobs) {
    if (job->run != run || job->verb != verb) continue;
    job->stopping = true;
    job->watch.signalAll(SIGTERM);
    return {};
  }
  return Failure{FailureKind::NothingToDo, {{"what", verb + " of " + run}, {"next", "It has already ended."}}, {}};
}

/// False once it ended.
bool RunSupervisor::Private::pollJob(Job& job) {
  const bool alive = job.watch.isAlive();
  const QList<RunEvent> events = job.watch.readEvents();
  if (!events.isEmpty()) Q_EMIT supervisor->jobEvents(job.run, job.verb, events);
  if (alive) return true;
  ChildOutcome outcome = job.watch.outcome();
  if (job.stopping && outcome.state != u"finished")
    outcome = {QStringLiteral("stopped"), int(WorkerExit::StoppedAsAsked), Failure{FailureKind::Stopped, {}, {}}};
  QJsonObject result;
  if (outcome.state == u"finished") {
    const QString marker = job.watch.folder() + (job.verb == u"evaluate" ? "/report.json" : "/export.json");
    if (auto read = readJson(marker)) result = *read;
    else outcome = {QStringLiteral("failed"), int(WorkerExit::Failed), read.error()};
  }
  if (outcome.failure) result = {{"failure", outcome.failure->toJson()}};
  Q_EMIT supervisor->jobFinished(job.run, job.verb, outcome.exitCode, result);
  Q_EMIT supervisor->runChanged(job.run);
  return false;
}

// ---- after a restart

/// A run folder without a row gets one: the folder is the truth.
Result<RunRecord> RunSupervisor::Private::adopt(const QString& run) {
  auto specJson = readJson(project.runDir(run) + "/spec.json");
  if (!specJson) return specJson.error();
  auto spec = RunSpec::fromJson(*specJson);
  if (!spec) return spec.error();
  RunRecord row = reconciled(rowOf(*spec), project.runDir(run));
  if (auto saved = project.saveRun(row); !saved) return saved.error();
  return row;
}

/// Rows of all runs, those of folders without one included.
Result<QList<RunRecord>> RunSupervisor::Private::allRows() {
  auto rows = project.runs();
  if (!rows) return rows;
  const QString runs = QFileInfo(project.runDir(QStringLiteral("r-0"))).path();
  for (const QString& name : QDir(runs).entryList({"r-*"}, QDir::Dirs, QDir::Name)) {
    if (std::any_of(rows->begin(), rows->end(), [&](const RunRecord& r) { return r.id == name; })) continue;
    if (auto row = adopt(name)) rows->append(*row);  // a folder without a readable spec is none of ours
  }
  return rows;
}

void RunSupervisor::Private::attachJobs(const QString& run) {
  for (const QString& verb : {QStringLiteral("evaluate"), QStringLiteral("export")}) {
    if (std::any_of(jobs.begin(), jobs.end(), [&](auto& j) { return j->run == run && j->verb == verb; })) continue;
    ChildWatch watch(jobFolder(project.runDir(run), verb), kJobEvents);
    if (watch.isAlive()) jobs.push_back(std::make_unique<Job>(Job{run, verb, std::move(watch), false}));
  }
}

/// A run whose row says that it goes on: follow it where it does, else write down how it ended.
void RunSupervisor::Private::attachRun(const RunRecord& old) {
  const QString runDir = project.runDir(old.id);
  RunRecord row = reconciled(old, runDir);
  const qint64 offset = old.attempts == row.attempts ? old.summary["offset"].toInteger() : 0;
  ChildWatch watch(row.attempts > 0 ? attemptFolder(runDir, row.attempts) : runDir, kTrainEvents, offset);
  const QList<RunEvent> missed = watch.readEvents();
  if (!isFinal(row.state)) active[row.id] = std::make_unique<Active>(Active{row, std::move(watch)});
  saveAndTell(row);
  if (!missed.isEmpty()) Q_EMIT supervisor->eventsArrived(row.id, missed);
}

Result<void> RunSupervisor::attach() {
  auto rows = d->allRows();
  if (!rows) return rows.error();
  for (const RunRecord& row : *rows) {
    d->attachJobs(row.id);
    if (!isFinal(row.state) && row.state != u"queued" && !d->active.contains(row.id)) d->attachRun(row);
  }
  d->startNextQueued();
  if (!d->active.empty() || !d->jobs.empty()) d->timer.start();
  return {};
}

}  // namespace cloister
