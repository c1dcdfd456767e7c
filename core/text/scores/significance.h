// How sure a score is, and whether two systems differ: bootstrap intervals, paired bootstrap resampling (Koehn, EMNLP 2004) and paired
// approximate randomisation (Riezler and Maxwell, 2005), as in sacrebleu/significance.py. The random numbers are those of
// numpy.random.default_rng(seed) (PCG64 seeded by SeedSequence), so the same seed resamples the same segments as sacreBLEU. Any thread;
// starts threads of its own. The result does not depend on their number.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/text/scores/metric.h"

namespace cloister::scores {

/// numpy.random.PCG64 with a seed below 2^64.
class NumpyGenerator {
 public:
  explicit NumpyGenerator(std::uint64_t seed);
  std::uint64_t next64();
  std::uint32_t next32();  ///< the low half of next64, then the high one
  /// integers(0, n): Lemire's method. n from 1 to 2^32 - 1.
  std::uint32_t below(std::uint32_t n);

 private:
  unsigned __int128 state_ = 0, increment_ = 0;
  std::uint32_t kept_ = 0;
  bool hasKept_ = false;
};

/// The rows of all segments, one after the other.
struct Rows {
  std::size_t width = 0;
  std::vector<double> values;
  std::size_t size() const { return width ? values.size() / width : 0; }
  const double* row(std::size_t i) const { return values.data() + i * width; }
};

struct ScoreInterval {
  double mean = 0, low = 0, high = 0;  ///< 95 %: the resamples at 1/40 from both ends
};

struct PairedScore {
  double system = 0, baseline = 0;
  ScoreInterval systemInterval, baselineInterval;  ///< of the bootstrap
  double bootstrapP = 1, randomisationP = 1;
};

struct SignificanceOptions {
  int resamples = 1000, trials = 10000, threads = 0;
  std::uint64_t seed = 12345;
  /// Called now and then from any thread with what is done of resamples and trials.
  std::function<void(int done, int total)> progress;
};

/// One interval for each of the metric's names.
std::vector<ScoreInterval> bootstrap(const Metric&, const Rows&, const SignificanceOptions&);
/// Rows of the same segments under two systems. p-values two-sided, (count + 1) / (n + 1).
std::vector<PairedScore> pairedTests(const Metric&, const Rows& system, const Rows& baseline, const SignificanceOptions&);

}  // namespace cloister::scores
