#include "core/metrics/curves.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace cloister {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Cumulative weights at each distinct threshold, highest first.
struct Cumulative {
  std::vector<double> tp, fp, thresholds;
};

Cumulative cumulate(const Ranking& ranking, Weights weights) {
  Cumulative out;
  double tp = 0, fp = 0;
  ranking.forEachBlock(weights, [&](double score, double positives, double negatives) {
    // A weight of 0 is a sample that was not drawn: it makes no point (scikit-learn filters it as well).
    if (positives == 0 && negatives == 0) return;
    tp += positives;
    fp += negatives;
    out.tp.push_back(tp);
    out.fp.push_back(fp);
    out.thresholds.push_back(score);
  });
  return out;
}

Cumulative kept(const Cumulative& all, const std::vector<bool>& keep) {
  Cumulative out;
  for (std::size_t i = 0; i < keep.size(); ++i) {
    if (!keep[i]) continue;
    out.tp.push_back(all.tp[i]);
    out.fp.push_back(all.fp[i]);
    out.thresholds.push_back(all.thresholds[i]);
  }
  return out;
}

/// A point is a corner when the step before and the step after it differ in either count.
Cumulative withoutCollinear(const Cumulative& c) {
  std::vector<bool> keep(c.tp.size(), true);
  for (std::size_t i = 1; i + 1 < keep.size(); ++i)
    keep[i] = c.fp[i + 1] - 2 * c.fp[i] + c.fp[i - 1] != 0 || c.tp[i + 1] - 2 * c.tp[i] + c.tp[i - 1] != 0;
  return kept(c, keep);
}

/// Points whose recall changes neither from the one before nor to the one after lie inside a vertical run.
Cumulative withoutConstantRecall(const Cumulative& c) {
  std::vector<bool> keep(c.tp.size(), true);
  for (std::size_t i = 1; i + 1 < keep.size(); ++i) keep[i] = c.tp[i] != c.tp[i - 1] || c.tp[i + 1] != c.tp[i];
  return kept(c, keep);
}

}  // namespace

Ranking::Ranking(std::span<const double> scores, std::vector<std::uint8_t> positive)
    : order_(scores.size()), sorted_(scores.size()), positive_(std::move(positive)) {
  std::iota(order_.begin(), order_.end(), 0U);
  std::stable_sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) { return scores[a] > scores[b]; });
  for (std::size_t i = 0; i < order_.size(); ++i) sorted_[i] = scores[order_[i]];
}

double Ranking::auc(Weights weights) const {
  double above = 0, negativesTotal = 0, pairs = 0;
  forEachBlock(weights, [&](double, double positives, double negatives) {
    pairs += negatives * (above + positives / 2);
    above += positives;
    negativesTotal += negatives;
  });
  return above > 0 && negativesTotal > 0 ? pairs / (above * negativesTotal) : kNaN;
}

double Ranking::averagePrecision(Weights weights) const {
  double tp = 0, fp = 0, sum = 0;
  forEachBlock(weights, [&](double, double positives, double negatives) {
    tp += positives;
    fp += negatives;
    if (positives > 0) sum += positives * tp / (tp + fp);
  });
  return tp > 0 ? sum / tp : kNaN;
}

RocCurve rocCurve(const Ranking& ranking, bool dropIntermediate, Weights weights) {
  Cumulative c = cumulate(ranking, weights);
  if (dropIntermediate && c.tp.size() > 2) c = withoutCollinear(c);
  const double positives = c.tp.empty() ? 0 : c.tp.back(), negatives = c.fp.empty() ? 0 : c.fp.back();
  RocCurve out;
  const auto push = [&](double fp, double tp, double threshold) {
    out.fpr.push_back(negatives > 0 ? fp / negatives : kNaN);
    out.tpr.push_back(positives > 0 ? tp / positives : kNaN);
    out.thresholds.push_back(threshold);
  };
  push(0, 0, std::numeric_limits<double>::infinity());
  for (std::size_t i = 0; i < c.tp.size(); ++i) push(c.fp[i], c.tp[i], c.thresholds[i]);
  return out;
}

PrCurve precisionRecallCurve(const Ranking& ranking, bool dropIntermediate, Weights weights) {
  Cumulative c = cumulate(ranking, weights);
  if (dropIntermediate && c.tp.size() > 2) c = withoutConstantRecall(c);
  const double positives = c.tp.empty() ? 0 : c.tp.back();
  PrCurve out;
  for (std::size_t i = c.tp.size(); i-- > 0;) {
    const double called = c.tp[i] + c.fp[i];
    out.precision.push_back(called > 0 ? c.tp[i] / called : 0);
    out.recall.push_back(positives > 0 ? c.tp[i] / positives : 1);
    out.thresholds.push_back(c.thresholds[i]);
  }
  out.precision.push_back(1);
  out.recall.push_back(0);
  return out;
}

double youdenThreshold(const Ranking& ranking, double fallback) {
  const RocCurve roc = rocCurve(ranking, false);
  double best = 0, threshold = fallback;
  for (std::size_t i = 1; i < roc.tpr.size(); ++i) {
    const double j = roc.tpr[i] - roc.fpr[i];
    // Rounding must not prefer a later point over an equal earlier one.
    if (j > best + 1e-12) {
      best = j;
      threshold = roc.thresholds[i];
    }
  }
  return threshold;
}

}  // namespace cloister
