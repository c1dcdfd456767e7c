// Log-probabilities of given tokens without ever holding the logits of all of them: for losses that need each text's own probability.
// Training thread.
#pragma once
#include <ATen/core/Tensor.h>

namespace cloister {

/// log softmax(hidden · headᵀ)[label] of each row, float32 [N]; differentiable in hidden and head (head only where it wants a gradient).
/// hidden [N, d], head [V, d], labels int64 [N], all valid. Under Autocast the products are bfloat16. Backward computes the logits again, a
/// chunk at a time.
at::Tensor chunkedLogProbabilities(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& labels);

}  // namespace cloister
