#include "core/curation/lineage.h"

#include <QDir>
#include <QFileInfo>
#include <QHash>
#include <QJsonArray>

#include "core/domain/files.h"
#include "core/store/project.h"

namespace cloister {
namespace {

Result<Sample> findSample(const Project& project, const QString& keyOrDigest) {
  auto byKey = project.sampleByKey(keyOrDigest);
  if (byKey || byKey.error().kind != FailureKind::NotFound) return byKey;
  return project.sampleByDigest(keyOrDigest.toLower());
}

Result<QJsonObject> importOf(const Project& project, qint64 id) {
  auto record = project.importRecord(id);
  if (!record) return record.error();
  return QJsonObject{
      {"id", id}, {"source", record->source}, {"startedAt", record->startedAt}, {"state", record->state}, {"request", record->request}};
}

Result<QJsonArray> changesOf(const Project& project, qint64 id) {
  auto history = project.sampleHistory(id);
  if (!history) return history.error();
  QJsonArray changes;
  for (const SampleHistoryRow& h : *history)
    changes.append(QJsonObject{{"at", h.at},
                               {"who", h.who},
                               {"what", h.what},
                               {"field", h.field},
                               {"before", h.before},
                               {"after", h.after},
                               {"undone", h.undone}});
  return changes;
}

QJsonArray bundlesOf(const Project& project, const QHash<QString, QString>& splitOfSnapshot) {
  QJsonArray bundles;
  const QDir dir(project.bundlesDir());
  for (const QString& name : dir.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name)) {
    const auto manifest = readJson(dir.filePath(name) + "/bundle.json");
    if (!manifest) continue;  // a bundle in the making or not ours: it holds no sample
    QString digest = (*manifest)["snapshot"].toString();
    if (digest.isEmpty()) digest = (*manifest)["snapshot"]["digest"].toString();
    if (splitOfSnapshot.contains(digest))
      bundles.append(QJsonObject{{"name", name}, {"run", (*manifest)["run"]}, {"snapshot", digest}, {"split", splitOfSnapshot[digest]}});
  }
  return bundles;
}

}  // namespace

Result<QJsonObject> sampleLineage(const Project& project, const QString& keyOrDigest) {
  auto sample = findSample(project, keyOrDigest);
  if (!sample) return sample.error();
  auto import = importOf(project, sample->importId);
  if (!import) return import.error();
  auto changes = changesOf(project, sample->id);
  if (!changes) return changes.error();
  auto members = project.snapshotsOfSample(sample->id);
  if (!members) return members.error();
  auto runs = project.runs();
  if (!runs) return runs.error();
  QHash<QString, QString> splitOfSnapshot;
  QJsonArray snapshots, usedBy;
  for (const auto& [digest, split] : *members) {
    splitOfSnapshot.insert(digest, split);
    snapshots.append(QJsonObject{{"digest", digest}, {"split", split}});
  }
  for (const RunRecord& run : *runs)
    if (splitOfSnapshot.contains(run.snapshot))
      usedBy.append(
          QJsonObject{{"run", run.id}, {"state", run.state}, {"snapshot", run.snapshot}, {"split", splitOfSnapshot[run.snapshot]}});
  return QJsonObject{{"key", sample->key},
                     {"sha256", sample->sha256},
                     {"frame", sample->frame},
                     {"file", sample->file},
                     {"object", QDir(project.dir()).relativeFilePath(project.objectPath(sample->sha256))},
                     {"objectPresent", QFileInfo::exists(project.objectPath(sample->sha256))},
                     {"import", *import},
                     {"label", QJsonObject{{"value", sample->label}, {"origin", sample->labelOrigin}}},
                     {"patient", sample->patient},
                     {"site", sample->site},
                     {"excluded", sample->excluded},
                     {"changes", *changes},
                     {"snapshots", snapshots},
                     {"runs", usedBy},
                     {"bundles", bundlesOf(project, splitOfSnapshot)}};
}

}  // namespace cloister
