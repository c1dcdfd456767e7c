// The loops themselves. Included once per instruction set with CLOISTER_ISA naming the namespace. Nothing of the standard library with
// inline code may be included here: the linker could keep the copy that was compiled for a newer processor.
#include "core/engine/kernels/row_kernels.h"

namespace cloister::kernels::CLOISTER_ISA {
namespace {

using Floats = float __attribute__((vector_size(64)));
using Words = std::uint32_t __attribute__((vector_size(64)));
using Signs = std::int32_t __attribute__((vector_size(64)));
using Halves = std::uint16_t __attribute__((vector_size(32)));
using Bytes = std::uint8_t __attribute__((vector_size(16)));
constexpr std::int64_t kBlock = 64;  // rows whose partial sums stay in float

inline Floats load(const float* p) {
  Floats v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline Floats load(const BFloat* p) {
  Halves h;
  __builtin_memcpy(&h, p, sizeof h);
  return (Floats)(__builtin_convertvector(h, Words) << 16);
}
inline void store(float* p, Floats v) { __builtin_memcpy(p, &v, sizeof v); }
inline void store(BFloat* p, Floats v) {
  const Words u = (Words)v;
  const Words rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  const Words result = v == v ? rounded : (Words)(rounded * 0u + 0x7fc0u);  // rounding could turn a NaN into infinity
  const Halves h = __builtin_convertvector(result, Halves);
  __builtin_memcpy(p, &h, sizeof h);
}
inline Floats zero() { return Floats{}; }
inline Floats all(float v) { return v - Floats{}; }
inline Floats cut(Floats v) { return v <= 0.0f ? zero() : v; }  // NaN is not ≤ 0: it stays
inline void addTo(double* to, Floats v) {
  for (int l = 0; l < kLanes; ++l) to[l] += double(v[l]);
}

template <typename T>
void moments(const T* x, std::int64_t rows, std::int64_t channels, const float* shift, double* sum, double* square) {
  for (std::int64_t from = 0; from < rows; from += kBlock) {
    const std::int64_t to = from + kBlock < rows ? from + kBlock : rows;
    for (std::int64_t c = 0; c < channels; c += kLanes) {
      const Floats s = load(shift + c);
      Floats total = zero(), squares = zero();
      for (std::int64_t r = from; r < to; ++r) {
        const Floats v = load(x + r * channels + c) - s;
        total += v;
        squares += v * v;
      }
      addTo(sum + c, total);
      addTo(square + c, squares);
    }
  }
}

template <typename T, bool kRelu, bool kResidual>
void normaliseAs(const T* x, const T* residual, T* y, std::int64_t rows, std::int64_t channels, const float* mean, const float* scale,
                 const float* bias) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < channels; c += kLanes) {
      Floats v = (load(x + r * channels + c) - load(mean + c)) * load(scale + c) + load(bias + c);
      if (kResidual) v += load(residual + r * channels + c);
      store(y + r * channels + c, kRelu ? cut(v) : v);
    }
}

template <typename T>
void normalise(const T* x, const T* residual, T* y, std::int64_t rows, std::int64_t channels, const float* mean, const float* scale,
               const float* bias, bool relu) {
  if (residual)
    relu ? normaliseAs<T, true, true>(x, residual, y, rows, channels, mean, scale, bias)
         : normaliseAs<T, false, true>(x, residual, y, rows, channels, mean, scale, bias);
  else
    relu ? normaliseAs<T, true, false>(x, residual, y, rows, channels, mean, scale, bias)
         : normaliseAs<T, false, false>(x, residual, y, rows, channels, mean, scale, bias);
}

template <typename T>
void gradientSums(const T* x, const T* y, const T* dy, T* g, std::int64_t rows, std::int64_t channels, const float* mean,
                  const float* scale, const float* bias, bool relu, double* sum, double* product) {
  for (std::int64_t from = 0; from < rows; from += kBlock) {
    const std::int64_t to = from + kBlock < rows ? from + kBlock : rows;
    for (std::int64_t c = 0; c < channels; c += kLanes) {
      const Floats m = load(mean + c), s = load(scale + c), b = load(bias + c);
      Floats total = zero(), products = zero();
      for (std::int64_t r = from; r < to; ++r) {
        const std::int64_t at = r * channels + c;
        const Floats centred = load(x + at) - m;
        Floats v = load(dy + at);
        if (relu) v = (y ? load(y + at) : centred * s + b) > 0.0f ? v : zero();
        if (g) store(g + at, v);
        total += v;
        products += v * centred;
      }
      addTo(sum + c, total);
      addTo(product + c, products);
    }
  }
}

template <typename T>
void gradientInput(const T* x, const T* dy, T* dx, std::int64_t rows, std::int64_t channels, const float* mean, const float* scale,
                   const float* bias, bool relu, const float* a, const float* b, const float* d) {
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < channels; c += kLanes) {
      const std::int64_t at = r * channels + c;
      const Floats centred = load(x + at) - load(mean + c);
      Floats v = load(dy + at);
      if (relu) v = centred * load(scale + c) + load(bias + c) > 0.0f ? v : zero();
      store(dx + at, load(a + c) * v + load(b + c) * centred + load(d + c));
    }
}

