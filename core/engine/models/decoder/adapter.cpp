#include "core/engine/models/decoder/adapter.h"

#include <cmath>
#include <set>
#include <tuple>
#include <utility>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <QDir>
#include <QFileInfo>
#include <QJsonArray>

#include "core/domain/files.h"
#include "core/engine/engine_failure.h"
#include "core/engine/models/decoder/decoder_folder.h"

namespace cloister {
namespace {

const std::string kPrefix = "base_model.model.";

QString lastWord(const std::string& module) { return QString::fromStdString(module.substr(module.rfind('.') + 1)); }

bool wanted(const std::string& module, const QStringList& targets) {
  if (targets.isEmpty()) return module.find(".mlp.experts.") == std::string::npos;
  const QString name = QString::fromStdString(module);
  for (const QString& t : targets)
    if (name == t || name.endsWith('.' + t)) return true;
  return false;
}

void setAdapter(DecoderLinear& l, at::Tensor a, at::Tensor b, double scale) {
  l.adapterA = std::move(a);
  l.adapterB = std::move(b);
  l.adapterScale = scale;
}

Failure badFile(FailureKind kind, const QString& path, const QString& why) { return {kind, {{"path", path}}, why}; }

// Settings of PEFT that change what an adapter computes and that this reader does not have.
QString unsupportedSetting(const QJsonObject& o) {
  if (o["peft_type"].toString() != u"LORA") return "peft_type is not LORA";
  for (const char* key : {"use_dora", "use_rslora", "fan_in_fan_out", "lora_bias", "use_qalora"})
    if (o[QLatin1String(key)].toBool()) return QString(key) + " is not read";
  for (const char* key : {"rank_pattern", "alpha_pattern"})
    if (!o[QLatin1String(key)].toObject().isEmpty()) return QString(key) + " is not read";
  for (const char* key : {"modules_to_save", "layers_to_transform", "layer_replication", "target_parameters", "trainable_token_indices"})
    if (const QJsonValue v = o[QLatin1String(key)]; !v.isNull() && !v.isUndefined() && !(v.isArray() && v.toArray().isEmpty()))
      return QString(key) + " is not read";
  if (const QString bias = o["bias"].toString("none"); bias != u"none") return "bias is not none";
  return {};
}

}  // namespace

void addAdapters(DecoderModel& model, const AdapterSettings& s, std::uint64_t seed) {
  at::NoGradGuard noGrad;
  at::Generator generator = at::detail::createCPUGenerator(seed);
  std::int64_t count = 0;
  model.forEachLinear([&](const std::string& name, DecoderLinear& l) {
    if (!wanted(name, s.targets)) return;
    const std::int64_t out = l.shape()[0], in = l.shape()[1];
    const double bound = 1 / std::sqrt(double(in));
    const at::Tensor a = at::empty({s.rank, in}, at::kFloat).uniform_(-bound, bound, generator);
    setAdapter(l, a.to(l.device()), at::zeros({out, s.rank}, at::kFloat).to(l.device()), s.alpha / double(s.rank));
    ++count;
  });
  if (count == 0)
    throw EngineFailure({FailureKind::InvalidArgument,
                         {{"name", "lora_targets"}, {"value", s.targets.join(", ")}, {"allowed", "q_proj, v_proj, up_proj …"}},
                         "no layer of the model has such a name"});
}

AdaptersOff::AdaptersOff(DecoderModel& model) : model_(model) {
  model_.forEachLinear([&](const std::string& name, DecoderLinear& l) {
    if (l.adapterA.defined()) adapters_[name] = {std::exchange(l.adapterA, {}), std::exchange(l.adapterB, {})};
  });
}

AdaptersOff::~AdaptersOff() {
  model_.forEachLinear([&](const std::string& name, DecoderLinear& l) {
    if (const auto it = adapters_.find(name); it != adapters_.end()) std::tie(l.adapterA, l.adapterB) = it->second;
  });
}

NamedTensors adapterState(DecoderModel& model) {
  NamedTensors all;
  model.forEachLinear([&](const std::string& name, DecoderLinear& l) {
    if (!l.adapterA.defined()) return;
    all[kPrefix + name + ".lora_A.weight"] = l.adapterA;
    all[kPrefix + name + ".lora_B.weight"] = l.adapterB;
  });
  return all;
}

void loadAdapterState(DecoderModel& model, const NamedTensors& given, const QString& path) {
  at::NoGradGuard noGrad;
  const NamedTensors own = adapterState(model);
  for (const auto& [name, t] : own) {
    const auto it = given.find(name);
    if (it == given.end() || it->second.sizes() != t.sizes())
      throw EngineFailure(badFile(FailureKind::CorruptFile, path, QString::fromStdString(name) + " is missing or of another shape"));
    at::Tensor(t).copy_(it->second);
  }
  for (const auto& [name, t] : given)
    if (!own.count(name))
      throw EngineFailure(badFile(FailureKind::CorruptFile, path, QString::fromStdString(name) + " does not belong to this model"));
}

void writeAdapter(const QString& dir, DecoderModel& model, const AdapterSettings& s, const QString& base) {
  if (!QDir().mkpath(dir)) throw EngineFailure({FailureKind::IoError, {{"path", dir}}, {}});
  std::set<QString> words;
  model.forEachLinear([&](const std::string& name, DecoderLinear& l) {
    if (l.adapterA.defined()) words.insert(lastWord(name));
  });
  QJsonArray targets;
  for (const QString& w : words) targets.append(w);
  saveTensors(dir + "/adapter_model.safetensors", adapterState(model), {{"format", "pt"}});
  orThrow(writeJsonAtomically(dir + "/adapter_config.json", {{"peft_type", "LORA"},
                                                             {"task_type", "CAUSAL_LM"},
                                                             {"base_model_name_or_path", base},
                                                             {"r", qint64(s.rank)},
                                                             {"lora_alpha", s.alpha},
                                                             {"lora_dropout", 0},
                                                             {"target_modules", targets},
                                                             {"bias", "none"},
                                                             {"fan_in_fan_out", false},
                                                             {"use_rslora", false},
                                                             {"use_dora", false},
                                                             {"inference_mode", true}}));
}

AdapterSettings readAdapter(const QString& dir, DecoderModel& model) {
  const QString configPath = QDir(dir).absoluteFilePath("adapter_config.json"),
                path = QDir(dir).absoluteFilePath("adapter_model.safetensors");
  const QJsonObject o = orThrow(readJson(configPath, 4 << 20));
  if (const QString why = unsupportedSetting(o); !why.isEmpty())
    throw EngineFailure(badFile(FailureKind::UnsupportedFormat, configPath, why));
  if (!QFileInfo::exists(path)) throw EngineFailure({FailureKind::NotFound, {{"path", path}}, {}});
  AdapterSettings s;
  s.rank = o["r"].toInteger(0);
  s.alpha = o["lora_alpha"].toDouble(0);
  if (s.rank < 1 || s.rank > 65536) throw EngineFailure(badFile(FailureKind::CorruptFile, configPath, "r is not a number from 1 to 65536"));
  const NamedTensors given = readTensors(path);
  std::set<std::string> used;
  model.forEachLinear([&](const std::string& name, DecoderLinear& l) {
    const std::string a = kPrefix + name + ".lora_A.weight", b = kPrefix + name + ".lora_B.weight";
    const auto itA = given.find(a), itB = given.find(b);
    if (itA == given.end() && itB == given.end()) return;
    const auto fits = [&](const auto& it, std::int64_t rows, std::int64_t columns) {
      return it != given.end() && it->second.dim() == 2 && it->second.size(0) == rows && it->second.size(1) == columns &&
             it->second.is_floating_point();
    };
    if (!fits(itA, s.rank, l.shape()[1]) || !fits(itB, l.shape()[0], s.rank))
      throw EngineFailure(badFile(FailureKind::CorruptFile, path, "the adapter of " + QString::fromStdString(name) + " has another shape"));
    setAdapter(l, itA->second.to(at::kFloat), itB->second.to(at::kFloat), s.alpha / double(s.rank));
    used.insert({a, b});
    if (const QString word = lastWord(name); !s.targets.contains(word)) s.targets << word;
  });
  for (const auto& [name, t] : given)
    if (!used.count(name))
      throw EngineFailure(badFile(FailureKind::CorruptFile, path, QString::fromStdString(name) + " does not belong to this model"));
  if (used.empty()) throw EngineFailure(badFile(FailureKind::CorruptFile, path, "no adapter in it"));
  return s;
}

NamedTensors mergedState(DecoderModel& model) {
  at::NoGradGuard noGrad;
  NamedTensors all = model.state();
  model.forEachLinear([&](const std::string& name, DecoderLinear& l) { all[name + ".weight"] = l.merged().detach(); });
  return all;
}

}  // namespace cloister
