// Follows one child folder (an attempt of a run, or an evaluation or export job): its event log by byte offset, its processes by identity.
// Needs nothing but the folder, so that the starter, a later program and a read-only onlooker all see the same. One thread per object.
#pragma once
#include <chrono>
#include <map>
#include <optional>

#include <QList>
#include <QString>

#include "core/domain/process_identity.h"
#include "core/domain/run_event.h"

namespace cloister {

/// How a child ended.
struct ChildOutcome {
  QString state;  ///< finished, stopped, attempt_failed (may be resumed), failed (would fail again)
  int exitCode = 0;
  std::optional<Failure> failure;
};

class ChildWatch {
 public:
  /// events: file name within the folder. offset: where to go on reading.
  ChildWatch(QString folder, QString events, qint64 offset = 0);

  /// New whole lines since the last call. Also remembers the last terminal event.
  QList<RunEvent> readEvents();
  qint64 offset() const { return reader_.offset(); }
  const QString& folder() const { return folder_; }
  const QList<ProcessIdentity>& processes() const { return processes_; }

  /// Some rank still runs. When one rank died badly the others are ended here: a lost rank must end the attempt, never hang it. Of ranks on
  /// other hosts only their signs of life in the folder can tell (alive-N, the event log), and a launcher there ends the others.
  bool isAlive();
  /// The folder holds the last word or the exit code of rank 0: nothing more will come of it, whoever still lives.
  bool hasEnded() const;
  /// After isAlive() said no and readEvents() was called once more.
  ChildOutcome outcome() const;
  void signalAll(int signal);

 private:
  bool rankEndedWell(int rank) const;
  bool showsLife(int rank);
  RunEvent lastWord() const;
  Failure loss(const RunEvent& last) const;
  QString folder_, events_;
  EventReader reader_;
  QList<ProcessIdentity> processes_;
  bool selfNamed_ = false;  ///< ranks name themselves as they come up (no starter of ours did)
  struct Sign {
    qint64 at = -1;  ///< time of the file, seconds
    std::chrono::steady_clock::time_point seen;
  };
  std::map<int, Sign> signs_;
  RunEvent last_;      ///< failed, stopped or finished
  int lostRank_ = -1;  ///< died without a word while others ran
  int polls_ = 0, endedAtPoll_ = -1;
};

/// Exit code of a worker → state and failure, when its log did not say more.
ChildOutcome outcomeOfExitCode(int code, const QString& folder);

}  // namespace cloister