template <typename T>
void normalisePool(const T* x, T* y, std::uint8_t* index, const PoolShape& p, std::int64_t from, std::int64_t to, const float* mean,
                   const float* scale, const float* bias) {
  for (std::int64_t oh = from; oh < to; ++oh)
    for (std::int64_t ow = 0; ow < p.outWidth; ++ow) {
      const std::int64_t h0 = oh * p.stride - p.padding, w0 = ow * p.stride - p.padding;
      for (std::int64_t c = 0; c < p.channels; c += kLanes) {
        const Floats m = load(mean + c), s = load(scale + c), b = load(bias + c);
        Floats best = all(-__builtin_inff());
        Signs place = Signs{};
        for (int kh = 0; kh < p.kernel; ++kh) {
          const std::int64_t h = h0 + kh;
          if (h < 0 || h >= p.height) continue;
          for (int kw = 0; kw < p.kernel; ++kw) {
            const std::int64_t w = w0 + kw;
            if (w < 0 || w >= p.width) continue;
            const Floats v = (load(x + (h * p.width + w) * p.channels + c) - m) * s + b;
            const Signs better = ~(v <= best);  // NaN counts as better, so that it is seen
            best = better ? v : best;
            place = better ? Signs{} + (kh * p.kernel + kw) : place;
          }
        }
        const std::int64_t at = (oh * p.outWidth + ow) * p.channels + c;
        store(y + at, cut(best));
        place = best > 0.0f ? place : Signs{} + int(kNoGradient);
        const Bytes bytes = __builtin_convertvector(place, Bytes);
        __builtin_memcpy(index + at, &bytes, sizeof bytes);
      }
    }
}

template <typename T>
void unpool(const T* dy, const std::uint8_t* index, T* g, const PoolShape& p, std::int64_t from, std::int64_t to) {
  for (std::int64_t h = from; h < to; ++h) {
    // Windows oh with oh·stride - padding ≤ h < oh·stride - padding + kernel.
    std::int64_t firstRow = h + p.padding - p.kernel + p.stride;
    firstRow = firstRow < 0 ? 0 : firstRow / p.stride;
    std::int64_t lastRow = (h + p.padding) / p.stride;
    if (lastRow >= p.outHeight) lastRow = p.outHeight - 1;
    for (std::int64_t w = 0; w < p.width; ++w) {
      std::int64_t firstColumn = w + p.padding - p.kernel + p.stride;
      firstColumn = firstColumn < 0 ? 0 : firstColumn / p.stride;
      std::int64_t lastColumn = (w + p.padding) / p.stride;
      if (lastColumn >= p.outWidth) lastColumn = p.outWidth - 1;
      for (std::int64_t c = 0; c < p.channels; c += kLanes) {
        Floats sum = zero();
        for (std::int64_t oh = firstRow; oh <= lastRow; ++oh)
          for (std::int64_t ow = firstColumn; ow <= lastColumn; ++ow) {
            const int place = int(h - (oh * p.stride - p.padding)) * p.kernel + int(w - (ow * p.stride - p.padding));
            const std::int64_t at = (oh * p.outWidth + ow) * p.channels + c;
            Bytes bytes;
            __builtin_memcpy(&bytes, index + at, sizeof bytes);
            sum += __builtin_convertvector(bytes, Signs) == place ? load(dy + at) : zero();
          }
        store(g + (h * p.width + w) * p.channels + c, sum);
      }
    }
  }
}

