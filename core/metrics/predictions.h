// What a classifier said about a set of samples: the input of every metric. A value; any thread. No LibTorch.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "core/domain/result.h"

namespace cloister {

struct Predictions {
  int classes = 0;
  std::vector<double> probabilities;  ///< [count, classes], row-major, each row sums to 1
  std::vector<int> labels;            ///< [count], 0 … classes-1
  std::vector<int> groups;            ///< [count], dense ids of what is resampled together (patients); empty: every sample is its own

  std::size_t count() const { return labels.size(); }
  double at(std::size_t sample, int c) const {
    return probabilities[sample * static_cast<std::size_t>(classes) + static_cast<std::size_t>(c)];
  }
  /// One column: the scores of a class.
  std::vector<double> column(int c) const;
  /// The rows named, in that order.
  Predictions subset(std::span<const std::size_t> rows) const;
};

/// Refuses NaN, infinity, values outside 0…1, rows that do not sum to 1 (within 1e-4), labels outside the classes and sizes that do not
/// fit. A metric over such input would be a number without meaning.
Result<void> checkPredictions(const Predictions&);

/// Dense ids 0 … n-1 for names, in order of first appearance.
std::vector<int> denseIds(const std::vector<QString>& names);

/// Two classes: class 1 when its probability is at or above the threshold. More: the most probable class, the first of equals.
std::vector<int> decide(const Predictions&, double threshold = 0.5);
int decideOne(std::span<const double> probabilities, double threshold = 0.5);

}  // namespace cloister
