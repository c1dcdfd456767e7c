// The supervisor's side: a pool of decode children of the same binary. Jobs go out one a child; answers come back in the order the jobs
// were given. A child that dies, hangs or talks nonsense costs its job a typed failure and is replaced. Main thread of cloister-ingest;
// blocking in poll(2), which is what this program is for.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <QString>

#include "app/ingest/sandbox.h"
#include "app/ingest/wire.h"
#include "core/domain/result.h"

namespace cloister {

struct PoolLimits {
  int seconds = 10;                   ///< without a word from the child, per part of a job
  quint64 addressSpace = 1ull << 30;  ///< RLIMIT_AS of a child; 0: none (our own generator)
  bool stopsAtOnce = false;           ///< a stop ends the jobs at hand, which may take minutes, instead of waiting for them
};

class ChildPool {
 public:
  /// The next job, or nothing when there are no more. Called only when a child is free and the window has room.
  using NextJob = std::function<std::optional<QJsonObject>()>;
  /// One answer in job order; parts: every message the child sent for it; failure instead when it did not end well. False stops the pool.
  struct Answer {
    QJsonObject job;
    std::vector<Message> parts;
    std::optional<Failure> failure;
  };
  using TakeAnswer = std::function<bool(Answer)>;

  /// paths: all that the jobs of this pool will read and write.
  ChildPool(int children, PoolLimits limits, SandboxPaths paths);
  ~ChildPool();
  /// Until all jobs are answered or a stop was asked for (SIGTERM, SIGINT): then the jobs at hand are finished and their answers taken,
  /// unless they stop at once.
  Result<void> run(const NextJob& next, const TakeAnswer& take, const std::function<void(const Message&)>& onPart = {});

 private:
  struct Child;
  struct Pending;
  bool start(Child&);
  void stop(Child&, bool kill);
  Failure deathOf(Child&, bool timedOut, bool garbled);
  void serve(Child&, const std::function<void(const Message&)>& onPart);
  void dispatch(const NextJob& next);
  bool deliver(const TakeAnswer& take);

  PoolLimits limits_;
  Message confine_;  ///< first message to every child
  std::vector<std::unique_ptr<Child>> children_;
  std::vector<std::shared_ptr<Pending>> window_;  ///< in job order
  bool exhausted_ = false;
};

/// Set by SIGTERM and SIGINT once installStopHandler was called.
bool stopAsked();
void installStopHandler();

/// 0 → one per processor; never more than 64.
int childCount(int asked);

}  // namespace cloister
