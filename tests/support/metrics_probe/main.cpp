// metrics_probe FILE: reads {"classes":[…],"probabilities":[[…]],"labels":[…],"groups":[…]?,"weights":[…]?,"options":{…}} and prints every
// metric as one JSON object. Only tests/interop starts it, to compare with the field's own packages. Exit 3 and the failure on refusal.
#include <cmath>
#include <cstdio>
#include <limits>

#include <QCoreApplication>
#include <QJsonArray>
#include <QJsonDocument>

#include "core/domain/files.h"
#include "core/metrics/calibration.h"
#include "core/metrics/quality_report.h"

using namespace cloister;

namespace {

double number(const QJsonValue& v) { return v.isDouble() ? v.toDouble() : std::numeric_limits<double>::quiet_NaN(); }

QJsonArray array(const std::vector<double>& values) {
  QJsonArray out;
  for (const double v : values) out.append(std::isinf(v) ? QJsonValue("inf") : numberJson(v));
  return out;
}

Predictions read(const QJsonObject& in) {
  Predictions p;
  p.classes = static_cast<int>(in["classes"].toArray().size());
  for (const QJsonValue& row : in["probabilities"].toArray())
    for (const QJsonValue& v : row.toArray()) p.probabilities.push_back(number(v));
  for (const QJsonValue& v : in["labels"].toArray()) p.labels.push_back(v.toInt(-1));
  for (const QJsonValue& v : in["groups"].toArray()) p.groups.push_back(v.toInt(-1));
  return p;
}

QJsonArray curves(const Predictions& p, Weights weights, bool drop) {
  QJsonArray out;
  for (int c = 0; c < p.classes; ++c) {
    std::vector<std::uint8_t> positive;
    for (const int label : p.labels) positive.push_back(label == c);
    const Ranking ranking(p.column(c), positive);
    const RocCurve roc = rocCurve(ranking, drop, weights);
    const PrCurve pr = precisionRecallCurve(ranking, drop, weights);
    out.append(QJsonObject{{"fpr", array(roc.fpr)},
                           {"tpr", array(roc.tpr)},
                           {"rocThresholds", array(roc.thresholds)},
                           {"precision", array(pr.precision)},
                           {"recall", array(pr.recall)},
                           {"prThresholds", array(pr.thresholds)},
                           {"auc", numberJson(ranking.auc(weights))},
                           {"averagePrecision", numberJson(ranking.averagePrecision(weights))},
                           {"youden", numberJson(youdenThreshold(ranking))}});
  }
  return out;
}

int fail(const Failure& failure) {
  std::puts(QJsonDocument(failure.toJson()).toJson(QJsonDocument::Compact).constData());
  return 3;
}

}  // namespace

int main(int argc, char** argv) {
  const QCoreApplication app(argc, argv);
  if (argc != 2) return 2;
  const auto in = readJson(QString::fromLocal8Bit(argv[1]), qint64{1} << 30);
  if (!in) return fail(in.error());
  const QJsonObject options = (*in)["options"].toObject();
  QualityInput input;
  for (const QJsonValue& v : (*in)["classes"].toArray()) input.classes.append(v.toString());
  input.predictions = read(*in);
  for (std::size_t i = 0; i < input.predictions.count(); ++i) input.keys.push_back(QString::number(i));
  const QJsonObject attributes = (*in)["attributes"].toObject();
  for (auto it = attributes.begin(); it != attributes.end(); ++it)
    for (const QJsonValue& v : it.value().toArray()) input.attributes[it.key()].push_back(v.toString());

  QualityOptions quality;
  quality.threshold = options["threshold"].toDouble(0.5);
  quality.bootstrap.resamples = options["resamples"].toInt(0);
  quality.bootstrap.seed = static_cast<std::uint64_t>(options["seed"].toInteger(1));
  quality.bootstrap.threads = options["threads"].toInt(0);
  auto report = qualityReport(input, quality);
  if (!report) return fail(report.error());

  std::vector<double> weights;
  for (const QJsonValue& v : (*in)["weights"].toArray()) weights.push_back(v.toDouble());
  const MetricSuite suite(input.predictions, quality.threshold);
  report->insert("suite", array(suite(weights)));
  report->insert("curves", curves(input.predictions, weights, false));
  report->insert("curvesDropped", curves(input.predictions, weights, true));
  std::puts(QJsonDocument(*report).toJson(QJsonDocument::Compact).constData());
  return 0;
}
