#include "core/engine/evaluate/embedding_attack.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

namespace cloister {
namespace {

constexpr double kDivision = 1e-10;

/// What an attack follows: the text's vectors in, the loss of its judged tokens out.
class Target {
 public:
  Target(DecoderModel& model, const TokenText& text)
      : model_(model), ids_(at::tensor(text.ids, at::kLong).unsqueeze(0)), answer_(text.answer), judged_(ids_.size(1) - text.answer) {}

  at::Tensor clean() const { return model_.embed(inputs()).to(at::kFloat); }
  at::Tensor inputs() const { return ids_.narrow(1, 0, ids_.size(1) - 1); }
  at::Tensor targets() const { return ids_[0].narrow(0, answer_, judged_); }
  std::int64_t context() const { return answer_; }
  at::Tensor logits(const at::Tensor& embeddings) {
    const at::Tensor hidden = model_.hidden({.ids = inputs(), .embeddings = embeddings.to(model_.dtype())});
    return model_.logits(hidden[0].narrow(0, answer_ - 1, judged_)).to(at::kFloat);
  }
  TextLoss measure(const at::Tensor& logits) const {
    const at::Tensor each = at::cross_entropy_loss(logits, targets(), {}, at::Reduction::Sum);
    return {each.item<double>(), judged_, right(logits).sum().item<std::int64_t>()};
  }
  at::Tensor right(const at::Tensor& logits) const { return logits.argmax(-1) == targets(); }
  /// Of the mean loss; zero outside the context, which alone may move.
  at::Tensor gradient(const at::Tensor& embeddings) {
    const at::AutoGradMode on(true);
    const at::Tensor x = embeddings.detach().clone().requires_grad_(true);
    const at::Tensor loss = at::cross_entropy_loss(logits(x), targets());
    at::Tensor g = torch::autograd::grad({loss}, {x})[0].detach();
    g.narrow(1, answer_, g.size(1) - answer_).zero_();
    return g;
  }

 private:
  DecoderModel& model_;
  at::Tensor ids_;
  std::int64_t answer_, judged_;
};

at::Tensor lengths(const at::Tensor& x) { return x.norm(2, -1, true); }

at::Tensor ascent(const at::Tensor& gradient, AttackNorm norm) {
  return norm == AttackNorm::Linf ? gradient.sign() : gradient / (lengths(gradient) + kDivision);
}

at::Tensor project(const at::Tensor& delta, AttackNorm norm, double radius) {
  if (norm == AttackNorm::Linf) return delta.clamp(-radius, radius);
  return delta * at::clamp_max(radius / lengths(delta).clamp_min(1e-30), 1.0);
}

at::Tensor randomDelta(const at::Tensor& like, std::int64_t context, AttackNorm norm, double radius, std::uint64_t seed,
                       std::int64_t index) {
  at::Generator generator = at::detail::createCPUGenerator(seed * 0x9E3779B97F4A7C15ULL + std::uint64_t(index));
  at::Tensor delta = at::empty_like(like);
  if (norm == AttackNorm::Linf) {
    delta.uniform_(-radius, radius, generator);
  } else {
    delta.normal_(0, 1, generator);
    at::Tensor length = at::empty({like.size(0), like.size(1), 1}).uniform_(0, 1, generator);
    delta = delta / (lengths(delta) + kDivision) * length * radius;
  }
  delta.narrow(1, context, delta.size(1) - context).zero_();
  return delta;
}

/// ε of the options in the numbers of this model.
double radiusOf(const at::Tensor& table, const EmbeddingAttack& a, double epsilon) {
  const at::Tensor t = table.to(at::kFloat);
  const double unit = a.norm == AttackNorm::Linf ? t.square().mean().sqrt().item<double>() : t.norm(2, -1).mean().item<double>();
  return epsilon * unit;
}

/// Nearest row of the table to each vector: |t|² − 2 t·x decides.
at::Tensor nearest(const at::Tensor& table, const at::Tensor& vectors) {
  const at::Tensor t = table.to(at::kFloat);
  return (t.square().sum(-1).unsqueeze(0) - 2 * vectors.matmul(t.t())).argmin(-1);
}

}  // namespace

AttackedText attackText(DecoderModel& model, const TokenText& text, const EmbeddingAttack& a, std::int64_t index, const at::Tensor& start) {
  at::NoGradGuard noGrad;
  AttackedText result;
  if (text.answer < 1 || text.answer >= std::int64_t(text.ids.size())) return result;
  Target target(model, text);
  const at::Tensor clean = target.clean(), table = model.embeddingTable();
  const double radius = radiusOf(table, a, a.epsilon);
  at::Tensor delta = at::zeros_like(clean);
  if (a.kind == AttackKind::Fgsm) {
    delta = ascent(target.gradient(clean), a.norm) * radius;
  } else {
    const double step = radiusOf(table, a, a.stepSize > 0 ? a.stepSize : 2.5 * a.epsilon / std::max(1, a.steps));
    if (start.defined()) delta = start.clone();
    else if (a.randomStart) delta = randomDelta(clean, target.context(), a.norm, radius, a.seed, index);
    for (int i = 0; i < a.steps; ++i) delta = project(delta + step * ascent(target.gradient(clean + delta), a.norm), a.norm, radius);
  }
  const at::Tensor moved = clean + delta, before = target.logits(clean), after = target.logits(moved);
  result.clean = target.measure(before);
  result.attacked = target.measure(after);
  result.flipped = target.right(before).logical_and(target.right(after).logical_not()).sum().item<std::int64_t>();
  result.perturbed = target.context();
  const at::Tensor read = nearest(table, moved[0].narrow(0, 0, target.context())), ids = target.inputs()[0].narrow(0, 0, target.context());
  result.readTheSame = (read == ids).sum().item<std::int64_t>();
  result.reading.assign(read.const_data_ptr<std::int64_t>(), read.const_data_ptr<std::int64_t>() + read.numel());
  result.embeddings = moved[0];
  return result;
}

}  // namespace cloister
