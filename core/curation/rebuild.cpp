#include "core/curation/rebuild.h"

#include <algorithm>

#include <QDateTime>
#include <QDir>
#include <QFileInfo>
#include <QHash>
#include <QMap>

#include "core/curation/import_records.h"
#include "core/curation/snapshot_files.h"
#include "core/domain/files.h"
#include "core/trust/audit_log.h"

namespace cloister {
namespace {

using Rows = QHash<QPair<QString, int>, qint64>;  // (sha256, frame) → row

Result<void> replayImport(Project& project, qint64 id) {
  const QString request = project.importDir(id) + "/request.json";
  auto json = readJson(request);
  if (!json) return json.error();
  ImportRecord record;
  record.id = id;
  record.source = (*json)["source"].toString();
  record.startedAt = (*json)["startedAt"].toString();
  if (record.startedAt.isEmpty()) {  // written before an outcome was kept
    record.startedAt = QFileInfo(request).lastModified().toUTC().toString(Qt::ISODateWithMs);
    record.state = QStringLiteral("finished");
  } else if (auto outcome = readJson(project.importDir(id) + "/outcome.json"); outcome) {
    record.state = (*outcome)["state"].toString();
    record.finishedAt = (*outcome)["finishedAt"].toString();
  } else {
    record.state = QStringLiteral("running");  // was killed; the next import of the same files goes on with it
  }
  record.request = *json;
  for (const char* ofTheFile : {"format", "importId", "startedAt", "folder", "objects"}) record.request.remove(QLatin1String(ofTheFile));
  if (auto restored = project.restoreImport(record); !restored) return restored;
  ImportRecords records(project, id, 0);
  for (;;) {
    auto batch = records.applyNew();
    if (!batch) return batch.error();
    if (batch->lines == 0) return {};
  }
}

Result<Rows> rowsOf(const Project& project) {
  auto samples = project.samples({}, 0, std::numeric_limits<int>::max());
  if (!samples) return samples.error();
  Rows rows;
  for (const Sample& s : *samples) rows.insert({s.sha256, s.frame}, s.id);
  return rows;
}

struct Found {
  Snapshot snapshot;
  SnapshotContent content;
};

/// Oldest first; folders that cannot be read are named.
QList<Found> readSnapshots(const Project& project, QStringList& unreadable) {
  QList<Found> all;
  const QDir dir(project.dir() + "/snapshots");
  for (const QString& name : dir.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name)) {
    auto content = readSnapshotFolder(dir.filePath(name));
    auto snapshot = snapshotFromFolder(dir.filePath(name));
    if (content && snapshot) all.append({std::move(*snapshot), std::move(*content)});
    else unreadable.append(QStringLiteral("snapshots/%1: %2").arg(name, describe(content ? snapshot.error() : content.error())));
  }
  std::sort(all.begin(), all.end(), [](const Found& a, const Found& b) {
    return a.snapshot.json["createdAt"].toString() < b.snapshot.json["createdAt"].toString();
  });
  return all;
}

Result<void> restoreSnapshots(Project& project, const QList<Found>& all) {
  auto rows = rowsOf(project);
  if (!rows) return rows.error();
  QMap<qint64, Project::SampleChange> changes;
  for (const Found& found : all) {
    QList<SnapshotMember> members;
    for (const auto& [s, split] : found.content.samples) {
      const qint64 id = rows->value({s.sha256, s.frame});
      if (id == 0) continue;  // recreated from an export whose import left no records
      if (s.source == u"text") members += textMembers(id, found.snapshot.splitCounts);
      else members.append({id, int(split)});
      changes[id] = {id, s.label, s.patient, s.site, {}, QStringLiteral("snapshot")};
    }
    const Snapshot& s = found.snapshot;
    auto added = project.addSnapshot({s.digest, s.json["createdAt"].toString(), s.samples, s.groups, s.splitCounts, s.classes}, members);
    if (!added) return added;
  }
  return changes.isEmpty() ? Result<void>{} : project.changeSamples(changes.values(), "labels from snapshots");
}

}  // namespace

Result<Rebuilt> rebuildIndex(const QString& projectDir) {
  auto project = Project::openWithNewIndex(projectDir);
  if (!project) return project.error();
  Rebuilt rebuilt;
  rebuilt.project = std::move(*project);
  Project& p = *rebuilt.project;
  for (const QString& name : QDir(p.dir() + "/imports").entryList({"i-*"}, QDir::Dirs, QDir::Name)) {
    if (auto replayed = replayImport(p, name.mid(2).toLongLong()); replayed) ++rebuilt.imports;
    else rebuilt.unreadable.append(QStringLiteral("imports/%1: %2").arg(name, describe(replayed.error())));
  }
  const QList<Found> snapshots = readSnapshots(p, rebuilt.unreadable);
  auto restored = p.inTransaction([&] { return restoreSnapshots(p, snapshots); });
  if (!restored) return restored.error();
  rebuilt.snapshots = snapshots.size();
  auto counts = p.counts();
  if (!counts) return counts.error();
  rebuilt.samples = counts->samples;
  auto log = AuditLog::open(p.dir());
  if (!log) return log.error();
  auto entry = (*log)->append("rebuild", {{"imports", rebuilt.imports}, {"samples", rebuilt.samples}, {"snapshots", rebuilt.snapshots}});
  if (!entry) return entry.error();
  return rebuilt;
}

}  // namespace cloister
