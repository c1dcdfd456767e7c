#include "core/runs/run_supervisor.h"

#include <signal.h>

#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QFileInfo>

#include "core/curation/dataset.h"
#include "core/curation/text_dataset.h"
#include "core/domain/files.h"
#include "core/domain/version.h"
#include "core/runs/run_row.h"
#include "core/runs/run_supervisor_private.h"
#include "core/runs/worker_launch.h"

namespace cloister {
namespace {

constexpr int kPollMs = 250;

QString now() { return QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs); }

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
  spec.restarts = request.restarts;
  spec.createdAt = now();
  spec.codeVersion = programVersion() + ' ' + codeCommit();
  return spec;
}

/// The run that trains on this machine; those elsewhere are in nobody's way.
QString RunSupervisor::Private::trainingHere() const {
  for (const auto& [id, run] : active)
    if (!run->remote) return id;
  return {};
}

Result<RunSpec> RunSupervisor::Private::specOf(const QString& run) {
  auto json = readJson(project.runDir(run) + "/spec.json");
  if (!json) return json.error();
  return RunSpec::fromJson(*json);
}

/// The run on disk, in the audit log and in the index; nothing is started.
Result<RunRecord> RunSupervisor::Private::writeRun(const RunSpec& spec, const QString& state) {
  const QString runDir = project.runDir(spec.run);
  if (QFileInfo::exists(runDir + "/spec.json")) return Failure{FailureKind::AlreadyExists, {{"path", runDir}}, {}};
  if (auto audited = audit(QStringLiteral("train"), {{"run", spec.run}, {"snapshot", spec.snapshot}, {"spec", spec.identityDigest()}});
      !audited)
    return audited.error();
  if (auto made = makeFolder(runDir); !made) return made.error();
  if (auto written = writeJsonAtomically(runDir + "/spec.json", spec.toJson()); !written) return written.error();
  RunRecord row = rowOf(spec);
  row.state = state;
  if (auto saved = project.saveRun(row); !saved) return saved.error();
  return row;
}

Result<QString> RunSupervisor::start(const TrainRequest& request, bool queue) {
  if (const QString other = d->trainingHere(); !queue && !other.isEmpty())
    return policy(QStringLiteral("one run at a time, and %1 is still training; stop it, or queue this one").arg(other));
  auto checked = checkRequest(d->project, d->catalogue, request);
  if (!checked) return checked.error();
  if (!request.force) {
    auto fit = planRequest(d->project, request, *checked);
    if (!fit) return fit.error();
    if (auto enough = requireFit(*fit, d->project.dir()); !enough) return enough.error();
  }
  auto spec = d->makeSpec(request, *checked);
  if (!spec) return spec.error();
  auto row = d->writeRun(*spec, queue && !d->trainingHere().isEmpty() ? QStringLiteral("queued") : QStringLiteral("running"));
  if (!row) return row.error();
  if (row->state == u"queued") Q_EMIT runChanged(row->id);
  else if (auto started = d->startRow(*row); !started) return started.error();
  return spec->run;
}

Result<QString> RunSupervisor::compose(const TrainRequest& request) {
  auto checked = checkRequest(d->project, d->catalogue, request);
  if (!checked) return checked.error();
  // What the family refuses here it refuses there, after an hour in a queue; memory and cards are other ones there.
  if (auto fit = planRequest(d->project, request, *checked); !fit && fit.error().kind == FailureKind::InvalidArgument) return fit.error();
  auto spec = d->makeSpec(request, *checked);
  if (!spec) return spec.error();
  auto row = d->writeRun(*spec, QStringLiteral("submitted"));
  if (!row) return row.error();
  Q_EMIT runChanged(row->id);
  return spec->run;
}

Result<void> RunSupervisor::handOver(const QString& run, const LaunchRecord& launch) {
  auto row = d->project.run(run);
  if (!row) return row.error();
  if (d->active.contains(row->id) || row->state == u"finished" || row->state == u"queued")
    return Failure{FailureKind::NothingToDo, {{"what", "run to hand over: " + row->id}, {"next", "Its state is " + row->state + "."}}, {}};
  auto spec = d->specOf(row->id);
  if (!spec) return spec.error();
  if (auto same = checkIdentity(d->project, *spec); !same) return same;
  const QString runDir = d->project.runDir(row->id);
  if (auto audited = d->audit(QStringLiteral("launch"), {{"run", row->id}, {"on", launch.on}, {"job", launch.job}}); !audited)
    return audited;
  if (auto removed = removeIfThere(stopFileOf(runDir)); !removed) return removed;
  if (auto written = writeLaunch(runDir, launch); !written) return written;
  row->state = QStringLiteral("submitted");
  row->attempts = attemptsIn(runDir);
  row->finishedAt.clear();
  row->summary.remove("failure");
  row->summary.remove("exitCode");
  d->follow(*row, launch);
  return {};
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
  auto spec = specOf(row.id);
  if (!spec) return spec.error();
  if (auto removed = removeIfThere(stopFileOf(runDir)); !removed) return removed;
  if (auto removed = removeIfThere(runDir + "/launch.json"); !removed) return removed;  // from now on it is this machine's
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
  while (trainingHere().isEmpty()) {
    const QStringList waiting = queued();
    if (waiting.isEmpty()) return;
    auto row = project.run(waiting.first());
    if (!row) return;
    const auto spec = specOf(row->id);
    const auto same = spec ? checkIdentity(project, *spec) : Result<void>(spec.error());
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
  Private::Active& entry = *found->second;
  // Nothing trains yet that could see the file.
  if (entry.remote && entry.remote->phaseNow() == RemoteRun::Phase::Waiting) return d->takeBack(entry);
  d->watchStop(entry);
  return {};
}

/// A run that waits for its launcher: out of its queue. Where there is none to ask, a worker that comes up later sees the stop file.
Result<void> RunSupervisor::Private::takeBack(Active& run) {
  if (auto cancelled = run.remote->cancel(); !cancelled && cancelled.error().kind != FailureKind::NothingToDo) return cancelled;
  endRun(run.row, {QStringLiteral("stopped"), int(WorkerExit::StoppedAsAsked), std::nullopt});
  return {};
}

Result<void> RunSupervisor::resume(const QString& run) {
  auto row = d->project.run(run);
  if (!row) return row.error();
  if (const QString other = d->trainingHere(); !other.isEmpty())
    return policy(QStringLiteral("one run at a time, and %1 is still training").arg(other));
  if (d->active.contains(row->id)) return policy(QStringLiteral("%1 is with a launcher elsewhere; stop it there first").arg(row->id));
  if (row->state == u"finished" || row->state == u"queued")
    return Failure{
        FailureKind::NothingToDo, {{"what", "interrupted attempt of " + row->id}, {"next", "Its state is " + row->state + "."}}, {}};
  auto spec = d->specOf(row->id);
  if (!spec) return spec.error();
  if (auto same = checkIdentity(d->project, *spec); !same) return same;
  const qint64 from = newestCheckpoint(d->project.runDir(row->id));
  if (auto audited = d->audit(QStringLiteral("resume"), {{"run", row->id}, {"fromStep", std::max<qint64>(0, from)}}); !audited)
    return audited;
  row->summary.remove("restarts");
  return d->startRow(*row);
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

}  // namespace cloister
