// One call of cloister-ingest (render, table) from the main thread: a child process, event-driven, its answer by callback. A new call
// replaces the one under way. Main thread.
#pragma once
#include <functional>
#include <memory>

#include <QJsonObject>
#include <QObject>
#include <QTemporaryDir>

#include "core/domain/result.h"

class QProcess;

namespace cloister {

class StoreClient;

class IngestTask : public QObject {
  Q_OBJECT
 public:
  using Done = std::function<void(Result<QJsonObject>)>;
  IngestTask(StoreClient& store, QObject* parent);
  ~IngestTask() override;
  /// "out" of the request is set to outFile(), which is new for each call.
  void start(const QString& verb, QJsonObject request, Done done);
  void cancel();
  bool running() const { return process_ != nullptr; }
  QString outFile() const { return out_; }

 private:
  StoreClient& store_;
  QTemporaryDir dir_;
  QProcess* process_ = nullptr;
  QString out_;
  int calls_ = 0;
};

}  // namespace cloister
