// What every training shares about being an attempt of a run: its job, its clock, its events, being asked to stop, when to save. Training
// thread.
#pragma once
#include <chrono>

#include <QJsonObject>

#include "core/engine/models/family_plugin.h"

namespace cloister {

class Attempt {
 public:
  /// From now on SIGTERM is the same as a stop request: a checkpoint, then exit 10.
  explicit Attempt(const TrainJob&);

  const TrainJob& job;
  /// Appends to the event log. Training outlives a full disk as long as nothing essential has to be written.
  void event(const QString& type, QJsonObject body, bool sync = false);
  bool stopRequested() const;
  double secondsSinceStart() const;
  /// Whether a checkpoint is older than this.
  bool checkpointDue(double minutes) const;
  void checkpointWritten();

 private:
  std::chrono::steady_clock::time_point started_, lastCheckpoint_;
};

}  // namespace cloister
