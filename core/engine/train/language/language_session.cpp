#include "core/engine/train/language/language_session.h"

#include <unistd.h>
#include <algorithm>
#include <cmath>
#include <numeric>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/zeros_like.h>
#include <QDir>
#include <QFileInfo>

#include "core/domain/files.h"
#include "core/domain/version.h"
#include "core/engine/data/counter_rng.h"
#include "core/engine/engine_failure.h"
#include "core/engine/models/precision.h"
#include "core/engine/train/language/chunked_loss.h"
#include "core/engine/train/language/prediction_loss.h"
#include "core/engine/train/language/training_sample.h"
#include "core/engine/train/machine.h"
#include "core/tensors/model_folder.h"

namespace cloister {
namespace {

using Clock = std::chrono::steady_clock;

bool isBias(const std::string& name) { return name.ends_with(".e_score_correction_bias"); }

void copyInto(const NamedTensors& own, const NamedTensors& given, const QString& path) {
  at::NoGradGuard noGrad;
  for (const auto& [name, t] : own) {
    const auto it = given.find(name);
    if (it == given.end() || it->second.sizes() != t.sizes())
      throw EngineFailure({FailureKind::CorruptFile, {{"path", path}}, QString::fromStdString(name) + " is missing or of another shape"});
    at::Tensor(t).copy_(it->second);
  }
}

}  // namespace

TrainedDecoder::TrainedDecoder(DecoderModel& model, bool adapters, bool joined, bool bf16) {
  const auto add = [this](const std::string& name, const at::Tensor& t) {
    names_.push_back(name);
    parameters_.push_back(t);
    at::Tensor(t).set_requires_grad(true);
    const auto it = joined_.find(name);
    computed_.push_back(it != joined_.end() && it->second.leaf.scalar_type() != t.scalar_type() ? it->second.copy() : t);
  };
  if (adapters) {
    for (const auto& [name, t] : adapterState(model)) add(name, t);
    return;
  }
  if (joined) joined_ = model.joinWeights(bf16);
  const auto own = [&](const DecoderTensor& t) {
    if (t.role != TensorRole::RouterBias) add(t.name, model.state().at(t.name));
  };
  model.config().forEachTensor(own);
  for (std::int64_t i = 0; i < model.predictionLayers(); ++i)
    for (const DecoderTensor& t : model.config().mtpTensors(i))
      if (t.role != TensorRole::Embedding && t.role != TensorRole::Head) own(t);
}

void TrainedDecoder::refreshCopies() {
  at::NoGradGuard noGrad;
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (!computed_[i].is_same(parameters_[i])) computed_[i].copy_(parameters_[i]);
}

at::Tensor TrainedDecoder::gradientOf(std::size_t i) const {
  const auto it = joined_.find(names_[i]);
  return it != joined_.end() ? it->second.gradient() : parameters_[i].grad();
}

void TrainedDecoder::foldGradients() {
  at::NoGradGuard noGrad;
  sums_.resize(parameters_.size());
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (const at::Tensor g = gradientOf(i); g.defined()) {
      if (sums_[i].defined()) sums_[i].add_(g);
      else sums_[i] = g.to(at::kFloat, false, true);
    }
  resetGradients();
}

std::vector<at::Tensor> TrainedDecoder::gradients() const {
  std::vector<at::Tensor> all;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor g = sums_.empty() ? gradientOf(i) : sums_[i];
    all.push_back(g.defined() ? g : at::zeros_like(parameters_[i]));
  }
  return all;
}

void TrainedDecoder::resetGradients() {
  for (at::Tensor& p : parameters_) p.mutable_grad().reset();
  for (auto& [name, where] : joined_) where.leaf.mutable_grad().reset();
}

void TrainedDecoder::dropGradients() {
  sums_.clear();
  resetGradients();
}

LanguageSession::LanguageSession(const TrainJob& j) : Attempt(j), lastReport_(Clock::now()) {
  event("phase", {{"name", "loading"}});
  QJsonObject parameters = job.spec.parameters;
  parameters["base_model"] = job.spec.baseWeights;
  device = chooseDevice(parameters["device"].toString("auto"));
  recipe = orThrow(makeLanguageRecipe(parameters, {.baseWeights = !job.spec.baseWeights.isEmpty(),
                                                   .worldSize = job.worldSize,
                                                   .processors = processorCount(),
                                                   .fastBf16 = device.isGpu() ? device.hasBf16() : processorHasFastBf16(),
                                                   .gpu = device.isGpu()}));
  at::set_num_threads(recipe.step.threads);
  checkPrepared();
  openBase();
  openData();
  resume();
  announce();
}

