// The confusion matrix and everything that follows from it. Undefined values (a class nobody has) are NaN, never 0 by accident; the
// conventions are scikit-learn's (1.9), which is also the oracle of the tests. Values; any thread.
#pragma once
#include <span>
#include <vector>

namespace cloister {

/// Weights: empty = 1 for each sample. A bootstrap resample is a weight: how often the sample's group was drawn.
using Weights = std::span<const double>;

struct Confusion {
  int classes = 0;
  std::vector<double> cells;  ///< [true, predicted], row-major
  double at(int label, int predicted) const { return cells[static_cast<std::size_t>(label * classes + predicted)]; }
  double support(int c) const;    ///< samples of the class
  double predicted(int c) const;  ///< samples called that class
  double total() const;

  double accuracy() const;
  /// Mean sensitivity over the classes that occur (balanced_accuracy_score).
  double balancedAccuracy() const;
  double sensitivity(int c) const;  ///< TP / (TP + FN), recall
  double specificity(int c) const;  ///< TN / (TN + FP)
  double precision(int c) const;    ///< TP / (TP + FP)
  /// 2 TP / (2 TP + FP + FN); NaN only when the class neither occurs nor is called.
  double f1(int c) const;
  /// Mean F1 over the classes that occur or are called (f1_score, average macro, zero_division 0).
  double f1Macro() const;
  /// Two classes: of class 1. More: mean over the classes where it is defined.
  double headlineSensitivity() const;
  double headlineSpecificity() const;
};

Confusion confusionMatrix(std::span<const int> labels, std::span<const int> predicted, int classes, Weights = {});

}  // namespace cloister
