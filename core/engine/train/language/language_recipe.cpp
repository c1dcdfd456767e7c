#include "core/engine/train/language/language_recipe.h"

#include <algorithm>

namespace cloister {
namespace {

const QStringList kPreferenceLosses{"sigmoid", "robust", "hinge", "ipo"};

Failure refused(const char* name, const QString& value, const QString& allowed) {
  return {FailureKind::InvalidArgument, {{"name", name}, {"value", value}, {"allowed", allowed}}, {}};
}

Result<PreferenceSettings> preferenceSettings(const QJsonObject& p) {
  PreferenceSettings s;
  s.beta = p["beta"].toDouble(s.beta);
  s.labelSmoothing = p["label_smoothing"].toDouble(s.labelSmoothing);
  const QString loss = p["loss_type"].toString(kPreferenceLosses[0]);
  const qsizetype at = kPreferenceLosses.indexOf(loss);
  if (at < 0) return refused("loss_type", loss, kPreferenceLosses.join(", "));
  s.loss = PreferenceLoss(at);
  if (s.beta <= 0) return refused("beta", QString::number(s.beta), "more than 0");
  if (s.labelSmoothing < 0 || s.labelSmoothing >= 0.5)
    return refused("label_smoothing", QString::number(s.labelSmoothing), "0 or more, less than 0.5");
  if (s.labelSmoothing > 0 && s.loss != PreferenceLoss::Sigmoid && s.loss != PreferenceLoss::Robust)
    return refused("label_smoothing", QString::number(s.labelSmoothing), "0, as the loss_type is " + loss);
  return s;
}

}  // namespace

Result<LanguageRecipe> makeLanguageRecipe(const QJsonObject& p, const RecipeContext& context) {
  LanguageRecipe r;
  r.baseModel = p["base_model"].toString();
  r.preset = p["architecture"].toString("llama-10m");
  const QString method = p["method"].toString("full");
  r.preferences = method == u"dpo";
  const QString trains = r.preferences ? p["dpo_weights"].toString("lora") : method;
  r.packed = trains == u"qlora";
  r.lora = r.packed || trains == u"lora";
  const QString recompute = p["activation_checkpointing"].toString("auto");
  if (recompute != u"auto") r.recompute = recompute == u"on";
  if (method != u"full" && r.baseModel.isEmpty()) return refused("method", method, "full, when there is no base model to start from");
  if (r.preferences) {
    auto settings = preferenceSettings(p);
    if (!settings) return settings.error();
    r.preference = *settings;
  }
  r.adapter.rank = p["lora_rank"].toInteger(r.adapter.rank);
  r.adapter.alpha = p["lora_alpha"].toDouble(double(2 * r.adapter.rank));
  for (const QString& word : p["lora_targets"].toString().split(',', Qt::SkipEmptyParts)) r.adapter.targets << word.trimmed();
  r.length = p["sequence_length"].toInteger(r.length);
  r.maxSteps = p["max_steps"].toInteger(0);
  r.warmupSteps = p["warmup_steps"].toInteger(-1);
  r.evaluateEvery = p["evaluate_every"].toInteger(0);
  r.sampleTokens = p["sample_tokens"].toInteger(r.sampleTokens);
  r.shuffled = p["shuffle"].toBool(true);
  r.separateDocuments = p["separate_documents"].toBool(true);
  r.biasUpdate = p["bias_update"].toDouble(0.001);
  r.attentionDropout = p["attention_dropout"].toDouble(-1);
  if (r.attentionDropout < 0 && r.attentionDropout != -1)
    return refused("attention_dropout", QString::number(r.attentionDropout), "0 – 0.9, or -1 for what the model's configuration says");
  r.predictionLoss = p["mtp_loss"].toDouble(0);
  if (r.predictionLoss > 0 && (r.lora || r.preferences))
    return refused("mtp_loss", QString::number(r.predictionLoss), "0, unless all weights learn texts");

  TrainRecipe& s = r.step;
  const bool scratch = r.baseModel.isEmpty();
  s.epochs = p["epochs"].toInt(scratch || r.preferences ? 1 : 3);
  const double usualRate = r.preferences ? (r.lora ? 1e-5 : 1e-6) : r.lora ? 2e-4 : scratch ? 1e-3 : 3e-5;
  s.learningRate = p["learning_rate"].toDouble(usualRate);
  s.batchSize = p["batch_size"].toInt(8);
  s.microBatch = std::clamp(p["micro_batch"].toInt(s.batchSize), 1, std::max(1, s.batchSize));
  s.weightDecay = p["weight_decay"].toDouble(r.lora || r.preferences ? 0 : scratch ? 0.1 : 0.01);
  s.beta1 = p["beta1"].toDouble(0.9);
  s.beta2 = p["beta2"].toDouble(scratch ? 0.95 : 0.999);
  s.cosine = p["schedule"].toString("cosine") == u"cosine";
  s.clipNorm = p["clip_norm"].toDouble(1);
  s.gradientLimit = p["gradient_limit"].toDouble(s.gradientLimit);
  s.checkpointMinutes = p["checkpoint_minutes"].toDouble(s.checkpointMinutes);
  s.metricSeconds = p["metric_seconds"].toDouble(s.metricSeconds);
  s.threads = p["threads"].toInt(0);
  if (s.threads <= 0) s.threads = std::max(1, context.processors / std::max(1, context.worldSize));
  const QString precision = p["precision"].toString("auto");
  s.bf16 = precision == u"bf16" || (precision == u"auto" && context.fastBf16);
  s.bestMetric = "loss";
  if (context.worldSize != 1) return refused("processes", QString::number(context.worldSize), "1");
  return r;
}

}  // namespace cloister