// From scratch, all weights of a base, or its adapters. What trains is float32; a frozen base stays as it is stored, in its mapping, where
// the products are bfloat16 anyway.
void LanguageSession::openBase() {
  if (recipe.baseModel.isEmpty()) {
    config_ = orThrow(decoderPreset(recipe.preset, vocabularyWanted()));
    config_.context = std::max(config_.context, recipe.length);
    if (recipe.predictionLoss > 0) config_.mtpLayers = std::max<std::int64_t>(1, config_.mtpLayers);
    checkMemory();
    model = std::make_unique<DecoderModel>(DecoderModel::initialised(config_, quint64(job.spec.seed)));
  } else {
    if (!job.spec.baseWeightsSha256.isEmpty())
      if (const QString sha = orThrow(modelFolderDigest(recipe.baseModel)); sha != job.spec.baseWeightsSha256)
        throw EngineFailure({FailureKind::IdentityChanged,
                             {{"what", "base weights"}, {"expected", job.spec.baseWeightsSha256}, {"found", sha}},
                             recipe.baseModel});
    config_ = readDecoderConfig(recipe.baseModel);
    checkMemory();
    // A base in float8 stays so: its layers are unpacked one at a time, here to be packed in four bits, or when products read them.
    base_ =
        readDecoderFolder(recipe.baseModel, recipe.packed || (recipe.lora && recipe.step.bf16) ? WeightsAs::StoredFp8 : WeightsAs::Float32);
    if (!recipe.lora) detachFromFiles(base_);
    model = std::make_unique<DecoderModel>(config_, std::move(base_.tensors), std::move(base_.packed));
    if (recipe.packed) model->packLinears(recipe.step.bf16 ? at::kBFloat16 : at::kFloat);
  }
  if (recipe.length > config_.context)
    throw EngineFailure({FailureKind::InvalidArgument,
                         {{"name", "sequence_length"},
                          {"value", qint64(recipe.length)},
                          {"allowed", QString("at most the model's context of %1").arg(config_.context)}},
                         {}});
  openPrediction();
  if (device.isGpu()) model->moveTo(device.tensors);
  model->recomputeLayers(*recipe.recompute);
  if (recipe.lora) addAdapters(*model, recipe.adapter, quint64(job.spec.seed));
  trained = std::make_unique<TrainedDecoder>(*model, recipe.lora, !recipe.lora && !device.isGpu(), recipe.step.bf16);
  optimizer =
      std::make_unique<Optimizer>(recipe.step, *trained, nullptr, device.isGpu() ? Optimizer::Kernels::Library : Optimizer::Kernels::Own);
}

// Multi-token prediction trains along where it is asked for: the base's layers, or new ones.
void LanguageSession::openPrediction() {
  if (recipe.predictionLoss <= 0) return;
  if (config_.architecture != DecoderArchitecture::DeepseekV3 || config_.mtpLayers < 1)
    throw EngineFailure({FailureKind::InvalidArgument,
                         {{"name", "mtp_loss"}, {"value", QString::number(recipe.predictionLoss)}, {"allowed", "0 with this model"}},
                         "only DeepSeek-V3 has multi-token prediction layers (num_nextn_predict_layers)"});
  model->addPrediction(base_.prediction, quint64(job.spec.seed) + 1);
}

// Prepared texts say how long their rows are, and must be those that the run was started with.
void LanguageSession::checkPrepared() {
  const TokenSource source = tokenSourceOf(job.preparedDir);
  if (source.length > 0) recipe.length = source.length;
  if (source.fingerprint.isEmpty() || source.fingerprint == job.spec.preparedDigest) return;
  throw EngineFailure({FailureKind::IdentityChanged,
                       {{"what", "prepared data"}, {"expected", job.spec.preparedDigest}, {"found", source.fingerprint}},
                       job.preparedDir});
}

