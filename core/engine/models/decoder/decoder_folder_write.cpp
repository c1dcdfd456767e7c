#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QRegularExpression>

#include "core/domain/files.h"
#include "core/domain/staged_folder.h"
#include "core/engine/engine_failure.h"
#include "core/engine/models/decoder/decoder_folder_write.h"
#include "core/engine/models/tensor_types.h"
#include "core/tensors/model_folder.h"
#include "core/tensors/safetensors_write.h"

namespace cloister {
namespace {

// What we write, over what the source said beside it (descriptions of other tools survive; code to fetch and quantisation do not).
QJsonObject configToWrite(const DecoderConfig& config, const QString& from, at::ScalarType type) {
  QJsonObject o;
  if (!from.isEmpty() && QFileInfo::exists(from + "/config.json")) readDecoderConfig(from, &o);
  for (const char* gone : {"auto_map", "quantization_config", "rope_parameters", "dtype", "_name_or_path", "eos_token_id", "bos_token_id",
                           "pad_token_id", "sliding_window", "max_window_layers", "layer_types"})
    o.remove(QLatin1String(gone));
  DecoderConfig written = config;
  written.dtype = type == at::kBFloat16 ? "bfloat16" : type == at::kHalf ? "float16" : "float32";
  const QJsonObject ours = written.toJson();
  for (auto it = ours.begin(); it != ours.end(); ++it) o[it.key()] = it.value();
  return o;
}

// Readers with typed fields take 16.0 for a number and refuse 16; Qt writes whole numbers without a point.
QByteArray configText(const QJsonObject& config) {
  static const QRegularExpression whole(
      "(\"(?:attention_dropout|routed_scaling_factor|rope_theta|initializer_range|rms_norm_eps|aux_loss_alpha|factor|low_freq_factor|"
      "high_freq_factor|mscale|mscale_all_dim|attention_factor)\": -?[0-9]+)(,?)$",
      QRegularExpression::MultilineOption);
  return QString::fromUtf8(QJsonDocument(config).toJson()).replace(whole, "\\1.0\\2").toUtf8();
}

using Views = std::map<std::string, TensorView>;

/// Cut so that each file holds at most shardBytes (one tensor at least), in the order of the description.
std::vector<Views> sharded(const DecoderConfig& config, const NamedTensors& tensors, qint64 shardBytes, std::vector<at::Tensor>& kept) {
  std::vector<Views> shards(1);
  qint64 used = 0;
  const auto add = [&](const std::string& name, const at::Tensor& given) {
    kept.push_back(given.detach().cpu().contiguous());
    const at::Tensor& t = kept.back();
    if (used > 0 && used + qint64(t.nbytes()) > shardBytes) {
      shards.emplace_back();
      used = 0;
    }
    used += qint64(t.nbytes());
    shards.back()[name] = {dtypeOf(t.scalar_type()), t.sizes().vec(), static_cast<const std::byte*>(t.const_data_ptr()), t.nbytes()};
  };
  NamedTensors rest = tensors;
  config.forEachTensor([&](const DecoderTensor& t) {
    const auto it = rest.find(t.name);
    if (it == rest.end()) throw EngineFailure({FailureKind::Internal, {}, "no tensor " + QString::fromStdString(t.name)});
    add(t.name, it->second);
    rest.erase(it);
  });
  for (const auto& [name, t] : rest) add(name, t);
  return shards;
}

void writeWeights(const QString& dir, const std::vector<Views>& shards, const std::function<void(qint64)>& written) {
  const QJsonObject metadata{{"format", "pt"}};
  if (shards.size() == 1) return orThrow(writeSafetensorsTelling(dir + "/model.safetensors", shards[0], metadata, written));
  QJsonObject map;
  qint64 total = 0;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    const QString name = QString("model-%1-of-%2.safetensors").arg(i + 1, 5, 10, QChar('0')).arg(shards.size(), 5, 10, QChar('0'));
    orThrow(writeSafetensorsTelling(dir + '/' + name, shards[i], metadata, written));
    for (const auto& [tensor, view] : shards[i]) {
      map[QString::fromStdString(tensor)] = name;
      total += qint64(view.bytes);
    }
  }
  orThrow(
      writeJsonAtomically(dir + "/model.safetensors.index.json", {{"metadata", QJsonObject{{"total_size", total}}}, {"weight_map", map}}));
}

}  // namespace

void copyCompanionFiles(const QString& from, const QString& to) {
  for (const QString& name : companionFiles()) {
    const QString source = from + '/' + name;
    if (QFileInfo(source).isFile()) orThrow(writeFileAtomically(to + '/' + name, orThrow(readFile(source, kLargestCompanion))));
  }
}

void writeDecoderFolder(const QString& dir, const DecoderConfig& config, const NamedTensors& tensors, const DecoderWriteOptions& options) {
  writeDecoderFolderTelling(dir, config, tensors, options, {});
}

void writeDecoderFolderTelling(const QString& dir, const DecoderConfig& config, const NamedTensors& tensors,
                               const DecoderWriteOptions& options, const std::function<void(qint64, qint64)>& progress) {
  StagedFolder staged = orThrow(StagedFolder::begin(dir));
  qint64 bytes = 16 << 20;
  for (const auto& [name, t] : tensors) bytes += qint64(t.nbytes());
  if (const qint64 free = bytesFree(staged.path()); free >= 0 && bytes > free)
    throw EngineFailure({FailureKind::DiskFull, {{"path", dir}, {"needed", bytes}, {"free", free}}, {}});

  std::vector<at::Tensor> kept;
  qint64 done = 0, total = 0;
  for (const auto& [name, t] : tensors) total += qint64(t.nbytes());
  writeWeights(staged.path(), sharded(config, tensors, options.shardBytes, kept), [&](qint64 written) {
    if (progress) progress(done += written, total);
  });
  if (!options.from.isEmpty()) copyCompanionFiles(options.from, staged.path());
  const at::ScalarType type = tensors.at("model.embed_tokens.weight").scalar_type();
  orThrow(writeFileAtomically(staged.path() + "/config.json", configText(configToWrite(config, options.from, type))));
  orThrow(staged.publish());
}

}  // namespace cloister
