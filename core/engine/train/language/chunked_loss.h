// Cross-entropy of next tokens without ever holding the logits of all tokens: rows are taken a chunk at a time, each chunk's logits are
// turned into their gradient at once and forgotten (as in Liger Kernel, Hsu et al. 2024, 2410.10989). Training thread.
#pragma once
#include <ATen/core/Tensor.h>

namespace cloister {

inline constexpr std::int64_t kIgnoredLabel = -100;

/// Σ over rows of -log softmax(hidden · headᵀ)[label], divided by `divisor`; differentiable in hidden and head (head only where it wants a
/// gradient). hidden [N, d], head [V, d], labels int64 [N], all valid (no kIgnoredLabel). Under Autocast the products are bfloat16; sums
/// and exponentials are float32. The gradient is ready after the forward pass; backward scales it.
at::Tensor chunkedCrossEntropy(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& labels, double divisor);

/// The sum alone, for validation: double.
double summedCrossEntropy(const at::Tensor& hidden, const at::Tensor& head, const at::Tensor& labels);

}  // namespace cloister
