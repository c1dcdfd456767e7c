// Percentile intervals by resampling whole groups (patients): samples of one patient are not independent, so drawing single samples would
// give intervals that are too narrow. Random numbers come from a counter (Philox 4x32-10, Salmon et al. 2011): resample r, draw d gives
// the same number on any number of threads. Any thread; starts threads of its own and joins them.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/metrics/confusion.h"

namespace cloister {

/// The Philox 4x32-10 block for a counter and a key.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

struct Interval {
  double value = 0;  ///< on all samples
  double low = 0;    ///< NaN: no interval (one group, or undefined in more than half of the resamples)
  double high = 0;
  int resamples = 0;  ///< in how many resamples the value was defined
};

struct BootstrapOptions {
  int resamples = 1000;
  std::uint64_t seed = 20;
  double level = 0.95;
  int threads = 0;  ///< 0: as many as the machine has
};

/// Statistics of a weighted set; NaN where undefined. Called from several threads at once.
using Statistics = std::function<std::vector<double>(Weights)>;

/// How often each group is drawn in a resample; the sum is the number of groups.
std::vector<double> drawnGroups(int groups, int resample, std::uint64_t seed);

/// groups: dense ids per sample. One Interval for each statistic.
std::vector<Interval> bootstrapIntervals(const std::vector<int>& groups, const Statistics&, const BootstrapOptions&);

/// Linear interpolation between order statistics, numpy.percentile's default; q in 0…1. values need not be sorted.
double quantile(std::vector<double> values, double q);

}  // namespace cloister
