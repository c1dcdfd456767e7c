// The quality part of evaluation/report.json (docs/formats.md): from predictions and what is known about each sample to headline, classes,
// curves, calibration, groups, worst and best. Called by the worker's evaluate verb and by the tests' metrics_probe. Any thread.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include <QJsonObject>
#include <QString>
#include <QStringList>

#include "core/metrics/bootstrap.h"
#include "core/metrics/calibration.h"
#include "core/metrics/curves.h"
#include "core/metrics/predictions.h"

namespace cloister {

struct QualityInput {
  QStringList classes;
  Predictions predictions;
  std::vector<QString> keys;                           ///< per sample
  std::map<QString, std::vector<QString>> attributes;  ///< "site" → a value per sample: one table of results each
};

struct QualityOptions {
  double threshold = 0.5;  ///< two classes only
  BootstrapOptions bootstrap;
  int extremes = 12;             ///< how many worst and best samples
  int curvePoints = 2000;        ///< curves with more points are thinned, ends kept
  int largestGroups = 40;        ///< of each attribute, by size
  bool dropIntermediate = true;  ///< of the curves
};

/// Every statistic that gets an interval, in a fixed order: accuracy balanced_accuracy auc_macro f1_macro sensitivity specificity ece
/// log_loss brier, then for each class auc/sensitivity/specificity/f1/average_precision.
class MetricSuite {
 public:
  MetricSuite(const Predictions&, double threshold);
  static QStringList headlineNames();
  std::vector<double> operator()(Weights) const;

 private:
  int classes_;
  std::vector<int> labels_, decisions_;
  std::vector<double> losses_, brier_;
  std::vector<Ranking> rankings_;
  std::shared_ptr<const Calibration> calibration_;
};

/// headline, perClass, confusion, roc, pr, calibration, groupsBy, worst, best, bootstrap, samples, groups, classes, threshold.
/// progress(done, total) counts the bootstrap runs. Fails as checkPredictions does.
Result<QJsonObject> qualityReport(const QualityInput&, const QualityOptions&, const std::function<void(int, int)>& progress = {});

/// {"value","low","high"}; NaN becomes null.
QJsonObject intervalJson(const Interval&);
/// A number, or null for NaN and infinity (JSON has neither).
QJsonValue numberJson(double);

}  // namespace cloister
