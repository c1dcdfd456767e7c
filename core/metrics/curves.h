// ROC and precision–recall curves of one class against the rest, with scikit-learn's (1.9) conventions: ties are one point, the ROC curve
// starts at an infinite threshold, the precision–recall curve ends at recall 0 and precision 1. Values; any thread.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "core/metrics/confusion.h"

namespace cloister {

/// Scores of one class, sorted once, so that a thousand bootstrap weights cost one pass each.
class Ranking {
 public:
  Ranking(std::span<const double> scores, std::vector<std::uint8_t> positive);
  /// Area under the ROC curve, ties counted half; NaN when positives or negatives are missing.
  double auc(Weights = {}) const;
  /// Sum over thresholds of (recall step) × precision; NaN without positives.
  double averagePrecision(Weights = {}) const;

  /// Called once per distinct score from the highest down, with the weight of positives and negatives at it.
  template <typename F>
  void forEachBlock(Weights weights, F f) const {
    std::size_t i = 0;
    while (i < order_.size()) {
      const double score = sorted_[i];
      double positives = 0, negatives = 0;
      for (; i < order_.size() && sorted_[i] == score; ++i) {
        const double w = weights.empty() ? 1.0 : weights[order_[i]];
        (positive_[order_[i]] ? positives : negatives) += w;
      }
      f(score, positives, negatives);
    }
  }

 private:
  std::vector<std::uint32_t> order_;  ///< sample indices, highest score first
  std::vector<double> sorted_;
  std::vector<std::uint8_t> positive_;
};

struct RocCurve {
  std::vector<double> fpr, tpr, thresholds;
};
/// dropIntermediate leaves out points on a straight line, as roc_curve does. Missing positives (negatives): tpr (fpr) is all NaN.
RocCurve rocCurve(const Ranking&, bool dropIntermediate = true, Weights = {});

struct PrCurve {
  std::vector<double> precision, recall, thresholds;  ///< thresholds has one element fewer
};
PrCurve precisionRecallCurve(const Ranking&, bool dropIntermediate = false, Weights = {});

/// The score with the largest sensitivity + specificity - 1 (the highest such score among equals); fallback when there is none.
double youdenThreshold(const Ranking&, double fallback = 0.5);

}  // namespace cloister
