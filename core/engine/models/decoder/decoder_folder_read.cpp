#include <set>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <QDir>
#include <QFileInfo>

#include "core/domain/files.h"
#include "core/engine/engine_failure.h"
#include "core/engine/models/decoder/decoder_folder.h"
#include "core/engine/models/decoder/fp8_weight.h"
#include "core/engine/models/tensor_types.h"
#include "core/engine/train/machine.h"

namespace cloister {
namespace {

constexpr qint64 kMaxConfig = 16 << 20, kMaxIndex = 256 << 20;

[[noreturn]] void refuse(FailureKind kind, const QString& path, const QString& why) { throw EngineFailure({kind, {{"path", path}}, why}); }

QString shapeText(at::IntArrayRef shape) {
  QStringList parts;
  for (auto s : shape) parts << QString::number(s);
  return '[' + parts.join(", ") + ']';
}

/// One tensor of a file, with the file kept open.
struct Stored {
  std::shared_ptr<SafetensorsFile> file;
  const TensorView* view = nullptr;
  QString path;
};

class FolderReader {
 public:
  FolderReader(const QString& dir, WeightsAs as) : dir_(QDir(dir).absolutePath()), as_(as) {}

  DecoderFolder read() {
    folder_.config = readDecoderConfig(dir_, &folder_.configJson);
    openFiles();
    checkNames();
    checkMemory();
    for (const auto& [name, t] : wanted_) {
      if (staysFp8(name, t)) folder_.packed[name.substr(0, name.size() - std::string(".weight").size())] = fp8(name, t);
      else folder_.tensors[name] = loaded(name, t);
    }
    for (const auto& [name, t] : prediction_) folder_.prediction[name] = loaded(name, t);
    return std::move(folder_);
  }

 private:
  void openFiles() {
    const QString single = dir_ + "/model.safetensors", index = single + ".index.json";
    if (QFileInfo::exists(index)) return openShards(index);
    if (QFileInfo::exists(single)) return openFile("model.safetensors", nullptr);
    const QStringList pickles = QDir(dir_).entryList({"*.bin", "*.pt", "*.pth"}, QDir::Files);
    if (!pickles.isEmpty())
      refuse(FailureKind::UnsupportedFormat, dir_ + '/' + pickles.first(),
             "weights as Python pickles are never opened, because opening one runs its code; ask for model.safetensors");
    throw EngineFailure({FailureKind::NotFound, {{"path", single}}, "no weights in the folder"});
  }

  void openShards(const QString& indexPath) {
    const QJsonObject map = orThrow(readJson(indexPath, kMaxIndex))["weight_map"].toObject();
    if (map.isEmpty()) refuse(FailureKind::CorruptFile, indexPath, "weight_map is missing or empty");
    std::map<QString, std::set<std::string>> byFile;
    for (auto it = map.begin(); it != map.end(); ++it) {
      const QString file = it.value().toString();
      if (file.isEmpty() || file.contains('/') || file.contains('\\') || file.startsWith('.'))
        refuse(FailureKind::CorruptFile, indexPath,
               it.key() + " lies in \"" + file.left(100) + "\", which is not a file name of this folder");
      byFile[file].insert(it.key().toStdString());
    }
    for (const auto& [file, names] : byFile) openFile(file, &names);
  }

  void openFile(const QString& name, const std::set<std::string>* promised) {
    const QString path = dir_ + '/' + name;
    if (!QFileInfo::exists(path)) throw EngineFailure({FailureKind::NotFound, {{"path", path}}, "a part of the weights is missing"});
    const auto file = orThrow(SafetensorsFile::open(path));
    folder_.files << name;
    folder_.bytes += QFileInfo(path).size();
    for (const auto& [tensor, view] : file->tensors())
      if (!stored_.emplace(tensor, Stored{file, &view, path}).second)
        refuse(FailureKind::CorruptFile, path, QString::fromStdString(tensor) + " is in another part too");
    if (promised)
      for (const std::string& tensor : *promised)
        if (!file->find(tensor))
          refuse(FailureKind::CorruptFile, path, QString::fromStdString(tensor) + " is not in it, though the index says so");
  }

  /// Takes a tensor of the description from what is stored; false when it is not there.
  bool take(const DecoderTensor& t, std::map<std::string, Stored>& to) {
    const auto it = stored_.find(t.name);
    if (it == stored_.end()) return false;
    const TensorView& v = *it->second.view;
    const QString name = QString::fromStdString(t.name);
    if (v.shape != t.shape)
      refuse(FailureKind::CorruptFile, it->second.path,
             name + " has shape " + shapeText(v.shape) + ", config.json wants " + shapeText(t.shape));
    const bool fp8 = v.dtype == DType::F8E4M3;
    if (!fp8 && v.dtype != DType::F32 && v.dtype != DType::F16 && v.dtype != DType::BF16)
      refuse(FailureKind::UnsupportedFormat, it->second.path,
             name + " has dtype " + dtypeName(v.dtype) + "; read are F32, F16, BF16 and F8_E4M3 blocks");
    if (fp8) takeScale(t, it->second);
    to.emplace(t.name, it->second);
    taken_.insert(t.name);
    return true;
  }

  void takeScale(const DecoderTensor& t, const Stored& s) {
    const QString name = QString::fromStdString(t.name);
    const std::int64_t rows = folder_.config.fp8BlockRows, columns = folder_.config.fp8BlockColumns;
    if (rows < 1 || t.shape.size() != 2)
      refuse(FailureKind::CorruptFile, s.path, name + " is FP8, but config.json describes no FP8 blocks (quantization_config)");
    const auto scale = stored_.find(t.name + "_scale_inv");
    const std::vector<std::int64_t> shape{(t.shape[0] + rows - 1) / rows, (t.shape[1] + columns - 1) / columns};
    if (scale == stored_.end() || scale->second.view->dtype != DType::F32 || scale->second.view->shape != shape)
      refuse(FailureKind::CorruptFile, s.path, name + "_scale_inv is missing, not F32 or not of shape " + shapeText(shape));
    taken_.insert(t.name + "_scale_inv");
  }

