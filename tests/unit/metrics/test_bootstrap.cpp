// The counter-based generator by its published answers; the intervals by their own laws (determinism, width, patients as units).
#include <cmath>
#include <numeric>
#include <stdexcept>

#include <QJsonArray>
#include <QTest>

#include "core/metrics/bootstrap.h"
#include "core/metrics/quality_report.h"

using namespace cloister;

namespace {

Statistics meanOf(const std::vector<double>& values) {
  return [values](Weights w) {
    double sum = 0, total = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      sum += w[i] * values[i];
      total += w[i];
    }
    return std::vector<double>{sum / total};
  };
}

std::vector<int> iota(int n) {
  std::vector<int> out(static_cast<std::size_t>(n));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

}  // namespace

class TestBootstrap : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void philoxKnownAnswers() {
    // kat_vectors of Random123 (Salmon et al. 2011), philox4x32 10.
    QCOMPARE(philox4x32({0, 0, 0, 0}, {0, 0}), (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    QCOMPARE(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
             (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    QCOMPARE(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
             (std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
  }

  void everyResampleDrawsAsManyGroupsAsThereAre() {
    std::vector<double> total(10, 0.0);
    for (int r = 0; r < 4000; ++r) {
      const std::vector<double> drawn = drawnGroups(10, r, 7);
      QCOMPARE(std::accumulate(drawn.begin(), drawn.end(), 0.0), 10.0);
      for (std::size_t g = 0; g < 10; ++g) total[g] += drawn[g];
    }
    // Mean 1 per group and resample, standard error √(0.9/4000) = 0.015: five of them.
    for (const double t : total) QVERIFY(std::abs(t / 4000 - 1) < 0.075);
    QVERIFY(drawnGroups(10, 1, 7) != drawnGroups(10, 2, 7));
    QVERIFY(drawnGroups(10, 1, 7) != drawnGroups(10, 1, 8));
  }

  void sameOnAnyNumberOfThreads() {
    const Statistics mean = meanOf({0.1, 0.9, 0.3, 0.2, 0.8, 0.4, 0.6});
    const auto one = bootstrapIntervals(iota(7), mean, {500, 3, 0.95, 1});
    const auto four = bootstrapIntervals(iota(7), mean, {500, 3, 0.95, 4});
    QCOMPARE(one[0].low, four[0].low);
    QCOMPARE(one[0].high, four[0].high);
    QVERIFY(one[0].low < one[0].value && one[0].value < one[0].high);
  }

  void copiesOfAPatientAddNoCertainty() {
    // 20 patients once, and the same with each image ten times: by patient the interval stays, by image it would shrink by √10.
    std::vector<double> once, tenfold;
    std::vector<int> patients;
    for (int p = 0; p < 20; ++p) {
      const double value = p % 3 == 0 ? 0.0 : 1.0;
      once.push_back(value);
      for (int i = 0; i < 10; ++i) {
        tenfold.push_back(value);
        patients.push_back(p);
      }
    }
    const BootstrapOptions options{2000, 11, 0.95, 0};
    const Interval a = bootstrapIntervals(iota(20), meanOf(once), options)[0];
    const Interval b = bootstrapIntervals(patients, meanOf(tenfold), options)[0];
    const Interval c = bootstrapIntervals(iota(200), meanOf(tenfold), options)[0];
    QVERIFY(std::abs(a.low - b.low) < 1e-12 && std::abs(a.high - b.high) < 1e-12);
    QVERIFY((c.high - c.low) < 0.5 * (b.high - b.low));
  }

  void noIntervalFromOnePatient() {
    const Interval i = bootstrapIntervals({0, 0, 0}, meanOf({0, 1, 1}), {100, 1, 0.95, 0})[0];
    QVERIFY(std::isnan(i.low) && std::isnan(i.high));
    QVERIFY(std::abs(i.value - 2.0 / 3) < 1e-12);
  }

  void undefinedResamplesAreLeftOutAndCounted() {
    // Defined only when group 0 is drawn: with 2 groups in 3 of 4 resamples.
    const Statistics s = [](Weights w) { return std::vector<double>{w[0] > 0 ? w[0] : std::nan("")}; };
    const Interval i = bootstrapIntervals({0, 1}, s, {1000, 5, 0.95, 0})[0];
    QVERIFY(i.resamples > 680 && i.resamples < 820);
    QVERIFY(!std::isnan(i.low));
  }

  void aThrowInAThreadReachesTheCaller() {
    const Statistics s = [](Weights w) -> std::vector<double> {
      if (w[0] != 1) throw std::runtime_error("no");
      return {0};
    };
    QVERIFY_EXCEPTION_THROWN(bootstrapIntervals({0, 1, 2}, s, {50, 1, 0.95, 3}), std::runtime_error);
  }

  void quantileInterpolates() {
    QCOMPARE(quantile({3, 1, 2, 4}, 0.5), 2.5);
    QCOMPARE(quantile({5}, 0.99), 5.0);
    QVERIFY(std::isnan(quantile({}, 0.5)));
  }

  void reportHasItsPartsAndNullsForTheUndefined() {
    QualityInput input;
    input.classes = {"normal", "ill"};
    input.predictions.classes = 2;
    input.predictions.probabilities = {0.9, 0.1, 0.2, 0.8, 0.6, 0.4, 0.3, 0.7};
    input.predictions.labels = {0, 1, 1, 0};
    input.predictions.groups = {0, 1, 2, 2};
    input.keys = {"a", "b", "c", "d"};
    input.attributes["site"] = {"north", "south", "north", "north"};
    int calls = 0;
    QualityOptions options;
    options.bootstrap.resamples = 50;
    const auto report = qualityReport(input, options, [&](int done, int total) {
      ++calls;
      QVERIFY(done <= total);
    });
    QVERIFY(report);
    QCOMPARE(calls, 3);
    QCOMPARE((*report)["samples"].toInt(), 4);
    QCOMPARE((*report)["groups"].toInt(), 3);
    const QJsonArray sites = (*report)["groupsBy"]["site"].toArray();
    QCOMPARE(sites[0]["name"].toString(), "north");
    QCOMPARE(sites[1]["n"].toInt(), 1);
    QVERIFY(sites[1]["auc_macro"]["value"].isNull());
    QCOMPARE((*report)["worst"][0]["key"].toString(), "d");
    QCOMPARE((*report)["best"][0]["key"].toString(), "a");
    QCOMPARE((*report)["headline"][0]["value"].toDouble(), 0.5);
    input.keys.pop_back();
    QVERIFY(!qualityReport(input, options));
  }
};

QTEST_GUILESS_MAIN(TestBootstrap)
#include "test_bootstrap.moc"
