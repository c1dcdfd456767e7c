#include "core/engine/train/language/log_probabilities.h"

#include <algorithm>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include "core/engine/models/precision.h"

namespace cloister {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// About 32 MB of float32 logits at a time, at least 64 rows so that the products stay efficient.
std::int64_t rowsAtATime(std::int64_t vocabulary) { return std::clamp<std::int64_t>((8 << 20) / vocabulary, 64, 4096); }

/// visit(from, count) for one chunk after the other.
template <typename Visit>
void inChunks(std::int64_t rows, std::int64_t vocabulary, Visit visit) {
  const std::int64_t step = rowsAtATime(vocabulary);
  for (std::int64_t from = 0; from < rows; from += step) visit(from, std::min(step, rows - from));
}

class ChunkedLogProbabilities : public torch::autograd::Function<ChunkedLogProbabilities> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& labels) {
    at::NoGradGuard noGrad;
    const auto exact = hidden.options().dtype(at::kFloat);
    const at::Tensor found = at::empty({hidden.size(0)}, exact), normaliser = at::empty({hidden.size(0)}, exact);
    inChunks(hidden.size(0), head.size(0), [&](std::int64_t from, std::int64_t count) {
      const at::Tensor logits = at::linear(hidden.narrow(0, from, count), head).to(at::kFloat);
      const at::Tensor all = at::logsumexp(logits, -1);
      normaliser.narrow(0, from, count).copy_(all);
      found.narrow(0, from, count).copy_(logits.gather(1, labels.narrow(0, from, count).unsqueeze(1)).squeeze(1) - all);
    });
    ctx->save_for_backward({hidden, head, labels, normaliser});
    ctx->saved_data["bf16"] = at::autocast::is_autocast_enabled(hidden.device().type());
    return found;
  }

  static variable_list backward(AutogradContext* ctx, variable_list gradients) {
    at::NoGradGuard noGrad;
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor hidden = saved[0], head = saved[1], labels = saved[2], normaliser = saved[3];
    const Autocast asBefore(ctx->saved_data["bf16"].toBool(), hidden.device().type());
    const at::Tensor toHidden = at::empty_like(hidden);
    at::Tensor toHead = head.requires_grad() ? at::zeros(head.sizes(), head.options().dtype(at::kFloat)) : at::Tensor();
    inChunks(hidden.size(0), head.size(0), [&](std::int64_t from, std::int64_t count) {
      const at::Tensor rows = hidden.narrow(0, from, count), by = gradients[0].narrow(0, from, count).unsqueeze(1);
      // The gradient of a row's logits: its factor times (one at the label minus the softmax).
      at::Tensor scores = at::linear(rows, head).to(at::kFloat).sub_(normaliser.narrow(0, from, count).unsqueeze(1)).exp_();
      scores.mul_(-by).scatter_add_(1, labels.narrow(0, from, count).unsqueeze(1), by);
      toHidden.narrow(0, from, count).copy_(at::linear(scores, head.t()));
      if (toHead.defined()) toHead.add_(at::mm(scores.t(), rows.to(scores.scalar_type())));
    });
    return {toHidden, toHead, at::Tensor()};
  }
};

}  // namespace

at::Tensor chunkedLogProbabilities(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& labels) {
  return ChunkedLogProbabilities::apply(hidden, head, labels);
}

}  // namespace cloister
