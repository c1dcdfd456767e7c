// The few numbers a validation pass reports while training; the full set with intervals belongs to evaluation. No LibTorch. Any thread.
#pragma once
#include <cstdint>
#include <vector>

namespace cloister {

struct ValidationMetrics {
  double loss = 0;  ///< mean cross-entropy, unweighted
  double auc = 0;   ///< area under the ROC curve: of class 1 for two classes, else the mean over classes present against the rest
  double accuracy = 0, balancedAccuracy = 0;
};

/// Mann–Whitney with ties counted half. 0.5 when only one side is present.
double areaUnderCurve(const std::vector<double>& scores, const std::vector<char>& positive);

/// probabilities: [n][classes] row-major.
ValidationMetrics validationMetrics(const std::vector<double>& probabilities, const std::vector<std::int64_t>& labels, int classes);

}  // namespace cloister
