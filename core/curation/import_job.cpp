#include "core/curation/import_job.h"

#include <QDir>
#include <QFileInfo>
#include <QProcess>
#include <QTimer>

#include "core/curation/import_records.h"
#include "core/curation/ingest_process.h"
#include "core/domain/files.h"
#include "core/domain/task.h"
#include "core/store/project.h"
#include "core/trust/audit_log.h"

namespace cloister {
namespace {

constexpr int kTailMilliseconds = 250;
constexpr int kStopGraceMilliseconds = 15'000;
constexpr qint64 kLeastFreeBytes = 32 << 20;

Result<void> audit(const Project& project, const ImportSummary& summary, const QString& source, const QString& outcome) {
  auto log = AuditLog::open(project.dir());
  if (!log) return log.error();
  auto entry = (*log)->append("import",
                              {{"import", summary.importId},
                               {"source", source},
                               {"accepted", summary.accepted},
                               {"refused", summary.refusedCount},
                               {"duplicates", summary.duplicateCount}},
                              outcome);
  if (!entry) return entry.error();
  return {};
}

Result<void> validate(const Project& project, const ImportRequest& request) {
  // What a project trains on decides what it takes in.
  const QStringList& sources = Task::named(project.info().task).sources;
  if (!sources.contains(request.source))
    return Failure{FailureKind::InvalidArgument, {{"name", "source"}, {"value", request.source}, {"allowed", sources.join(", ")}}, {}};
  if (request.paths.isEmpty())
    return Failure{FailureKind::InvalidArgument, {{"name", "paths"}, {"value", ""}, {"allowed", "at least one file or folder"}}, {}};
  for (const QString& path : request.paths + QStringList(request.labelsFile)) {
    if (path.isEmpty()) continue;
    const QFileInfo info(path);
    if (!info.exists()) return Failure{FailureKind::NotFound, {{"path", path}}, {}};
    if (!info.isReadable()) return Failure{FailureKind::PermissionDenied, {{"path", path}}, {}};
  }
  return {};
}

/// Before hours of import, not after: does the label table have the columns?
Result<void> checkLabels(const Project& project, const ImportRequest& r) {
  const QString csv = r.source == u"table" ? r.paths.first() : r.labelsFile;
  return csv.isEmpty() ? Result<void>{}
                       : checkLabelTable(project, csv, r.keyColumn, r.labelColumn, r.groupColumn, r.siteColumn, r.labelsFormat);
}

Result<void> checkRoom(const QString& dir) {
  const qint64 free = bytesFree(dir);
  if (free >= 0 && free < kLeastFreeBytes)
    return Failure{FailureKind::DiskFull, {{"path", dir}, {"needed", kLeastFreeBytes}, {"free", free}}, {}};
  return {};
}

}  // namespace

struct ImportJob::Private {
  ImportJob* q;
  Project& project;
  ImportRequest request;
  ImportSummary summary;
  ImportProgress progress;
  std::unique_ptr<ImportRecords> records;
  std::unique_ptr<QProcess> process;
  QTimer tail, grace;
  JsonLines lines;
  QJsonObject lastLine;
  QByteArray errorText;
  qint64 offsetAtStart = 0;
  bool stopping = false, ended = false;

  Private(ImportJob* job, Project& p, ImportRequest r) : q(job), project(p), request(std::move(r)) {}

