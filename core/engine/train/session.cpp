#include "core/engine/train/session.h"

#include <unistd.h>
#include <atomic>
#include <cmath>
#include <numeric>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_div.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/softmax.h>
#include <QDir>
#include <QFileInfo>
#include <QJsonArray>

#include "core/domain/files.h"
#include "core/domain/version.h"
#include "core/engine/data/counter_rng.h"
#include "core/engine/engine_failure.h"
#include "core/engine/models/precision.h"
#include "core/engine/train/machine.h"
#include "core/engine/train/train.h"

namespace cloister {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

at::Tensor balancedWeights(const PreparedData& data) {
  const std::vector<std::int64_t> counts = data.classCounts("train");
  double present = 0, total = 0;
  for (auto c : counts) {
    present += c > 0;
    total += double(c);
  }
  at::Tensor w = at::empty({std::int64_t(counts.size())}, at::kFloat);
  for (std::size_t i = 0; i < counts.size(); ++i)
    w.data_ptr<float>()[i] = counts[i] > 0 ? float(total / (present * double(counts[i]))) : 0.0f;
  return w;
}

}  // namespace

Session::Session(const TrainJob& j) : Attempt(j), lastReport_(Clock::now()) {
  event("phase", {{"name", "loading"}});
  device = chooseDevice(job.spec.parameters["device"].toString("auto"));
  openData();
  buildModel();
  resume();
  checkResources();
  formTeam();
  // On a card, autocast converts the weights: a small part of a step there.
  if (recipe.bf16 && !device.isGpu()) model->computeInBf16();
  for (int i = 1; i < recipe.replicas; ++i) replicas_.push_back(model->sharingWeights());
  at::set_num_threads(std::max(1, recipe.threads / recipe.replicas));
  team_ = std::make_unique<Team>(recipe.replicas);
  if (team_->members() > 1)
    optimizer->shareWork([this](std::int64_t n, const std::function<void(std::int64_t)>& task) {
      std::atomic<std::int64_t> next = 0;
      team_->run([&](int) {
        for (std::int64_t i = next++; i < n; i = next++) task(i);
      });
    });
  announce();
}

void Session::formTeam() {
  if (job.worldSize == 1) return;
  group_ = formGroup(job.rank, job.worldSize, device);
  std::vector<double> cards{device.isGpu() ? 1.0 : 0.0};
  group_->sum(cards);
  if (const int found = int(cards[0]); found != 0 && found != job.worldSize)
    throw EngineFailure({FailureKind::DeviceUnavailable,
                         {{"device", "cuda"}, {"reason", "too_few"}, {"found", found}, {"wanted", job.worldSize}},
                         "some processes have a graphics card and some have none"});
}

bool Session::stopAgreed(const Batch& next) {
  wholeWeight_ = classWeights.defined() ? classWeights.index_select(0, next.labels).sum().item<double>() : double(next.labels.size(0));
  if (!group_) return stopRequested();
  std::vector<double> common{wholeWeight_, stopRequested() ? 1.0 : 0.0};
  group_->sum(common);
  wholeWeight_ = common[0];
  return common[1] > 0;
}

void Session::openData() {
  data = orThrow(PreparedData::open(job.preparedDir, job.spec.preparedDigest));
  const auto& train = data->split("train");
  recipe = orThrow(makeRecipe(job.spec.parameters, {.baseWeights = !job.spec.baseWeights.isEmpty(),
                                                    .classes = int(data->classes().size()),
                                                    .trainSamples = std::int64_t(train.size()),
                                                    .worldSize = job.worldSize,
                                                    .processors = processorCount(),
                                                    .fastBf16 = device.isGpu() ? device.hasBf16() : processorHasFastBf16(),
                                                    .gpu = device.isGpu()}));
  sampler = std::make_shared<Sampler>(train, recipe.batchSize, quint64(job.spec.seed), job.rank, job.worldSize);
  if (sampler->stepsPerEpoch() == 0)
    throw EngineFailure({FailureKind::NothingToDo, {{"what", "training samples"}, {"next", "a snapshot with more samples"}}, {}});
  totalSteps = sampler->stepsPerEpoch() * recipe.epochs;
  warmupSteps = std::int64_t(recipe.warmupEpochs * double(sampler->stepsPerEpoch()));
  if (recipe.balancedClasses) classWeights = balancedWeights(*data);
}

