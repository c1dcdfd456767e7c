// Random numbers by counting: the n-th number of a key is a pure function of (key, n), so nothing depends on which thread drew first and
// nothing needs saving. SplitMix64 (Steele, Lea, Flood 2014). A value; one thread per object.
#pragma once
#include <cstdint>
#include <numeric>
#include <vector>

namespace cloister {

constexpr std::uint64_t mix64(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

/// One key from several numbers: (seed, epoch, sample).
constexpr std::uint64_t keyOf(std::uint64_t a, std::uint64_t b, std::uint64_t c = 0) {
  constexpr std::uint64_t golden = 0x9e3779b97f4a7c15ULL;
  return mix64(mix64(mix64(a + golden) ^ (b + 2 * golden)) ^ (c + 3 * golden));
}

class CounterRng {
 public:
  explicit CounterRng(std::uint64_t key) : key_(key) {}
  std::uint64_t next() { return mix64(key_ + 0x9e3779b97f4a7c15ULL * ++counter_); }
  double uniform() { return double(next() >> 11) * 0x1.0p-53; }  ///< [0, 1)
  double between(double low, double high) { return low + (high - low) * uniform(); }
  /// [0, n), without bias that matters (n < 2^32)
  std::uint64_t below(std::uint64_t n) { return std::uint64_t((static_cast<unsigned __int128>(next()) * n) >> 64); }

 private:
  std::uint64_t key_, counter_ = 0;
};

/// 0 … n-1 in an order that depends on the key only (Fisher–Yates).
inline std::vector<std::int64_t> permutation(std::int64_t n, std::uint64_t key) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t(0));
  CounterRng rng(key);
  for (std::int64_t i = n - 1; i > 0; --i) std::swap(order[std::size_t(i)], order[rng.below(std::uint64_t(i) + 1)]);
  return order;
}

}  // namespace cloister
