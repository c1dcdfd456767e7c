#include "core/runs/child_watch.h"

#include <signal.h>
#include <sys/stat.h>
#include <algorithm>
#include <ctime>

#include <QDir>
#include <QFile>

#include "core/domain/files.h"
#include "core/domain/run_spec.h"
#include "core/runs/worker_launch.h"

namespace cloister {
namespace {

constexpr int kPollsBeforeKill = 20;       // 5 s at four polls a second, for ranks that a lost neighbour left waiting
constexpr qint64 kSilenceElsewhere = 120;  // seconds without a sign of life after which a worker on another host counts as gone

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

/// Seconds since 1970 of the newer of a rank's sign of life and its log; -1 without either. By the clock of the file's server.
qint64 signOfLife(const QString& folder, int rank, const QString& events) {
  qint64 newest = -1;
  for (const QString& name :
       {QStringLiteral("alive-%1").arg(rank), rank == 0 ? events : QStringLiteral("rank-%1.events.jsonl").arg(rank)}) {
    struct stat s {};
    if (::stat(QFile::encodeName(folder + '/' + name).constData(), &s) == 0) newest = std::max<qint64>(newest, s.st_mtime);
  }
  return newest;
}

/// The last `failed` of a rank's own log.
std::optional<Failure> failureOfRank(const QString& folder, int rank) {
  EventReader reader(QStringLiteral("%1/rank-%2.events.jsonl").arg(folder).arg(rank));
  std::optional<Failure> found;
  for (auto some = reader.readNew(); some && !some->isEmpty(); some = reader.readNew())
    for (const RunEvent& e : *some) {
      if (e.type == u"failed") found = Failure::fromJson(e.body["failure"].toObject());
      if (e.type == u"finished" || e.type == u"stopped" || e.type == u"started") found.reset();
    }
  return found;
}

int ranksIn(const QString& folder) {
  int ranks = 0;
  for (const QString& name : QDir(folder).entryList({"rank-*.events.jsonl"}, QDir::Files))
    ranks = std::max(ranks, name.mid(5).section('.', 0, 0).toInt() + 1);
  return ranks;
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
      processes_(readWorkerFile(folder_)),
      selfNamed_(!QFile::exists(folder_ + "/worker.json")) {}

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

/// Hosts' clocks differ: what counts is that the file's time moves, by our own clock; only the first look compares with now.
bool ChildWatch::showsLife(int rank) {
  const auto now = std::chrono::steady_clock::now();
  const qint64 at = signOfLife(folder_, rank, events_);
  if (at < 0) return false;
  const auto [sign, first] = signs_.try_emplace(rank);
  if (first) {
    const qint64 age = std::clamp<qint64>(qint64(std::time(nullptr)) - at, 0, kSilenceElsewhere);
    sign->second = {at, now - std::chrono::seconds(age)};
  } else if (at != sign->second.at) {
    sign->second = {at, now};
  }
  return now - sign->second.seen < std::chrono::seconds(kSilenceElsewhere);
}

bool ChildWatch::hasEnded() const { return exitCodeOf(folder_, 0).has_value() || !lastWord().type.isEmpty(); }

bool ChildWatch::rankEndedWell(int rank) const {
  const auto code = exitCodeOf(folder_, rank);
  if (code) return *code == int(WorkerExit::Finished) || *code == int(WorkerExit::StoppedAsAsked);
  return last_.type == u"finished" || last_.type == u"stopped";
}

bool ChildWatch::isAlive() {
  ++polls_;
  if (selfNamed_) processes_ = readWorkerFile(folder_);
  int alive = 0, badly = -1;
  for (const ProcessIdentity& p : processes_) {
    const Liveness liveness = livenessOf(p);
    if (liveness == Liveness::Alive || (liveness == Liveness::Elsewhere && !exitCodeOf(folder_, p.rank) && showsLife(p.rank))) ++alive;
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

/// Which rank was lost and why, as far as anybody in this folder says. The group's own verdict (args rank, reason) is the best word; a rank
/// whose neighbour vanished only knows that a connection broke.
Failure ChildWatch::loss(const RunEvent& last) const {
  std::optional<Failure> said, verdict;
  if (last.type == u"failed") said = Failure::fromJson(last.body["failure"].toObject());
  int lost = lostRank_;
  const int ranks = std::max(ranksIn(folder_), int(processes_.size()));
  for (int rank = 0; rank < ranks; ++rank) {
    const auto own = failureOfRank(folder_, rank);
    if (own && own->args.contains("rank") && !verdict) verdict = own;
    if (own && !said && own->kind != FailureKind::Internal) said = own;
    if (lost < 0 && !own && !exitCodeOf(folder_, rank)) lost = rank;
  }
  if (verdict) return *verdict;
  const bool knowsMore = said && said->kind != FailureKind::Internal;
  if (knowsMore || (said && (lost < 0 || ranks < 2))) return *said;
  lost = std::max(0, lost);
  QString what = ranks > 1 ? QStringLiteral("rank %1").arg(lost) : QStringLiteral("no last words");
  if (memoryKillsSinceStart(folder_) > 0) what += QStringLiteral("; meanwhile the kernel has killed a program for want of memory");
  QString detail = logTail(folder_, lost);
  if (said) detail += '\n' + said->detail;
  return {FailureKind::Crashed, {{"program", "cloister-worker"}, {"signal", what}, {"rank", lost}}, detail.trimmed()};
}

ChildOutcome ChildWatch::outcome() const {
  const RunEvent last = lastWord();
  const auto code = exitCodeOf(folder_, 0);
  // The worker's own words say more than a number; a `failed` line may lack (disk full) while the code is there, and the other way round.
  if (last.type == u"failed") {
    const Failure failure = loss(last);
    return {stateOfFailure(failure.kind), code.value_or(int(WorkerExit::Failed)), failure};
  }
  if (lostRank_ < 0) {
    if (code) return outcomeOfExitCode(*code, folder_);
    if (last.type == u"finished") return outcomeOfExitCode(int(WorkerExit::Finished), folder_);
    if (last.type == u"stopped") return outcomeOfExitCode(int(WorkerExit::StoppedAsAsked), folder_);
  }
  return {QStringLiteral("attempt_failed"), int(WorkerExit::Failed), loss(last)};
}

void ChildWatch::signalAll(int signal) {
  for (const ProcessIdentity& p : processes_) signalProcess(p, signal);
}

}  // namespace cloister