// 32 well mixed bits a place: two rounds of a multiply-xorshift hash (constants: C. Wellons, hash-prospector), keyed on both sides.
inline Words hashed(std::uint32_t place, std::uint64_t key) {
  Words v = Words{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} + place;
  v = v * 0x9e3779b9u + std::uint32_t(key);
  v = (v ^ (v >> 16)) * 0x7feb352du;
  v = (v ^ (v >> 15)) * 0x846ca68bu;
  v = (v ^ (v >> 16)) + std::uint32_t(key >> 32);
  v = (v ^ (v >> 16)) * 0x7feb352du;
  v = (v ^ (v >> 15)) * 0x846ca68bu;
  return v ^ (v >> 16);
}

template <typename T>
void drop(const T* x, T* y, std::int64_t from, std::int64_t count, std::uint64_t key, std::uint32_t threshold, float scale) {
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(y + i, hashed(std::uint32_t(from + i), key) < threshold ? zero() : load(x + i) * scale);
  if (i == count) return;
  T part[kLanes] = {};
  __builtin_memcpy(part, x + i, std::size_t(count - i) * sizeof(T));
  store(part, hashed(std::uint32_t(from + i), key) < threshold ? zero() : load(part) * scale);
  __builtin_memcpy(y + i, part, std::size_t(count - i) * sizeof(T));
}

// Gradient of element i, summed over replicas. Reads kLanes elements.
template <typename G>
inline Floats gradient(const ParameterChunk& p, std::int64_t i) {
  Floats g = load(static_cast<const G*>(p.gradients[0]) + i);
  for (int r = 1; r < p.replicas; ++r) g += load(static_cast<const G*>(p.gradients[r]) + i);
  return g;
}
template <typename G>
inline float gradientAt(const ParameterChunk& p, std::int64_t i) {
  float g = 0;
  for (int r = 0; r < p.replicas; ++r) {
    if (sizeof(G) == 4) {
      g += static_cast<const float*>(p.gradients[r])[i];
    } else {
      const std::uint32_t bits = std::uint32_t(static_cast<const BFloat*>(p.gradients[r])[i]) << 16;
      float v;
      __builtin_memcpy(&v, &bits, 4);
      g += v;
    }
  }
  return g;
}
inline Floats root(Floats v) {
  Floats r;
  for (int l = 0; l < kLanes; ++l) r[l] = __builtin_sqrtf(v[l]);
  return r;
}
// A last stretch shorter than a vector is copied into one, worked on there and copied back.
inline Floats loadSome(const float* p, std::int64_t n) {
  Floats v{};
  __builtin_memcpy(&v, p, std::size_t(n) * 4);
  return v;
}
inline void storeSome(float* p, Floats v, std::int64_t n) { __builtin_memcpy(p, &v, std::size_t(n) * 4); }
inline void storeSome(BFloat* p, Floats v, std::int64_t n) {
  BFloat all16[kLanes];
  store(all16, v);
  __builtin_memcpy(p, all16, std::size_t(n) * 2);
}
template <typename G>
inline Floats gradientSome(const ParameterChunk& p, std::int64_t i, std::int64_t n) {
  Floats g{};
  for (std::int64_t l = 0; l < n; ++l) g[l] = gradientAt<G>(p, i + l);
  return g;
}

