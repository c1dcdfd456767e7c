#include "core/runs/remote_run.h"

#include <QFileInfo>

#include "core/domain/files.h"
#include "core/runs/run_row.h"

namespace cloister {
namespace {

constexpr int kFilesMayLagMs = 3000;      // network file systems keep attributes for some seconds
constexpr int kRestartWithinMs = 30'000;  // torchrun starts the next attempt of a failed one within this time
const QString kEvents = QStringLiteral("rank-0.events.jsonl");

}  // namespace

QJsonObject LaunchRecord::toJson() const {
  return {{"format", 1},    {"on", on},           {"job", job},           {"file", file},
          {"nodes", nodes}, {"perNode", perNode}, {"restarts", restarts}, {"createdAt", createdAt}};
}

LaunchRecord LaunchRecord::fromJson(const QJsonObject& o) {
  return {o["on"].toString(),    o["job"].toString(),   o["file"].toString(),     o["nodes"].toInt(1),
          o["perNode"].toInt(1), o["restarts"].toInt(), o["createdAt"].toString()};
}

std::optional<LaunchRecord> readLaunch(const QString& runDir) {
  const auto file = readJson(runDir + "/launch.json", 1 << 16);
  if (!file || (*file)["on"].toString().isEmpty()) return std::nullopt;
  return LaunchRecord::fromJson(*file);
}

Result<void> writeLaunch(const QString& runDir, const LaunchRecord& record) {
  return writeJsonAtomically(runDir + "/launch.json", record.toJson());
}

bool mayGoOn(const LaunchRecord& record, const QString& runDir, int attempt, const ChildOutcome& outcome) {
  if (QFileInfo::exists(runDir + "/stop.request")) return false;
  if (outcome.state == u"stopped") return record.on == u"slurm";
  return outcome.state == u"attempt_failed" && record.on != u"kubernetes" && attempt <= record.restarts;
}

RemoteRun::RemoteRun(QString runDir, LaunchRecord record, qint64 offset) : runDir_(std::move(runDir)), record_(std::move(record)) {
  if (!record_.job.isEmpty() && hasSlurm()) slurm_ = std::make_unique<SlurmWatch>(record_.job);
  attempt_ = attemptsIn(runDir_);
  if (attempt_ > 0) watch_ = std::make_unique<ChildWatch>(attemptFolder(runDir_, attempt_), kEvents, offset);
}

QList<RunEvent> RemoteRun::read() {
  QList<RunEvent> events;
  for (;;) {
    if (watch_) events += watch_->readEvents();
    if (attemptsIn(runDir_) <= attempt_) return events;
    ++attempt_;
    watch_ = std::make_unique<ChildWatch>(attemptFolder(runDir_, attempt_), kEvents);
    sinceOver_.invalidate();
  }
}

/// Without a launcher that can be asked. An attempt that failed may be followed by another one for a while.
RemoteRun::Phase RemoteRun::folderPhase() {
  if (!watch_) return Phase::Waiting;
  if (!watch_->hasEnded()) {
    const bool named = QFileInfo::exists(watch_->folder() + "/alive-0") || !watch_->processes().isEmpty();
    return !named || watch_->isAlive() ? Phase::Running : Phase::Ended;
  }
  const ChildOutcome outcome = watch_->outcome();
  if (!mayGoOn(record_, runDir_, attempt_, outcome)) return Phase::Ended;
  if (record_.on == u"slurm") return Phase::Waiting;  // for hours perhaps; torchrun is quick
  if (!sinceOver_.isValid()) sinceOver_.start();
  return sinceOver_.elapsed() < kRestartWithinMs ? Phase::Running : Phase::Ended;
}

RemoteRun::Phase RemoteRun::phase() {
  if (!slurm_) return folderPhase();
  slurm_->refresh();
  const SlurmState& state = slurm_->state();
  switch (state.phase) {
    case SlurmState::Phase::Waiting:
      sinceOver_.invalidate();
      return Phase::Waiting;
    case SlurmState::Phase::Running:
      sinceOver_.invalidate();
      return watch_ ? Phase::Running : Phase::Waiting;
    case SlurmState::Phase::Over:
      if (!sinceOver_.isValid()) sinceOver_.start();
      return sinceOver_.elapsed() < kFilesMayLagMs ? Phase::Running : Phase::Ended;
    case SlurmState::Phase::Unknown:
      break;
  }
  return slurm_->hasAnswer() ? folderPhase() : Phase::Waiting;
}

RemoteRun::Phase RemoteRun::phaseNow() {
  if (slurm_) slurm_->ask();
  return phase();
}

ChildOutcome RemoteRun::outcome() const {
  const QString word = slurm_ ? slurm_->state().word : QString();
  if (!watch_) {
    if (word == u"CANCELLED") return {QStringLiteral("stopped"), int(WorkerExit::StoppedAsAsked), std::nullopt};
    return {QStringLiteral("attempt_failed"), int(WorkerExit::Failed),
            Failure{FailureKind::Crashed,
                    {{"program", record_.on}, {"signal", word.isEmpty() ? QStringLiteral("before the worker started") : word}},
                    {}}};
  }
  ChildOutcome outcome = watch_->outcome();
  // A worker that left no word was ended from outside: Slurm knows by what (NODE_FAIL, OUT_OF_MEMORY, TIMEOUT, CANCELLED).
  if (outcome.failure && outcome.failure->kind == FailureKind::Crashed && !word.isEmpty() && word != u"FAILED" && word != u"COMPLETED")
    outcome.failure->args["signal"] = QStringLiteral("Slurm: %1; %2").arg(word, outcome.failure->args["signal"].toString());
  return outcome;
}

QJsonObject RemoteRun::about() const {
  QJsonObject o{{"on", record_.on}};
  if (!record_.job.isEmpty()) o["job"] = record_.job;
  if (!slurm_ || slurm_->state().word.isEmpty()) return o;
  o["state"] = slurm_->state().word;
  if (!slurm_->state().reason.isEmpty()) o["reason"] = slurm_->state().reason;
  if (!slurm_->state().nodes.isEmpty()) o["nodes"] = slurm_->state().nodes;
  return o;
}

Result<void> RemoteRun::cancel() {
  if (slurm_) return cancelInSlurm(record_.job);
  return Failure{FailureKind::NothingToDo, {{"what", "job of the run"}, {"next", "End it with the launcher's own commands."}}, {}};
}

}  // namespace cloister
