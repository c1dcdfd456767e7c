// adapter-show: what a LoRA adapter from elsewhere was made for, and which of the given models it fits. Only its description, the names and
// shapes of its tensors, and each model's config.json are read.
#include "app/worker/adapter_show_verb.h"

#include <map>

#include <QDir>
#include <QJsonArray>

#include "app/worker/verbs.h"
#include "core/domain/decoder_config.h"
#include "core/domain/files.h"
#include "core/engine/engine_failure.h"
#include "core/tensors/safetensors.h"

namespace cloister {
namespace {

constexpr qint64 kLargestDescription = 4 << 20;

/// Empty where every tensor of the adapter belongs to a layer of the model and has its shape; else the first that does not.
QString misfit(const SafetensorsFile& adapter, const DecoderConfig& config) {
  std::map<std::string, std::vector<std::int64_t>> layers;
  config.forEachTensor([&](const DecoderTensor& t) { layers[t.name] = t.shape; });
  const std::string prefix = "base_model.model.";
  for (const auto& [name, tensor] : adapter.tensors()) {
    const bool down = name.ends_with(".lora_A.weight"), up = name.ends_with(".lora_B.weight");
    if (!name.starts_with(prefix) || (!down && !up) || tensor.shape.size() != 2) return QString::fromStdString(name);
    const std::string module = name.substr(prefix.size(), name.size() - prefix.size() - std::string(".lora_A.weight").size());
    const auto layer = layers.find(module + ".weight");
    if (layer == layers.end() || layer->second.size() != 2) return QString::fromStdString(name);
    if (down ? tensor.shape[1] != layer->second[1] : tensor.shape[0] != layer->second[0]) return QString::fromStdString(name);
  }
  return {};
}

QJsonObject answerFor(const QString& model, const SafetensorsFile& adapter) {
  QJsonObject answer{{"model", model}};
  const QString path = QDir(model).filePath("config.json");
  const auto json = readJson(path);
  const auto config = json ? DecoderConfig::fromJson(*json, path) : Result<DecoderConfig>(json.error());
  const QString why = config ? misfit(adapter, *config) : QString();
  answer["fits"] = bool(config) && why.isEmpty();
  if (!why.isEmpty()) answer["why"] = why;
  if (!config) answer["failure"] = config.error().toJson();
  return answer;
}

}  // namespace

int adapterShowVerb(const QStringList& arguments) {
  return runSpoken([&](const Say& say) {
    const QJsonObject request = orThrow(readJson(option(arguments, "request")));
    const QDir dir(request["adapter"].toString());
    const QJsonObject about = orThrow(readJson(dir.filePath("adapter_config.json"), kLargestDescription));
    const auto adapter = orThrow(SafetensorsFile::open(dir.filePath("adapter_model.safetensors")));
    QJsonArray models;
    for (const QJsonValue& model : request["models"].toArray()) models.append(answerFor(model.toString(), *adapter));
    say({{"type", "finished"},
         {"base", about["base_model_name_or_path"].toString().left(1000)},
         {"rank", about["r"].toInteger()},
         {"tensors", qint64(adapter->tensors().size())},
         {"models", models}});
  });
}

}  // namespace cloister
