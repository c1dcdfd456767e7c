// Try a sample: cloister-ingest makes up radiographs as DICOM files with a label table, or reports as texts (a child process), a project is
// made of them, and they are imported. Reports by signals; main thread, event-driven.
#pragma once
#include <QByteArray>
#include <QObject>
#include <QProcess>

#include "core/domain/failure.h"
#include "core/domain/task.h"

namespace cloister {

class StoreClient;

class SampleProject : public QObject {
  Q_OBJECT
 public:
  explicit SampleProject(StoreClient& store, QObject* parent = nullptr);
  /// dir: folder of the project to be; the made files go to a folder beside it. An existing sample project is opened instead.
  void start(const Task&, const QString& dir, const QString& name);
  void stop();
  bool running() const { return step_ != Step::Idle; }
  const Task& task() const { return *task_; }

 Q_SIGNALS:
  void progressed(double fraction, double secondsLeft);
  void finished();
  void failed(cloister::Failure);

 private:
  enum class Step { Idle, Making, Creating };
  void readOutput();
  void made(int exitCode, QProcess::ExitStatus);
  void opened();
  void give(const Failure&);
  StoreClient& store_;
  const Task* task_ = &Task::all().first();
  QProcess process_;
  QString dir_, name_, files_;
  QByteArray buffer_;
  Failure failure_;
  bool stopped_ = false;
  Step step_ = Step::Idle;
};

}  // namespace cloister
