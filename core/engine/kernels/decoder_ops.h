// Operations of a language model that differentiate as one, in one pass over memory each: RMS norm with the residual before it, SwiGLU,
// rotation of queries and keys, cross-entropy. Called by the decoder's layers and the chunked loss on the processor; results agree with the
// chain of library operations to rounding, arithmetic is float32 whatever the types. Any thread; parallel inside, sums in a fixed order.
#pragma once
#include <tuple>

#include <ATen/core/Tensor.h>

namespace cloister::kernels {

/// float or bfloat16 on the processor.
bool canFuse(const at::Tensor& x);
/// The same, with rows of whole vectors, and a type that norms can give for it (x's own, or bfloat16).
bool canFuseNorm(const at::Tensor& x, at::ScalarType out);

/// weight · x / √(mean(x²) + epsilon) over the last axis, as `out` (Zhang & Sennrich 2019). weight: [d], any type.
at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double epsilon, at::ScalarType out);
/// (x + delta, its norm). x as the residual stream is, delta and the norm of one type; shapes alike.
std::tuple<at::Tensor, at::Tensor> addNorm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight, double epsilon);

/// SwiGLU, gate · σ(gate) · up (Shazeer 2020): of two tensors alike, or of one whose last axis holds the gates, then the others.
at::Tensor gated(const at::Tensor& gate, const at::Tensor& up);
at::Tensor gatedHalves(const at::Tensor& both);

/// RoPE (Su et al. 2021) on pairs (i, half + i): x [B, T, heads · 2 half] → [B, heads, T, 2 half]. cosine, sine: float [B or 1, 1, T,
/// half].
at::Tensor rotateHeads(const at::Tensor& x, const at::Tensor& cosine, const at::Tensor& sine, std::int64_t heads);
/// Queries and keys rotated, values as they are, out of one product's rows [B, T, (heads + 2 kvHeads) · 2 half].
std::tuple<at::Tensor, at::Tensor, at::Tensor> splitAndRotate(const at::Tensor& qkv, const at::Tensor& cosine, const at::Tensor& sine,
                                                              std::int64_t heads, std::int64_t kvHeads);

/// Σ -log softmax(logits)[label] over rows [N, V], labels int64 [N]. With a scale other than zero the logits become its gradient times the
/// scale, in place. No autograd.
double crossEntropyInPlace(const at::Tensor& logits, const at::Tensor& labels, double scale);

}  // namespace cloister::kernels
