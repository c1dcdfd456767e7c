#include "core/engine/train/optimizer.h"

#include <cmath>

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_lerp.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "core/engine/engine_failure.h"

namespace cloister {
namespace {

std::vector<at::Tensor> gradients(const std::vector<at::Tensor>& parameters) {
  std::vector<at::Tensor> all;
  for (const at::Tensor& p : parameters)
    if (p.grad().defined()) all.push_back(p.grad());
  return all;
}

}  // namespace

Optimizer::Optimizer(const TrainRecipe& recipe, ClassifierModel& model) : recipe_(recipe), groups_(2) {
  groups_[0].weightDecay = recipe.weightDecay;
  for (std::size_t i = 0; i < model.parameters().size(); ++i) {
    const at::Tensor& p = model.parameters()[i];
    if (!p.requires_grad()) continue;
    Group& g = groups_[p.dim() >= 2 ? 0 : 1];
    g.parameters.push_back(p);
    g.names.push_back(model.parameterNames()[i]);
    g.first.push_back(at::zeros_like(p).set_requires_grad(false));
    if (!recipe.adamw) continue;
    g.second.push_back(at::zeros_like(p).set_requires_grad(false));
    g.steps.push_back(at::zeros({}, at::kFloat));
  }
}

void Optimizer::step(double learningRate) {
  at::NoGradGuard noGrad;
  for (Group& g : groups_) {
    if (g.parameters.empty()) continue;
    const std::vector<at::Tensor> grads = gradients(g.parameters);
    if (grads.size() != g.parameters.size()) throw EngineFailure({FailureKind::Internal, {}, "a parameter has no gradient"});
    if (recipe_.adamw) {
      for (at::Tensor& s : g.steps) s.add_(1);
      at::_fused_adamw_(g.parameters, grads, g.first, g.second, {}, g.steps, learningRate, recipe_.beta1, recipe_.beta2, g.weightDecay,
                        recipe_.epsilon, false, false);
    } else {
      at::_fused_sgd_(g.parameters, grads, g.first, g.weightDecay, recipe_.momentum, learningRate, 0.0, true, false, false);
    }
  }
}

void Optimizer::zeroGradients() {
  for (Group& g : groups_)
    for (at::Tensor& p : g.parameters) p.mutable_grad().reset();
}

NamedTensors Optimizer::state() const {
  NamedTensors all;
  for (const Group& g : groups_)
    for (std::size_t i = 0; i < g.parameters.size(); ++i) {
      all[(recipe_.adamw ? "exp_avg." : "momentum.") + g.names[i]] = g.first[i];
      if (!recipe_.adamw) continue;
      all["exp_avg_sq." + g.names[i]] = g.second[i];
      all["step." + g.names[i]] = g.steps[i];
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

double gradientNorm(const ClassifierModel& model) {
  at::NoGradGuard noGrad;
  const std::vector<at::Tensor> norms = at::_foreach_norm(gradients(model.parameters()));
  return norms.empty() ? 0.0 : at::stack(norms).norm().item<double>();
}

void scaleGradients(ClassifierModel& model, double factor) {
  at::NoGradGuard noGrad;
  at::_foreach_mul_(gradients(model.parameters()), factor);
}

void updateAverage(ClassifierModel& average, const ClassifierModel& model, double decay, std::int64_t step) {
  at::NoGradGuard noGrad;
  const double d = std::min(decay, double(1 + step) / double(10 + step));
  std::vector<at::Tensor> to, from;
  for (const auto& [name, tensor] : average.state()) {
    const at::Tensor& source = model.state().at(name);
    if (tensor.is_floating_point()) {
      to.push_back(tensor);
      from.push_back(source);
    } else at::Tensor(tensor).copy_(source);
  }
  at::_foreach_lerp_(to, from, 1.0 - d);
}

}  // namespace cloister
