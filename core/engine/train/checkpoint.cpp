#include "core/engine/train/checkpoint.h"

#include <fcntl.h>
#include <cerrno>
#include <cstdio>

#include <QDir>
#include <QFile>
#include <QFileInfo>

#include "core/domain/files.h"
#include "core/engine/engine_failure.h"

namespace cloister {
namespace {

QString checkpointsOf(const QString& runDir) { return runDir + "/checkpoints"; }

void makeFolder(const QString& path) {
  if (!QDir().mkpath(path)) throw EngineFailure(failureFromErrno(errno ? errno : EIO, path));
}

void renameFolder(const QString& from, const QString& to) {
  if (::rename(QFile::encodeName(from).constData(), QFile::encodeName(to).constData()) != 0)
    throw EngineFailure(failureFromErrno(errno, to));
}

// The marker goes first, so that a folder whose removal was interrupted no longer counts.
void removeMarked(const QString& dir) {
  QFile::remove(dir + "/state.json");
  QDir(dir).removeRecursively();
}

QStringList checkpointNames(const QString& runDir) {
  return QDir(checkpointsOf(runDir)).entryList({"step-*"}, QDir::Dirs, QDir::Name | QDir::Reversed);  // zero-padded: newest first
}

bool filesFit(const QString& dir, const QJsonObject& files) {
  if (files.isEmpty()) return false;
  for (auto it = files.begin(); it != files.end(); ++it) {
    const auto sha = sha256OfFile(dir + '/' + it.key());
    if (!sha || *sha != it.value().toString()) return false;
  }
  return true;
}

}  // namespace

QJsonObject TrainState::toJson() const {
  return {{"step", qint64(step)},
          {"bestMetric", bestMetric},
          {"bestValue", bestValue},
          {"bestLoss", bestLoss},
          {"bestStep", qint64(bestStep)},
          {"epochsSinceBest", epochsSinceBest},
          {"secondsTrained", secondsTrained},
          {"threads", threads},
          {"bf16", bf16},
          {"device", device}};
}

TrainState TrainState::fromJson(const QJsonObject& o) {
  TrainState s;
  s.step = o["step"].toInteger();
  s.bestMetric = o["bestMetric"].toString();
  s.bestValue = o["bestValue"].toDouble();
  s.bestLoss = o["bestLoss"].toDouble();
  s.bestStep = o["bestStep"].toInteger(-1);
  s.epochsSinceBest = o["epochsSinceBest"].toInt();
  s.secondsTrained = o["secondsTrained"].toDouble();
  s.threads = o["threads"].toInt();
  s.bf16 = o["bf16"].toBool();
  s.device = o["device"].toString("cpu");
  return s;
}

QJsonObject identityOf(const RunSpec& spec) {
  return {{"family", spec.family},
          {"snapshot", spec.snapshot},
          {"prepared data", spec.preparedDigest},
          {"base weights", spec.baseWeightsSha256},
          {"parameters", sha256Hex(canonicalJson(spec.identityParameters()))},
          {"seed", qint64(spec.seed)},
          {"processes", spec.processes},
          {"digest", spec.identityDigest()}};
}

Result<void> compareIdentity(const QJsonObject& expected, const QJsonObject& found) {
  for (const char* key : {"family", "snapshot", "prepared data", "base weights", "parameters", "seed", "processes", "digest"})
    if (const QLatin1String k(key); expected[k] != found[k])
      return Failure{FailureKind::IdentityChanged,
                     {{"what", key}, {"expected", expected[k].toVariant().toString()}, {"found", found[k].toVariant().toString()}},
                     {}};
  return {};
}

qint64 writeCheckpoint(const QString& runDir, const RunSpec& spec, const TrainState& state, const CheckpointParts& parts,
                       const QJsonObject& metadata) {
  const QString name = QString("step-%1").arg(state.step, 8, 10, QChar('0'));
  const QString place = checkpointsOf(runDir) + '/' + name, staged = checkpointsOf(runDir) + "/.part-" + name;
  if (QFileInfo::exists(place + "/state.json")) removeMarked(place);  // the same step again, after a resume
  QDir(staged).removeRecursively();
  makeFolder(staged);
  QJsonObject files;
  qint64 bytes = 0;
  const auto put = [&](const char* file, const NamedTensors& tensors) {
    if (tensors.empty()) return;
    const QString path = staged + '/' + file;
    saveTensors(path, tensors, metadata);
    files[QLatin1String(file)] = orThrow(sha256OfFile(path));
    bytes += QFileInfo(path).size();
  };
  put("model.safetensors", parts.model);
  put("ema.safetensors", parts.average);
  put("optimizer.safetensors", parts.optimizer);
  orThrow(writeJsonAtomically(staged + "/state.json",
                              {{"format", 1}, {"state", state.toJson()}, {"identity", identityOf(spec)}, {"files", files}}));
  renameFolder(staged, place);
  orThrow(syncFolder(checkpointsOf(runDir)));
  const QStringList names = checkpointNames(runDir);
  for (qsizetype i = 2; i < names.size(); ++i) removeMarked(checkpointsOf(runDir) + '/' + names[i]);
  return bytes;
}

std::optional<FoundCheckpoint> newestCheckpoint(const QString& runDir, QStringList& skipped) {
  const QStringList names = checkpointNames(runDir);
  for (const QString& name : names) {
    const QString dir = checkpointsOf(runDir) + '/' + name;
    const auto json = readJson(dir + "/state.json");
    if (json && (*json)["format"].toInt() == 1 && filesFit(dir, (*json)["files"].toObject()))
      return FoundCheckpoint{dir, TrainState::fromJson((*json)["state"].toObject()), (*json)["identity"].toObject()};
    skipped << name;
  }
  return std::nullopt;
}

void writeBest(const QString& runDir, const NamedTensors& weights, const QJsonObject& metadata, const QJsonObject& state) {
  const auto fill = [&](const QString& folder) {
    makeFolder(folder);
    saveTensors(folder + "/model.safetensors", weights, metadata);
  };
  writeBest(runDir, fill, state);
}

void writeBest(const QString& runDir, const std::function<void(const QString&)>& fill, const QJsonObject& state) {
  const QString place = runDir + "/best", staged = runDir + "/.part-best";
  QDir(staged).removeRecursively();
  fill(staged);
  QJsonObject files;
  const QStringList names = QDir(staged).entryList(QDir::Files, QDir::Name);
  for (const QString& name : names) files[name] = orThrow(sha256OfFile(staged + '/' + name));
  QJsonObject marker = state;
  marker["format"] = 1;
  marker["files"] = files;
  orThrow(writeJsonAtomically(staged + "/state.json", marker));
  const QByteArray from = QFile::encodeName(staged), to = QFile::encodeName(place);
  // Exchange keeps a whole best/ in place at every moment; file systems without it get remove and rename.
  if (!QFileInfo::exists(place) || ::renameat2(AT_FDCWD, from.constData(), AT_FDCWD, to.constData(), RENAME_EXCHANGE) != 0) {
    if (QFileInfo::exists(place)) removeMarked(place);
    renameFolder(staged, place);
  }
  orThrow(syncFolder(runDir));
  QDir(staged).removeRecursively();
}

void removeLeftovers(const QString& runDir) {
  QDir(runDir + "/.part-best").removeRecursively();
  const QDir dir(checkpointsOf(runDir));
  const QStringList parts = dir.entryList({".part-*"}, QDir::Dirs | QDir::Hidden);
  for (const QString& name : parts) QDir(dir.filePath(name)).removeRecursively();
  const QStringList names = checkpointNames(runDir);
  for (const QString& name : names)
    if (!QFileInfo::exists(dir.filePath(name) + "/state.json")) QDir(dir.filePath(name)).removeRecursively();
}

}  // namespace cloister
