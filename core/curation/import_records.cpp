#include "core/curation/import_records.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>

#include "core/domain/files.h"
#include "core/store/project.h"

namespace cloister {
namespace {

constexpr qint64 kBatchBytes = 4 << 20;

bool isDigest(const QString& text) {
  static const QRegularExpression pattern("^[0-9a-f]{64}$");
  return pattern.match(text).hasMatch();
}

/// What was renamed into objects/ must be on the disk before the index names it.
Result<void> syncFileSystem(const QString& folder) {
  const int fd = ::open(QFile::encodeName(folder).constData(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return failureFromErrno(errno, folder);
  const int code = ::syncfs(fd);
  const int error = errno;
  ::close(fd);
  if (code != 0) return failureFromErrno(error, folder);
  return {};
}

}  // namespace

struct ImportRecords::Pending {
  QList<Sample> samples;
  QList<RefusedFile> refusals;
  QList<QPair<QString, QString>> duplicates;
  qint64 lines = 0, adopted = 0;
  Result<void> trouble;  // not a bad line but a bad disk: the batch must wait
};

ImportRecords::ImportRecords(Project& project, qint64 importId, qint64 offset) : project_(project), importId_(importId), offset_(offset) {}

QString ImportRecords::path() const { return project_.importDir(importId_) + "/records.jsonl"; }

Result<ImportRecords::Batch> ImportRecords::applyNew() {
  QFile file(path());
  if (!file.exists()) return Batch{};
  errno = 0;
  if (!file.open(QIODevice::ReadOnly) || !file.seek(offset_)) return failureFromErrno(errno ? errno : EIO, path());
  QByteArray bytes = file.read(kBatchBytes);
  const qsizetype end = bytes.lastIndexOf('\n') + 1;
  if (end == 0) {
    if (bytes.size() < kBatchBytes) return Batch{};
    return Failure{FailureKind::CorruptFile, {{"path", path()}, {"position", offset_}}, "a line of more than 4 MiB"};
  }
  bytes.truncate(end);
  Pending pending;
  for (qsizetype from = 0; from < bytes.size();) {
    const qsizetype newline = bytes.indexOf('\n', from);
    take(bytes.mid(from, newline - from), pending);
    from = newline + 1;
  }
  if (!pending.trouble) return pending.trouble.error();
  auto batch = commit(pending, offset_ + end);
  if (!batch) return batch;
  offset_ += end;
  return batch;
}

void ImportRecords::take(const QByteArray& line, Pending& pending) {
  const QJsonObject o = QJsonDocument::fromJson(line).object();
  const QString type = o["type"].toString();
  ++pending.lines;
  if (type == u"refused") {
    pending.refusals.append({o["file"].toString(), o["kind"].toString(), o["message"].toString()});
  } else if (type == u"duplicate") {
    pending.duplicates.append({o["file"].toString(), o["of"].toString()});
  } else if (type == u"accepted") {
    const Sample sample = Sample::fromJson(o["sample"].toObject());
    // The child has read untrusted bytes: its digest becomes a path here, so it must be one.
    Result<void> adopted = isDigest(sample.sha256) && !sample.key.isEmpty()
                               ? adoptObject(sample.sha256, sample.bytes)
                               : Result<void>(Failure{FailureKind::CorruptFile, {{"path", sample.file}}, "a record without key or digest"});
    if (adopted) {
      pending.samples.append(sample);
      ++pending.adopted;
    } else if (const FailureKind kind = adopted.error().kind; kind == FailureKind::NotFound || kind == FailureKind::CorruptFile) {
      pending.refusals.append({sample.file, failureKindName(kind), describe(adopted.error())});
    } else if (pending.trouble) {
      pending.trouble = adopted;
    }
  }
}

Result<void> ImportRecords::adoptObject(const QString& sha256, qint64 bytes) {
  const QString place = project_.objectPath(sha256);
  const QString staged = project_.importDir(importId_) + "/objects/" + sha256.left(2) + "/" + sha256;
  const QByteArray stagedName = QFile::encodeName(staged), placeName = QFile::encodeName(place);
  struct stat info {};
  if (::stat(placeName.constData(), &info) == 0) {
    ::unlink(stagedName.constData());
    return {};
  }
  if (::stat(stagedName.constData(), &info) != 0) return failureFromErrno(errno, staged);
  if (bytes > 0 && info.st_size != bytes)
    return Failure{FailureKind::CorruptFile, {{"path", staged}}, QStringLiteral("%1 bytes instead of %2").arg(info.st_size).arg(bytes)};
  const QByteArray folder = QFile::encodeName(QFileInfo(place).path());
  if (::mkdir(folder.constData(), 0755) != 0 && errno != EEXIST) return failureFromErrno(errno, QFile::decodeName(folder));
  if (::chmod(stagedName.constData(), 0444) != 0) return failureFromErrno(errno, staged);
  if (::rename(stagedName.constData(), placeName.constData()) != 0) return failureFromErrno(errno, place);
  return {};
}

Result<ImportRecords::Batch> ImportRecords::commit(Pending& pending, qint64 newOffset) {
  if (pending.adopted > 0)
    if (auto synced = syncFileSystem(project_.dir() + "/objects"); !synced) return synced.error();
  Batch batch;
  batch.lines = pending.lines;
  auto done = project_.inTransaction([&]() -> Result<void> {
    auto inserted = project_.addSamples(importId_, pending.samples);
    if (!inserted) return inserted.error();
    batch.accepted = *inserted;
    if (auto added = project_.addRefusals(importId_, pending.refusals); !added) return added;
    if (auto added = project_.addDuplicates(importId_, pending.duplicates); !added) return added;
    return project_.setImportOffset(importId_, newOffset);
  });
  if (!done) return done.error();
  batch.refused = pending.refusals.size();
  batch.duplicates = pending.duplicates.size() + pending.samples.size() - batch.accepted;
  return batch;
}

Result<void> ImportRecords::cutTornLine() {
  QFile file(path());
  if (!file.exists()) return {};
  errno = 0;
  if (!file.open(QIODevice::ReadWrite)) return failureFromErrno(errno ? errno : EIO, path());
  qint64 end = file.size();
  while (end > 0) {
    const qint64 from = std::max<qint64>(0, end - 65536);
    file.seek(from);
    const qsizetype newline = file.read(end - from).lastIndexOf('\n');
    end = newline >= 0 ? from + newline + 1 : from;
    if (newline >= 0) break;
  }
  if (end < file.size() && !file.resize(end)) return failureFromErrno(errno ? errno : EIO, path());
  return {};
}

QJsonArray ImportRecords::changed() const {
  QJsonArray all;
  QFile file(path());
  if (!file.open(QIODevice::ReadOnly)) return all;
  while (!file.atEnd()) {
    const QByteArray line = file.readLine(kBatchBytes);
    if (!line.contains("\"changed\"")) continue;
    const QJsonObject o = QJsonDocument::fromJson(line).object();
    if (o["type"].toString() == u"changed") all.append(QJsonObject{{"file", o["file"]}, {"what", o["what"]}});
  }
  return all;
}

Result<void> writeImportOutcome(const Project& project, qint64 importId) {
  auto record = project.importRecord(importId);
  if (!record) return record.error();
  return writeJsonAtomically(project.importDir(importId) + "/outcome.json", {{"state", record->state}, {"finishedAt", record->finishedAt}});
}

}  // namespace cloister
