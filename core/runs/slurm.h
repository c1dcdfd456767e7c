// Slurm's own programs (sbatch, scontrol, sacct, scancel), asked and understood. Names are looked up in PATH. The calls block for at most
// half a minute (command line, background threads); SlurmWatch asks without waiting, for a thread with an event loop.
#pragma once
#include <QElapsedTimer>
#include <QObject>
#include <QProcess>
#include <QString>

#include "core/domain/result.h"

namespace cloister {

struct SlurmState {
  enum class Phase { Unknown, Waiting, Running, Over };  ///< Unknown: no Slurm here, or its controller does not answer
  Phase phase = Phase::Unknown;
  QString word;    ///< Slurm's: PENDING, RUNNING, NODE_FAIL …; empty when it has forgotten the job
  QString reason;  ///< why it waits: Resources, Priority, BeginTime …
  QString nodes;
  int restarts = 0;
};

/// From `scontrol show job -o JOB`: its output, exit code and standard error.
SlurmState slurmStateFrom(const QByteArray& output, int exitCode, const QByteArray& error);
bool hasSlurm();
/// The job's number. In the folder dir, so that a script without --chdir starts there.
Result<QString> submitToSlurm(const QString& script, const QString& dir);
Result<void> cancelInSlurm(const QString& job);
SlurmState askSlurm(const QString& job);

class SlurmWatch : public QObject {
  Q_OBJECT
 public:
  explicit SlurmWatch(QString job, QObject* parent = nullptr);
  ~SlurmWatch() override;
  /// Asks again when the last answer is older than `everyMs`.
  void refresh(int everyMs = 5000);
  void ask();  ///< now, and waits for the answer
  const SlurmState& state() const { return state_; }
  bool hasAnswer() const { return answered_; }

 private:
  void take();
  QString job_;
  QProcess process_;
  QElapsedTimer sinceAsked_;
  SlurmState state_;
  bool answered_ = false;
};

}  // namespace cloister
