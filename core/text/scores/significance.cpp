#include "core/text/scores/significance.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <mutex>
#include <numeric>
#include <thread>

namespace cloister::scores {
namespace {

/// numpy.random.SeedSequence(seed).generate_state(4, uint64).
std::array<std::uint64_t, 4> seedState(std::uint64_t seed) {
  constexpr std::uint32_t kInitA = 0x43b0d7e5, kMultA = 0x931e8875, kInitB = 0x8b51f9dd, kMultB = 0x58f38ded;
  constexpr std::uint32_t kMixL = 0xca01f9dd, kMixR = 0x4973f715;
  std::uint32_t constant = kInitA;
  const auto hashed = [&constant](std::uint32_t v) {
    v ^= constant;
    constant *= kMultA;
    v *= constant;
    return v ^ v >> 16;
  };
  std::array<std::uint32_t, 4> pool{hashed(std::uint32_t(seed)), hashed(std::uint32_t(seed >> 32)), 0, 0};
  pool[2] = hashed(0);
  pool[3] = hashed(0);
  for (std::size_t from = 0; from < 4; ++from)
    for (std::size_t to = 0; to < 4; ++to) {
      if (from == to) continue;
      const std::uint32_t mixed = kMixL * pool[to] - kMixR * hashed(pool[from]);
      pool[to] = mixed ^ mixed >> 16;
    }
  constant = kInitB;
  std::array<std::uint64_t, 4> state{};
  for (std::size_t i = 0; i < 8; ++i) {
    std::uint32_t v = pool[i % 4] ^ constant;
    constant *= kMultB;
    v *= constant;
    v ^= v >> 16;
    state[i / 2] |= std::uint64_t(v) << (i % 2 ? 32 : 0);
  }
  return state;
}

constexpr unsigned __int128 kPcgMultiplier = (static_cast<unsigned __int128>(2549297995355413924ULL) << 64) | 4865540595714422341ULL;

/// Runs rounds on all cores: draw is called in the order of rounds by one thread at a time, work at the same time by many.
template <typename Drawn>
void inOrder(int rounds, int threads, const std::function<void(Drawn&)>& draw, const std::function<void(int, const Drawn&)>& work,
             const std::function<void()>& done) {
  std::mutex mutex;
  int next = 0;
  const auto run = [&] {
    Drawn drawn;
    for (;;) {
      int round = 0;
      {
        const std::scoped_lock lock(mutex);
        if (next == rounds) return;
        round = next++;
        draw(drawn);
      }
      work(round, drawn);
      done();
    }
  };
  const int machine = int(std::max(1U, std::thread::hardware_concurrency()));
  std::vector<std::thread> others;
  for (int t = 1; t < std::clamp(threads > 0 ? threads : machine, 1, std::max(1, rounds)); ++t) others.emplace_back(run);
  run();
  for (std::thread& t : others) t.join();
}

/// How often each segment is taken. Rows are then read from the first to the last, which memory likes better than drawing them one by one.
using Weights = std::vector<std::uint32_t>;

void addRows(const Rows& rows, const Weights& weights, std::vector<double>& sums) {
  sums.assign(rows.width, 0.0);
  const double* row = rows.values.data();
  for (const std::uint32_t weight : weights) {
    const auto w = double(weight);
    for (std::size_t k = 0; k < rows.width; ++k) sums[k] += w * row[k];
    row += rows.width;
  }
}

/// [name][resample] of each set of rows, all resampled alike.
std::vector<std::vector<std::vector<double>>> resampled(const Metric& metric, const std::vector<const Rows*>& sets,
                                                        const SignificanceOptions& options, const std::function<void()>& done) {
  const auto names = std::size_t(metric.names().size());
  std::vector<std::vector<std::vector<double>>> all(sets.size(), {names, std::vector<double>(std::size_t(options.resamples))});
  NumpyGenerator generator(options.seed);
  const auto segments = std::uint32_t(sets.front()->size());
  inOrder<Weights>(
      options.resamples, options.threads,
      [&](Weights& drawn) {
        drawn.assign(segments, segments > 1 ? 0 : 1);
        for (std::uint32_t i = 0; segments > 1 && i < segments; ++i) ++drawn[generator.below(segments)];
      },
      [&](int round, const Weights& drawn) {
        std::vector<double> sums;
        for (std::size_t s = 0; s < sets.size(); ++s) {
          addRows(*sets[s], drawn, sums);
          const std::vector<double> scores = metric.scores(sums);
          for (std::size_t n = 0; n < names; ++n) all[s][n][std::size_t(round)] = scores[n];
        }
      },
      done);
  return all;
}

ScoreInterval intervalOf(std::vector<double> scores) {
  if (scores.empty()) return {};
  std::sort(scores.begin(), scores.end());
  const std::size_t tail = scores.size() / 40;
  return {std::accumulate(scores.begin(), scores.end(), 0.0) / double(scores.size()), scores[tail], scores[scores.size() - 1 - tail]};
}

double pValue(std::size_t larger, std::size_t of) { return double(larger + 1) / double(of + 1); }

std::vector<double> sumsOf(const Rows& rows) {
  std::vector<double> sums(rows.width, 0.0);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t k = 0; k < rows.width; ++k) sums[k] += rows.row(i)[k];
  return sums;
}

/// Bit i of a trial: numpy's integers(2, dtype=bool) takes the bits of the 32-bit numbers one after the other, across trials.
class BitStream {
 public:
  explicit BitStream(std::uint64_t seed) : generator_(seed) {}
  void draw(std::uint32_t segments, Weights& bits) {
    bits.resize(segments);
    for (std::uint32_t& bit : bits) {
      if (left_ == 0) bits_ = generator_.next32(), left_ = 32;
      bit = bits_ & 1;
      bits_ >>= 1;
      --left_;
    }
  }

