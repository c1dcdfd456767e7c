// What lives on the store thread and, read-only, on the reading thread: the Project with its RunSupervisor and the import under way.
// Created by StoreClient and moved to its thread; every method runs there.
#pragma once
#include <atomic>
#include <functional>
#include <memory>

#include <QObject>

#include "core/curation/import_job.h"
#include "core/runs/run_supervisor.h"
#include "core/store/project.h"

namespace cloister {

class StoreSession : public QObject {
  Q_OBJECT
 public:
  using Opener = std::function<Result<std::unique_ptr<Project>>()>;
  /// supervised: also attach to the runs (the writing session only).
  Result<void> open(const Opener&, bool supervised);
  void close();
  Project* project() const { return project_.get(); }
  RunSupervisor* supervisor() const { return supervisor_.get(); }
  void startImport(const ImportRequest&, qint64 resumeId);
  void stopImport();
  /// Any thread: whether the data that a run is being started on shall not be prepared any further. Set back before the next start.
  void setPreparingStopped(bool stopped) { preparingStopped_ = stopped; }

 Q_SIGNALS:
  void importProgressed(cloister::ImportProgress);
  void importFinished(cloister::ImportSummary);
  void importFailed(cloister::Failure);
  void runChanged(QString run);
  void preparing(qint64 done, qint64 total);
  void eventsArrived(QString run, QList<cloister::RunEvent> events);
  void jobEvents(QString run, QString verb, QList<cloister::RunEvent> events);
  void jobFinished(QString run, QString verb, int exitCode, QJsonObject result);

 private:
  std::unique_ptr<Project> project_;
  std::unique_ptr<RunSupervisor> supervisor_;
  std::unique_ptr<ImportJob> import_;
  std::atomic_bool preparingStopped_ = false;
};

}  // namespace cloister
