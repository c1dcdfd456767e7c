#include "core/runs/child_watch.h"

#include <signal.h>
#include <sys/stat.h>
#include <algorithm>
#include <ctime>

#include <QFile>

#include "core/domain/files.h"
#include "core/domain/run_spec.h"
#include "core/runs/worker_launch.h"

namespace cloister {
namespace {

constexpr int kPollsBeforeKill = 20;       // 5 s at four polls a second, for ranks that a lost neighbour left waiting
constexpr double kSilenceElsewhere = 120;  // seconds without a line after which a worker on another host counts as gone

/// The last lines of the worker's own output: what a crash left behind.
QString logTail(const QString& folder, int rank) {
  QFile file(workerLogFile(folder, rank));
  if (!file.open(QIODevice::ReadOnly)) return {};
  file.seek(std::max<qint64>(0, file.size() - 800));
  return QString::fromLocal8Bit(file.readAll()).trimmed();
}

std::optional<int> exitCodeOf(const QString& folder, int rank) {
  const auto file = readJson(exitFile(folder, rank), 1 << 16);
  if (!file || !(*file)["code"].isDouble()) return std::nullopt;
  return (*file)["code"].toInt();
}

QString stateOfFailure(FailureKind kind) {
  switch (kind) {
    case FailureKind::InvalidArgument:
    case FailureKind::IdentityChanged:
    case FailureKind::PolicyRefused:
    case FailureKind::NonFinite:
    case FailureKind::NewerVersion:
      return QStringLiteral("failed");  // the same spec would end the same way
    default:
      return QStringLiteral("attempt_failed");
  }
}

}  // namespace

ChildOutcome outcomeOfExitCode(int code, const QString& folder) {
  switch (WorkerExit(code)) {
    case WorkerExit::Finished:
      return {QStringLiteral("finished"), code, std::nullopt};
    case WorkerExit::StoppedAsAsked:
      return {QStringLiteral("stopped"), code, std::nullopt};
    default:
      break;
  }
  FailureKind kind = FailureKind::WorkerFailed;
  if (code == int(WorkerExit::InvalidSpec)) kind = FailureKind::InvalidArgument;
  if (code == int(WorkerExit::OutOfMemory)) kind = FailureKind::OutOfMemory;
  if (code == int(WorkerExit::NonFiniteLoss)) kind = FailureKind::NonFinite;
  if (code == int(WorkerExit::IdentityChanged)) kind = FailureKind::IdentityChanged;
  const bool again = kind == FailureKind::OutOfMemory || (kind == FailureKind::WorkerFailed && code != int(WorkerExit::PluginRefused));
  return {again ? QStringLiteral("attempt_failed") : QStringLiteral("failed"), code,
          Failure{kind, {{"program", "cloister-worker"}, {"code", code}, {"path", folder}}, logTail(folder, 0)}};
}

ChildWatch::ChildWatch(QString folder, QString events, qint64 offset)
    : folder_(std::move(folder)),
      events_(std::move(events)),
      reader_(folder_ + '/' + events_, offset),
      processes_(readWorkerFile(folder_)) {}

QList<RunEvent> ChildWatch::readEvents() {
  QList<RunEvent> all;
  for (;;) {
    auto some = reader_.readNew();
    if (!some || some->isEmpty()) break;  // an unreadable log is tried again at the next poll
    all += *some;
  }
  for (const RunEvent& e : all)
    if (e.type == u"failed" || e.type == u"stopped" || e.type == u"finished") last_ = e;
  return all;
}

bool ChildWatch::recentlyWritten() const {
  struct stat s {};
  if (::stat(QFile::encodeName(folder_ + '/' + events_).constData(), &s) != 0) return false;
  return std::difftime(std::time(nullptr), s.st_mtime) < kSilenceElsewhere;
}

bool ChildWatch::rankEndedWell(int rank) const {
  const auto code = exitCodeOf(folder_, rank);
  if (code) return *code == int(WorkerExit::Finished) || *code == int(WorkerExit::StoppedAsAsked);
  return last_.type == u"finished" || last_.type == u"stopped";
}

bool ChildWatch::isAlive() {
  ++polls_;
  int alive = 0, badly = -1;
  for (const ProcessIdentity& p : processes_) {
    const Liveness liveness = livenessOf(p);
    if (liveness == Liveness::Alive || (liveness == Liveness::Elsewhere && !exitCodeOf(folder_, p.rank) && recentlyWritten())) ++alive;
    else if (!rankEndedWell(p.rank)) badly = p.rank;
  }
  if (alive == 0) return false;
  if (badly >= 0) {
    if (lostRank_ < 0) {
      lostRank_ = badly;
      endedAtPoll_ = polls_;
      signalAll(SIGTERM);
    } else if (polls_ - endedAtPoll_ > kPollsBeforeKill) {
      signalAll(SIGKILL);
    }
  }
  return true;
}

RunEvent ChildWatch::lastWord() const {
  if (!last_.type.isEmpty() || reader_.offset() == 0) return last_;
  // Reading began behind it (this program was restarted between the worker's end and its verdict).
  ChildWatch whole(folder_, events_);
  whole.readEvents();
  return whole.last_;
}

ChildOutcome ChildWatch::outcome() const {
  const RunEvent last = lastWord();
  // The worker's own words say more than a number; a `failed` line may lack (disk full) while the code is there, and the other way round.
  if (last.type == u"failed") {
    const Failure failure = Failure::fromJson(last.body["failure"].toObject());
    return {stateOfFailure(failure.kind), exitCodeOf(folder_, 0).value_or(int(WorkerExit::Failed)), failure};
  }
  const int rank = std::max(0, lostRank_);
  if (lostRank_ < 0) {
    if (const auto code = exitCodeOf(folder_, 0)) return outcomeOfExitCode(*code, folder_);
    if (last.type == u"finished") return outcomeOfExitCode(int(WorkerExit::Finished), folder_);
    if (last.type == u"stopped") return outcomeOfExitCode(int(WorkerExit::StoppedAsAsked), folder_);
  }
  const QString what = processes_.size() > 1 ? QStringLiteral("rank %1").arg(rank) : QStringLiteral("no last words");
  return {QStringLiteral("attempt_failed"), int(WorkerExit::Failed),
          Failure{FailureKind::Crashed, {{"program", "cloister-worker"}, {"signal", what}}, logTail(folder_, rank)}};
}

void ChildWatch::signalAll(int signal) {
  for (const ProcessIdentity& p : processes_) signalProcess(p, signal);
}

}  // namespace cloister
