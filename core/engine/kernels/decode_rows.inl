// The loops of decode_rows.h. On the vectors of row_kernels.inl; included once per instruction set; nothing of the standard library here
// either.
#include "core/engine/kernels/decode_rows.h"

#include "core/engine/kernels/decoder_rows.inl"

namespace cloister::kernels::CLOISTER_ISA {
namespace {

// As many rows and outputs at a time as the sums of a step fit the registers.
#if defined(__AVX512F__)
constexpr int kRowsTogether = 4;
constexpr int outsTogether(int rows) { return rows <= 2 ? 4 : 2; }
#else
constexpr int kRowsTogether = 2;
constexpr int outsTogether(int rows) { return rows == 1 ? 2 : 1; }
#endif

struct Unit {
  Floats first, second;
};
inline Unit unit(const float* p) { return {load(p), load(p + kLanes)}; }
inline Unit unit(const BFloat* p) {
  Words pairs;
  __builtin_memcpy(&pairs, p, sizeof pairs);
  return {(Floats)(pairs << 16), (Floats)(pairs & 0xffff0000u)};
}

using Eights = float __attribute__((vector_size(32)));
using Fours = float __attribute__((vector_size(16)));
inline float folded(Floats v) {
  const Eights e = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  const Fours f = __builtin_shufflevector(e, e, 0, 1, 2, 3) + __builtin_shufflevector(e, e, 4, 5, 6, 7);
  return (f[0] + f[2]) + (f[1] + f[3]);
}

template <typename T>
void spread(const T* x, float* to, std::int64_t rows, std::int64_t width) {
  const std::int64_t whole = width / kUnit * kUnit, padded = spreadWidth(width);
  for (std::int64_t r = 0; r < rows; ++r, x += width, to += padded)
    for (std::int64_t c = 0; c < padded; c += kUnit) {
      T rest[kUnit] = {};
      if (c == whole) __builtin_memcpy(rest, x + c, std::size_t(width - whole) * sizeof(T));
      const Unit u = unit(c == whole ? rest : x + c);
      store(to + c, u.first);
      store(to + c + kLanes, u.second);
    }
}

template <int kRows, int kOuts>
struct Sums {
  Floats first[kRows][kOuts] = {}, second[kRows][kOuts] = {};
  template <typename T>
  inline void add(const float* x, std::int64_t xStride, const T* w, std::int64_t wStride) {
    Unit u[kRows];
    for (int r = 0; r < kRows; ++r) u[r] = unit(x + r * xStride);
    for (int o = 0; o < kOuts; ++o) {
      const Unit weights = unit(w + o * wStride);
      for (int r = 0; r < kRows; ++r) {
        first[r][o] += u[r].first * weights.first;
        second[r][o] += u[r].second * weights.second;
      }
    }
  }
};

template <typename T, typename Y, int kRows, int kOuts>
inline void block(const float* x, const T* w, const T* bias, Y* y, std::int64_t width, std::int64_t stride) {
  const std::int64_t padded = spreadWidth(width), whole = width / kUnit * kUnit;
  Sums<kRows, kOuts> sums;
  for (std::int64_t c = 0; c < whole; c += kUnit) sums.add(x + c, padded, w + c, width);
  if (whole < width) {
    T rest[kOuts * kUnit] = {};
    for (int o = 0; o < kOuts; ++o) __builtin_memcpy(rest + o * kUnit, w + o * width + whole, std::size_t(width - whole) * sizeof(T));
    sums.add(x + whole, padded, rest, kUnit);
  }
  for (int r = 0; r < kRows; ++r)
    for (int o = 0; o < kOuts; ++o) {
      const float sum = folded(sums.first[r][o] + sums.second[r][o]) + (bias ? asFloat(bias[o]) : 0.0f);
      if constexpr (sizeof(Y) == sizeof(float)) y[r * stride + o] = sum;
      else storeSome(y + r * stride + o, all(sum), 1);
    }
}

template <typename T>
inline const T* shifted(const T* p, std::int64_t by) {
  return p ? p + by : nullptr;
}

template <typename T, typename Y, int kRows>
void outputs(const float* x, const T* w, const T* bias, Y* y, std::int64_t width, std::int64_t outs, std::int64_t stride) {
  constexpr int kOuts = outsTogether(kRows);
  std::int64_t o = 0;
  for (; o + kOuts <= outs; o += kOuts) block<T, Y, kRows, kOuts>(x, w + o * width, shifted(bias, o), y + o, width, stride);
  for (; o < outs; ++o) block<T, Y, kRows, 1>(x, w + o * width, shifted(bias, o), y + o, width, stride);
}

// A few outputs for all rows before the next, so that their weights are read from memory once.
template <typename T, typename Y>
void productsAs(const float* x, const T* w, const T* bias, Y* y, std::int64_t rows, std::int64_t width, std::int64_t outs,
                std::int64_t stride) {
  constexpr std::int64_t kStretch = 16;
  const std::int64_t padded = spreadWidth(width);
  for (std::int64_t o = 0; o < outs; o += kStretch) {
    const std::int64_t n = outs - o < kStretch ? outs - o : kStretch;
    std::int64_t r = 0;
    const auto run = [&](auto how, int count) {
      how(x + r * padded, w + o * width, shifted(bias, o), y + r * stride + o, width, n, stride);
      r += count;
    };
    if constexpr (kRowsTogether == 4) {
      while (r + 4 <= rows) run(outputs<T, Y, 4>, 4);
      if (r + 3 == rows) run(outputs<T, Y, 3>, 3);
    }
    while (r + 2 <= rows) run(outputs<T, Y, 2>, 2);
    if (r < rows) run(outputs<T, Y, 1>, 1);
  }
}

template <typename T>
void products(const float* x, const T* w, const T* bias, T* y, std::int64_t rows, std::int64_t width, std::int64_t outs,
              std::int64_t stride) {
  productsAs(x, w, bias, y, rows, width, outs, stride);
}

// Scores become weights that sum to one; a token that sees nothing gives zeros.
inline void softmax(float* scores, const bool* seen, std::int64_t tokens, float scale) {
  float top = -__builtin_inff();
  for (std::int64_t s = 0; s < tokens; ++s) {
    scores[s] = seen && !seen[s] ? -__builtin_inff() : scores[s] * scale;
    top = scores[s] <= top ? top : scores[s];  // NaN is kept
  }
  if (top == -__builtin_inff()) {
    for (std::int64_t s = 0; s < tokens; ++s) scores[s] = 0;
    return;
  }
  float sum = 0;
  std::int64_t s = 0;
  Floats sums = zero();
  for (; s + kLanes <= tokens; s += kLanes) {
    const Floats e = exponential(load(scores + s) - top);
    store(scores + s, e);
    sums += e;
  }
  if (s < tokens) {
    const Floats e = exponential(loadSome(scores + s, tokens - s) - top);
    storeSome(scores + s, e, tokens - s);
    for (std::int64_t l = 0; l < tokens - s; ++l) sum += e[l];
  }
  sum += folded(sums);
  for (s = 0; s < tokens; ++s) scores[s] /= sum;
}

template <typename T, int kVectors>
inline void mixColumns(const float* weights, const T* value, T* out, std::int64_t tokens, std::int64_t valueWidth) {
  Floats sums[kVectors] = {};
  for (std::int64_t s = 0; s < tokens; ++s, value += valueWidth)
    for (int v = 0; v < kVectors; ++v) sums[v] += weights[s] * load(value + v * kLanes);
  for (int v = 0; v < kVectors; ++v) store(out + v * kLanes, sums[v]);
}

template <typename T>
void mix(const float* weights, const T* value, T* out, std::int64_t tokens, std::int64_t valueWidth) {
  std::int64_t c = 0;
  for (; c + 4 * kLanes <= valueWidth; c += 4 * kLanes) mixColumns<T, 4>(weights, value + c, out + c, tokens, valueWidth);
  for (; c + kLanes <= valueWidth; c += kLanes) mixColumns<T, 1>(weights, value + c, out + c, tokens, valueWidth);
  if (c == valueWidth) return;
  Floats sum = zero();
  for (std::int64_t s = 0; s < tokens; ++s) sum += weights[s] * loadSome(value + s * valueWidth + c, valueWidth - c);
  storeSome(out + c, sum, valueWidth - c);
}

template <typename T>
void attend(const TokenHead<T>& h) {
  const std::int64_t padded = spreadWidth(h.width);
  float *queries = h.scratch, *scores = h.scratch + h.queries * padded;
  for (std::int64_t q = 0; q < h.queries; ++q) spread(h.query + q * h.queryStride, queries + q * padded, 1, h.width);
  productsAs<T, float>(queries, h.key, nullptr, scores, h.queries, h.width, h.tokens, h.tokens);
  for (std::int64_t q = 0; q < h.queries; ++q, scores += h.tokens) {
    softmax(scores, h.seen, h.tokens, h.scale);
    mix(scores, h.value, h.out + q * h.outStride, h.tokens, h.valueWidth);
  }
}

template <typename T>
constexpr DecodeRows<T> kDecode = {spread<T>, products<T>, attend<T>};

}  // namespace

extern const DecodeRows<float> floatDecode = kDecode<float>;
extern const DecodeRows<BFloat> bfloatDecode = kDecode<BFloat>;

}  // namespace cloister::kernels::CLOISTER_ISA
