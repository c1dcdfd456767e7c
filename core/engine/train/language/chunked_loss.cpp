#include "core/engine/train/language/chunked_loss.h"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

namespace cloister {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// About 32 MB of float32 logits at a time, at least 64 rows so that the products stay efficient.
std::int64_t rowsAtATime(std::int64_t vocabulary) { return std::clamp<std::int64_t>((8 << 20) / vocabulary, 64, 4096); }

class ChunkedLoss : public torch::autograd::Function<ChunkedLoss> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& labels,
                            double divisor) {
    at::NoGradGuard noGrad;
    const std::int64_t n = hidden.size(0), step = rowsAtATime(head.size(0));
    const bool wantsHead = head.requires_grad();
    const at::Tensor toHidden = at::empty_like(hidden);
    at::Tensor toHead = wantsHead ? at::zeros(head.sizes(), head.options().dtype(at::kFloat)) : at::Tensor();
    double sum = 0;
    for (std::int64_t from = 0; from < n; from += step) {
      const std::int64_t count = std::min(step, n - from);
      const at::Tensor rows = hidden.narrow(0, from, count), label = labels.narrow(0, from, count).unsqueeze(1);
      at::Tensor scores = at::log_softmax(at::linear(rows, head), -1, at::kFloat);
      sum -= scores.gather(1, label).sum(at::kDouble).item<double>();
      // softmax minus one at the label, divided: the gradient of the chunk's logits.
      scores.exp_();
      scores.scatter_add_(1, label, at::ones({count, 1}, scores.options()).neg_()).div_(divisor);
      toHidden.narrow(0, from, count).copy_(at::linear(scores, head.t()));
      if (wantsHead) toHead.add_(at::mm(scores.t(), rows.to(scores.scalar_type())));
    }
    ctx->save_for_backward({toHidden, toHead});
    return at::zeros({}, hidden.options().dtype(at::kFloat)).fill_(sum / divisor);
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
  const std::int64_t n = hidden.size(0), step = rowsAtATime(head.size(0));
  for (std::int64_t from = 0; from < n; from += step) {
    const std::int64_t count = std::min(step, n - from);
    const at::Tensor scores = at::log_softmax(at::linear(hidden.narrow(0, from, count), head), -1, at::kFloat);
    sum -= scores.gather(1, labels.narrow(0, from, count).unsqueeze(1)).sum(at::kDouble).item<double>();
  }
  return sum;
}

}  // namespace cloister