std::int64_t LanguageSession::vocabularyWanted() const {
  const std::int64_t asked = job.spec.parameters["vocabulary"].toInteger(0);
  return asked > 0 ? asked : tokenSourceOf(job.preparedDir).vocabulary;
}

void LanguageSession::openData() {
  const TokenRowsAre rows = recipe.preferences ? TokenRowsAre::Pairs : TokenRowsAre::Texts;
  train = openTokens(job.preparedDir, "train", config_.vocabulary, recipe.length, rows);
  validation = openTokens(job.preparedDir, "validation", config_.vocabulary, recipe.length, rows);
  if (recipe.preferences) preferences_ = std::make_unique<Preferences>(*model, recipe);
  std::vector<std::int64_t> sequences(std::size_t(train->sequences()));
  std::iota(sequences.begin(), sequences.end(), std::int64_t(0));
  if (sequences.empty())
    throw EngineFailure({FailureKind::NothingToDo, {{"what", "training text"}, {"next", "more text, or a shorter sequence_length"}}, {}});
  const auto count = std::int64_t(sequences.size());
  const int batch = int(std::min<std::int64_t>(recipe.step.batchSize, count));
  sampler_ = std::make_unique<Sampler>(std::move(sequences), batch, quint64(job.spec.seed));
  stepsPerEpoch = sampler_->stepsPerEpoch();
  totalSteps = stepsPerEpoch * recipe.step.epochs;
  if (recipe.maxSteps > 0) totalSteps = std::min(totalSteps, recipe.maxSteps);
  warmupSteps = std::min(totalSteps, recipe.warmupSteps >= 0 ? recipe.warmupSteps : (totalSteps + 32) / 33);
}

std::vector<std::int64_t> LanguageSession::sequencesOf(std::int64_t step) const {
  if (recipe.shuffled) return sampler_->samplesOf(step);
  const std::int64_t count = train->sequences(), batch = std::min<std::int64_t>(recipe.step.batchSize, count);
  std::vector<std::int64_t> list(std::size_t(batch), 0);
  std::iota(list.begin(), list.end(), (step % stepsPerEpoch) * batch);
  return list;
}

void LanguageSession::resume() {
  removeLeftovers(job.runDir);
  QStringList skipped;
  const auto found = newestCheckpoint(job.runDir, skipped);
  for (const QString& name : std::as_const(skipped))
    event("warning", {{"kind", "checkpoint_damaged"}, {"message", name + " is damaged and was passed over"}});
  if (!found) {
    state.threads = recipe.step.threads;
    state.bf16 = recipe.step.bf16;
    state.device = device.isGpu() ? "cuda" : "cpu";
    state.bestMetric = "loss";
    return;
  }
  orThrow(compareIdentity(identityOf(job.spec), found->identity));
  state = found->state;
  if (state.threads != recipe.step.threads || state.bf16 != recipe.step.bf16 || state.device != (device.isGpu() ? "cuda" : "cpu"))
    event("warning",
          {{"kind", "machine_changed"},
           {"message", QString("this attempt computes on %1 with %2 threads%3; the result will not be bit-identical to an unbroken run")
                           .arg(device.name())
                           .arg(recipe.step.threads)
                           .arg(recipe.step.bf16 ? " in bf16" : "")}});
  copyInto(savedTensors(), readTensors(found->dir + "/model.safetensors"), found->dir + "/model.safetensors");
  trained->refreshCopies();
  optimizer->loadState(readTensors(found->dir + "/optimizer.safetensors"), found->dir + "/optimizer.safetensors");
  resumedFrom = state.step;
  secondsBefore_ = state.secondsTrained;
  lastReportStep_ = state.step;
}

void LanguageSession::checkMemory() {
  const qint64 free = device.isGpu() ? qint64(device.cuda->freeMemory(device.index)) : memoryAvailable();
  decideRecompute(config_, recipe, free, device.isGpu());
  const QJsonObject parts = languageMemoryParts(config_, recipe, device.isGpu());
  qint64 needed = 0;
  for (const QJsonValue& v : parts) needed += v.toInteger();
  if (free > 0 && needed > free) throw EngineFailure({FailureKind::OutOfMemory, {{"needed", needed}, {"free", free}}, "before the start"});
  const qint64 disk = parts["optimizer"].toInteger() * 5 + (16 << 20), freeDisk = bytesFree(job.runDir);
  if (freeDisk >= 0 && disk > freeDisk)
    throw EngineFailure({FailureKind::DiskFull, {{"path", job.runDir}, {"needed", disk}, {"free", freeDisk}}, "before the start"});
}

