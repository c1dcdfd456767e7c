// A snapshot as a folder for elsewhere, and back.
#include <sys/stat.h>
#include <cerrno>
#include <cstdio>

#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QHash>
#include <QJsonArray>
#include <QJsonDocument>
#include <QRegularExpression>
#include <QSet>
#include <QUuid>

#include "core/curation/dataset.h"
#include "core/curation/import_records.h"
#include "core/curation/snapshot_files.h"
#include "core/domain/files.h"
#include "core/store/project.h"
#include "core/trust/audit_log.h"

namespace cloister {
namespace {

/// A file's name in the exported folder: its digest, with the ending it came with when that is a plain word.
QString exportedName(const Sample& s) {
  static const QRegularExpression ending("\\.([A-Za-z0-9]{1,8})(#[0-9]+)?$");
  const QRegularExpressionMatch match = ending.match(s.key);
  return match.hasMatch() ? s.sha256 + '.' + match.captured(1).toLower() : s.sha256;
}

QByteArray csvCell(const QString& text) {
  QByteArray utf8 = text.toUtf8();
  if (!utf8.contains(',') && !utf8.contains('"') && !utf8.contains('\n') && !utf8.contains('\r')) return utf8;
  return '"' + utf8.replace('"', "\"\"") + '"';
}

QByteArray csvOf(const SnapshotContent& content, const QJsonObject& split) {
  QByteArray csv = "file,frame,label,split,group,patient,site,modality,key,sha256\n";
  const QString groupBy = split["groupBy"].toString();
  for (const auto& [s, side] : content.samples) {
    const QStringList cells{"files/" + exportedName(s),
                            QString::number(s.frame),
                            s.label,
                            splitName(side),
                            groupOf(s, groupBy),
                            s.patient,
                            s.site,
                            s.modality,
                            s.key,
                            s.sha256};
    QByteArray line;
    for (const QString& cell : cells) line += (line.isEmpty() ? "" : ",") + csvCell(cell);
    csv += line + '\n';
  }
  return csv;
}

/// Copies and checks: a damaged object must not leave as a good one. The target appears whole or not at all.
Result<void> copyVerified(const QString& from, const QString& to, const QString& sha256) {
  auto digest = sha256OfFile(from);
  if (!digest) return digest.error();
  if (*digest != sha256) return Failure{FailureKind::CorruptFile, {{"path", from}}, "its bytes no longer have the digest " + sha256};
  const QString staged = to + ".part";
  QFile::remove(staged);
  QFile source(from);
  errno = 0;
  if (!source.copy(staged)) return failureFromErrno(errno ? errno : EIO, to);
  auto copied = sha256OfFile(staged);
  if (!copied || *copied != sha256) {
    QFile::remove(staged);
    return copied ? Failure{FailureKind::IoError, {{"path", to}}, "the copy differs"} : copied.error();
  }
  if (::rename(QFile::encodeName(staged).constData(), QFile::encodeName(to).constData()) != 0) return failureFromErrno(errno, to);
  return {};
}

Result<void> fillExport(const Project& project, const Snapshot& snapshot, const QString& dir,
                        const std::function<bool(qint64, qint64)>& progress) {
  auto content = readSnapshotFolder(snapshot.dir);
  if (!content) return content.error();
  if (!QDir().mkpath(dir + "/files")) return Failure{FailureKind::IoError, {{"path", dir}}, "the folder could not be made"};
  QSet<QString> done;
  qint64 at = 0;
  for (const auto& [s, split] : content->samples) {
    if (progress && !progress(at++, content->samples.size())) return Failure{FailureKind::Stopped, {}, {}};
    if (done.contains(s.sha256)) continue;
    done.insert(s.sha256);
    auto copied = copyVerified(project.objectPath(s.sha256), dir + "/files/" + exportedName(s), s.sha256);
    if (!copied) return copied;
  }
  if (auto csv = writeFileAtomically(dir + "/samples.csv", csvOf(*content, content->json["split"].toObject())); !csv) return csv;
  QFile::remove(dir + "/samples.jsonl");
  errno = 0;
  if (!QFile::copy(snapshot.dir + "/samples.jsonl", dir + "/samples.jsonl")) return failureFromErrno(errno ? errno : EIO, dir);
  if (auto digest = writeFileAtomically(dir + "/digest.txt", snapshot.digest.toLatin1() + '\n'); !digest) return digest;
  if (progress) progress(content->samples.size(), content->samples.size());
  return writeJsonAtomically(dir + "/snapshot.json", content->json);  // the marker, last
}

Result<QHash<QPair<QString, int>, qint64>> rowsOf(const Project& project) {
  auto samples = project.samples({}, 0, std::numeric_limits<int>::max());
  if (!samples) return samples.error();
  QHash<QPair<QString, int>, qint64> rows;
  for (const Sample& s : *samples) rows.insert({s.sha256, s.frame}, s.id);
  return rows;
}

/// Copies the bytes that the project lacks and returns the samples that it lacks.
Result<QList<Sample>> adoptFiles(const Project& project, const SnapshotContent& content, const QString& from,
                                 const QHash<QPair<QString, int>, qint64>& rows) {
  QList<Sample> fresh;
  for (const auto& [s, split] : content.samples) {
    const QString place = project.objectPath(s.sha256);
    if (!QFileInfo::exists(place)) {
      QDir().mkpath(QFileInfo(place).path());
      if (auto copied = copyVerified(from + "/files/" + exportedName(s), place, s.sha256); !copied) return copied.error();
      ::chmod(QFile::encodeName(place).constData(), 0444);
    }
    if (rows.contains({s.sha256, s.frame})) continue;
    Sample sample = s;
    sample.bytes = QFileInfo(place).size();
    sample.file = from + "/files/" + exportedName(s);
    sample.labelOrigin = QStringLiteral("csv");
    fresh.append(sample);
  }
  return fresh;
}

/// The files an import leaves besides its outcome, so that the index can be rebuilt from them; the bytes of the records.
Result<qint64> writeImportFiles(const Project& project, qint64 id, const QList<Sample>& samples) {
  auto record = project.importRecord(id);
  if (!record) return record.error();
  const QString folder = project.importDir(id);
  if (!QDir().mkpath(folder)) return Failure{FailureKind::IoError, {{"path", folder}}, "the folder could not be made"};
  QByteArray lines;
  for (const Sample& s : samples)
    lines += QJsonDocument(QJsonObject{{"type", "accepted"}, {"sample", s.toJson()}}).toJson(QJsonDocument::Compact) + '\n';
  if (auto written = writeFileAtomically(folder + "/records.jsonl", lines); !written) return written.error();
  QJsonObject request = record->request;
  request["format"] = 1;
  request["source"] = record->source;
  request["startedAt"] = record->startedAt;
  if (auto written = writeJsonAtomically(folder + "/request.json", request); !written) return written.error();
  return lines.size();
}

Result<void> recordRecreated(Project& project, const SnapshotContent& content, const Snapshot& snapshot, const QList<Sample>& fresh,
                             const QString& from) {
  return project.inTransaction([&]() -> Result<void> {
    if (!fresh.isEmpty()) {
      auto id = project.beginImport("snapshot", {{"source", "snapshot"}, {"paths", QJsonArray{from}}, {"snapshot", snapshot.digest}});
      if (!id) return id.error();
      if (auto added = project.addSamples(*id, fresh); !added) return added.error();
      auto offset = writeImportFiles(project, *id, fresh);
      if (!offset) return offset.error();
      if (auto ended = project.finishImport(*id, "finished", *offset); !ended) return ended;
      if (auto written = writeImportOutcome(project, *id); !written) return written;
    }
    auto rows = rowsOf(project);
    if (!rows) return rows.error();
    QList<SnapshotMember> members;
    for (const auto& [s, split] : content.samples) {
      const qint64 id = rows->value({s.sha256, s.frame});
      if (s.source == u"text") members += textMembers(id, snapshot.splitCounts);
      else members.append({id, int(split)});
    }
    return project.addSnapshot(
        {snapshot.digest, snapshot.json["createdAt"].toString(), snapshot.samples, snapshot.groups, snapshot.splitCounts, snapshot.classes},
        members);
  });
}

Result<void> placeSnapshot(Project& project, const QString& from, const QString& dir, const QString& digest) {
  if (QFileInfo::exists(dir + "/snapshot.json")) return {};
  const QString staged = project.dir() + "/snapshots/.part-" + QUuid::createUuid().toString(QUuid::Id128).left(8);
  QDir().mkpath(staged);
  auto samples = readFile(from + "/samples.jsonl", std::numeric_limits<qint64>::max());
  if (!samples) return samples.error();
  auto marker = readFile(from + "/snapshot.json", 256 << 20);
  if (!marker) return marker.error();
  if (auto written = writeFileAtomically(staged + "/samples.jsonl", *samples); !written) return written;
  if (auto written = writeFileAtomically(staged + "/snapshot.json", *marker); !written) return written;
  auto log = AuditLog::open(project.dir());
  if (!log) return log.error();
  if (auto entry = (*log)->append("snapshot", {{"snapshot", digest}, {"recreated", true}}); !entry) return entry.error();
  return publishSnapshot(staged, dir, digest);
}

}  // namespace

Result<void> exportSnapshot(const Project& project, const Snapshot& snapshot, const QString& toDir,
                            std::function<bool(qint64, qint64)> progress) {
  const QString to = QFileInfo(toDir).absoluteFilePath();
  if (QFileInfo::exists(to) && !QDir(to).isEmpty()) return Failure{FailureKind::AlreadyExists, {{"path", to}}, {}};
  const QString staged = to + ".part-" + QUuid::createUuid().toString(QUuid::Id128).left(8);
  auto filled = fillExport(project, snapshot, staged, progress);
  if (filled) {
    QDir().rmdir(to);
    if (::rename(QFile::encodeName(staged).constData(), QFile::encodeName(to).constData()) != 0) filled = failureFromErrno(errno, to);
    else filled = syncFolder(QFileInfo(to).absolutePath());
  }
  if (!filled) QDir(staged).removeRecursively();
  return filled;
}

Result<Snapshot> recreateSnapshot(Project& project, const QString& exportedDir) {
  const QString from = QFileInfo(exportedDir).absoluteFilePath();
  auto content = readSnapshotFolder(from);
  if (!content) return content.error();
  const QString digest = content->json["digest"].toString();
  auto rows = rowsOf(project);
  if (!rows) return rows.error();
  auto fresh = adoptFiles(project, *content, from, *rows);
  if (!fresh) return fresh.error();
  const QString dir = project.snapshotDir(digest);
  if (auto placed = placeSnapshot(project, from, dir, digest); !placed) return placed.error();
  auto snapshot = snapshotFromFolder(dir);
  if (!snapshot) return snapshot;
  if (auto recorded = recordRecreated(project, *content, *snapshot, *fresh, from); !recorded) return recorded.error();
  return snapshot;
}

}  // namespace cloister