  Result<void> begin();
  Result<void> writeRequest();
  void startChild();
  void readOutput();
  Result<void> applyAll(bool everything);
  void childEnded();
  void finish();
  void fail(const Failure&);
  Result<void> complete(const QString& state);
};

QJsonObject ImportRequest::toJson() const {
  return {{"source", source},
          {"paths", QJsonArray::fromStringList(paths)},
          {"options", options},
          {"labelsFile", labelsFile},
          {"keyColumn", keyColumn},
          {"labelColumn", labelColumn},
          {"groupColumn", groupColumn},
          {"siteColumn", siteColumn},
          {"labelsFormat", labelsFormat},
          {"workers", workers}};
}

ImportRequest ImportRequest::fromJson(const QJsonObject& o) {
  ImportRequest r;
  r.source = o["source"].toString();
  for (const QJsonValue& path : o["paths"].toArray()) r.paths.append(path.toString());
  r.options = o["options"].toObject();
  r.labelsFile = o["labelsFile"].toString();
  r.keyColumn = o["keyColumn"].toString();
  r.labelColumn = o["labelColumn"].toString();
  r.groupColumn = o["groupColumn"].toString();
  r.siteColumn = o["siteColumn"].toString();
  r.labelsFormat = o["labelsFormat"].toObject();
  r.workers = o["workers"].toInt();
  return r;
}

QJsonObject ImportSummary::toJson() const {
  QJsonObject o{{"import", importId},           {"accepted", accepted},     {"refused", refused},
                {"refusedCount", refusedCount}, {"duplicates", duplicates}, {"duplicateCount", duplicateCount},
                {"changed", changed},           {"labelled", labelled},     {"stopped", stopped}};
  if (labels) o["labels"] = labels->toJson();
  return o;
}

ImportJob::ImportJob(Project& project, ImportRequest request, QObject* parent)
    : QObject(parent), d(std::make_unique<Private>(this, project, std::move(request))) {
  for (QString& path : d->request.paths) path = QFileInfo(path).absoluteFilePath();
  if (!d->request.labelsFile.isEmpty()) d->request.labelsFile = QFileInfo(d->request.labelsFile).absoluteFilePath();
  connect(&d->tail, &QTimer::timeout, this, [this] {
    if (auto applied = d->applyAll(false); !applied) d->fail(applied.error());
  });
  d->grace.setSingleShot(true);
  connect(&d->grace, &QTimer::timeout, this, [this] {
    if (d->process) d->process->kill();
  });
}

ImportJob::~ImportJob() {
  // The child goes with its job; the records it wrote are applied by the next resume.
  if (!d->process) return;
  d->process->disconnect(this);
  d->process->kill();
  d->process->waitForFinished(5000);
}

const ImportSummary& ImportJob::summary() const { return d->summary; }

Result<void> ImportJob::start() {
  if (auto ok = validate(d->project, d->request); !ok) return ok;
  if (auto room = checkRoom(d->project.dir()); !room) return room;
  if (auto labels = checkLabels(d->project, d->request); !labels) return labels;
  auto id = d->project.beginImport(d->request.source, d->request.toJson());
  if (!id) return id.error();
  d->summary.importId = *id;
  return d->begin();
}

Result<void> ImportJob::resume(qint64 importId) {
  auto record = d->project.importRecord(importId);
  if (!record) return record.error();
  const ImportRequest given = d->request;
  d->request = ImportRequest::fromJson(record->request);
  if (!given.labelsFile.isEmpty()) {
    d->request.labelsFile = given.labelsFile;
    d->request.keyColumn = given.keyColumn;
    d->request.labelColumn = given.labelColumn;
    d->request.groupColumn = given.groupColumn;
    d->request.siteColumn = given.siteColumn;
  }
  if (auto ok = validate(d->project, d->request); !ok) return ok;
  if (auto room = checkRoom(d->project.dir()); !room) return room;
  if (auto labels = checkLabels(d->project, d->request); !labels) return labels;
  d->summary.importId = importId;
  d->progress.accepted = record->accepted;
  d->progress.refused = record->refused;
  d->progress.duplicates = record->duplicates;
  return d->begin();
}

void ImportJob::stop() {
  if (d->ended || d->stopping) return;
  d->stopping = true;
  if (!d->process) return;
  d->process->terminate();
  d->grace.start(kStopGraceMilliseconds);
}

/// What the index knows of an import and its records do not say, for a rebuild; the outcome follows at the end.
Result<void> ImportJob::Private::writeRequest() {
  const QString folder = project.importDir(summary.importId);
  if (!QDir().mkpath(folder + "/objects")) return Failure{FailureKind::IoError, {{"path", folder}}, "the folder could not be made"};
  auto record = project.importRecord(summary.importId);
  if (!record) return record.error();
  QFile::remove(folder + "/outcome.json");
  QJsonObject json = record->request;
  json["format"] = 1;
  json["importId"] = summary.importId;
  json["startedAt"] = record->startedAt;
  json["folder"] = folder;
  json["objects"] = project.dir() + "/objects";
  return writeJsonAtomically(folder + "/request.json", json);
}

Result<void> ImportJob::Private::begin() {
  const qint64 id = summary.importId;
  auto offset = project.importOffset(id);
  if (!offset) return offset.error();
  if (auto running = project.finishImport(id, "running", *offset); !running) return running;
  records = std::make_unique<ImportRecords>(project, id, *offset);
  if (auto written = writeRequest(); !written) return written;
  if (request.source == u"table") {
    // Labels alone: nothing to import, and the result still comes by the signal.
    request.labelsFile = request.paths.first();
    QTimer::singleShot(0, q, [this] { finish(); });
    return {};
  }
  if (auto cut = records->cutTornLine(); !cut) return cut;
  startChild();
  return {};
}

void ImportJob::Private::startChild() {
  offsetAtStart = records->offset();
  lastLine = {};
  lines = {};
  process = std::make_unique<QProcess>();
  setUpIngest(*process, "import", project.importDir(summary.importId) + "/request.json");
  QObject::connect(process.get(), &QProcess::readyReadStandardOutput, q, [this] { readOutput(); });
  QObject::connect(process.get(), &QProcess::readyReadStandardError, q,
                   [this] { errorText = (errorText + process->readAllStandardError()).right(8000); });
  QObject::connect(process.get(), &QProcess::finished, q, [this] { childEnded(); });
  QObject::connect(process.get(), &QProcess::errorOccurred, q, [this](QProcess::ProcessError error) {
    if (error == QProcess::FailedToStart) childEnded();
  });
  process->start();
  tail.start(kTailMilliseconds);
}

void ImportJob::Private::readOutput() {
  for (const QJsonObject& line : lines.add(process->readAllStandardOutput())) {
    lastLine = line;
    if (line["type"].toString() != u"progress") continue;
    progress.done = line["done"].toInteger();
    progress.total = line["total"].toInteger();
    progress.filesPerSecond = line["filesPerSecond"].toDouble();
    progress.secondsLeft = line["secondsLeft"].toDouble(-1);
    Q_EMIT q->progressed(progress);
  }
}

/// One batch a tick, so that the thread stays responsive; everything when the child has ended.
Result<void> ImportJob::Private::applyAll(bool everything) {
  for (;;) {
    auto batch = records->applyNew();
    if (!batch) return batch.error();
    progress.accepted += batch->accepted;
    progress.refused += batch->refused;
    progress.duplicates += batch->duplicates;
    if (batch->lines > 0) Q_EMIT q->progressed(progress);
    if (batch->lines == 0 || !everything) return {};
  }
}

void ImportJob::Private::childEnded() {
  if (ended) return;
  tail.stop();
  grace.stop();
  readOutput();
  errorText = (errorText + process->readAllStandardError()).right(8000);
  if (auto applied = applyAll(true); !applied) return fail(applied.error());
  const auto outcome = ingestOutcome(*process, lastLine, errorText);
  if (stopping || outcome) return finish();
  // A child that was killed although files still came through is worth another try: it skips what is recorded. Without any progress
  // it would die at the same place again.
  if (outcome.error().kind == FailureKind::Crashed && records->offset() > offsetAtStart) {
    if (auto cut = records->cutTornLine(); !cut) return fail(cut.error());
    process.release()->deleteLater();  // this runs inside its signal
    startChild();
    return;
  }
  fail(outcome.error());
}

Result<void> ImportJob::Private::complete(const QString& state) {
  const qint64 id = summary.importId;
  if (!request.labelsFile.isEmpty() && !stopping) {
    auto labels = applyLabelTable(project, request.labelsFile, request.keyColumn, request.labelColumn, request.groupColumn,
                                  request.siteColumn, request.labelsFormat);
    if (!labels) return labels.error();
    summary.labels = std::move(*labels);
  }
  auto record = project.importRecord(id);
  if (!record) return record.error();
  summary.accepted = record->accepted;
  summary.refusedCount = record->refused;
  summary.duplicateCount = record->duplicates;
  auto refusals = project.refusals(id);
  if (!refusals) return refusals.error();
  for (const RefusedFile& r : *refusals) summary.refused.append(QJsonObject{{"file", r.file}, {"kind", r.kind}, {"message", r.message}});
  auto duplicates = project.duplicates(id);
  if (!duplicates) return duplicates.error();
  for (const auto& [file, original] : *duplicates) summary.duplicates.append(QJsonObject{{"file", file}, {"of", original}});
  summary.changed = records->changed();
  auto counts = project.counts();
  if (!counts) return counts.error();
  summary.labelled = counts->labelled;
  summary.stopped = stopping;
  if (auto audited = audit(project, summary, request.source, stopping ? "stopped" : "success"); !audited) return audited;
  if (auto noted = project.finishImport(id, state, records->offset()); !noted) return noted;
  return writeImportOutcome(project, id);
}

void ImportJob::Private::finish() {
  if (ended) return;
  if (auto done = complete(stopping ? "stopped" : "finished"); !done) return fail(done.error());
  ended = true;
  if (!stopping) QDir(project.importDir(summary.importId) + "/objects").removeRecursively();
  Q_EMIT q->finished(summary);
}

void ImportJob::Private::fail(const Failure& failure) {
  if (std::exchange(ended, true)) return;
  tail.stop();
  grace.stop();
  if (process && process->state() != QProcess::NotRunning) process->kill();
  // Best effort: when the database itself is the trouble, "running" stays and the import is resumed just the same.
  auto noted = project.finishImport(summary.importId, "failed", records->offset());
  if (noted) noted = writeImportOutcome(project, summary.importId);
  if (!noted) qWarning("import: %s", qPrintable(noted.error().detail));
  Q_EMIT q->failed(failure);
}

Result<qint64> interruptedImport(const Project& project, const ImportRequest& request) {
  auto all = project.imports();
  if (!all) return all.error();
  ImportRequest wanted = request;
  for (QString& path : wanted.paths) path = QFileInfo(path).absoluteFilePath();
  for (const ImportRecord& record : *all) {
    const ImportRequest r = ImportRequest::fromJson(record.request);
    if (r.source != wanted.source || r.paths != wanted.paths || r.options != wanted.options) continue;
    return record.state == u"finished" || r.source == u"table" ? qint64(0) : record.id;
  }
  return qint64(0);
}

}  // namespace cloister
