#include "widgets/data/ingest_task.h"

#include <QCoreApplication>
#include <QFile>
#include <QJsonDocument>
#include <QProcess>

#include "core/curation/ingest_process.h"
#include "widgets/common/store_client.h"

namespace cloister {

IngestTask::IngestTask(StoreClient& store, QObject* parent) : QObject(parent), store_(store) {}

IngestTask::~IngestTask() { cancel(); }

void IngestTask::cancel() {
  if (!process_) return;
  process_->disconnect(this);
  process_->kill();
  connect(process_, &QProcess::finished, process_, &QObject::deleteLater);
  process_->setParent(QCoreApplication::instance());  // ends and goes by itself, at the latest with the program
  process_ = nullptr;
  store_.end();
}

void IngestTask::start(const QString& verb, QJsonObject request, Done done) {
  cancel();
  if (!out_.isEmpty()) QFile::remove(out_);
  out_ = dir_.filePath(QString::number(++calls_) + ".out");
  request["format"] = 1;
  request["out"] = out_;
  const QString file = dir_.filePath(QString::number(calls_) + ".json");
  QFile wish(file);  // a few hundred bytes in the temporary folder; no sync, nobody needs it after a crash
  if (!wish.open(QIODevice::WriteOnly) || wish.write(QJsonDocument(request).toJson()) < 0) {
    done(Failure{FailureKind::IoError, {{"path", file}}, wish.errorString()});
    return;
  }
  wish.close();
  store_.begin();
  process_ = new QProcess(this);
  setUpIngest(*process_, verb, file);
  auto lines = std::make_shared<JsonLines>();
  auto last = std::make_shared<QJsonObject>();
  auto end = [this, process = process_, last, lines, file, done = std::move(done)](bool started) {
    if (process != process_) return;
    process_ = nullptr;
    process->deleteLater();
    QFile::remove(file);
    store_.end();
    for (const QJsonObject& line : lines->add(process->readAllStandardOutput())) *last = line;
    if (!started) return done(Failure{FailureKind::NotFound, {{"path", process->program()}}, process->errorString()});
    const auto outcome = ingestOutcome(*process, *last, process->readAllStandardError());
    if (!outcome) return done(outcome.error());
    done(*last);
  };
  connect(process_, &QProcess::readyReadStandardOutput, this, [process = process_, lines, last] {
    for (const QJsonObject& line : lines->add(process->readAllStandardOutput())) *last = line;
  });
  connect(process_, &QProcess::finished, this, [end] { end(true); });
  connect(process_, &QProcess::errorOccurred, this, [end](QProcess::ProcessError error) {
    if (error == QProcess::FailedToStart) end(false);
  });
  process_->start();
}

}  // namespace cloister
