// What a language recipe needs before it starts: memory by part, disk, time. Time from the operations of a step and the speed of one
// matrix product measured here.
#include <chrono>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>

#include "core/domain/language_plan.h"
#include "core/engine/device/compute_device.h"
#include "core/engine/engine_failure.h"
#include "core/engine/models/decoder/decoder_folder.h"
#include "core/engine/train/language/language_recipe.h"
#include "core/engine/train/language/train_language.h"
#include "core/engine/train/machine.h"

namespace cloister {
namespace {

double operationsPerSecond(const LanguageRecipe& recipe, const ComputeDevice& device) {
  at::NoGradGuard noGrad;
  at::set_num_threads(recipe.step.threads);
  const at::Tensor a = at::ones({1024, 1024}, recipe.step.bf16 ? at::kBFloat16 : at::kFloat).to(device.tensors);
  double best = 1e-9;
  for (int i = 0; i < 4; ++i) {
    const auto start = std::chrono::steady_clock::now();
    at::matmul(a, a);
    if (device.isGpu()) device.cuda->synchronise(device.index);
    best = std::max(
        best, 2.0 * 1024 * 1024 * 1024 / std::max(1e-9, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()));
  }
  return best;
}

qint64 sumOf(const QJsonObject& parts) {
  qint64 sum = 0;
  for (const QJsonValue& v : parts) sum += v.toInteger();
  return sum;
}

}  // namespace

QJsonObject languageMemoryParts(const DecoderConfig& config, const LanguageRecipe& recipe, bool onCard) {
  LanguagePlanOptions o;
  o.method = recipe.packed ? LanguageMethod::Qlora : recipe.lora ? LanguageMethod::Lora : LanguageMethod::Full;
  o.precision = recipe.step.bf16 ? LanguagePrecision::Autocast : LanguagePrecision::Fp32;
  o.loraRank = recipe.adapter.rank;
  o.sequence = recipe.length;
  o.batch = recipe.step.microBatch;
  o.pairs = recipe.preferences;
  o.microBatches = (recipe.step.batchSize + recipe.step.microBatch - 1) / std::max(1, recipe.step.microBatch);
  o.checkpointing = recipe.recompute.value_or(false);
  o.processor = !onCard;
  o.prediction = recipe.predictionLoss > 0;
  QJsonObject parts = languageMemory(LanguageSizes::of(config, o.prediction), o).toJson();
  parts.remove("total");
  return parts;
}

bool decideRecompute(const DecoderConfig& config, LanguageRecipe& recipe, qint64 free, bool onCard) {
  if (recipe.recompute) return false;
  recipe.recompute = free > 0 && sumOf(languageMemoryParts(config, recipe, onCard)) > free;
  return *recipe.recompute;
}

QJsonObject planLanguage(const QJsonObject& request) {
  QJsonObject parameters = request["parameters"].toObject();
  parameters["base_model"] = request["baseWeights"].toString();
  const ComputeDevice device = chooseDevice(parameters["device"].toString("auto"));
  LanguageRecipe recipe = orThrow(makeLanguageRecipe(parameters, {.baseWeights = !request["baseWeights"].toString().isEmpty(),
                                                                  .worldSize = std::max(1, request["processes"].toInt(1)),
                                                                  .processors = processorCount(),
                                                                  .fastBf16 = device.isGpu() ? device.hasBf16() : processorHasFastBf16(),
                                                                  .gpu = device.isGpu()}));
  const DecoderConfig config = recipe.baseModel.isEmpty() ? orThrow(decoderPreset(recipe.preset, parameters["vocabulary"].toInteger(0)))
                                                          : readDecoderConfig(recipe.baseModel);
  decideRecompute(config, recipe, device.isGpu() ? qint64(device.cuda->freeMemory(device.index)) : memoryAvailable(), device.isGpu());
  const QJsonObject parts = languageMemoryParts(config, recipe, device.isGpu());
  const qint64 needed = sumOf(parts);
  const double tokens = double(request["trainTokens"].toInteger()) * recipe.step.epochs;
  // Preferences: the reference reads everything once more, with adapters in each epoch.
  const double passes = (recipe.lora ? 2 : 3) + (*recipe.recompute ? 1 : 0) +
                        (!recipe.preferences ? 0
                         : recipe.lora       ? 1
                                             : 1.0 / recipe.step.epochs);
  const double perToken = passes * config.forwardFlopsPerToken(recipe.length);
  const qint64 trainedBytes = parts["optimizer"].toInteger() / 2 * 3;
  QJsonObject report{{"memoryNeeded", needed},
                     {"diskNeeded", 3 * trainedBytes + (16 << 20)},
                     {"parts", parts},
                     {"parameters", qint64(config.parameterCount())},
                     {"secondsEstimated", tokens > 0 ? 1.6 * tokens * perToken / operationsPerSecond(recipe, device) : -1},
                     {"activationCheckpointing", *recipe.recompute},
                     {"precision", recipe.step.bf16 ? "bf16" : "fp32"},
                     {"device", device.name()}};
  if (device.isGpu())
    report["card"] = QJsonObject{{"name", QString::fromStdString(device.card.name)},
                                 {"memoryNeeded", needed},
                                 {"memoryFree", qint64(device.cuda->freeMemory(device.index))}};
  return report;
}

}  // namespace cloister
