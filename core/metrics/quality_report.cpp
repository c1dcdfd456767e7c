#include "core/metrics/quality_report.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <QJsonArray>

#include "core/metrics/confusion.h"

namespace cloister {
namespace {

constexpr int kHeadline = 9;
constexpr int kPerClass = 5;

std::vector<std::uint8_t> isClass(const std::vector<int>& labels, int c) {
  std::vector<std::uint8_t> out(labels.size());
  std::transform(labels.begin(), labels.end(), out.begin(), [c](int label) { return label == c ? 1 : 0; });
  return out;
}

int countOf(const std::vector<int>& groups) { return groups.empty() ? 0 : *std::max_element(groups.begin(), groups.end()) + 1; }

std::vector<int> groupsOrSamples(const Predictions& p) {
  if (!p.groups.empty()) return p.groups;
  std::vector<int> own(p.count());
  std::iota(own.begin(), own.end(), 0);
  return own;
}

/// A subset keeps group ids of the whole; the resampling wants them dense.
std::vector<int> dense(const std::vector<int>& groups) {
  std::map<int, int> ids;
  std::vector<int> out;
  for (const int g : groups) out.push_back(ids.emplace(g, static_cast<int>(ids.size())).first->second);
  return out;
}

double meanWeighted(const std::vector<double>& values, Weights weights) {
  double sum = 0, total = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double w = weights.empty() ? 1.0 : weights[i];
    sum += w * values[i];
    total += w;
  }
  return total > 0 ? sum / total : std::nan("");
}

/// Evenly spaced indices with both ends: a curve of a million points is no more legible than one of two thousand.
std::vector<std::size_t> thinned(std::size_t count, int limit) {
  std::vector<std::size_t> out;
  const auto most = static_cast<std::size_t>(std::max(2, limit));
  if (count <= most) {
    out.resize(count);
    std::iota(out.begin(), out.end(), std::size_t{0});
    return out;
  }
  for (std::size_t i = 0; i < most; ++i) out.push_back(i * (count - 1) / (most - 1));
  return out;
}

QJsonArray numbers(const std::vector<double>& values, const std::vector<std::size_t>& at) {
  QJsonArray out;
  for (const std::size_t i : at) out.append(numberJson(values[i]));
  return out;
}

QJsonArray confusionJson(const Confusion& m) {
  QJsonArray rows;
  for (int t = 0; t < m.classes; ++t) {
    QJsonArray row;
    for (int p = 0; p < m.classes; ++p) row.append(m.at(t, p));
    rows.append(row);
  }
  return rows;
}

QJsonArray headlineJson(const std::vector<Interval>& intervals, std::size_t n) {
  QJsonArray out;
  const QStringList names = MetricSuite::headlineNames();
  for (int i = 0; i < names.size(); ++i) {
    QJsonObject o = intervalJson(intervals[static_cast<std::size_t>(i)]);
    o["name"] = names[i];
    o["n"] = static_cast<qint64>(n);
    out.append(o);
  }
  return out;
}

QJsonArray perClassJson(const QStringList& classes, const std::vector<Interval>& intervals, const Confusion& m) {
  QJsonArray out;
  for (int c = 0; c < classes.size(); ++c) {
    const auto at = [&](int i) { return intervalJson(intervals[static_cast<std::size_t>(kHeadline + c * kPerClass + i)]); };
    out.append(QJsonObject{{"class", classes[c]},
                           {"auc", at(0)},
                           {"sensitivity", at(1)},
                           {"specificity", at(2)},
                           {"f1", at(3)},
                           {"average_precision", at(4)},
                           {"support", m.support(c)}});
  }
  return out;
}

void addCurves(QJsonObject& report, const QualityInput& input, const QualityOptions& options) {
  QJsonArray roc, pr;
  for (int c = 0; c < input.classes.size(); ++c) {
    const Ranking ranking(input.predictions.column(c), isClass(input.predictions.labels, c));
    const RocCurve r = rocCurve(ranking, options.dropIntermediate);
    const PrCurve p = precisionRecallCurve(ranking, options.dropIntermediate);
    const auto rAt = thinned(r.fpr.size(), options.curvePoints), pAt = thinned(p.recall.size(), options.curvePoints);
    roc.append(QJsonObject{{"class", input.classes[c]}, {"fpr", numbers(r.fpr, rAt)}, {"tpr", numbers(r.tpr, rAt)}});
    pr.append(QJsonObject{{"class", input.classes[c]},
                          {"recall", numbers(p.recall, pAt)},
                          {"precision", numbers(p.precision, pAt)},
                          {"average_precision", numberJson(ranking.averagePrecision())}});
  }
  report["roc"] = roc;
  report["pr"] = pr;
}

QJsonObject calibrationJson(const Predictions& p) {
  const Calibration calibration(p);
  QJsonArray bins;
  for (const CalibrationBin& b : calibration.bins())
    bins.append(QJsonObject{{"confidence", b.confidence}, {"accuracy", b.accuracy}, {"count", b.count}});
  return {{"ece", numberJson(calibration.expectedError())}, {"bins", bins}};
}

/// The samples of each value of an attribute, largest first, then by name.
std::vector<std::pair<QString, std::vector<std::size_t>>> partition(const std::vector<QString>& values, int largest) {
  std::map<QString, std::vector<std::size_t>> byName;
  for (std::size_t i = 0; i < values.size(); ++i) byName[values[i]].push_back(i);
  std::vector<std::pair<QString, std::vector<std::size_t>>> out(byName.begin(), byName.end());
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.second.size() > b.second.size(); });
  if (static_cast<int>(out.size()) > largest) out.resize(static_cast<std::size_t>(largest));
  return out;
}

