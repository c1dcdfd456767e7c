#include "widgets/common/worker_task.h"

#include <memory>

#include <QCoreApplication>
#include <QFile>
#include <QJsonDocument>
#include <QProcess>

#include "core/curation/ingest_process.h"
#include "core/runs/worker_call.h"
#include "widgets/common/store_client.h"

namespace cloister {

WorkerTask::WorkerTask(StoreClient& store, QObject* parent) : QObject(parent), store_(store) {}

WorkerTask::~WorkerTask() { cancel(); }

void WorkerTask::cancel() {
  if (!process_) return;
  process_->disconnect(this);
  process_->kill();
  connect(process_, &QProcess::finished, process_, &QObject::deleteLater);
  process_->setParent(QCoreApplication::instance());  // ends and goes by itself, at the latest with the program
  process_ = nullptr;
  store_.end();
}

void WorkerTask::stop() {
  if (!process_) return;
  stopping_ = true;
  process_->kill();  // what a worker writes is staged: nothing half-written stays in place
}

void WorkerTask::start(QStringList arguments, const QJsonObject& request, Line line, Done done) {
  cancel();
  stopping_ = false;
  QString file;
  if (!request.isEmpty()) {
    file = dir_.filePath(QString::number(++calls_) + ".json");
    QFile wish(file);  // small, in the temporary folder; no sync, nobody needs it after a crash
    if (!wish.open(QIODevice::WriteOnly) || wish.write(QJsonDocument(request).toJson()) < 0)
      return done(Failure{FailureKind::IoError, {{"path", file}}, wish.errorString()});
    arguments << QStringLiteral("--request") << file;
  }
  store_.begin();
  process_ = new QProcess(this);
  setUpWorker(*process_, arguments);
  if (threads_ > 0) {
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("OMP_NUM_THREADS"), QString::number(threads_));
    process_->setProcessEnvironment(environment);
  }
  struct State {
    JsonLines lines;
    QJsonObject last;
    QByteArray errors;
  };
  auto state = std::make_shared<State>();
  const auto read = [process = process_, state, line = std::move(line)] {
    state->errors = (state->errors + process->readAllStandardError()).right(8000);
    for (const QJsonObject& object : state->lines.add(process->readAllStandardOutput())) {
      state->last = object;
      if (line) line(object);
    }
  };
  const auto end = [this, process = process_, state, read, file, done = std::move(done)] {
    if (process != process_) return;
    read();
    process_ = nullptr;
    process->deleteLater();
    if (!file.isEmpty()) QFile::remove(file);
    store_.end();
    if (stopping_) return done(Failure{FailureKind::Stopped, {}, {}});
    if (auto outcome = workerOutcome(*process, state->last, state->errors); !outcome) return done(outcome.error());
    done(state->last);
  };
  connect(process_, &QProcess::readyReadStandardOutput, this, read);
  connect(process_, &QProcess::finished, this, end);
  connect(process_, &QProcess::errorOccurred, this, [end](QProcess::ProcessError error) {
    if (error == QProcess::FailedToStart) end();
  });
  process_->start();
}

}  // namespace cloister
