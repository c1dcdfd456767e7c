// A run that a launcher elsewhere starts (torchrun, Slurm, Kubernetes): launch.json in its folder says which, and the folder alone says how
// it goes; where this machine has Slurm, its word counts as well. One thread, with an event loop when Slurm is to be asked.
#pragma once
#include <memory>
#include <optional>

#include <QElapsedTimer>
#include <QJsonObject>

#include "core/runs/child_watch.h"
#include "core/runs/slurm.h"
#include "core/store/project.h"

namespace cloister {

/// launch.json of a run folder.
struct LaunchRecord {
  QString on;    ///< torchrun, slurm, kubernetes
  QString job;   ///< Slurm's number ("12", of an array "12_3"); empty: handed over by a person
  QString file;  ///< what was written: launch.sbatch
  int nodes = 1, perNode = 1, restarts = 0;
  QString createdAt;

  QJsonObject toJson() const;
  static LaunchRecord fromJson(const QJsonObject&);
};
/// Empty for a run of this machine.
std::optional<LaunchRecord> readLaunch(const QString& runDir);
Result<void> writeLaunch(const QString& runDir, const LaunchRecord&);
/// Whether another attempt may follow one that ended so, as far as the folder tells: preempted under Slurm, or restarts are left.
bool mayGoOn(const LaunchRecord&, const QString& runDir, int attempt, const ChildOutcome&);

class RemoteRun {
 public:
  enum class Phase { Waiting, Running, Ended };
  /// offset: where in the newest attempt's log to go on reading.
  RemoteRun(QString runDir, LaunchRecord record, qint64 offset = 0);

  /// New events since the last look, over the borders of attempts. Never blocks longer than reading files.
  QList<RunEvent> read();
  Phase phase();
  Phase phaseNow();  ///< waits for Slurm's answer: before something is decided by it
  /// After phase() said Ended and read() was called once more.
  ChildOutcome outcome() const;
  int attempt() const { return attempt_; }
  qint64 offset() const { return watch_ ? watch_->offset() : 0; }
  /// {"on","job","state","reason","nodes"}: for people.
  QJsonObject about() const;
  /// The launcher's own end: scancel. NothingToDo where there is none but the stop file.
  Result<void> cancel();

 private:
  Phase folderPhase();
  QString runDir_;
  LaunchRecord record_;
  std::unique_ptr<SlurmWatch> slurm_;
  std::unique_ptr<ChildWatch> watch_;
  int attempt_ = 0;
  QElapsedTimer sinceOver_;  ///< the launcher said so; files on shared storage may come later
};

}  // namespace cloister
