// How far stated probabilities are from what happens: expected calibration error (Guo et al. 2017, equal-width bins of the highest
// probability), Brier score and log loss. Values; any thread.
#pragma once
#include <cstdint>
#include <vector>

#include "core/metrics/confusion.h"
#include "core/metrics/predictions.h"

namespace cloister {

struct CalibrationBin {
  double confidence = 0;  ///< mean highest probability in the bin
  double accuracy = 0;    ///< share of right answers in the bin (by highest probability)
  double count = 0;
};

/// Bins (lower, upper], as sklearn.calibration.calibration_curve cuts them; the first holds 0 too. Assigned once, weighed often.
class Calibration {
 public:
  explicit Calibration(const Predictions&, int bins = 15);
  std::vector<CalibrationBin> bins(Weights = {}) const;
  /// Σ count/total · |accuracy - confidence|
  double expectedError(Weights = {}) const;

 private:
  int binCount_;
  std::vector<int> bin_;
  std::vector<double> confidence_;
  std::vector<std::uint8_t> right_;
};

/// Per sample -ln p(label), probability clipped to [2.2e-16, 1 - 2.2e-16] as log_loss does.
std::vector<double> sampleLosses(const Predictions&);
double logLoss(const Predictions&, Weights = {});
/// Two classes: mean (p₁ - y)². More: mean Σ_c (p_c - y_c)² (brier_score_loss, scale_by_half auto).
std::vector<double> sampleBriers(const Predictions&);
double brierScore(const Predictions&, Weights = {});

}  // namespace cloister
