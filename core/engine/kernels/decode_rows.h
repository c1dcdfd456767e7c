// Loops of generation, where a few rows meet every weight of a model: products that read each weight once at the speed of memory, and
// attention of one token over its cache. Compiled once per instruction set as row_kernels.h is. Raw pointers, no LibTorch; called by
// decode_ops.cpp. Any thread; every call writes its own outputs. T: weights, cache and results, float or bfloat16; sums are float.
//
// Rows are spread before they are multiplied: to float, padded with zeros to whole units, and for bfloat16 the even members of each unit
// before the odd ones, because two bfloat16 in one word become floats by a shift and a mask.
#pragma once
#include "core/engine/kernels/row_kernels.h"

namespace cloister::kernels {

inline constexpr std::int64_t kUnit = 32;
static inline constexpr std::int64_t spreadWidth(std::int64_t width) { return (width + kUnit - 1) / kUnit * kUnit; }

/// One token's queries that share a head of keys and values. Strides in elements.
template <typename T>
struct TokenHead {
  const T* query;    ///< [queries, width], queryStride
  const T* key;      ///< [tokens, width], dense
  const T* value;    ///< [tokens, valueWidth], dense
  const bool* seen;  ///< [tokens], false: not looked at; null: all are
  T* out;            ///< [queries, valueWidth], outStride
  std::int64_t queries, tokens, width, valueWidth, queryStride, outStride;
  float scale;
  float* scratch;  ///< queries · (spreadWidth(width) + tokens) floats
};

template <typename T>
struct DecodeRows {
  /// [rows, width] to [rows, spreadWidth(width)].
  void (*spread)(const T* x, float* to, std::int64_t rows, std::int64_t width);
  /// y[r · stride + o] = Σ x[r] · w[o] + bias[o] for outs rows of w [outs, width]. x: spread. A row's result depends on nothing else than
  /// that row. bias may be null.
  void (*products)(const float* x, const T* w, const T* bias, T* y, std::int64_t rows, std::int64_t width, std::int64_t outs,
                   std::int64_t stride);
  /// softmax(scale · q · keyᵀ) · value.
  void (*attend)(const TokenHead<T>&);
};

#define CLOISTER_DECLARE(isa)                   \
  namespace isa {                               \
  extern const DecodeRows<float> floatDecode;   \
  extern const DecodeRows<BFloat> bfloatDecode; \
  }
CLOISTER_DECLARE(baseline)
CLOISTER_DECLARE(avx2)
CLOISTER_DECLARE(avx512)
#undef CLOISTER_DECLARE

template <typename T>
const DecodeRows<T>& decodeRows();  ///< for this processor
template <>
const DecodeRows<float>& decodeRows<float>();
template <>
const DecodeRows<BFloat>& decodeRows<BFloat>();

}  // namespace cloister::kernels
