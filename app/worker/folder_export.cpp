#include "app/worker/folder_export.h"

#include <ATen/ops/equal.h>
#include <QDir>
#include <QFile>
#include <QFileInfo>

#include "core/domain/files.h"
#include "core/domain/staged_folder.h"
#include "core/engine/engine_failure.h"

namespace cloister {
namespace {

const QStringList kWeights{"*.safetensors", "*.safetensors.index.json"};

/// What the folder holds, by digest; `file` is the one that stands for it.
QJsonObject describeFolder(const QString& dir, const QString& file, const QString& what) {
  QJsonObject digests;
  qint64 bytes = 0;
  for (const QFileInfo& info : QDir(dir).entryInfoList(kWeights, QDir::Files, QDir::Name)) {
    digests[info.fileName()] = orThrow(sha256OfFile(info.filePath()));
    bytes += info.size();
  }
  return {{"format", 1},    {"file", file},     {"variant", "huggingface"}, {"quantize", what},
          {"bytes", bytes}, {"files", digests}, {"sha256", digests[file]},  {"passed", true}};
}

void copyWhole(const QString& from, const QString& to) {
  if (!QFile::copy(from, to)) throw EngineFailure({FailureKind::IoError, {{"path", to}}, "copying " + from});
}

void requireSame(const NamedTensors& meant, const NamedTensors& found, const QString& dir) {
  for (const auto& [name, t] : meant)
    if (const auto it = found.find(name); it == found.end() || it->second.scalar_type() != t.scalar_type() || !at::equal(it->second, t))
      throw EngineFailure(
          {FailureKind::CorruptFile, {{"path", dir}}, QString("%1 reads back differently").arg(QString::fromStdString(name))});
}

}  // namespace

QJsonObject exportModelFolder(const LanguageRun& run, const QString& to, const ExportProgress& say) {
  DecoderFolder folder = run.weights(WeightsAs::Stored);
  folder.config.fp8BlockRows = folder.config.fp8BlockColumns = 0;
  say("write", 0, 0);
  StagedFolder staged = orThrow(StagedFolder::begin(to));
  const QString inside = staged.path() + "/model";
  writeDecoderFolder(inside, folder.config, folder.tensors, {.from = run.tokenizerDir()});
  requireSame(folder.tensors, readDecoderFolder(inside, WeightsAs::Stored).tensors, inside);
  const bool sharded = QFileInfo::exists(inside + "/model.safetensors.index.json");
  const QJsonObject report = describeFolder(inside, sharded ? "model.safetensors.index.json" : "model.safetensors", "model");
  for (const QFileInfo& info : QDir(inside).entryInfoList(QDir::Files))
    if (!QFile::rename(info.filePath(), staged.path() + '/' + info.fileName()))
      throw EngineFailure({FailureKind::IoError, {{"path", staged.path()}}, info.fileName()});
  QDir(inside).removeRecursively();
  orThrow(writeJsonAtomically(staged.path() + "/export.json", report));
  orThrow(staged.publish());
  return report;
}

QJsonObject exportAdapterFolder(const LanguageRun& run, const QString& to, const ExportProgress& say) {
  if (!run.adapted())
    throw EngineFailure(
        {FailureKind::NothingToDo, {{"what", "adapter"}, {"next", "This run trained all weights: take the whole model."}}, {}});
  say("write", 0, 0);
  StagedFolder staged = orThrow(StagedFolder::begin(to));
  const QString best = run.folder() + "/best/";
  copyWhole(best + "adapter_model.safetensors", staged.path() + "/adapter_model.safetensors");
  QJsonObject config = orThrow(readJson(best + "adapter_config.json", 4 << 20));
  // The name of the base, never where it lies on this machine.
  const QString base = QFileInfo(run.base()).fileName();
  config["base_model_name_or_path"] = base;
  orThrow(writeJsonAtomically(staged.path() + "/adapter_config.json", config));
  copyCompanionFiles(run.tokenizerDir(), staged.path());
  QJsonObject report = describeFolder(staged.path(), "adapter_model.safetensors", "adapter");
  report["base"] = QJsonObject{{"name", base}, {"sha256", run.spec().baseWeightsSha256}};
  orThrow(writeJsonAtomically(staged.path() + "/export.json", report));
  orThrow(staged.publish());
  return report;
}

}  // namespace cloister
