#include "core/engine/train/validation_metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cloister {

double areaUnderCurve(const std::vector<double>& scores, const std::vector<char>& positive) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double rankSum = 0;
  std::size_t positives = 0;
  for (std::size_t i = 0; i < order.size();) {
    std::size_t j = i + 1;  // also ends for values that equal nothing
    while (j < order.size() && scores[order[j]] == scores[order[i]]) ++j;
    const double rank = double(i + j + 1) / 2;  // mean of the 1-based ranks i+1 … j
    for (std::size_t k = i; k < j; ++k)
      if (positive[order[k]]) {
        rankSum += rank;
        ++positives;
      }
    i = j;
  }
  const std::size_t negatives = scores.size() - positives;
  if (positives == 0 || negatives == 0) return 0.5;
  return (rankSum - double(positives) * double(positives + 1) / 2) / (double(positives) * double(negatives));
}

ValidationMetrics validationMetrics(const std::vector<double>& probabilities, const std::vector<std::int64_t>& labels, int classes) {
  ValidationMetrics m;
  const std::size_t n = labels.size(), k = std::size_t(classes);
  if (n == 0) return m;
  std::vector<double> right(k, 0), total(k, 0);
  for (std::size_t i = 0; i < n; ++i) {
    const double* p = probabilities.data() + i * k;
    const auto label = std::size_t(labels[i]);
    m.loss -= std::log(std::max(p[label], 1e-12)) / double(n);
    ++total[label];
    if (std::size_t(std::max_element(p, p + k) - p) == label) ++right[label];
  }
  double present = 0, aucs = 0, curves = 0;
  for (std::size_t c = 0; c < k; ++c) {
    m.accuracy += right[c];
    if (total[c] > 0) {
      m.balancedAccuracy += right[c] / total[c];
      ++present;
    }
    if (total[c] == 0 || total[c] == double(n) || (classes == 2 && c == 0)) continue;
    std::vector<double> scores(n);
    std::vector<char> positive(n);
    for (std::size_t i = 0; i < n; ++i) {
      scores[i] = probabilities[i * k + c];
      positive[i] = std::size_t(labels[i]) == c;
    }
    aucs += areaUnderCurve(scores, positive);
    ++curves;
  }
  m.accuracy /= double(n);
  m.balancedAccuracy /= present;
  m.auc = curves > 0 ? aucs / curves : 0.5;
  return m;
}

}  // namespace cloister