void Session::buildModel() {
  const ModelGraph graph = orThrow(buildGraph(recipe.architecture, {{"dropout", recipe.dropout}}, data->channels(), data->size(),
                                              int(data->classes().size()), data->mean(), data->std(), data->classes()));
  model = std::make_unique<ClassifierModel>(graph, quint64(job.spec.seed));
  model->moveTo(device.tensors);
  model->setTraining(true);
  model->setGradients(true);
  if (recipe.freezeBackbone) {
    const std::string head = graph.ops.back().name + ".";
    for (std::size_t i = 0; i < model->parameters().size(); ++i)
      if (model->parameterNames()[i].rfind(head, 0) != 0) at::Tensor(model->parameters()[i]).set_requires_grad(false);
  }
  if (recipe.emaDecay > 0) {
    average = std::make_unique<ClassifierModel>(graph, quint64(job.spec.seed));
    average->moveTo(device.tensors);
  }
  optimizer =
      std::make_unique<Optimizer>(recipe, *model, average.get(), device.isGpu() ? Optimizer::Kernels::Library : Optimizer::Kernels::Own);
}

void Session::resume() {
  if (job.rank == 0) removeLeftovers(job.runDir);
  QStringList skipped;
  const auto found = newestCheckpoint(job.runDir, skipped);
  for (const QString& name : std::as_const(skipped))
    event("warning", {{"kind", "checkpoint_damaged"}, {"message", name + " is damaged and was passed over"}});
  const QString base = job.spec.baseWeights;
  if (!base.isEmpty() && !job.spec.baseWeightsSha256.isEmpty() && (!found || QFileInfo::exists(base)))
    if (const QString sha = orThrow(sha256OfFile(base)); sha != job.spec.baseWeightsSha256)
      throw EngineFailure(
          {FailureKind::IdentityChanged, {{"what", "base weights"}, {"expected", job.spec.baseWeightsSha256}, {"found", sha}}, base});
  if (!found) {
    if (!base.isEmpty()) {
      const TransferReport report = loadBaseWeights(*model, base);
      for (const QString& w : report.warnings) event("warning", {{"kind", "transfer"}, {"message", w}});
    }
    if (average) average->loadState(model->state(), "model");
    state.threads = recipe.threads;
    state.bf16 = recipe.bf16;
    state.device = device.isGpu() ? "cuda" : "cpu";
    state.bestMetric = recipe.bestMetric;
    return;
  }
  orThrow(compareIdentity(identityOf(job.spec), found->identity));
  state = found->state;
  const QString kind = device.isGpu() ? "cuda" : "cpu";
  if ((state.threads != recipe.threads && !device.isGpu()) || state.bf16 != recipe.bf16 || state.device != kind)
    event("warning",
          {{"kind", "machine_changed"},
           {"message", QString("this attempt computes on %1 with %2 threads%3; the result will not be bit-identical to an unbroken run")
                           .arg(device.name())
                           .arg(recipe.threads)
                           .arg(recipe.bf16 ? " in bf16" : "")}});
  model->loadState(readTensors(found->dir + "/model.safetensors"), found->dir + "/model.safetensors");
  if (average) average->loadState(readTensors(found->dir + "/ema.safetensors"), found->dir + "/ema.safetensors");
  optimizer->loadState(readTensors(found->dir + "/optimizer.safetensors"), found->dir + "/optimizer.safetensors");
  resumedFrom = state.step;
  secondsBefore_ = state.secondsTrained;
  lastReportStep_ = state.step;
}

void Session::checkResources() const {
  const QJsonObject parts = memoryParts(model->graph(), recipe);
  if (device.isGpu()) checkCard(parts);
  const qint64 needed = sumOf(device.isGpu() ? hostParts(parts) : parts), memory = memoryAvailable() + residentBytes();
  if (memory > 0 && needed > memory)
    throw EngineFailure({FailureKind::OutOfMemory, {{"needed", needed}, {"free", memory}}, "before the start"});
  const qint64 disk =
      4 * (4 * model->graph().parameterCount() + parts["optimizer"].toInteger() + parts["average"].toInteger()) + (16 << 20);
  const qint64 freeDisk = bytesFree(job.runDir);
  if (freeDisk >= 0 && disk > freeDisk)
    throw EngineFailure({FailureKind::DiskFull, {{"path", job.runDir}, {"needed", disk}, {"free", freeDisk}}, "before the start"});
}

// The weights lie there already and are counted once more: the reserve.
void Session::checkCard(const QJsonObject& parts) const {
  const qint64 needed = sumOf(cardParts(parts)), free = device.cuda->freeMemory(device.index);
  if (needed > free)
    throw EngineFailure({FailureKind::OutOfMemory, {{"needed", needed}, {"free", free}}, device.name() + ", before the start"});
}

void Session::announce() {
  event("started",
        {{"pid", qint64(::getpid())},
         {"version", programVersion()},
         {"commit", codeCommit()},
         {"device", device.name()},
         {"card", QString::fromStdString(device.card.name)},
         {"threads", recipe.threads},
         {"precision", recipe.bf16 ? "bf16" : "fp32"},
         {"parameters", qint64(model->graph().parameterCount())},
         {"trainSamples", qint64(data->split("train").size())},
         {"stepsPerEpoch", qint64(sampler->stepsPerEpoch())},
         {"steps", qint64(totalSteps)},
         {"resumedFrom", qint64(resumedFrom)}},
        true);
}