 private:
  NumpyGenerator generator_;
  std::uint32_t bits_ = 0;
  int left_ = 0;
};

/// Sums of fractions differ in their last digits with their order; a trial that swaps all or nothing must still not count as larger.
double tolerance(double difference) { return 1e-12 * (1 + difference); }

/// How many trials, in which each segment's outputs are swapped or not, differ by more than the systems do. One count a name.
std::vector<std::size_t> randomised(const Metric& metric, const Rows& system, const Rows& baseline, const std::vector<double>& differences,
                                    const SignificanceOptions& options, const std::function<void()>& done) {
  const std::vector<double> systemSums = sumsOf(system), baselineSums = sumsOf(baseline);
  Rows apart = baseline;
  for (std::size_t i = 0; i < apart.values.size(); ++i) apart.values[i] -= system.values[i];
  std::vector<std::atomic<std::size_t>> larger(differences.size());
  BitStream bits(options.seed);
  const auto segments = std::uint32_t(system.size());
  inOrder<Weights>(
      options.trials, options.threads, [&](Weights& swapped) { bits.draw(segments, swapped); },
      [&](int, const Weights& swapped) {
        std::vector<double> moved, a(systemSums), b(baselineSums);
        addRows(apart, swapped, moved);
        for (std::size_t k = 0; k < a.size(); ++k) a[k] += moved[k], b[k] -= moved[k];
        const std::vector<double> scoresA = metric.scores(a), scoresB = metric.scores(b);
        for (std::size_t n = 0; n < differences.size(); ++n)
          larger[n] += std::abs(scoresA[n] - scoresB[n]) > differences[n] + tolerance(differences[n]);
      },
      done);
  return {larger.begin(), larger.end()};
}

std::function<void()> counter(const SignificanceOptions& options, int total, std::atomic<int>& at) {
  return [&options, total, &at] {
    const int done = ++at;
    if (options.progress) options.progress(done, total);
  };
}

}  // namespace

NumpyGenerator::NumpyGenerator(std::uint64_t seed) {
  const std::array<std::uint64_t, 4> s = seedState(seed);
  const auto joined = [](std::uint64_t high, std::uint64_t low) { return (static_cast<unsigned __int128>(high) << 64) | low; };
  increment_ = (joined(s[2], s[3]) << 1) | 1;
  state_ = (increment_ + joined(s[0], s[1])) * kPcgMultiplier + increment_;
}

std::uint64_t NumpyGenerator::next64() {
  state_ = state_ * kPcgMultiplier + increment_;
  return std::rotr(std::uint64_t(state_ >> 64) ^ std::uint64_t(state_), int(state_ >> 122));
}

std::uint32_t NumpyGenerator::next32() {
  if (hasKept_) {
    hasKept_ = false;
    return kept_;
  }
  const std::uint64_t both = next64();
  hasKept_ = true;
  kept_ = std::uint32_t(both >> 32);
  return std::uint32_t(both);
}

std::uint32_t NumpyGenerator::below(std::uint32_t n) {
  std::uint64_t product = std::uint64_t(next32()) * n;
  if (std::uint32_t(product) < n) {
    const std::uint32_t threshold = (0U - n) % n;
    while (std::uint32_t(product) < threshold) product = std::uint64_t(next32()) * n;
  }
  return std::uint32_t(product >> 32);
}

std::vector<ScoreInterval> bootstrap(const Metric& metric, const Rows& rows, const SignificanceOptions& options) {
  std::atomic<int> at{0};
  std::vector<ScoreInterval> intervals;
  auto all = resampled(metric, {&rows}, options, counter(options, options.resamples, at));
  for (auto& scores : all.front()) intervals.push_back(intervalOf(std::move(scores)));
  return intervals;
}

std::vector<PairedScore> pairedTests(const Metric& metric, const Rows& system, const Rows& baseline, const SignificanceOptions& options) {
  std::atomic<int> at{0};
  const std::function<void()> done = counter(options, options.resamples + options.trials, at);
  const std::vector<double> systemScores = metric.scores(sumsOf(system)), baselineScores = metric.scores(sumsOf(baseline));
  std::vector<double> differences;
  for (std::size_t n = 0; n < systemScores.size(); ++n) differences.push_back(std::abs(baselineScores[n] - systemScores[n]));
  auto both = resampled(metric, {&system, &baseline}, options, done);
  const std::vector<std::size_t> larger = randomised(metric, system, baseline, differences, options, done);
  std::vector<PairedScore> all;
  for (std::size_t n = 0; n < differences.size(); ++n) {
    PairedScore paired{systemScores[n], baselineScores[n], {}, {}, 1, 1};
    std::vector<double> apart(both[0][n].size());
    for (std::size_t r = 0; r < apart.size(); ++r) apart[r] = std::abs(both[0][n][r] - both[1][n][r]);
    const double mean = apart.empty() ? 0 : std::accumulate(apart.begin(), apart.end(), 0.0) / double(apart.size());
    const auto beyond = std::count_if(apart.begin(), apart.end(), [&](double d) { return d - mean > differences[n]; });
    if (!apart.empty()) paired.bootstrapP = pValue(std::size_t(beyond), apart.size());
    if (options.trials > 0) paired.randomisationP = pValue(larger[n], std::size_t(options.trials));
    paired.systemInterval = intervalOf(std::move(both[0][n]));
    paired.baselineInterval = intervalOf(std::move(both[1][n]));
    all.push_back(paired);
  }
  return all;
}

}  // namespace cloister::scores
