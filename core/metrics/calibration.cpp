#include "core/metrics/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace cloister {
namespace {

double weightOf(Weights weights, std::size_t i) { return weights.empty() ? 1.0 : weights[i]; }

double weightedMean(const std::vector<double>& values, Weights weights) {
  double sum = 0, total = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum += weightOf(weights, i) * values[i];
    total += weightOf(weights, i);
  }
  return total > 0 ? sum / total : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

Calibration::Calibration(const Predictions& p, int bins) : binCount_(bins), bin_(p.count()), confidence_(p.count()), right_(p.count()) {
  // The edges as numpy.linspace makes them, so that a probability exactly on an edge falls on the same side.
  std::vector<double> inner;
  for (int i = 1; i < bins; ++i) inner.push_back(i * (1.0 / bins));
  const auto k = static_cast<std::size_t>(p.classes);
  for (std::size_t i = 0; i < p.count(); ++i) {
    const double* row = p.probabilities.data() + i * k;
    const double* top = std::max_element(row, row + k);
    confidence_[i] = *top;
    right_[i] = top - row == p.labels[i];
    bin_[i] = static_cast<int>(std::lower_bound(inner.begin(), inner.end(), *top) - inner.begin());
  }
}

std::vector<CalibrationBin> Calibration::bins(Weights weights) const {
  std::vector<CalibrationBin> out(static_cast<std::size_t>(binCount_));
  for (std::size_t i = 0; i < bin_.size(); ++i) {
    CalibrationBin& b = out[static_cast<std::size_t>(bin_[i])];
    const double w = weightOf(weights, i);
    b.confidence += w * confidence_[i];
    b.accuracy += right_[i] ? w : 0;
    b.count += w;
  }
  for (CalibrationBin& b : out) {
    if (b.count <= 0) continue;
    b.confidence /= b.count;
    b.accuracy /= b.count;
  }
  return out;
}

double Calibration::expectedError(Weights weights) const {
  double sum = 0, total = 0;
  for (const CalibrationBin& b : bins(weights)) {
    sum += b.count * std::abs(b.accuracy - b.confidence);
    total += b.count;
  }
  return total > 0 ? sum / total : std::numeric_limits<double>::quiet_NaN();
}

std::vector<double> sampleLosses(const Predictions& p) {
  constexpr double kEps = std::numeric_limits<double>::epsilon();
  std::vector<double> out(p.count());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = -std::log(std::clamp(p.at(i, p.labels[i]), kEps, 1 - kEps));
  return out;
}

double logLoss(const Predictions& p, Weights weights) { return weightedMean(sampleLosses(p), weights); }

std::vector<double> sampleBriers(const Predictions& p) {
  std::vector<double> values(p.count());
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (int c = p.classes == 2 ? 1 : 0; c < p.classes; ++c) {
      const double d = p.at(i, c) - (p.labels[i] == c ? 1.0 : 0.0);
      values[i] += d * d;
    }
  }
  return values;
}

double brierScore(const Predictions& p, Weights weights) { return weightedMean(sampleBriers(p), weights); }

}  // namespace cloister