void LanguageSession::announce() {
  qint64 count = 0;
  for (const at::Tensor& p : trained->parameters()) count += p.numel();
  event("started",
        {{"pid", qint64(::getpid())},
         {"version", programVersion()},
         {"commit", codeCommit()},
         {"device", device.name()},
         {"card", QString::fromStdString(device.card.name)},
         {"threads", recipe.step.threads},
         {"precision", recipe.step.bf16 ? "bf16" : "fp32"},
         {"parameters", qint64(config_.parameterCount())},
         {"trainedParameters", count},
         {"activationCheckpointing", *recipe.recompute},
         {"trainTokens", qint64(train->tokens())},
         {"trainSamples", qint64(train->sequences())},
         {"stepsPerEpoch", qint64(stepsPerEpoch)},
         {"steps", qint64(totalSteps)},
         {"resumedFrom", qint64(resumedFrom)}},
        true);
}

void LanguageSession::prepareReference() {
  if (!preferences_ || recipe.lora) return;
  event("phase", {{"name", "reference"}});
  auto said = Clock::now();
  const auto progress = [&](std::int64_t done, std::int64_t total) {
    if (Clock::now() - said > std::chrono::seconds(1)) {
      said = Clock::now();
      event("progress", {{"done", qint64(done)}, {"total", qint64(total)}});
    }
    return !stopRequested();
  };
  preferences_->prepareReference(*train, validation.get(), job.runDir + "/reference.safetensors", state.step == 0, progress);
}

LanguageSession::Part LanguageSession::partOf(const TokenData& data, std::vector<std::int64_t> sequences) const {
  Part part{std::move(sequences), {}, 0};
  part.batch = data.batch(part.sequences, recipe.separateDocuments);
  part.weight = preferences_ ? double(part.sequences.size()) : part.batch.labels.ne(kIgnoredLabel).sum().item<double>();
  return part;
}

at::Tensor LanguageSession::lossOf(const Part& part, double divisor, bool ofValidation, PairSums& pairs) {
  const TokenBatch batch = placed(part.batch, device.tensors);
  if (preferences_) return preferences_->loss(batch, part.sequences, ofValidation, pairs) / divisor;
  const at::Tensor labels = batch.labels.reshape(-1);
  const at::Tensor rows = at::nonzero(labels != kIgnoredLabel).squeeze(1);
  const at::Tensor hidden = hidden_ = model->hidden({.ids = batch.ids, .positions = batch.positions, .documents = batch.documents});
  // Only tokens that are learnt need logits.
  if (rows.size(0) == labels.size(0)) return chunkedCrossEntropy(hidden.flatten(0, 1), model->head(), labels, divisor);
  const at::Tensor learnt = hidden.flatten(0, 1).index_select(0, rows), wanted = labels.index_select(0, rows);
  return chunkedCrossEntropy(learnt, model->head(), wanted, divisor);
}

