#include "core/engine/train/language/chunked_loss.h"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/engine/kernels/decoder_ops.h"

namespace cloister {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// About 32 MB of float32 logits at a time, at least 64 rows so that the products stay efficient.
std::int64_t rowsAtATime(std::int64_t vocabulary) { return std::clamp<std::int64_t>((8 << 20) / vocabulary, 64, 4096); }

// What products read: bfloat16 under Autocast, converted once and not for each chunk.
at::Tensor forProducts(const at::Tensor& t) {
  const at::DeviceType device = t.device().type();
  return at::autocast::is_autocast_enabled(device) ? t.to(at::autocast::get_autocast_dtype(device)) : t;
}

class ChunkedLoss : public torch::autograd::Function<ChunkedLoss> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& labels,
                            double divisor) {
    at::NoGradGuard noGrad;
    const std::int64_t n = hidden.size(0), step = rowsAtATime(head.size(0));
    const bool wantsHead = head.requires_grad();
    const at::Tensor toHidden = at::empty_like(hidden), x = forProducts(hidden).contiguous(), w = forProducts(head);
    at::Tensor toHead;
    double sum = 0;
    for (std::int64_t from = 0; from < n; from += step) {
      const std::int64_t count = std::min(step, n - from);
      const at::Tensor rows = x.narrow(0, from, count), label = labels.narrow(0, from, count);
      const auto [loss, slope] = gradientOfLogits(at::linear(rows, w), label, divisor);
      sum += loss;
      toHidden.narrow(0, from, count).copy_(at::linear(slope, w.t()));
      if (!wantsHead) continue;
      const at::Tensor part = at::mm(slope.t(), rows.to(slope.scalar_type()));
      // One chunk's sum is a product's own; those of several are added up in float32.
      if (step >= n) toHead = part;
      else toHead = toHead.defined() ? toHead.add_(part) : part.to(at::kFloat, false, true);
    }
    ctx->save_for_backward({toHidden, toHead});
    return at::zeros({}, hidden.options().dtype(at::kFloat)).fill_(sum / divisor);
  }
  // The loss of a chunk, and softmax minus one at the label, divided: the gradient of its logits.
  static std::pair<double, at::Tensor> gradientOfLogits(const at::Tensor& logits, const at::Tensor& labels, double divisor) {
    if (kernels::canFuse(logits)) return {kernels::crossEntropyInPlace(logits, labels, 1 / divisor), logits};
    at::Tensor scores = at::log_softmax(logits, -1, at::kFloat);
    const at::Tensor label = labels.unsqueeze(1);
    const double loss = -scores.gather(1, label).sum(at::kDouble).item<double>();
    scores.exp_();
    scores.scatter_add_(1, label, at::ones(label.sizes(), scores.options()).neg_()).div_(divisor);
    return {loss, scores};
  }
  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const double by = gradients[0].item<double>();
    const auto scaled = [by](const at::Tensor& t) { return !t.defined() || by == 1 ? t : t * by; };
    return {scaled(saved[0]), scaled(saved[1]), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor chunkedCrossEntropy(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& labels, double divisor) {
  return ChunkedLoss::apply(hidden, head, labels, divisor);
}

double summedCrossEntropy(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& labels) {
  at::NoGradGuard noGrad;
  double sum = 0;
  const at::Tensor w = forProducts(head);
  const std::int64_t n = hidden.size(0), step = rowsAtATime(head.size(0));
  for (std::int64_t from = 0; from < n; from += step) {
    const std::int64_t count = std::min(step, n - from);
    const at::Tensor logits = at::linear(hidden.narrow(0, from, count), w), label = labels.narrow(0, from, count);
    sum += kernels::canFuse(logits)
               ? kernels::crossEntropyInPlace(logits, label, 0)
               : -at::log_softmax(logits, -1, at::kFloat).gather(1, label.unsqueeze(1)).sum(at::kDouble).item<double>();
  }
  return sum;
}

}  // namespace cloister