  void checkNames() {
    std::int64_t missing = 0;
    QString first;
    folder_.config.forEachTensor([&](const DecoderTensor& t) {
      if (take(t, wanted_)) return;
      if (missing++ == 0) first = QString::fromStdString(t.name);
    });
    if (missing > 0)
      refuse(FailureKind::CorruptFile, dir_,
             first + (missing > 1 ? QString(" and %1 other tensors are missing").arg(missing - 1) : " is missing"));
    for (std::int64_t i = 0; i < folder_.config.mtpLayers; ++i) takePrediction(i);
    for (const auto& [name, s] : stored_) {
      if (taken_.count(name)) continue;
      const QString shown = QString::fromStdString(name);
      if (!shown.endsWith(u".rotary_emb.inv_freq") && !(folder_.config.tiedEmbeddings && shown == u"lm_head.weight"))
        refuse(FailureKind::CorruptFile, s.path, shown + " does not belong to a model of this configuration");
      folder_.ignored << shown;
    }
  }

  // Present as a whole or not at all: transformers drops these layers when it saves. Embedding and head may be shared with the model's.
  void takePrediction(std::int64_t index) {
    std::int64_t found = 0;
    QString absent;
    for (const DecoderTensor& t : folder_.config.mtpTensors(index)) {
      if (take(t, prediction_)) ++found;
      else if (t.role != TensorRole::Embedding && t.role != TensorRole::Head && absent.isEmpty()) absent = QString::fromStdString(t.name);
    }
    if (found > 0 && !absent.isEmpty()) refuse(FailureKind::CorruptFile, dir_, absent + " is missing");
  }

  at::ScalarType typeFor(const std::string& name, DType stored) const {
    // Routing is decided in float32, as the models were trained.
    if (name.ends_with(".mlp.gate.weight") || name.ends_with(".e_score_correction_bias")) return at::kFloat;
    if (as_ == WeightsAs::Float32) return at::kFloat;
    if (as_ == WeightsAs::BFloat16 || stored == DType::F8E4M3) return at::kBFloat16;
    return common_;
  }

  // One type for all weights: that of the embedding, which is never quantised.
  void checkMemory() {
    common_ = scalarType(wanted_.at("model.embed_tokens.weight").view->dtype);
    qint64 copied = 0;
    for (const auto* list : {&wanted_, &prediction_})
      for (const auto& [name, s] : *list) {
        if (list == &wanted_ && staysFp8(name, s)) continue;
        const at::ScalarType to = typeFor(name, s.view->dtype);
        if (to != scalarType(s.view->dtype)) copied += qint64(s.view->bytes / dtypeSize(s.view->dtype) * c10::elementSize(to));
      }
    const qint64 free = memoryAvailable();
    if (copied > 0 && free > 0 && copied > free)
      throw EngineFailure({FailureKind::OutOfMemory, {{"needed", copied}, {"free", free}}, "to convert the weights of " + dir_});
  }

  at::Tensor mapped(const Stored& s) const {
    const auto keep = s.file;
    const at::ScalarType type = scalarType(s.view->dtype);
    const at::Tensor t = at::from_blob(
        const_cast<std::byte*>(s.view->data), s.view->shape, [keep](void*) {}, at::TensorOptions(type));
    // Foreign writers need not align their data.
    return reinterpret_cast<std::uintptr_t>(s.view->data) % dtypeSize(s.view->dtype) == 0 ? t : t.clone();
  }

  bool staysFp8(const std::string& name, const Stored& s) const {
    if (as_ != WeightsAs::StoredFp8 || s.view->dtype != DType::F8E4M3) return false;
    return !name.ends_with("embed_tokens.weight") && name != "lm_head.weight" && !name.ends_with(".mlp.gate.weight");
  }

  std::shared_ptr<Fp8Weight> fp8(const std::string& name, const Stored& s) const {
    return std::make_shared<Fp8Weight>(mapped(s), mapped(stored_.at(name + "_scale_inv")), folder_.config.fp8BlockRows,
                                       folder_.config.fp8BlockColumns);
  }

  at::Tensor loaded(const std::string& name, const Stored& s) const {
    at::NoGradGuard noGrad;
    const at::ScalarType to = typeFor(name, s.view->dtype);
    if (s.view->dtype != DType::F8E4M3) return mapped(s).to(to);
    return fp8(name, s)->restored(to);
  }

  QString dir_;
  WeightsAs as_;
  DecoderFolder folder_;
  std::map<std::string, Stored> stored_, wanted_, prediction_;
  std::set<std::string> taken_;
  at::ScalarType common_ = at::kFloat;
};

}  // namespace

DecoderConfig readDecoderConfig(const QString& dir, QJsonObject* json) {
  if (!QFileInfo(dir).isDir()) throw EngineFailure({FailureKind::NotFound, {{"path", dir}}, "not a folder"});
  const QString path = QDir(dir).absoluteFilePath("config.json");
  const QJsonObject o = orThrow(readJson(path, kMaxConfig));
  if (json) *json = o;
  return orThrow(DecoderConfig::fromJson(o, path));
}

DecoderFolder readDecoderFolder(const QString& dir, WeightsAs as) { return FolderReader(dir, as).read(); }

void detachFromFiles(DecoderFolder& folder) {
  for (auto* list : {&folder.tensors, &folder.prediction})
    for (auto& [name, t] : *list) t = t.clone();
}

}  // namespace cloister
