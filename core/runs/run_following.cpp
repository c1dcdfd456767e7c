// The supervisor's other half: reads what runs and jobs write, ends and restarts them, finds them again after a restart of this program.
#include <signal.h>

#include <QCoreApplication>
#include <QDateTime>
#include <QDir>
#include <QFileInfo>

#include "core/domain/files.h"
#include "core/runs/run_row.h"
#include "core/runs/run_supervisor_private.h"

namespace cloister {
namespace {

constexpr int kSaveEveryMs = 1000;  // the row is written at most this often while only numbers change
constexpr int kKillAfterTermMs = 5000;

}  // namespace

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
  if (run.remote) return pollRemote(run);
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
  endRun(run.row, outcome);
}

/// The run leaves the active ones, or its next attempt begins. References to its entry are void afterwards.
void RunSupervisor::Private::endRun(RunRecord row, const ChildOutcome& outcome) {
  const bool remote = active.at(row.id)->remote != nullptr;
  active.erase(row.id);
  if (!remote && restarted(row, outcome)) return;
  applyOutcome(row, outcome);
  saveAndTell(row);
}

/// By the run's own policy: what failed and may be resumed goes on from its newest whole checkpoint, so many times.
bool RunSupervisor::Private::restarted(RunRecord& row, const ChildOutcome& outcome) {
  if (outcome.state != u"attempt_failed") return false;
  const auto spec = specOf(row.id);
  const int already = row.summary["restarts"].toInt();
  if (!spec || already >= spec->restarts || !checkIdentity(project, *spec)) return false;
  const QString runDir = project.runDir(row.id);
  const qint64 from = std::max<qint64>(0, newestCheckpoint(runDir));
  if (!audit(QStringLiteral("restart"), {{"run", row.id}, {"fromStep", from}})) return false;
  RunRecord next = row;
  next.summary["restarts"] = already + 1;
  const QString why = outcome.failure ? describe(*outcome.failure) : QString();
  const QJsonObject body{
      {"kind", "restarted"},
      {"message", QCoreApplication::translate("RunSupervisor", "Attempt %1 failed: %2 Going on from step %3 (restart %4 of %5).")
                      .arg(row.attempts)
                      .arg(why)
                      .arg(from)
                      .arg(already + 1)
                      .arg(spec->restarts)}};
  const QList<RunEvent> told{{0, QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs), QStringLiteral("warning"), body}};
  applyEvents(next, told);
  if (auto launched = launchAttempt(next); !launched) return false;
  Q_EMIT supervisor->eventsArrived(row.id, told);
  return true;
}

void RunSupervisor::Private::follow(RunRecord row, const LaunchRecord& launch) {
  const QString runDir = project.runDir(row.id);
  const qint64 offset = row.attempts == attemptsIn(runDir) ? row.summary["offset"].toInteger() : 0;
  auto entry = std::make_unique<Active>(Active{row, ChildWatch(runDir, kTrainEvents)});
  entry->remote = std::make_unique<RemoteRun>(runDir, launch, offset);
  active[row.id] = std::move(entry);
  timer.start();
  saveAndTell(row);
}

void RunSupervisor::Private::pollRemote(Active& run) {
  const RemoteRun::Phase phase = run.remote->phase();  // before reading, as above
  const QList<RunEvent> events = run.remote->read();
  applyEvents(run.row, events);
  run.row.attempts = run.remote->attempt();
  run.row.summary["offset"] = run.remote->offset();
  const QString id = run.row.id;
  if (!events.isEmpty()) Q_EMIT supervisor->eventsArrived(id, events);
  if (phase == RemoteRun::Phase::Ended) {
    run.row.summary["launch"] = run.remote->about();
    return endRun(run.row, run.remote->outcome());
  }
  const bool waiting = phase == RemoteRun::Phase::Waiting;
  const QString before = run.row.state;
  const QJsonObject about = run.remote->about();
  const bool other = about != run.row.summary["launch"].toObject();
  run.row.summary["launch"] = about;
  run.row.state = waiting ? QStringLiteral("submitted") : before == u"stopping" ? before : QStringLiteral("running");
  if (!waiting) watchStop(run), watchSilence(run, !events.isEmpty());
  const bool due = !run.sinceSaved.isValid() || run.sinceSaved.elapsed() >= kSaveEveryMs;
  if (!other && before == run.row.state && (events.isEmpty() || !due)) return;
  run.sinceSaved.start();
  saveAndTell(run.row);
}

// ---- stopping and silence

/// The stop file may come from this program or from another one that only sees the folder.
void RunSupervisor::Private::watchStop(Active& run) {
  if (!run.sinceStop.isValid()) {
    if (!QFileInfo::exists(stopFileOf(project.runDir(run.row.id)))) return;
    run.sinceStop.start();
    run.row.state = QStringLiteral("stopping");
    saveAndTell(run.row);
    return;
  }
  const qint64 waited = run.sinceStop.elapsed();
  if (run.remote) {
    // The launcher there gives its own grace after this.
    if (waited > graceMs && !std::exchange(run.terminated, true))
      if (auto cancelled = run.remote->cancel(); !cancelled) qWarning("%s", qUtf8Printable(describe(cancelled.error())));
    return;
  }
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
  if (const auto launch = readLaunch(runDir)) return follow(old, *launch);
  RunRecord row = reconciled(old, runDir);
  const qint64 offset = old.attempts == row.attempts ? old.summary["offset"].toInteger() : 0;
  ChildWatch watch(row.attempts > 0 ? attemptFolder(runDir, row.attempts) : runDir, kTrainEvents, offset);
  const QList<RunEvent> missed = watch.readEvents();
  if (row.state == u"attempt_failed" && row.attempts > 0 && trainingHere().isEmpty()) {
    const ChildOutcome ended{row.state, row.summary["exitCode"].toInt(), Failure::fromJson(row.summary["failure"].toObject())};
    if (restarted(row, ended)) return;
  }
  if (!isFinal(row.state)) active[row.id] = std::make_unique<Active>(Active{row, std::move(watch)});
  saveAndTell(row);
  if (!missed.isEmpty()) Q_EMIT supervisor->eventsArrived(row.id, missed);
}

Result<void> RunSupervisor::attach() {
  auto rows = d->allRows();
  if (!rows) return rows.error();
  for (const RunRecord& row : *rows) {
    d->attachJobs(row.id);
    if (row.state == u"queued" || d->active.contains(row.id)) continue;
    if (row.state == u"submitted" && !readLaunch(d->project.runDir(row.id))) continue;  // composed, and handed to nobody yet
    // A script that a person submitted once more: attempts that the row does not know.
    const QString runDir = d->project.runDir(row.id);
    const bool again = isFinal(row.state) && QFileInfo::exists(runDir + "/launch.json") && attemptsIn(runDir) > row.attempts;
    if (!isFinal(row.state) || again) d->attachRun(row);
  }
  d->startNextQueued();
  if (!d->active.empty() || !d->jobs.empty()) d->timer.start();
  return {};
}

}  // namespace cloister
