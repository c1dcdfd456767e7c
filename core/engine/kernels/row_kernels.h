// Loops over the memory of channels-last images and of flat parameters, compiled once per instruction set and chosen at run time. They do
// in one pass what a chain of library operations does in three or four: batch norm, residual, relu and pooling of a training step are bound
// by memory, not by arithmetic. Raw pointers, no LibTorch; called by fused.cpp and the optimizer. Any thread; every call works on its own
// rows.
//
// Rows are positions (n, h, w), channels lie side by side: element (r, c) is at r · channels + c. channels must be a multiple of kLanes.
// Sums are kept in float within a block of rows and in double across blocks.
#pragma once
#include <cstdint>

namespace cloister::kernels {

using BFloat = std::uint16_t;  ///< bit pattern of a bfloat16
inline constexpr int kLanes = 16;

/// Pool windows of one image, square: kernel, stride, padding as in nn.MaxPool2d.
struct PoolShape {
  std::int64_t height, width, outHeight, outWidth, channels;
  int kernel, stride, padding;
};
inline constexpr std::uint8_t kNoGradient = 255;  ///< window whose maximum relu cut off

/// One set for float and one for bfloat16 images.
template <typename T>
struct RowKernels {
  /// sum[c] += Σ (x - shift[c]), square[c] += Σ (x - shift[c])²
  void (*moments)(const T* x, std::int64_t rows, std::int64_t channels, const float* shift, double* sum, double* square);
  /// y = (x - mean[c]) · scale[c] + bias[c] + residual, then relu when asked. residual may be null. NaN passes through.
  void (*normalise)(const T* x, const T* residual, T* y, std::int64_t rows, std::int64_t channels, const float* mean, const float* scale,
                    const float* bias, bool relu);
  /// g = dy where the output was positive (y given: y > 0; else recomputed from x; relu false: everywhere).
  /// sum[c] += Σ g, product[c] += Σ g · (x - mean[c]); g is written when asked for.
  void (*gradientSums)(const T* x, const T* y, const T* dy, T* g, std::int64_t rows, std::int64_t channels, const float* mean,
                       const float* scale, const float* bias, bool relu, double* sum, double* product);
  /// dx = a[c] · g + b[c] · (x - mean[c]) + d[c], with g masked as above (relu false: dy is g already). dx may be dy.
  void (*gradientInput)(const T* x, const T* dy, T* dx, std::int64_t rows, std::int64_t channels, const float* mean, const float* scale,
                        const float* bias, bool relu, const float* a, const float* b, const float* d);
  /// Output rows [from, to) of one image: y = max over the window of relu((x - mean) · scale + bias), index = its place in the window.
  void (*normalisePool)(const T* x, T* y, std::uint8_t* index, const PoolShape&, std::int64_t from, std::int64_t to, const float* mean,
                        const float* scale, const float* bias);
  /// Input rows [from, to) of one image: g = Σ of dy over the windows whose maximum this pixel was.
  void (*unpool)(const T* dy, const std::uint8_t* index, T* g, const PoolShape&, std::int64_t from, std::int64_t to);
  /// y[i] = x[i] · scale, or 0 where the hash of (key, from + i) is below threshold. Flat; i from 0 to count.
  void (*drop)(const T* x, T* y, std::int64_t from, std::int64_t count, std::uint64_t key, std::uint32_t threshold, float scale);
};

/// A stretch of one parameter and of everything that moves with it. Gradients of replicas are summed on the way.
struct ParameterChunk {
  float* weight = nullptr;
  BFloat* compute = nullptr;               ///< bfloat16 copy the model computes with, or null
  float* first = nullptr;                  ///< exp_avg, or the momentum buffer
  float* second = nullptr;                 ///< exp_avg_sq; null for SGD
  float* average = nullptr;                ///< moving average of the weight, or null
  const void* const* gradients = nullptr;  ///< one a replica
  int replicas = 1;
  bool bfloatGradients = false;
  std::int64_t count = 0;
};

/// AdamW (Loshchilov & Hutter 2019, algorithm 2) as torch.optim.AdamW computes it; everything that does not depend on the element.
struct AdamWStep {
  float gradientScale, keep, beta1, beta2, stepSize, rootCorrection, epsilon,
      averageShare;  ///< keep = 1 - rate · decay; stepSize = rate / (1 - beta1^t)
};
struct SgdStep {
  float gradientScale, decay, momentum, rate, averageShare;  ///< Nesterov, L2 decay as torch.optim.SGD
};

struct FlatKernels {
  double (*squares)(const ParameterChunk&);  ///< Σ gradient²
  void (*adamw)(const ParameterChunk&, const AdamWStep&);
  void (*sgd)(const ParameterChunk&, const SgdStep&);
  void (*toBFloat)(const float* from, BFloat* to, std::int64_t count);  ///< nearest, ties to even
};

/// The same loops for each instruction set: named by the choice below and by tests, which hold them against each other.
#define CLOISTER_DECLARE(isa)                 \
  namespace isa {                             \
  extern const RowKernels<float> floatRows;   \
  extern const RowKernels<BFloat> bfloatRows; \
  extern const FlatKernels flat;              \
  }
CLOISTER_DECLARE(baseline)
CLOISTER_DECLARE(avx2)
CLOISTER_DECLARE(avx512)
#undef CLOISTER_DECLARE

template <typename T>
const RowKernels<T>& rowKernels();  ///< for this processor
template <>
const RowKernels<float>& rowKernels<float>();
template <>
const RowKernels<BFloat>& rowKernels<BFloat>();
const FlatKernels& flatKernels();

}  // namespace cloister::kernels
