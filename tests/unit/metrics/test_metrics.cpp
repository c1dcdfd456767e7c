// Metrics by hand-checked numbers; scikit-learn is the oracle of the whole in tests/interop/test_metrics.py.
#include <cmath>
#include <limits>

#include <QTest>

#include "core/metrics/calibration.h"
#include "core/metrics/confusion.h"
#include "core/metrics/curves.h"
#include "core/metrics/predictions.h"

using namespace cloister;

namespace {

Predictions binary(const std::vector<double>& scores, const std::vector<int>& labels) {
  Predictions p;
  p.classes = 2;
  for (const double s : scores) p.probabilities.insert(p.probabilities.end(), {1 - s, s});
  p.labels = labels;
  return p;
}

Ranking ranking(const std::vector<double>& scores, const std::vector<int>& labels) {
  return {scores, std::vector<std::uint8_t>(labels.begin(), labels.end())};
}

bool near(double a, double b) { return std::abs(a - b) < 1e-12; }

}  // namespace

class TestMetrics : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void confusionByHand() {
    // Rows are the truth: class 0 → 2 right, 1 called 1; class 1 → 1 right, 1 called 2; class 2 never occurs.
    const std::vector<int> labels{0, 0, 0, 1, 1}, predicted{0, 0, 1, 1, 2};
    const Confusion m = confusionMatrix(labels, predicted, 3);
    QCOMPARE(m.at(0, 1), 1.0);
    QVERIFY(near(m.accuracy(), 0.6));
    QVERIFY(near(m.balancedAccuracy(), (2.0 / 3 + 0.5) / 2));
    QVERIFY(std::isnan(m.sensitivity(2)));
    QVERIFY(near(m.specificity(2), 0.8));
    QVERIFY(near(m.precision(1), 0.5));
    QVERIFY(near(m.f1(0), 0.8));
    QVERIFY(near(m.f1(2), 0.0));
    QVERIFY(near(m.f1Macro(), (0.8 + 0.5 + 0.0) / 3));
  }

  void weightsCountAsCopies() {
    const std::vector<int> labels{0, 1, 1}, predicted{0, 1, 0};
    const std::vector<double> weights{2, 0, 3};
    const Confusion m = confusionMatrix(labels, predicted, 2, weights);
    QVERIFY(near(m.accuracy(), 0.4));
    QVERIFY(near(m.sensitivity(1), 0.0));
  }

  void rocByHand() {
    // The example of scikit-learn's documentation of roc_curve.
    const Ranking r = ranking({0.1, 0.4, 0.35, 0.8}, {0, 0, 1, 1});
    const RocCurve c = rocCurve(r);
    QCOMPARE(c.fpr, (std::vector<double>{0, 0, 0.5, 0.5, 1}));
    QCOMPARE(c.tpr, (std::vector<double>{0, 0.5, 0.5, 1, 1}));
    QVERIFY(std::isinf(c.thresholds.front()));
    QVERIFY(near(r.auc(), 0.75));
    QVERIFY(near(r.averagePrecision(), 0.8333333333333333));
  }

  void tiesCountHalf() {
    QVERIFY(near(ranking({0.5, 0.5, 0.5, 0.5}, {0, 1, 0, 1}).auc(), 0.5));
    QVERIFY(near(ranking({0.9, 0.5, 0.5, 0.1}, {1, 1, 0, 0}).auc(), 0.875));
  }

  void oneClassOnlyIsUndefined() {
    const Ranking r = ranking({0.2, 0.7}, {1, 1});
    QVERIFY(std::isnan(r.auc()));
    QVERIFY(std::isnan(ranking({0.2, 0.7}, {0, 0}).averagePrecision()));
    QVERIFY(std::isnan(rocCurve(r).fpr.back()));
    QCOMPARE(youdenThreshold(r, 0.3), 0.3);  // nothing to weigh against: the fallback
  }

  void youdenPicksTheHighestOfEquals() {
    // J = 0.5 at 0.8 and again at 0.35.
    QCOMPARE(youdenThreshold(ranking({0.1, 0.4, 0.35, 0.8}, {0, 0, 1, 1})), 0.8);
    QCOMPARE(youdenThreshold(ranking({0.9, 0.1}, {0, 1}), 0.5), 0.5);  // worse than chance everywhere: the fallback
  }

  void thresholdDecidesBinaryOnly() {
    const Predictions p = binary({0.3, 0.5, 0.7}, {0, 0, 1});
    QCOMPARE(decide(p, 0.5), (std::vector<int>{0, 1, 1}));
    QCOMPARE(decide(p, 0.6), (std::vector<int>{0, 0, 1}));
    Predictions three;
    three.classes = 3;
    three.probabilities = {0.4, 0.4, 0.2};
    three.labels = {0};
    QCOMPARE(decide(three, 0.9), std::vector<int>{0});
  }

  void calibrationByHand() {
    // Confidences 0.8 (right), 0.8 (wrong), 0.6 (right): bins (0.733,0.8] and (0.533,0.6].
    const Predictions p = binary({0.8, 0.8, 0.6}, {1, 0, 1});
    const Calibration c(p);
    QVERIFY(near(c.expectedError(), (2 * std::abs(0.5 - 0.8) + 1 * std::abs(1 - 0.6)) / 3));
    double total = 0;
    for (const CalibrationBin& b : c.bins()) total += b.count;
    QCOMPARE(total, 3.0);
    QVERIFY(near(brierScore(p), (0.04 + 0.64 + 0.16) / 3));
    QVERIFY(near(logLoss(p), -(std::log(0.8) + std::log(1 - 0.8) + std::log(0.6)) / 3));
  }

  void refusesWhatMakesNoSense_data() {
    QTest::addColumn<double>("value");
    QTest::addColumn<int>("label");
    QTest::newRow("nan") << std::numeric_limits<double>::quiet_NaN() << 0;
    QTest::newRow("infinite") << std::numeric_limits<double>::infinity() << 0;
    QTest::newRow("above one") << 1.5 << 0;
    QTest::newRow("label beyond") << 0.5 << 2;
    QTest::newRow("label below") << 0.5 << -1;
  }
  void refusesWhatMakesNoSense() {
    QFETCH(double, value);
    QFETCH(int, label);
    Predictions p = binary({0.5, 0.5}, {0, 1});
    QVERIFY(checkPredictions(p));
    p.probabilities[1] = value;
    p.labels[0] = label;
    const auto result = checkPredictions(p);
    QVERIFY(!result);
    QCOMPARE(result.error().kind, FailureKind::InvalidArgument);
  }

  void refusesRowsThatDoNotSumToOne() {
    Predictions p = binary({0.5}, {0});
    p.probabilities = {0.5, 0.6};
    QVERIFY(!checkPredictions(p));
  }
};

QTEST_GUILESS_MAIN(TestMetrics)
#include "test_metrics.moc"
