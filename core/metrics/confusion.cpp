#include "core/metrics/confusion.h"

#include <cmath>
#include <limits>

namespace cloister {
namespace {

double ratio(double a, double b) { return b > 0 ? a / b : std::numeric_limits<double>::quiet_NaN(); }

template <typename F>
double meanOfDefined(int classes, F value) {
  double sum = 0;
  int n = 0;
  for (int c = 0; c < classes; ++c) {
    const double v = value(c);
    if (std::isnan(v)) continue;
    sum += v;
    ++n;
  }
  return ratio(sum, n);
}

}  // namespace

double Confusion::support(int c) const {
  double sum = 0;
  for (int p = 0; p < classes; ++p) sum += at(c, p);
  return sum;
}

double Confusion::predicted(int c) const {
  double sum = 0;
  for (int t = 0; t < classes; ++t) sum += at(t, c);
  return sum;
}

double Confusion::total() const {
  double sum = 0;
  for (const double cell : cells) sum += cell;
  return sum;
}

double Confusion::accuracy() const {
  double hits = 0;
  for (int c = 0; c < classes; ++c) hits += at(c, c);
  return ratio(hits, total());
}

double Confusion::balancedAccuracy() const {
  return meanOfDefined(classes, [this](int c) { return sensitivity(c); });
}

double Confusion::sensitivity(int c) const { return ratio(at(c, c), support(c)); }

double Confusion::specificity(int c) const {
  const double negatives = total() - support(c);
  return ratio(negatives - (predicted(c) - at(c, c)), negatives);
}

double Confusion::precision(int c) const { return ratio(at(c, c), predicted(c)); }

double Confusion::f1(int c) const { return ratio(2 * at(c, c), support(c) + predicted(c)); }

double Confusion::f1Macro() const {
  return meanOfDefined(classes, [this](int c) { return f1(c); });
}

double Confusion::headlineSensitivity() const {
  if (classes == 2) return sensitivity(1);
  return meanOfDefined(classes, [this](int c) { return sensitivity(c); });
}

double Confusion::headlineSpecificity() const {
  if (classes == 2) return specificity(1);
  return meanOfDefined(classes, [this](int c) { return specificity(c); });
}

Confusion confusionMatrix(std::span<const int> labels, std::span<const int> predicted, int classes, Weights weights) {
  Confusion out{classes, std::vector<double>(static_cast<std::size_t>(classes * classes), 0.0)};
  for (std::size_t i = 0; i < labels.size(); ++i)
    out.cells[static_cast<std::size_t>(labels[i] * classes + predicted[i])] += weights.empty() ? 1.0 : weights[i];
  return out;
}

}  // namespace cloister
