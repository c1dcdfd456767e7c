// How a run started elsewhere (torchrun, Slurm, Kubernetes) is found and followed by its folder alone: each process says in the attempt's
// folder who it is and, every few seconds, that it lives. Made by the train verb before anything long.
#pragma once
#include <condition_variable>
#include <mutex>
#include <thread>

#include <QString>

namespace cloister {

/// The attempt to write into: as given, and one further for each restart of torchrun's agent, which repeats the same command.
int attemptNumber(const QString& given);

class Presence {
 public:
  /// Writes worker-N.json unless worker.json is there: then a starter of ours has named all ranks. Touches alive-N from a thread of its
  /// own.
  Presence(const QString& attemptFolder, int rank);
  ~Presence();
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable end_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace cloister
