#include "widgets/project/sample_project.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>

#include "core/extension/plugin_catalogue.h"
#include "widgets/common/store_client.h"

namespace cloister {
namespace {
constexpr int kPatients = 60, kRecords = 6000;
constexpr int kSeed = 1;
}  // namespace

SampleProject::SampleProject(StoreClient& store, QObject* parent) : QObject(parent), store_(store) {
  connect(&process_, &QProcess::readyReadStandardOutput, this, &SampleProject::readOutput);
  connect(&process_, &QProcess::finished, this, &SampleProject::made);
  connect(&process_, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
    if (error == QProcess::FailedToStart) give({FailureKind::NotFound, {{"path", process_.program()}}, process_.errorString()});
  });
  connect(&store, &StoreClient::stateChanged, this, &SampleProject::opened);  // not before its task is known
  connect(&store, &StoreClient::openFailed, this, [this](const QString&, const Failure& failure) {
    if (step_ == Step::Creating) give(failure);
  });
}

void SampleProject::start(const Task& task, const QString& dir, const QString& name) {
  if (running()) return;
  task_ = &task;
  dir_ = dir;
  name_ = name;
  files_ = dir + "-files";
  stopped_ = false;
  if (QFileInfo::exists(dir + "/project.json")) {
    step_ = Step::Idle;
    store_.openProject(dir);
    Q_EMIT finished();
    return;
  }
  step_ = Step::Making;
  store_.begin();
  buffer_.clear();
  failure_ = {FailureKind::WorkerFailed, {{"program", "cloister-ingest"}}, {}};
  process_.start(siblingProgram("cloister-ingest"),
                 {"synthesize", "--source", task.sources.first(), "--to", files_, "--patients", QString::number(kPatients), "--records",
                  QString::number(kRecords), "--seed", QString::number(kSeed)});
}

void SampleProject::stop() {
  stopped_ = true;
  process_.terminate();
}

void SampleProject::readOutput() {
  buffer_ += process_.readAllStandardOutput();
  for (qsizetype end; (end = buffer_.indexOf('\n')) >= 0; buffer_.remove(0, end + 1)) {
    const QJsonObject line = QJsonDocument::fromJson(buffer_.left(end)).object();
    if (line["type"].toString() == u"failed") failure_ = Failure::fromJson(line["failure"].toObject());
    const double total = line["total"].toDouble();
    if (total > 0) Q_EMIT progressed(line["done"].toDouble() / total, line["secondsLeft"].toDouble(-1));
  }
}

void SampleProject::made(int exitCode, QProcess::ExitStatus status) {
  store_.end();
  readOutput();
  if (stopped_) return give({FailureKind::Stopped, {}, {}});
  if (status == QProcess::CrashExit) return give({FailureKind::Crashed, {{"program", "cloister-ingest"}, {"signal", exitCode}}, {}});
  if (exitCode != 0) {
    if (failure_.detail.isEmpty()) failure_.detail = QString::fromUtf8(process_.readAllStandardError().right(4000));
    return give(failure_);
  }
  step_ = Step::Creating;
  store_.createProject(dir_, name_, task_->id);
}

void SampleProject::opened() {
  if (step_ != Step::Creating || QDir(store_.state().dir) != QDir(dir_) || store_.state().info.task != task_->id) return;
  step_ = Step::Idle;
  ImportRequest request;
  request.source = task_->sources.first();
  request.paths = {files_};
  if (task_->classes) {
    request.labelsFile = files_ + "/labels.csv";
    request.keyColumn = QStringLiteral("file");
    request.labelColumn = QStringLiteral("label");
    request.groupColumn = QStringLiteral("patient_id");
    request.siteColumn = QStringLiteral("site");
  }
  store_.startImport(request);
  Q_EMIT finished();
}

void SampleProject::give(const Failure& failure) {
  step_ = Step::Idle;
  Q_EMIT failed(failure);
}

}  // namespace cloister
