// The loops of decoder_rows.h. On the vectors of row_kernels.inl; included once per instruction set; nothing of the standard
// library here either.
#include "core/engine/kernels/decoder_rows.h"

#include "core/engine/kernels/row_kernels.inl"

namespace cloister::kernels::CLOISTER_ISA {
namespace {

inline Floats loadSome(const BFloat* p, std::int64_t n) {
  BFloat part[kLanes] = {};
  __builtin_memcpy(part, p, std::size_t(n) * 2);
  return load(part);
}
inline float total(Floats v) {
  float sum = 0;
  for (int l = 0; l < kLanes; ++l) sum += v[l];
  return sum;
}
inline float largest(Floats v) {
  float top = v[0];
  for (int l = 1; l < kLanes; ++l) top = v[l] > top ? v[l] : top;
  return top;
}
inline float asFloat(float v) { return v; }
inline float asFloat(BFloat v) {
  const std::uint32_t bits = std::uint32_t(v) << 16;
  float f;
  __builtin_memcpy(&f, &bits, 4);
  return f;
}

// e^x to 2 units in the last place (the polynomial of Cephes' expf); below -87.3 zero, NaN stays.
inline Floats exponential(Floats x) {
  const Floats high = x > 88.37f ? all(88.37f) : x, c = high < -87.3f ? all(-87.3f) : high;
  const Floats shifted = c * 1.44269504088896341f + 12582912.0f;  // its low bits are the rounded quotient
  const Floats n = shifted - 12582912.0f;
  const Floats r = (c - n * 0.693359375f) + n * 2.12194440e-4f;
  Floats p = all(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const Floats y = p * r * r + r + 1.0f;
  const Floats result = y * (Floats)(((Words)shifted << 23) + 0x3f800000u);
  return x < -87.3f ? zero() : result;
}

template <typename X, typename T>
void normForward(const X* x, const T* delta, const float* weight, X* sum, T* y, float* inverse, std::int64_t rows, std::int64_t width,
                 float epsilon) {
  for (std::int64_t r = 0; r < rows; ++r, x += width, y += width) {
    const X* s = x;
    Floats squares = zero(), more = zero();
    if (delta) {
      for (std::int64_t c = 0; c < width; c += kLanes) {
        store(sum + c, load(x + c) + load(delta + c));
        const Floats v = load(sum + c);
        squares += v * v;
      }
      s = sum;
      delta += width;
      sum += width;
    } else {
      std::int64_t c = 0;
      for (; c + 2 * kLanes <= width; c += 2 * kLanes) {
        const Floats v = load(x + c), w = load(x + c + kLanes);
        squares += v * v;
        more += w * w;
      }
      if (c < width) squares += load(x + c) * load(x + c);
    }
    const float i = 1.0f / __builtin_sqrtf(total(squares + more) / float(width) + epsilon);
    inverse[r] = i;
    for (std::int64_t c = 0; c < width; c += kLanes) store(y + c, load(weight + c) * (load(s + c) * i));
  }
}

template <typename X, typename T>
void normBackward(const X* s, const float* inverse, const float* weight, const T* dy, const X* ds, X* dx, T* deltaGradient,
                  float* weightGradient, std::int64_t rows, std::int64_t width) {
  for (std::int64_t r = 0; r < rows; ++r, s += width, dy += width, dx += width) {
    const float i = inverse[r];
    Floats products = zero();
    for (std::int64_t c = 0; c < width; c += kLanes) {
      const Floats d = load(dy + c), v = load(s + c);
      products += load(weight + c) * d * v;
      if (weightGradient) store(weightGradient + c, load(weightGradient + c) + d * (v * i));
    }
    const float mean = total(products) / float(width) * i * i * i;
    for (std::int64_t c = 0; c < width; c += kLanes) {
      Floats g = load(weight + c) * load(dy + c) * i - load(s + c) * mean;
      if (ds) g += load(ds + c);
      store(dx + c, g);
      if (deltaGradient) store(deltaGradient + c, g);
    }
    if (ds) ds += width;
    if (deltaGradient) deltaGradient += width;
  }
}

inline Floats logistic(Floats x) { return 1.0f / (1.0f + exponential(-x)); }

// Calls task(column, count) for whole vectors and a last shorter one.
template <typename Task>
inline void overColumns(std::int64_t width, const Task& task) {
  std::int64_t c = 0;
  for (; c + kLanes <= width; c += kLanes) task(c, kLanes);
  if (c < width) task(c, width - c);
}
template <typename T>
inline Floats take(const T* p, std::int64_t n) {
  return n == kLanes ? load(p) : loadSome(p, n);
}
template <typename T>
inline void give(T* p, Floats v, std::int64_t n) {
  n == kLanes ? store(p, v) : storeSome(p, v, n);
}

template <typename T>
void gated(const T* gate, const T* up, T* y, std::int64_t rows, std::int64_t width, std::int64_t stride) {
  for (std::int64_t r = 0; r < rows; ++r, gate += stride, up += stride, y += width)
    overColumns(width, [&](std::int64_t c, std::int64_t n) {
      const Floats g = take(gate + c, n);
      give(y + c, g * logistic(g) * take(up + c, n), n);
    });
}

template <typename T>
void gatedBackward(const T* gate, const T* up, const T* dy, T* dGate, T* dUp, std::int64_t rows, std::int64_t width, std::int64_t stride) {
  for (std::int64_t r = 0; r < rows; ++r, gate += stride, up += stride, dy += width, dGate += stride, dUp += stride)
    overColumns(width, [&](std::int64_t c, std::int64_t n) {
      const Floats g = take(gate + c, n), d = take(dy + c, n), s = logistic(g), active = g * s;
      give(dUp + c, d * active, n);
      give(dGate + c, d * take(up + c, n) * (s + active * (1.0f - s)), n);
    });
}

template <typename T>
void rotate(const T* x, T* y, const float* cosine, const float* sine, float sign, std::int64_t heads, std::int64_t half,
            std::int64_t xStride, std::int64_t yStride) {
  for (std::int64_t h = 0; h < heads; ++h, x += xStride, y += yStride)
    overColumns(half, [&](std::int64_t c, std::int64_t n) {
      const Floats a = take(x + c, n), b = take(x + half + c, n), cos = take(cosine + c, n), sin = take(sine + c, n) * sign;
      give(y + c, a * cos - b * sin, n);
      give(y + half + c, b * cos + a * sin, n);
    });
}

template <typename T>
void crossEntropy(T* logits, const std::int64_t* labels, std::int64_t rows, std::int64_t width, float scale, float* top, float* sum,
                  float* wanted) {
  const std::int64_t whole = width / kLanes * kLanes;
  for (std::int64_t r = 0; r < rows; ++r, logits += width) {
    Floats best = all(-__builtin_inff());
    for (std::int64_t c = 0; c < whole; c += kLanes) {
      const Floats v = load(logits + c);
      best = v <= best ? best : v;  // NaN is kept
    }
    float most = largest(best);
    for (int l = 0; l < kLanes; ++l) most = best[l] == best[l] ? most : best[l];
    for (std::int64_t c = whole; c < width; ++c) most = asFloat(logits[c]) <= most ? most : asFloat(logits[c]);
    Floats sums = zero();
    for (std::int64_t c = 0; c < whole; c += kLanes) sums += exponential(load(logits + c) - most);
    float all16 = total(sums);
    if (whole < width) {
      const Floats rest = exponential(loadSome(logits + whole, width - whole) - most);
      for (std::int64_t l = 0; l < width - whole; ++l) all16 += rest[l];
    }
    top[r] = most;
    sum[r] = all16;
    wanted[r] = asFloat(logits[labels[r]]);
    if (scale == 0) continue;
    const float factor = scale / all16, atLabel = exponential(all(wanted[r] - most))[0] * factor - scale;
    overColumns(width, [&](std::int64_t c, std::int64_t n) { give(logits + c, exponential(take(logits + c, n) - most) * factor, n); });
    give(logits + labels[r], all(atLabel), 1);
  }
}

template <typename X, typename T>
constexpr NormRows<X, T> kNorms = {normForward<X, T>, normBackward<X, T>};
template <typename T>
constexpr DecoderRows<T> kDecoder = {gated<T>, gatedBackward<T>, rotate<T>, crossEntropy<T>};

}  // namespace

extern const NormRows<float, float> floatNorms = kNorms<float, float>;
extern const NormRows<float, BFloat> mixedNorms = kNorms<float, BFloat>;
extern const NormRows<BFloat, BFloat> bfloatNorms = kNorms<BFloat, BFloat>;
extern const DecoderRows<float> floatDecoder = kDecoder<float>;
extern const DecoderRows<BFloat> bfloatDecoder = kDecoder<BFloat>;

}  // namespace cloister::kernels::CLOISTER_ISA
