#include "core/engine/train/optimizer.h"

#include <cmath>
#include <numeric>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "core/engine/engine_failure.h"

namespace cloister {
namespace {

constexpr std::int64_t kChunk = 1 << 15;  // elements: all that moves with them fits a processor's own cache

void onLibraryThreads(std::int64_t n, const std::function<void(std::int64_t)>& task) {
  at::parallel_for(0, n, 1, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t i = from; i < to; ++i) task(i);
  });
}

}  // namespace

Optimizer::Optimizer(const TrainRecipe& recipe, const Trainable& model, const Trainable* average, Kernels kernels)
    : recipe_(recipe), model_(model), kernels_(kernels), share_(onLibraryThreads) {
  for (std::size_t i = 0; i < model.parameters().size(); ++i) {
    const at::Tensor& p = model.parameters()[i];
    if (!p.requires_grad()) continue;
    Slot s{.index = i,
           .name = model.parameterNames()[i],
           .weight = p,
           .average = average ? average->parameters()[i] : at::Tensor(),
           .first = at::zeros_like(p).set_requires_grad(false),
           .second = recipe.adamw ? at::zeros_like(p).set_requires_grad(false) : at::Tensor(),
           .step = recipe.adamw ? at::zeros({}, p.options().requires_grad(false)) : at::Tensor(),
           .decays = p.dim() >= 2};
    slots_.push_back(std::move(s));
  }
}

double Optimizer::collect(const std::vector<std::vector<at::Tensor>>& replicas) {
  at::NoGradGuard noGrad;
  held_.clear();
  pointers_.clear();
  chunks_.clear();
  chunkSlots_.clear();
  if (kernels_ == Kernels::Library) return collectForLibrary(replicas);
  for (const Slot& s : slots_) {
    std::vector<at::Tensor> found;
    for (const auto& gradients : replicas)
      if (gradients[s.index].defined()) found.push_back(gradients[s.index]);
    if (found.empty()) throw EngineFailure({FailureKind::Internal, {}, "no gradient for " + QString::fromStdString(s.name)});
    cut(s, found);
  }
  std::vector<double> squares(chunks_.size());
  share_(std::int64_t(chunks_.size()),
         [&](std::int64_t i) { squares[std::size_t(i)] = kernels::flatKernels().squares(chunks_[std::size_t(i)]); });
  return std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
}

double Optimizer::collectForLibrary(const std::vector<std::vector<at::Tensor>>& replicas) {
  for (const Slot& s : slots_) {
    // The fused kernels want gradients laid out as the weights are.
    at::Tensor sum;
    for (const auto& gradients : replicas) {
      if (!gradients[s.index].defined()) continue;
      if (sum.defined()) sum.add_(gradients[s.index]);
      else sum = at::empty_like(s.weight).copy_(gradients[s.index]);
    }
    if (!sum.defined()) throw EngineFailure({FailureKind::Internal, {}, "no gradient for " + QString::fromStdString(s.name)});
    held_.push_back(sum);
  }
  return held_.empty() ? 0 : at::stack(at::_foreach_norm(held_)).norm().item<double>();
}

void Optimizer::stepByLibrary(double learningRate, double gradientScale, double averageShare) {
  if (gradientScale != 1) at::_foreach_mul_(held_, gradientScale);
  std::vector<at::Tensor> weights, averages;
  for (const bool decays : {true, false}) {
    std::vector<at::Tensor> moved, sums, first, second, steps;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      const Slot& s = slots_[i];
      if (s.decays != decays) continue;
      moved.push_back(s.weight);
      sums.push_back(held_[i]);
      first.push_back(s.first);
      second.push_back(s.second);
      steps.push_back(s.step);
      if (!s.average.defined()) continue;
      weights.push_back(s.weight);
      averages.push_back(s.average);
    }
    if (moved.empty()) continue;
    const double decay = decays ? recipe_.weightDecay : 0;
    if (recipe_.adamw) {
      at::_foreach_add_(steps, 1);
      at::_fused_adamw_(moved, sums, first, second, {}, steps, learningRate, recipe_.beta1, recipe_.beta2, decay, recipe_.epsilon, false,
                        false);
    } else {
      at::_fused_sgd_(moved, sums, first, decay, recipe_.momentum, learningRate, 0.0, true, false, false);
    }
  }
  if (!averages.empty()) at::_foreach_lerp_(averages, weights, averageShare);
  held_.clear();
}

