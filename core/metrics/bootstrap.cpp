#include "core/metrics/bootstrap.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>

namespace cloister {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Product {
  std::uint32_t high, low;
};

Product multiply(std::uint32_t a, std::uint32_t b) {
  const std::uint64_t p = static_cast<std::uint64_t>(a) * b;
  return {static_cast<std::uint32_t>(p >> 32), static_cast<std::uint32_t>(p)};
}

int threadCount(int wanted, int resamples) {
  const int machine = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return std::clamp(wanted > 0 ? wanted : machine, 1, std::max(1, resamples));
}

/// [resample][statistic]; each thread takes the next free resample, results have their own place, so order does not matter.
std::vector<std::vector<double>> runResamples(const std::vector<int>& groups, int groupCount, const Statistics& statistics,
                                              const BootstrapOptions& options) {
  std::vector<std::vector<double>> results(static_cast<std::size_t>(options.resamples));
  std::atomic<int> next{0};
  std::mutex mutex;
  std::exception_ptr thrown;
  const auto work = [&] {
    std::vector<double> weights(groups.size());
    try {
      for (int r = next++; r < options.resamples; r = next++) {
        const std::vector<double> drawn = drawnGroups(groupCount, r, options.seed);
        for (std::size_t i = 0; i < groups.size(); ++i) weights[i] = drawn[static_cast<std::size_t>(groups[i])];
        results[static_cast<std::size_t>(r)] = statistics(weights);
      }
    } catch (...) {
      const std::scoped_lock lock(mutex);
      if (!thrown) thrown = std::current_exception();
    }
  };
  std::vector<std::thread> threads;
  for (int t = 1; t < threadCount(options.threads, options.resamples); ++t) threads.emplace_back(work);
  work();
  for (std::thread& t : threads) t.join();
  if (thrown) std::rethrow_exception(thrown);
  return results;
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> c, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    if (round > 0) {
      key[0] += 0x9E3779B9U;
      key[1] += 0xBB67AE85U;
    }
    const Product a = multiply(0xD2511F53U, c[0]), b = multiply(0xCD9E8D57U, c[2]);
    c = {b.high ^ c[1] ^ key[0], b.low, a.high ^ c[3] ^ key[1], a.low};
  }
  return c;
}

std::vector<double> drawnGroups(int groups, int resample, std::uint64_t seed) {
  std::vector<double> drawn(static_cast<std::size_t>(groups), 0.0);
  const std::array<std::uint32_t, 2> key{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  for (int d = 0; d < groups; d += 4) {
    const auto block = philox4x32({static_cast<std::uint32_t>(d / 4), static_cast<std::uint32_t>(resample), 0, 0}, key);
    for (int j = 0; j < 4 && d + j < groups; ++j)
      drawn[static_cast<std::size_t>(multiply(block[static_cast<std::size_t>(j)], static_cast<std::uint32_t>(groups)).high)] += 1;
  }
  return drawn;
}

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return kNaN;
  std::sort(values.begin(), values.end());
  const double place = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place));
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - std::floor(place)) * (values[above] - values[below]);
}

std::vector<Interval> bootstrapIntervals(const std::vector<int>& groups, const Statistics& statistics, const BootstrapOptions& options) {
  const std::vector<double> ones(groups.size(), 1.0);
  const std::vector<double> values = statistics(ones);
  std::vector<Interval> out;
  for (const double v : values) out.push_back({v, kNaN, kNaN, 0});
  const int groupCount = groups.empty() ? 0 : *std::max_element(groups.begin(), groups.end()) + 1;
  // One patient says nothing about the next: no interval is better than one of width 0.
  if (groupCount < 2 || options.resamples < 1) return out;
  const auto results = runResamples(groups, groupCount, statistics, options);
  const double tail = (1 - options.level) / 2;
  for (std::size_t s = 0; s < out.size(); ++s) {
    std::vector<double> defined;
    for (const auto& r : results)
      if (!std::isnan(r[s])) defined.push_back(r[s]);
    out[s].resamples = static_cast<int>(defined.size());
    if (std::isnan(out[s].value) || 2 * defined.size() < results.size()) continue;
    out[s].low = quantile(defined, tail);
    out[s].high = quantile(std::move(defined), 1 - tail);
  }
  return out;
}

}  // namespace cloister
