// One call of cloister-worker from the main thread (generate, model-show, model-import, model-plan): a child process, event-driven, its
// JSON lines as they come and its answer by callback. A new call replaces the one under way. Main thread; never waits.
#pragma once
#include <functional>

#include <QJsonObject>
#include <QObject>
#include <QTemporaryDir>

#include "core/domain/result.h"

class QProcess;

namespace cloister {

class StoreClient;

class WorkerTask : public QObject {
  Q_OBJECT
 public:
  using Line = std::function<void(const QJsonObject&)>;
  using Done = std::function<void(Result<QJsonObject>)>;
  WorkerTask(StoreClient& store, QObject* parent);
  ~WorkerTask() override;
  /// request: written to a file that "--request" names, when it has members. done gets the worker's last object, or its failure; Stopped
  /// after stop(), nothing when a new call took its place.
  void start(QStringList arguments, const QJsonObject& request, Line line, Done done);
  void stop();    ///< done(Stopped)
  void cancel();  ///< done is never called
  bool running() const { return process_ != nullptr; }
  /// Processor threads of the calls that follow; 0: all.
  void setThreads(int threads) { threads_ = threads; }

 private:
  StoreClient& store_;
  QTemporaryDir dir_;
  QProcess* process_ = nullptr;
  bool stopping_ = false;
  int threads_ = 0, calls_ = 0;
};

}  // namespace cloister
