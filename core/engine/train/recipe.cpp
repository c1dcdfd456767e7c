#include "core/engine/train/recipe.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <QFile>

namespace cloister {
namespace {

Failure refused(const char* name, double value, const QString& allowed) {
  return {FailureKind::InvalidArgument, {{"name", name}, {"value", QString::number(value)}, {"allowed", allowed}}, {}};
}

// Small datasets need more passes than large ones: about 15,000 samples seen from scratch, half of that when fine-tuning.
int automaticEpochs(std::int64_t samples, bool baseWeights) {
  const std::int64_t passes = (baseWeights ? 7500 : 15000) / std::max<std::int64_t>(1, samples);
  return int(baseWeights ? std::clamp<std::int64_t>(passes, 5, 30) : std::clamp<std::int64_t>(passes, 10, 60));
}

double automaticRate(const QString& architecture, bool adamw, bool baseWeights) {
  if (baseWeights) return adamw ? 3e-5 : 1e-3;
  if (!adamw) return 0.02;
  return architecture.startsWith(u"vit") ? 3e-4 : 1e-3;
}

}  // namespace

Result<TrainRecipe> makeRecipe(const QJsonObject& p, const RecipeContext& context) {
  TrainRecipe r;
  r.architecture = p["architecture"].toString(r.architecture);
  r.dropout = p["dropout"].toDouble(r.dropout);
  r.epochs = p["epochs"].toInt(automaticEpochs(context.trainSamples, context.baseWeights));
  r.adamw = p["optimizer"].toString("adamw") == u"adamw";
  r.learningRate = p["learning_rate"].toDouble(automaticRate(r.architecture, r.adamw, context.baseWeights));
  r.batchSize = p["batch_size"].toInt(r.batchSize);
  r.weightDecay = p["weight_decay"].toDouble(r.adamw ? 0.01 : 1e-4);
  r.momentum = p["momentum"].toDouble(r.momentum);
  r.warmupEpochs = p["warmup_epochs"].toDouble(r.warmupEpochs);
  r.cosine = p["schedule"].toString("cosine") == u"cosine";
  r.labelSmoothing = p["label_smoothing"].toDouble(r.labelSmoothing);
  r.balancedClasses = p["class_weights"].toString("balanced") == u"balanced";
  r.clipNorm = p["clip_norm"].toDouble(r.clipNorm);
  r.gradientLimit = p["gradient_limit"].toDouble(r.gradientLimit);
  r.patience = p["early_stopping"].toInt(r.patience);
  r.bestMetric = p["best_metric"].toString(r.bestMetric);
  r.checkpointMinutes = p["checkpoint_minutes"].toDouble(r.checkpointMinutes);
  r.metricSeconds = p["metric_seconds"].toDouble(r.metricSeconds);
  r.freezeBackbone = p["freeze_backbone"].toBool(false);
  r.threads = p["threads"].toInt(0);
  if (r.threads <= 0) r.threads = std::max(1, context.processors / std::max(1, context.worldSize));
  const QString precision = p["precision"].toString("auto");
  r.bf16 = precision == u"bf16" || (precision == u"auto" && context.fastBf16);
  r.augment = augmentPreset(p["augmentation"].toString("standard"), p);

  if (r.batchSize % context.worldSize != 0)
    return refused("batch_size", r.batchSize, QString("a multiple of the %1 processes").arg(context.worldSize));
  const int perRank = r.batchSize / context.worldSize;
  // One micro-batch a processor; batch norm needs a few samples to estimate from, layer norm does not care.
  const int smallest = r.architecture.startsWith(u"vit") ? 1 : 4;
  const int automatic = context.gpu ? perRank : std::max(smallest, (perRank + r.threads - 1) / r.threads);
  r.microBatch = std::clamp(p["micro_batch"].toInt(automatic), 1, perRank);
  r.replicas = context.gpu ? 1 : std::clamp((perRank + r.microBatch - 1) / r.microBatch, 1, r.threads);
  const std::int64_t perEpoch = std::max<std::int64_t>(1, context.trainSamples / r.batchSize);
  // The average reaches back over about a fiftieth of the run.
  r.emaDecay = p["ema_decay"].toDouble(std::clamp(1.0 - 50.0 / double(perEpoch * r.epochs), 0.5, 0.9999));
  if (r.emaDecay < 0 || r.emaDecay >= 1) return refused("ema_decay", r.emaDecay, "0 – 0.99999");
  if (r.warmupEpochs > r.epochs) r.warmupEpochs = r.epochs;
  return r;
}

double learningRateAt(const TrainRecipe& r, std::int64_t step, std::int64_t warmupSteps, std::int64_t totalSteps) {
  if (step < warmupSteps) return r.learningRate * double(step + 1) / double(warmupSteps);
  if (!r.cosine || totalSteps <= warmupSteps) return r.learningRate;
  const double progress = double(step - warmupSteps) / double(totalSteps - warmupSteps);
  return r.learningRate * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

bool processorHasFastBf16() {
  QFile info("/proc/cpuinfo");
  if (!info.open(QIODevice::ReadOnly)) return false;
  const QList<QByteArray> lines = info.read(1 << 16).split('\n');
  for (const QByteArray& line : lines)
    if (line.startsWith("flags")) return line.contains(" amx_bf16") && line.contains(" amx_tile");
  return false;
}

}  // namespace cloister