double LanguageSession::forwardBackward(const std::vector<std::int64_t>& sequences) {
  std::vector<Part> parts;
  std::vector<double> predictions;
  double weight = 0;
  for (std::size_t from = 0; from < sequences.size(); from += std::size_t(recipe.step.microBatch)) {
    const std::size_t to = std::min(sequences.size(), from + std::size_t(recipe.step.microBatch));
    parts.push_back(partOf(*train, {sequences.begin() + std::ptrdiff_t(from), sequences.begin() + std::ptrdiff_t(to)}));
    weight += parts.back().weight;
    const std::vector<double> more = predictionWeights(parts.back().batch, model->predictionLayers());
    predictions.resize(more.size(), 0);
    for (std::size_t i = 0; i < more.size(); ++i) predictions[i] += more[i];
  }
  stepPairs_ = {};
  stepPredictions_ = 0;
  RoutingWatch watch;
  const bool watched = config_.routedExperts > 0 && (config_.balanceLoss > 0 || recipe.biasUpdate > 0) && !recipe.lora;
  model->watchRouting(watched ? &watch : nullptr);
  stepLoads_.clear();
  double loss = 0;
  const double dropout = recipe.attentionDropout >= 0 ? recipe.attentionDropout : config_.attentionDropout;
  for (const Part& part : parts) {
    at::Tensor one, ahead;
    {
      const Autocast autocast(recipe.step.bf16, device.tensors.type());
      model->setDropout(dropout, keyOf(quint64(job.spec.seed), quint64(state.step), quint64(part.sequences.front())));
      one = lossOf(part, std::max(weight, 1.0), false, stepPairs_);
      if (!predictions.empty()) ahead = predictionLoss(*model, hidden_, placed(part.batch, device.tensors), predictions);
    }
    hidden_.reset();
    loss += one.item<double>();
    if (ahead.defined()) {
      stepPredictions_ += ahead.item<double>();
      one = one + ahead * recipe.predictionLoss;
    }
    if (watched) {
      const double share = double(part.sequences.size()) / double(sequences.size());
      if (config_.balanceLoss > 0 && watch.balanceLoss.defined()) one = one + watch.balanceLoss * (config_.balanceLoss * share);
      if (stepLoads_.empty()) stepLoads_ = watch.loads;
      else
        for (std::size_t i = 0; i < std::min(stepLoads_.size(), watch.loads.size()); ++i) stepLoads_[i] = stepLoads_[i] + watch.loads[i];
    }
    if (one.requires_grad()) one.backward();
    if (parts.size() > 1) trained->foldGradients();
  }
  model->watchRouting(nullptr);
  return loss;
}

void LanguageSession::applyStep(double learningRate, double gradientScale) {
  optimizer->step(learningRate, gradientScale);
  trained->dropGradients();
  moveBias();
}

// Auxiliary-loss-free balancing (DeepSeek-V3, section 2.1.2): experts with more than their share become less likely to be chosen.
void LanguageSession::moveBias() {
  if (stepLoads_.empty() || recipe.biasUpdate <= 0 || config_.routing != RoutingMethod::NoAuxTc) return;
  at::NoGradGuard noGrad;
  for (std::size_t i = 0; i < stepLoads_.size(); ++i) {
    const std::string name = "model.layers." + std::to_string(config_.firstDense + std::int64_t(i)) + ".mlp.gate.e_score_correction_bias";
    const at::Tensor loads = stepLoads_[i].to(at::kFloat);
    at::Tensor(model->state().at(name)).add_((loads.mean() - loads).sign(), recipe.biasUpdate);
  }
}

bool LanguageSession::evaluationDue() const {
  if (state.step == totalSteps) return true;
  return state.step % (recipe.evaluateEvery > 0 ? recipe.evaluateEvery : stepsPerEpoch) == 0;
}

double LanguageSession::validate(double trainingLoss) {
  if (!validation) return trainingLoss;
  event("phase", {{"name", "validating"}});
  at::NoGradGuard noGrad;
  const Autocast autocast(recipe.step.bf16, device.tensors.type());
  const std::int64_t count = validation->sequences();
  double sum = 0, weight = 0;
  PairSums pairs;
  for (std::int64_t from = 0; from < count; from += recipe.step.microBatch) {
    std::vector<std::int64_t> rows;
    for (std::int64_t i = from; i < std::min<std::int64_t>(count, from + recipe.step.microBatch); ++i) rows.push_back(i);
    const Part part = partOf(*validation, std::move(rows));
    if (part.weight == 0) continue;
    sum += lossOf(part, 1, true, pairs).item<double>();
    weight += part.weight;
  }
  const double loss = weight > 0 ? sum / weight : trainingLoss;
  if (!std::isfinite(loss))
    throw EngineFailure(
        {FailureKind::NonFinite, {{"step", qint64(state.step)}, {"batch", "validation"}}, "the validation loss is not finite"});
  QJsonObject values = preferences_ ? pairs.means("validation/") : QJsonObject{{"validation/perplexity", std::exp(std::min(loss, 700.0))}};
  values["validation/loss"] = loss;
  event("evaluation", {{"step", qint64(state.step)}, {"values", values}});
  event("metric", {{"step", qint64(state.step)}, {"epoch", double(state.step) / double(stepsPerEpoch)}, {"values", values}});
  writeSample();
  event("phase", {{"name", "training"}});
  return loss;
}

