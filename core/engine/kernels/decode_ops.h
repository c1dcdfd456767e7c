// Operations of generation on the processor: a few rows against whole matrices, one token against its cache. Without gradients. Bound by
// the memory that weights and cache are read from, so that bfloat16 takes half the time of float. Called by the decoder's layers; agree
// with at::linear and scaled dot-product attention to rounding, sums are float32. One thread at a time; parallel inside.
#pragma once
#include <vector>

#include <ATen/core/Tensor.h>

namespace cloister::kernels {

/// More rows than these: matrix products of the library win.
inline constexpr std::int64_t kFewRows = 8;

/// While one lives, this thread leaves both operations to the library: a pass without gradients that is computed again with them has to
/// give the same bits.
class LibraryProducts {
 public:
  LibraryProducts();
  ~LibraryProducts();
  LibraryProducts(const LibraryProducts&) = delete;
  LibraryProducts& operator=(const LibraryProducts&) = delete;

 private:
  bool before_;
};

/// Whether multiplyFewRows takes x [..., in] and weight [out, in]: no gradients wanted, a few rows, on the processor, one type for both.
bool canMultiplyFewRows(const at::Tensor& x, const at::Tensor& weight);

/// x · Wᵀ + bias, for several weights at once: [..., Σ out], in x's type. A bias that is not defined is none.
struct RowProduct {
  const at::Tensor &weight, &bias;
};
at::Tensor multiplyFewRows(const at::Tensor& x, const std::vector<RowProduct>& products);

/// Whether attendOneToken takes these: no gradients, one query token, types alike, keys and values dense along tokens and width.
bool canAttendOneToken(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& mask);
/// softmax(scale · q kᵀ) v for q [B, H, 1, D], k [B, K, S, D], v [B, K, S, E], K a divisor of H; mask: bool [B or 1, 1, 1, S], true: seen;
/// undefined: everything is. Returns [B, H, 1, E].
at::Tensor attendOneToken(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& mask, double scale);

}  // namespace cloister::kernels