template <typename G>
double squaresAs(const ParameterChunk& p) {
  double sum = 0;
  std::int64_t i = 0;
  while (i + kLanes <= p.count) {
    Floats squares = zero();
    const std::int64_t stop = i + 64 * kLanes < p.count ? i + 64 * kLanes : p.count;
    for (; i + kLanes <= stop; i += kLanes) {
      const Floats g = gradient<G>(p, i);
      squares += g * g;
    }
    for (int l = 0; l < kLanes; ++l) sum += double(squares[l]);
  }
  for (; i < p.count; ++i) sum += double(gradientAt<G>(p, i)) * double(gradientAt<G>(p, i));
  return sum;
}
double squares(const ParameterChunk& p) { return p.bfloatGradients ? squaresAs<BFloat>(p) : squaresAs<float>(p); }

struct Moved {
  Floats weight, first, second, average;
};
inline Moved adamwOf(Moved e, Floats g, const AdamWStep& s) {
  g *= s.gradientScale;
  e.weight *= s.keep;
  e.first += (g - e.first) * (1.0f - s.beta1);
  e.second = e.second * s.beta2 + g * g * (1.0f - s.beta2);
  e.weight -= s.stepSize * e.first / (root(e.second) / s.rootCorrection + s.epsilon);
  e.average += (e.weight - e.average) * s.averageShare;
  return e;
}
inline Moved sgdOf(Moved e, Floats g, const SgdStep& s) {
  g = g * s.gradientScale + e.weight * s.decay;
  e.first = e.first * s.momentum + g;
  e.weight -= s.rate * (g + e.first * s.momentum);
  e.average += (e.weight - e.average) * s.averageShare;
  return e;
}

template <typename G, typename Step, Moved (*kMove)(Moved, Floats, const Step&)>
void moveAs(const ParameterChunk& p, const Step& s) {
  std::int64_t i = 0;
  for (; i + kLanes <= p.count; i += kLanes) {
    const Moved e =
        kMove({load(p.weight + i), load(p.first + i), p.second ? load(p.second + i) : zero(), p.average ? load(p.average + i) : zero()},
              gradient<G>(p, i), s);
    store(p.weight + i, e.weight);
    store(p.first + i, e.first);
    if (p.second) store(p.second + i, e.second);
    if (p.average) store(p.average + i, e.average);
    if (p.compute) store(p.compute + i, e.weight);
  }
  const std::int64_t n = p.count - i;
  if (n == 0) return;
  const Moved e = kMove({loadSome(p.weight + i, n), loadSome(p.first + i, n), p.second ? loadSome(p.second + i, n) : zero(),
                         p.average ? loadSome(p.average + i, n) : zero()},
                        gradientSome<G>(p, i, n), s);
  storeSome(p.weight + i, e.weight, n);
  storeSome(p.first + i, e.first, n);
  if (p.second) storeSome(p.second + i, e.second, n);
  if (p.average) storeSome(p.average + i, e.average, n);
  if (p.compute) storeSome(p.compute + i, e.weight, n);
}
void adamw(const ParameterChunk& p, const AdamWStep& s) {
  p.bfloatGradients ? moveAs<BFloat, AdamWStep, adamwOf>(p, s) : moveAs<float, AdamWStep, adamwOf>(p, s);
}
void sgd(const ParameterChunk& p, const SgdStep& s) {
  p.bfloatGradients ? moveAs<BFloat, SgdStep, sgdOf>(p, s) : moveAs<float, SgdStep, sgdOf>(p, s);
}

void toBFloat(const float* from, BFloat* to, std::int64_t count) {
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(to + i, load(from + i));
  if (i < count) storeSome(to + i, loadSome(from + i, count - i), count - i);
}

template <typename T>
constexpr RowKernels<T> kRows = {moments<T>, normalise<T>, gradientSums<T>, gradientInput<T>, normalisePool<T>, unpool<T>, drop<T>};

}  // namespace

extern const RowKernels<float> floatRows = kRows<float>;
extern const RowKernels<BFloat> bfloatRows = kRows<BFloat>;
extern const FlatKernels flat = {squares, adamw, sgd, toBFloat};

}  // namespace cloister::kernels::CLOISTER_ISA
