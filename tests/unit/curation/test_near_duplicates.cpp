// findNearPairs against comparing everything with everything.
#include <bit>
#include <random>
#include <set>

#include <QTest>

#include "core/curation/near_duplicates.h"

using namespace cloister;

namespace {

std::vector<std::pair<int, int>> byBruteForce(const std::vector<HashedItem>& items, int distance) {
  std::vector<std::pair<int, int>> pairs;
  for (int a = 0; a < int(items.size()); ++a)
    for (int b = a + 1; b < int(items.size()); ++b) {
      const HashedItem &x = items[size_t(a)], &y = items[size_t(b)];
      if (x.hash && y.hash && x.side != y.side && std::popcount(x.hash ^ y.hash) <= distance) pairs.emplace_back(a, b);
    }
  return pairs;
}

}  // namespace

class TestNearDuplicates : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void findsWhatBruteForceFinds() {
    std::mt19937_64 random(1);
    for (int round = 0; round < 40; ++round) {
      std::vector<HashedItem> items;
      for (int i = 0; i < 400; ++i) {
        // A third are neighbours of earlier ones, at 0 to 5 bits.
        std::uint64_t hash = random();
        if (i > 10 && random() % 3 == 0) {
          hash = items[random() % items.size()].hash;
          for (std::uint64_t flips = random() % 6; flips > 0; --flips) hash ^= std::uint64_t(1) << (random() % 64);
        }
        if (random() % 50 == 0) hash = 0;
        items.push_back({hash, int(random() % 3)});
      }
      for (int distance = 0; distance <= 3; ++distance) {
        const NearPairs near = findNearPairs(items, distance);
        QVERIFY(near.complete);
        QCOMPARE(near.pairs, byBruteForce(items, distance));
      }
    }
  }

  void everyPlaceOfThreeBitsIsFound() {
    // All C(64,3) ways two hashes can differ in three bits: the pigeonhole argument, tried out.
    const std::uint64_t base = 0x0123456789abcdefULL;
    for (int a = 0; a < 64; ++a)
      for (int b = a + 1; b < 64; ++b)
        for (int c = b + 1; c < 64; ++c) {
          const std::uint64_t other = base ^ (1ULL << a) ^ (1ULL << b) ^ (1ULL << c);
          if (findNearPairs({{base, 0}, {other, 1}}, 3).pairs.size() != 1)
            QFAIL(qPrintable(QStringLiteral("%1 %2 %3").arg(a).arg(b).arg(c)));
        }
  }

  void aMillionEqualPicturesAreNoTrap() {
    std::vector<HashedItem> items(1'000'000, HashedItem{42, 0});
    QVERIFY(findNearPairs(items, 2).pairs.empty());
    items[5].side = 1;
    const NearPairs near = findNearPairs(items, 2, 1000);
    QCOMPARE(near.pairs.size(), 1000u);
    QVERIFY(!near.complete);
  }

  void limitOfComparisonsIsSaid() {
    std::vector<HashedItem> items;
    for (std::uint64_t i = 1; i < 2000; ++i) items.push_back({i << 20 | 1, int(i % 2)});
    QVERIFY(!findNearPairs(items, 3, 100'000, 1000).complete);
  }
};

QTEST_GUILESS_MAIN(TestNearDuplicates)
#include "test_near_duplicates.moc"
