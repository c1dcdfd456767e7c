// Loops over the rows of a language model's activations, compiled once per instruction set as row_kernels.h is: RMS norm with the residual
// before it, SwiGLU, rotation, softmax with its gradient. Raw pointers, no LibTorch; called by decoder_ops.cpp. Any thread; every call
// works on its own rows. X: the residual stream, T: what products read and give; each float or bfloat16. Arithmetic is float.
#pragma once
#include "core/engine/kernels/row_kernels.h"

namespace cloister::kernels {

/// width: a multiple of kLanes.
template <typename X, typename T>
struct NormRows {
  /// s = x + delta, y = weight · s · i, i = 1/√(mean(s²) + epsilon). delta null: s is x and sum is not written. inverse[row] = i.
  void (*forward)(const X* x, const T* delta, const float* weight, X* sum, T* y, float* inverse, std::int64_t rows, std::int64_t width,
                  float epsilon);
  /// dx = ds + i · (g - s · i² · mean(g · s)) with g = weight · dy; ds null: zero. deltaGradient (may be null) is dx as T.
  /// weightGradient[c] += Σ dy · s · i, in float: few rows at a time.
  void (*backward)(const X* s, const float* inverse, const float* weight, const T* dy, const X* ds, X* dx, T* deltaGradient,
                   float* weightGradient, std::int64_t rows, std::int64_t width);
};

template <typename T>
struct DecoderRows {
  /// y = gate · σ(gate) · up. Rows of gate and up are `stride` apart, those of y `width`. width: any.
  void (*gated)(const T* gate, const T* up, T* y, std::int64_t rows, std::int64_t width, std::int64_t stride);
  void (*gatedBackward)(const T* gate, const T* up, const T* dy, T* dGate, T* dUp, std::int64_t rows, std::int64_t width,
                        std::int64_t stride);
  /// One token: pairs (i, half + i) of each head turn by the angle of cosine[i], sign · sine[i]. Heads are xStride and yStride apart.
  void (*rotate)(const T* x, T* y, const float* cosine, const float* sine, float sign, std::int64_t heads, std::int64_t half,
                 std::int64_t xStride, std::int64_t yStride);
  /// Logits become the gradient of the cross-entropy: (softmax - one at the label) · scale. top[row], sum[row]: the maximum and
  /// Σ exp(logit - top); wanted[row]: the label's logit. With scale zero the logits stay as they are.
  void (*crossEntropy)(T* logits, const std::int64_t* labels, std::int64_t rows, std::int64_t width, float scale, float* top, float* sum,
                       float* wanted);
};

#define CLOISTER_DECLARE(isa)                        \
  namespace isa {                                    \
  extern const NormRows<float, float> floatNorms;    \
  extern const NormRows<float, BFloat> mixedNorms;   \
  extern const NormRows<BFloat, BFloat> bfloatNorms; \
  extern const DecoderRows<float> floatDecoder;      \
  extern const DecoderRows<BFloat> bfloatDecoder;    \
  }
CLOISTER_DECLARE(baseline)
CLOISTER_DECLARE(avx2)
CLOISTER_DECLARE(avx512)
#undef CLOISTER_DECLARE

template <typename X, typename T>
const NormRows<X, T>& normRows();  ///< for this processor
template <>
const NormRows<float, float>& normRows<float, float>();
template <>
const NormRows<float, BFloat>& normRows<float, BFloat>();
template <>
const NormRows<BFloat, BFloat>& normRows<BFloat, BFloat>();

template <typename T>
const DecoderRows<T>& decoderRows();
template <>
const DecoderRows<float>& decoderRows<float>();
template <>
const DecoderRows<BFloat>& decoderRows<BFloat>();

}  // namespace cloister::kernels