QJsonObject groupJson(const QString& name, const Predictions& part, const QualityOptions& options) {
  const std::vector<int> ids = dense(groupsOrSamples(part));
  const MetricSuite suite(part, options.threshold);
  const auto intervals = bootstrapIntervals(
      ids, [&suite](Weights w) { return suite(w); }, options.bootstrap);
  QJsonObject out{{"name", name}, {"n", static_cast<qint64>(part.count())}, {"groups", countOf(ids)}};
  const QStringList names = MetricSuite::headlineNames();
  for (const char* wanted : {"accuracy", "auc_macro", "sensitivity", "specificity"})
    out[QLatin1String(wanted)] = intervalJson(intervals[static_cast<std::size_t>(names.indexOf(QLatin1String(wanted)))]);
  return out;
}

/// Indices by loss: the highest for worst, the lowest for best; equal losses by key so that a report repeats.
QJsonArray extremesJson(const QualityInput& input, const std::vector<double>& losses, bool worst, const QualityOptions& options) {
  std::vector<std::size_t> order(losses.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (losses[a] != losses[b]) return worst ? losses[a] > losses[b] : losses[a] < losses[b];
    return input.keys[a] < input.keys[b];
  });
  order.resize(std::min(order.size(), static_cast<std::size_t>(std::max(0, options.extremes))));
  const std::vector<int> decisions = decide(input.predictions, options.threshold);
  QJsonArray out;
  for (const std::size_t i : order) {
    out.append(QJsonObject{{"key", input.keys[i]},
                           {"row", static_cast<qint64>(i)},
                           {"label", input.classes[input.predictions.labels[i]]},
                           {"predicted", input.classes[decisions[i]]},
                           {"probability", input.predictions.at(i, input.predictions.labels[i])},
                           {"loss", losses[i]}});
  }
  return out;
}

Result<void> checkInput(const QualityInput& input) {
  if (auto ok = checkPredictions(input.predictions); !ok) return ok.error();
  const std::size_t n = input.predictions.count();
  bool fits = input.classes.size() == input.predictions.classes && input.keys.size() == n;
  for (const auto& [name, values] : input.attributes) fits = fits && values.size() == n;
  if (!fits) return Failure{FailureKind::InvalidArgument, {{"name", "samples"}}, "names, keys or attributes do not fit the predictions"};
  return {};
}

}  // namespace

