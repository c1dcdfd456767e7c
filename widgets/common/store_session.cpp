#include "widgets/common/store_session.h"

namespace cloister {

Result<void> StoreSession::open(const Opener& how, bool supervised) {
  close();
  auto project = how();
  if (!project) return project.error();
  project_ = std::move(*project);
  if (!supervised) return {};
  supervisor_ = std::make_unique<RunSupervisor>(*project_);
  connect(supervisor_.get(), &RunSupervisor::runChanged, this, &StoreSession::runChanged);
  connect(supervisor_.get(), &RunSupervisor::preparing, this, &StoreSession::preparing);
  supervisor_->setStopCheck([this] { return preparingStopped_.load(); });
  connect(supervisor_.get(), &RunSupervisor::eventsArrived, this, &StoreSession::eventsArrived);
  connect(supervisor_.get(), &RunSupervisor::jobEvents, this, &StoreSession::jobEvents);
  connect(supervisor_.get(), &RunSupervisor::jobFinished, this, &StoreSession::jobFinished);
  return supervisor_->attach();
}

void StoreSession::close() {
  import_.reset();
  supervisor_.reset();
  project_.reset();
}

void StoreSession::startImport(const ImportRequest& request, qint64 resumeId) {
  if (!project_) {
    Q_EMIT importFailed({FailureKind::NothingToDo, {{"what", "project"}, {"next", ""}}, {}});
    return;
  }
  import_ = std::make_unique<ImportJob>(*project_, request);
  connect(import_.get(), &ImportJob::progressed, this, &StoreSession::importProgressed);
  // Queued: the job is destroyed by the next one, never inside its own signal.
  connect(import_.get(), &ImportJob::finished, this, &StoreSession::importFinished, Qt::QueuedConnection);
  connect(import_.get(), &ImportJob::failed, this, &StoreSession::importFailed, Qt::QueuedConnection);
  const Result<void> started = resumeId > 0 ? import_->resume(resumeId) : import_->start();
  if (!started) Q_EMIT importFailed(started.error());
}

void StoreSession::stopImport() {
  if (import_) import_->stop();
}

}  // namespace cloister
