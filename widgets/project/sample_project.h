// Try the sample project: cloister-ingest draws synthetic radiographs as DICOM files (a child process), a project is made from them, and
// their label table is imported with them. Reports by signals; main thread, event-driven.
#pragma once
#include <QByteArray>
#include <QObject>
#include <QProcess>

#include "core/domain/failure.h"

namespace cloister {

class StoreClient;

class SampleProject : public QObject {
  Q_OBJECT
 public:
  explicit SampleProject(StoreClient& store, QObject* parent = nullptr);
  /// dir: folder of the project to be; the drawn files go to a folder beside it. An existing sample project is opened instead.
  void start(const QString& dir, const QString& name);
  void stop();
  bool running() const { return step_ != Step::Idle; }

 Q_SIGNALS:
  void progressed(double fraction, double secondsLeft);
  void finished();
  void failed(cloister::Failure);

 private:
  enum class Step { Idle, Drawing, Creating };
  void readOutput();
  void drawn(int exitCode, QProcess::ExitStatus);
  void opened();
  void give(const Failure&);
  StoreClient& store_;
  QProcess process_;
  QString dir_, name_, files_;
  QByteArray buffer_;
  Failure failure_;
  bool stopped_ = false;
  Step step_ = Step::Idle;
};

}  // namespace cloister