double Session::microBatch(ClassifierModel& replica, const Batch& batch, std::int64_t from, double wholeWeight) {
  const std::int64_t count = std::min<std::int64_t>(recipe.microBatch, batch.labels.size(0) - from);
  // Dropout draws are a function of (seed, step, place in the batch): nothing to save, nothing to drift.
  replica.setDropoutKey(keyOf(quint64(job.spec.seed), quint64(state.step), quint64(job.rank) << 32 | quint64(from)));
  at::Tensor loss;
  {
    const Autocast autocast(recipe.bf16, device.tensors.type());
    const at::Tensor logits = replica.forward(batch.images.narrow(0, from, count).to(device.tensors));
    const at::Tensor labels = batch.labels.narrow(0, from, count).to(device.tensors);
    const at::Tensor weights = classWeights.defined() ? classWeights.to(device.tensors) : classWeights;
    loss = at::cross_entropy_loss(logits, labels, weights, at::Reduction::Sum, -100, recipe.labelSmoothing).div(wholeWeight);
  }
  loss.backward();
  return loss.item<double>();
}

double Session::forwardBackward(const Batch& batch) {
  const std::int64_t n = batch.labels.size(0), members = recipe.replicas;
  std::vector<double> losses(std::size_t(members), 0.0);
  for (auto& replica : replicas_)
    for (std::size_t i = 0; i < model->statistics().size(); ++i) at::Tensor(replica->statistics()[i]).copy_(model->statistics()[i]);
  team_->run([&](int member) {
    ClassifierModel& replica = member == 0 ? *model : *replicas_[std::size_t(member - 1)];
    for (std::int64_t from = member * recipe.microBatch; from < n; from += members * recipe.microBatch)
      losses[std::size_t(member)] += microBatch(replica, batch, from, wholeWeight_);
  });
  averageReplicas();
  std::vector<double> loss{std::accumulate(losses.begin(), losses.end(), 0.0)};
  if (group_) group_->sum(loss);
  return loss[0];
}

std::vector<ClassifierModel*> Session::members() {
  std::vector<ClassifierModel*> all{model.get()};
  for (auto& replica : replicas_) all.push_back(replica.get());
  return all;
}

// Everything is added in a fixed order: the sum does not depend on who was first.
std::vector<std::vector<at::Tensor>> Session::gradients() {
  std::vector<std::vector<at::Tensor>> all;
  for (ClassifierModel* member : members()) all.push_back(member->gradients());
  if (!group_) return all;
  at::NoGradGuard noGrad;
  std::vector<at::Tensor> sums(all[0].size()), shared;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    for (const auto& one : all) {
      if (!one[i].defined()) continue;
      if (sums[i].defined()) sums[i].add_(one[i]);
      else sums[i] = one[i].to(at::kFloat, false, true);
    }
    if (sums[i].defined()) shared.push_back(sums[i]);
  }
  group_->sum(shared);
  return {sums};
}

void Session::applyStep(double learningRate, double gradientScale) {
  const double share = average ? averageShare(recipe.emaDecay, state.step) : 0;
  optimizer->step(learningRate, gradientScale, share);
  if (average) averageStatistics(*average, *model, share);
  for (ClassifierModel* member : members())
    for (const at::Tensor& t : member->computed()) at::Tensor(t).mutable_grad().reset();
}

// Running statistics of replicas and ranks are averaged.
void Session::averageReplicas() {
  if (model->statistics().empty()) return;
  at::NoGradGuard noGrad;
  for (auto& replica : replicas_) at::_foreach_add_(model->statistics(), replica->statistics());
  if (group_) group_->sum(model->statistics());
  const double parts = double(recipe.replicas) * job.worldSize;
  if (parts > 1) at::_foreach_div_(model->statistics(), parts);
}