void LanguageSession::writeSample() {
  if (!job.words || recipe.sampleTokens == 0) return;
  const QJsonObject sample = trainingSample(*model, *validation, job, recipe.sampleTokens, std::uint64_t(job.spec.seed + state.step));
  if (!sample.isEmpty()) event("sample", {{"step", qint64(state.step)}, {"prompt", sample["prompt"]}, {"text", sample["text"]}});
}

void LanguageSession::keepBest(double loss) {
  if (state.bestStep >= 0 && loss >= state.bestValue) return;
  state.bestStep = state.step;
  state.bestValue = state.bestLoss = loss;
  const auto fill = [&](const QString& folder) {
    if (recipe.lora) return writeAdapter(folder, *model, recipe.adapter, recipe.baseModel);
    DecoderConfig config = config_;
    config.fp8BlockRows = config.fp8BlockColumns = 0;
    NamedTensors all = model->state();
    all.insert(base_.prediction.begin(), base_.prediction.end());
    for (std::int64_t i = 0; i < model->predictionLayers(); ++i) {
      const std::string p = "model.layers." + std::to_string(config_.layers + i) + '.';
      all[p + "embed_tokens.weight"] = all.at("model.embed_tokens.weight");
      all[p + "shared_head.head.weight"] = all.at(config_.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight");
    }
    writeDecoderFolder(folder, config, all, {.from = recipe.baseModel.isEmpty() ? job.preparedDir : recipe.baseModel});
  };
  writeBest(job.runDir, fill,
            {{"step", qint64(state.step)},
             {"metric", "loss"},
             {"value", loss},
             {"validation", QJsonObject{{"loss", loss}}},
             {"identity", identityOf(job.spec)}});
}

NamedTensors LanguageSession::savedTensors() const {
  NamedTensors all;
  for (std::size_t i = 0; i < trained->parameters().size(); ++i) all[trained->parameterNames()[i]] = trained->parameters()[i];
  if (!recipe.lora)
    for (const auto& [name, t] : model->state())
      if (isBias(name)) all[name] = t;
  return all;
}

void LanguageSession::checkpoint(bool best) {
  state.secondsTrained = secondsBefore_ + secondsSinceStart();
  const qint64 bytes = writeCheckpoint(job.runDir, job.spec, state, {savedTensors(), {}, optimizer->state()}, {{"format", "pt"}});
  event("checkpoint",
        {{"step", qint64(state.step)},
         {"path", QString("checkpoints/step-%1").arg(state.step, 8, 10, QChar('0'))},
         {"best", best},
         {"bytes", bytes}},
        true);
  checkpointWritten();
}

void LanguageSession::reportStep(double loss, double norm, double learningRate) {
  const double elapsed = std::chrono::duration<double>(Clock::now() - lastReport_).count();
  if (elapsed < recipe.step.metricSeconds && state.step != totalSteps) return;
  const double perSecond = double(state.step - lastReportStep_) / std::max(elapsed, 1e-9);
  lastReport_ = Clock::now();
  lastReportStep_ = state.step;
  QJsonObject values{
      {"train/loss", loss},
      {"gradient_norm", norm},
      {"learning_rate", learningRate},
      {"tokens_per_second", perSecond * double(recipe.step.batchSize) * double(train->tokens()) / double(train->sequences())},
      {"memory_bytes", residentBytes()}};
  if (model->predictionLayers() > 0) values["train/mtp_loss"] = stepPredictions_;
  if (preferences_) {
    const QJsonObject means = stepPairs_.means();
    for (auto it = means.begin(); it != means.end(); ++it) values[it.key()] = it.value();
  }
  if (device.isGpu()) values["gpu_memory_bytes"] = qint64(device.cuda->peakMemory(device.index));
  event("metric", {{"step", qint64(state.step)}, {"epoch", double(state.step) / double(stepsPerEpoch)}, {"values", values}});
  const double stepsPerSecond = double(state.step - resumedFrom) / std::max(secondsSinceStart(), 1e-9);
  event("progress", {{"done", qint64(state.step)},
                     {"total", qint64(totalSteps)},
                     {"secondsLeft", double(totalSteps - state.step) / std::max(stepsPerSecond, 1e-9)}});
}

}  // namespace cloister
