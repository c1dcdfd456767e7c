#include <algorithm>
#include <map>

#include <QTest>

#include "core/metrics/sampling.h"

using namespace cloister;

class TestSampling : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void everyClassGetsItsShare() {
    std::vector<int> labels;
    for (int i = 0; i < 1000; ++i) labels.push_back(i < 700 ? 0 : i < 995 ? 1 : 2);
    const auto chosen = stratifiedSubset(labels, 100, 5);
    QCOMPARE(chosen.size(), std::size_t(100));
    QVERIFY(std::is_sorted(chosen.begin(), chosen.end()));
    QVERIFY(std::adjacent_find(chosen.begin(), chosen.end()) == chosen.end());
    std::map<int, int> counts;
    for (const std::size_t i : chosen) ++counts[labels[i]];
    QVERIFY(counts[0] >= 69 && counts[0] <= 70);
    QVERIFY(counts[1] >= 29 && counts[1] <= 30);
    QCOMPARE(counts[2], 1);  // half a sample by share, one by right
    QVERIFY(stratifiedSubset(labels, 100, 5) == chosen);
    QVERIFY(stratifiedSubset(labels, 100, 6) != chosen);
  }

  void limits() {
    const std::vector<int> labels{0, 1, 2, 3, 4};
    QCOMPARE(stratifiedSubset(labels, 0, 1).size(), std::size_t(5));
    QCOMPARE(stratifiedSubset(labels, 9, 1).size(), std::size_t(5));
    QCOMPARE(stratifiedSubset(labels, 2, 1).size(), std::size_t(2));
    QCOMPARE(stratifiedSubset({}, 3, 1).size(), std::size_t(0));
    // Many small classes and few places: never more than asked.
    std::vector<int> many{0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    for (int c = 1; c < 8; ++c) many.push_back(c);
    QCOMPARE(stratifiedSubset(many, 8, 1).size(), std::size_t(8));
  }
};

QTEST_GUILESS_MAIN(TestSampling)
#include "test_sampling.moc"