MetricSuite::MetricSuite(const Predictions& p, double threshold)
    : classes_(p.classes),
      labels_(p.labels),
      decisions_(decide(p, threshold)),
      losses_(sampleLosses(p)),
      brier_(sampleBriers(p)),
      calibration_(std::make_shared<const Calibration>(p)) {
  for (int c = 0; c < classes_; ++c) rankings_.emplace_back(p.column(c), isClass(labels_, c));
}

QStringList MetricSuite::headlineNames() {
  return {"accuracy", "balanced_accuracy", "auc_macro", "f1_macro", "sensitivity", "specificity", "ece", "log_loss", "brier"};
}

std::vector<double> MetricSuite::operator()(Weights weights) const {
  const Confusion m = confusionMatrix(labels_, decisions_, classes_, weights);
  std::vector<double> aucs;
  double aucSum = 0;
  int aucDefined = 0;
  for (const Ranking& r : rankings_) {
    aucs.push_back(r.auc(weights));
    if (std::isnan(aucs.back())) continue;
    aucSum += aucs.back();
    ++aucDefined;
  }
  std::vector<double> out{m.accuracy(),
                          m.balancedAccuracy(),
                          aucDefined > 0 ? aucSum / aucDefined : std::nan(""),
                          m.f1Macro(),
                          m.headlineSensitivity(),
                          m.headlineSpecificity(),
                          calibration_->expectedError(weights),
                          meanWeighted(losses_, weights),
                          meanWeighted(brier_, weights)};
  for (int c = 0; c < classes_; ++c) {
    const auto i = static_cast<std::size_t>(c);
    out.insert(out.end(), {aucs[i], m.sensitivity(c), m.specificity(c), m.f1(c), rankings_[i].averagePrecision(weights)});
  }
  return out;
}

Result<QJsonObject> qualityReport(const QualityInput& input, const QualityOptions& options, const std::function<void(int, int)>& progress) {
  if (auto ok = checkInput(input); !ok) return ok.error();
  const Predictions& p = input.predictions;
  int total = 1, done = 0;
  for (const auto& [name, values] : input.attributes) total += static_cast<int>(partition(values, options.largestGroups).size());
  const auto step = [&] {
    if (progress) progress(++done, total);
  };

  const std::vector<int> groups = dense(groupsOrSamples(p));
  const MetricSuite suite(p, options.threshold);
  const auto intervals = bootstrapIntervals(
      groups, [&suite](Weights w) { return suite(w); }, options.bootstrap);
  step();
  const Confusion matrix = confusionMatrix(p.labels, decide(p, options.threshold), p.classes);
  const std::vector<double> losses = sampleLosses(p);
  QJsonObject report{{"samples", static_cast<qint64>(p.count())},
                     {"groups", countOf(groups)},
                     {"classes", QJsonArray::fromStringList(input.classes)},
                     {"threshold", options.threshold},
                     {"headline", headlineJson(intervals, p.count())},
                     {"perClass", perClassJson(input.classes, intervals, matrix)},
                     {"confusion", confusionJson(matrix)},
                     {"calibration", calibrationJson(p)},
                     {"worst", extremesJson(input, losses, true, options)},
                     {"best", extremesJson(input, losses, false, options)},
                     {"bootstrap", QJsonObject{{"resamples", options.bootstrap.resamples},
                                               {"by", p.groups.empty() ? "sample" : "group"},
                                               {"seed", static_cast<qint64>(options.bootstrap.seed)},
                                               {"level", options.bootstrap.level}}}};
  addCurves(report, input, options);
  QJsonObject by;
  for (const auto& [name, values] : input.attributes) {
    QJsonArray rows;
    for (const auto& [value, members] : partition(values, options.largestGroups)) {
      rows.append(groupJson(value, p.subset(members), options));
      step();
    }
    by[name] = rows;
  }
  report["groupsBy"] = by;
  return report;
}

QJsonObject intervalJson(const Interval& i) {
  return {{"value", numberJson(i.value)}, {"low", numberJson(i.low)}, {"high", numberJson(i.high)}};
}

QJsonValue numberJson(double value) { return std::isfinite(value) ? QJsonValue(value) : QJsonValue(QJsonValue::Null); }

}  // namespace cloister
