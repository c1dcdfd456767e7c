// Work that takes long and needs no writing project: runs on a pool thread, tells how far it is at most five times a second, and stops when
// asked. One at a time. Main thread; never waits.
//
//   task.start([dir](const LongTask::Told& told) { return importBaseModel(dir, …, told); }, [this](const Result<BaseModel>& model) { … });
#pragma once
#include <atomic>
#include <functional>
#include <memory>

#include <QObject>

#include "core/domain/result.h"
#include "widgets/common/store_client.h"

namespace cloister {

class LongTask : public QObject {
  Q_OBJECT
 public:
  /// Any thread. total 0: unknown; phase as the work numbers them. False: stop.
  using Told = std::function<bool(qint64 done, qint64 total, int phase)>;

  LongTask(StoreClient& store, QObject* parent) : QObject(parent), store_(store) {}
  ~LongTask() override { stop(); }

  /// fn(const Told&) → Result<T> on a pool thread, done(const Result<T>&) on the main thread, Stopped after stop(). Does nothing while
  /// running.
  template <typename Fn, typename Done>
  void start(Fn fn, Done done) {
    if (running_) return;
    running_ = true;
    stop_ = std::make_shared<std::atomic_bool>(false);
    store_.background([fn = std::move(fn), told = teller()]() mutable { return fn(told); }, this,
                      [this, done = std::move(done)](const auto& result) mutable {
                        running_ = false;
                        done(result);
                      });
  }
  void stop() {
    if (stop_) *stop_ = true;
  }
  bool running() const { return running_; }

 Q_SIGNALS:
  void progressed(qint64 done, qint64 total, int phase, double secondsLeft);  ///< secondsLeft of the phase, negative: unknown

 private:
  Told teller();
  StoreClient& store_;
  std::shared_ptr<std::atomic_bool> stop_;
  bool running_ = false;
};

/// "12.4 MB of 80.1 MB"; empty while the total is unknown.
QString bytesOf(qint64 done, qint64 total);
/// For the run strip: negative while the total is unknown.
double fractionOf(qint64 done, qint64 total);

}  // namespace cloister