void Optimizer::cut(const Slot& s, const std::vector<at::Tensor>& gradients) {
  // Only bfloat16 and float, and all alike: the loops know two kinds. Laid out in memory as the weight is.
  bool halves = true;
  for (const at::Tensor& g : gradients) halves = halves && g.scalar_type() == at::kBFloat16;
  std::vector<const void*> pointers;
  for (const at::Tensor& given : gradients) {
    at::Tensor g = given.detach().to(halves ? at::kBFloat16 : at::kFloat);
    if (g.strides() != s.weight.strides()) g = at::empty_like(s.weight, g.options()).copy_(g);
    held_.push_back(g);
    pointers.push_back(g.const_data_ptr());
  }
  const std::int64_t size = halves ? 2 : 4, n = s.weight.numel();
  const at::Tensor& copy = model_.computed()[s.index];
  const auto part = [](const at::Tensor& t, std::int64_t from) { return t.defined() ? t.mutable_data_ptr<float>() + from : nullptr; };
  for (std::int64_t from = 0; from < n; from += kChunk) {
    std::vector<const void*>& here = pointers_.emplace_back();
    for (const void* p : pointers) here.push_back(static_cast<const char*>(p) + from * size);
    chunks_.push_back(
        {.weight = part(s.weight, from),
         .compute = copy.is_same(model_.parameters()[s.index]) ? nullptr : static_cast<kernels::BFloat*>(copy.mutable_data_ptr()) + from,
         .first = part(s.first, from),
         .second = part(s.second, from),
         .average = part(s.average, from),
         .gradients = here.data(),
         .replicas = int(here.size()),
         .bfloatGradients = halves,
         .count = std::min(kChunk, n - from)});
    chunkSlots_.push_back(&s);
  }
}

void Optimizer::step(double learningRate, double gradientScale, double averageShare) {
  at::NoGradGuard noGrad;
  if (kernels_ == Kernels::Library) return stepByLibrary(learningRate, gradientScale, averageShare);
  for (Slot& s : slots_)
    if (s.step.defined()) s.step.add_(1);
  const auto decay = [&](const Slot& s) { return s.decays ? recipe_.weightDecay : 0.0; };
  share_(std::int64_t(chunks_.size()), [&](std::int64_t i) {
    const Slot& s = *chunkSlots_[std::size_t(i)];
    if (!recipe_.adamw) {
      kernels::flatKernels().sgd(chunks_[std::size_t(i)], {.gradientScale = float(gradientScale),
                                                           .decay = float(decay(s)),
                                                           .momentum = float(recipe_.momentum),
                                                           .rate = float(learningRate),
                                                           .averageShare = float(averageShare)});
      return;
    }
    const double t = double(*s.step.const_data_ptr<float>());
    kernels::flatKernels().adamw(chunks_[std::size_t(i)], {.gradientScale = float(gradientScale),
                                                           .keep = float(1 - learningRate * decay(s)),
                                                           .beta1 = float(recipe_.beta1),
                                                           .beta2 = float(recipe_.beta2),
                                                           .stepSize = float(learningRate / (1 - std::pow(recipe_.beta1, t))),
                                                           .rootCorrection = float(std::sqrt(1 - std::pow(recipe_.beta2, t))),
                                                           .epsilon = float(recipe_.epsilon),
                                                           .averageShare = float(averageShare)});
  });
  held_.clear();
  chunks_.clear();
}

NamedTensors Optimizer::state() const {
  NamedTensors all;
  for (const Slot& s : slots_) {
    all[(recipe_.adamw ? "exp_avg." : "momentum.") + s.name] = s.first;
    if (!recipe_.adamw) continue;
    all["exp_avg_sq." + s.name] = s.second;
    all["step." + s.name] = s.step;
  }
  return all;
}

void Optimizer::loadState(const NamedTensors& given, const QString& path) {
  at::NoGradGuard noGrad;
  for (auto& [name, tensor] : state()) {
    const auto it = given.find(name);
    if (it == given.end() || it->second.sizes() != tensor.sizes())
      throw EngineFailure({FailureKind::CorruptFile, {{"path", path}}, QString::fromStdString(name) + " is missing or of another shape"});
    at::Tensor(tensor).copy_(it->second);
  }
}

double averageShare(double decay, std::int64_t step) { return 1.0 - std::min(decay, double(1 + step) / double(10 + step)); }

void averageStatistics(ClassifierModel& average, const ClassifierModel& model, double share) {
  at::NoGradGuard noGrad;
  if (!model.statistics().empty()) at::_foreach_lerp_(average.statistics(), model.statistics(), share);
  for (const auto& [name, tensor] : average.state())
    if (!tensor.is_floating_point()) at::Tensor(tensor).copy_(model.state().at(name));
}

}  // namespace cloister
