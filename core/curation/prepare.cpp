// Prepared shards of a snapshot: made once by a child, reused ever after.
#include <cerrno>
#include <cstdio>

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QUuid>

#include "core/curation/dataset.h"
#include "core/curation/ingest_process.h"
#include "core/domain/files.h"
#include "core/store/project.h"

namespace cloister {
namespace {

constexpr qint64 kShardBytes = 256 << 20;

/// Whole, and made from this snapshot with this preprocessing?
Result<PreparedData> openPrepared(const QString& dir, const Snapshot& snapshot, const Preprocessing& preprocessing) {
  auto json = readJson(dir + "/prepared.json", 256 << 20);
  if (!json) return json.error();
  const auto bad = [&](const QString& why) { return Failure{FailureKind::CorruptFile, {{"path", dir + "/prepared.json"}}, why}; };
  PreparedData data{dir, (*json)["digest"].toString(), *json};
  QJsonObject without = *json;
  without.remove("digest");
  if (data.digest != sha256Hex(canonicalJson(without))) return bad("its digest does not hold");
  if ((*json)["count"].toInteger() != snapshot.samples) return bad("another number of samples");
  if ((*json)["preprocessing"].toObject() != preprocessing.toJson()) return bad("another preprocessing");
  for (const QJsonValue& shard : (*json)["shards"].toArray())
    if (!QFileInfo::exists(dir + '/' + shard["file"].toString())) return bad("a shard is missing: " + shard["file"].toString());
  return data;
}

Result<void> checkRoom(const QString& dir, const Snapshot& snapshot, const Preprocessing& p) {
  const qint64 needed = snapshot.samples * p.channels * p.size * p.size + (1 << 20), free = bytesFree(dir);
  if (free >= 0 && free < needed) return Failure{FailureKind::DiskFull, {{"path", dir}, {"needed", needed}, {"free", free}}, {}};
  return {};
}

Result<PreparedData> makePrepared(const Project& project, const Snapshot& snapshot, const Preprocessing& preprocessing,
                                  const QString& staged, const QString& dir, const std::function<bool(qint64, qint64)>& progress) {
  const QJsonObject request{{"format", 1},
                            {"objects", project.dir() + "/objects"},
                            {"samples", snapshot.dir + "/samples.jsonl"},
                            {"snapshot", snapshot.digest},
                            {"preprocessing", preprocessing.toJson()},
                            {"out", staged},
                            {"workers", 0},
                            {"shardBytes", kShardBytes}};
  auto ran = runIngest("prepare", request, staged + ".request.json", progress);
  if (!ran) return ran.error();
  auto made = openPrepared(staged, snapshot, preprocessing);
  if (!made) return made;
  QDir(dir).removeRecursively();
  if (::rename(QFile::encodeName(staged).constData(), QFile::encodeName(dir).constData()) != 0) return failureFromErrno(errno, dir);
  if (auto synced = syncFolder(QFileInfo(dir).absolutePath()); !synced) return synced.error();
  return openPrepared(dir, snapshot, preprocessing);
}

}  // namespace

Result<PreparedData> prepareSnapshot(const Project& project, const Snapshot& snapshot, const Preprocessing& preprocessing,
                                     std::function<bool(qint64, qint64)> progress) {
  const QString folder = snapshot.dir + "/prepared";
  const QString dir = folder + '/' + sha256Hex(canonicalJson(preprocessing.toJson())).left(12);
  if (auto there = openPrepared(dir, snapshot, preprocessing)) return there;
  if (!QDir().mkpath(folder)) return Failure{FailureKind::IoError, {{"path", folder}}, "the folder could not be made"};
  if (auto room = checkRoom(folder, snapshot, preprocessing); !room) return room.error();
  const QString staged = folder + "/.part-" + QUuid::createUuid().toString(QUuid::Id128).left(8);
  auto made = makePrepared(project, snapshot, preprocessing, staged, dir, progress);
  QDir(staged).removeRecursively();
  QFile::remove(staged + ".request.json");
  return made;
}

}  // namespace cloister