ValidationMetrics Session::validate() {
  const std::vector<std::int64_t>& samples = data->split("validation");
  ValidationMetrics m;
  if (samples.empty()) return m;
  event("phase", {{"name", "validating"}});
  ClassifierModel& net = evaluated();
  net.setTraining(false);
  const std::size_t classes = std::size_t(data->classes().size());
  std::vector<double> probabilities(samples.size() * classes);
  std::vector<std::int64_t> labels;
  for (std::int64_t i : samples) labels.push_back(data->label(i));
  constexpr std::size_t kBatch = 16;
  std::atomic<std::size_t> next = 0;  // inference changes nothing in the model, so the team shares it
  team_->run([&](int) {
    at::NoGradGuard noGrad;
    const Autocast autocast(recipe.bf16, device.tensors.type());
    for (std::size_t from; (from = next.fetch_add(kBatch)) < samples.size();) {
      const std::size_t to = std::min(samples.size(), from + kBatch);
      const Batch batch = plainBatch(*data, {samples.begin() + std::ptrdiff_t(from), samples.begin() + std::ptrdiff_t(to)});
      const at::Tensor p = at::softmax(net.forward(batch.images.to(device.tensors)), 1, at::kDouble).cpu().contiguous();
      std::copy_n(p.const_data_ptr<double>(), p.numel(), probabilities.begin() + std::ptrdiff_t(from * classes));
    }
  });
  if (&net == model.get()) net.setTraining(true);
  if (!std::all_of(probabilities.begin(), probabilities.end(), [](double p) { return std::isfinite(p); }))
    throw EngineFailure(
        {FailureKind::NonFinite, {{"step", qint64(state.step)}, {"batch", "validation"}}, "the model's outputs are not finite"});
  m = validationMetrics(probabilities, labels, int(classes));
  const QJsonObject values{{"validation/loss", m.loss},
                           {"validation/auc", m.auc},
                           {"validation/accuracy", m.accuracy},
                           {"validation/balanced_accuracy", m.balancedAccuracy}};
  event("evaluation", {{"step", qint64(state.step)}, {"values", values}});
  event("metric", {{"step", qint64(state.step)}, {"epoch", double(state.step) / double(sampler->stepsPerEpoch())}, {"values", values}});
  event("phase", {{"name", "training"}});
  return m;
}

void Session::keepBest(const ValidationMetrics& m) {
  const bool blind = data->split("validation").empty();  // nothing to choose by: the newest is the best
  const double value = recipe.bestMetric == u"loss"                ? -m.loss
                       : recipe.bestMetric == u"accuracy"          ? m.accuracy
                       : recipe.bestMetric == u"balanced_accuracy" ? m.balancedAccuracy
                                                                   : m.auc;
  const double before = recipe.bestMetric == u"loss" ? -state.bestValue : state.bestValue;
  // A small validation split reaches the same value often; among equals the lower loss wins.
  const bool better = blind || state.bestStep < 0 || value > before || (value == before && m.loss < state.bestLoss);
  if (!better) {
    ++state.epochsSinceBest;
    return;
  }
  state.epochsSinceBest = 0;
  state.bestStep = state.step;
  state.bestValue = recipe.bestMetric == u"loss" ? m.loss : value;
  state.bestLoss = m.loss;
  if (job.rank == 0)
    writeBest(
        job.runDir, evaluated().state(), model->graph().metadata(),
        {{"step", qint64(state.step)},
         {"metric", state.bestMetric},
         {"value", state.bestValue},
         {"validation", QJsonObject{{"loss", m.loss}, {"auc", m.auc}, {"accuracy", m.accuracy}, {"balanced_accuracy", m.balancedAccuracy}}},
         {"identity", identityOf(job.spec)}});
}

void Session::checkpoint(bool best) {
  state.secondsTrained = secondsBefore_ + secondsSinceStart();
  if (job.rank == 0) {
    const qint64 bytes =
        writeCheckpoint(job.runDir, job.spec, state, {model->state(), average ? average->state() : NamedTensors{}, optimizer->state()},
                        model->graph().metadata());
    event("checkpoint",
          {{"step", qint64(state.step)},
           {"path", QString("checkpoints/step-%1").arg(state.step, 8, 10, QChar('0'))},
           {"best", best},
           {"bytes", bytes}},
          true);
  }
  checkpointWritten();
}

void Session::reportStep(double loss, double norm, double learningRate) {
  const double elapsed = secondsSince(lastReport_);
  if (elapsed < recipe.metricSeconds && state.step != totalSteps) return;
  const double steps = double(state.step - lastReportStep_), perSecond = steps / std::max(elapsed, 1e-9);
  lastReport_ = Clock::now();
  lastReportStep_ = state.step;
  QJsonObject values{{"train/loss", loss},
                     {"gradient_norm", norm},
                     {"learning_rate", learningRate},
                     {"samples_per_second", perSecond * recipe.batchSize},
                     {"memory_bytes", residentBytes()}};
  if (device.isGpu()) values["gpu_memory_bytes"] = qint64(device.cuda->peakMemory(device.index));
  event("metric", {{"step", qint64(state.step)}, {"epoch", double(state.step) / double(sampler->stepsPerEpoch())}, {"values", values}});
  const double stepsPerSecond = double(state.step - resumedFrom) / std::max(secondsSinceStart(), 1e-9);
  event("progress",
        {{"done", qint64(state.step)}, {"total", qint64(totalSteps)}, {"secondsLeft", double(totalSteps - state.step) / stepsPerSecond}});
}

}  // namespace cloister
