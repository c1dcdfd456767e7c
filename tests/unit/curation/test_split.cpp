// splitSamples: whole groups, the same every time, balanced.
#include <algorithm>
#include <random>

#include <QHash>
#include <QTest>

#include "core/curation/dataset.h"
#include "core/domain/files.h"

using namespace cloister;

namespace {

Sample sample(int number, const QString& patient, const QString& label) {
  Sample s;
  s.key = QString::number(number);
  s.sha256 = sha256Hex(QByteArray::number(number));
  s.patient = patient;
  s.label = label;
  return s;
}

/// Patients of uneven size, some with two labels, labels of uneven frequency.
QList<Sample> randomDataset(quint32 seed, int patients, int labels) {
  std::mt19937 random(seed);
  QList<Sample> all;
  for (int p = 0; p < patients; ++p) {
    const int images = 1 + int(std::geometric_distribution<int>(0.4)(random));
    int label = std::min<int>(labels - 1, std::geometric_distribution<int>(0.5)(random));
    for (int i = 0; i < images; ++i) {
      if (random() % 10 == 0) label = int(random() % quint32(labels));
      all.append(sample(int(all.size()), QStringLiteral("p%1").arg(p), QStringLiteral("c%1").arg(label)));
    }
  }
  return all;
}

QList<Split> split(const QList<Sample>& samples, const SplitRequest& request = {}) {
  auto result = splitSamples(samples, request);
  if (!result) qFatal("%s", qPrintable(describe(result.error())));
  return *result;
}

}  // namespace

class TestSplit : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void groupsStayWholeOverManyDatasets() {
    for (quint32 seed = 0; seed < 300; ++seed) {
      const QList<Sample> all = randomDataset(seed, 10 + int(seed % 90), 2 + int(seed % 5));
      SplitRequest request;
      request.seed = seed;
      request.stratify = seed % 3;
      const QList<Split> splits = split(all, request);
      QCOMPARE(splits.size(), all.size());
      QHash<QString, Split> side;
      QSet<int> used;
      for (qsizetype i = 0; i < all.size(); ++i) {
        used.insert(int(splits[i]));
        if (side.contains(all[i].patient)) QCOMPARE(side[all[i].patient], splits[i]);
        side[all[i].patient] = splits[i];
      }
      QCOMPARE(used.size(), 3);
    }
  }

  void orderOfSamplesDoesNotMatter() {
    const QList<Sample> all = randomDataset(7, 80, 4);
    const QList<Split> splits = split(all);
    QHash<QString, Split> of;
    for (qsizetype i = 0; i < all.size(); ++i) of[all[i].key] = splits[i];
    std::mt19937 random(1);
    for (int round = 0; round < 20; ++round) {
      QList<Sample> shuffled = all;
      std::shuffle(shuffled.begin(), shuffled.end(), random);
      const QList<Split> again = split(shuffled);
      for (qsizetype i = 0; i < shuffled.size(); ++i) QCOMPARE(again[i], of[shuffled[i].key]);
    }
  }

  void seedDecides() {
    const QList<Sample> all = randomDataset(3, 100, 3);
    SplitRequest one, two;
    two.seed = 2;
    QCOMPARE(split(all, one), split(all, one));
    QVERIFY(split(all, one) != split(all, two));
  }

  void everySeedUsesEveryPatientForTestSometimes() {
    // A split that always sent the same patients to training would be deterministic and grouped, and still wrong.
    const QList<Sample> all = randomDataset(5, 40, 2);
    QSet<QString> tested;
    for (int seed = 0; seed < 200; ++seed) {
      SplitRequest request;
      request.seed = seed;
      const QList<Split> splits = split(all, request);
      for (qsizetype i = 0; i < all.size(); ++i)
        if (splits[i] == Split::Test) tested.insert(all[i].patient);
    }
    // The few largest patients may belong in training always; all others must be tested by some seed.
    QHash<QString, int> images;
    for (const Sample& s : all) ++images[s.patient];
    int usual = 0;
    for (auto it = images.begin(); it != images.end(); ++it) {
      if (*it > 3) continue;
      ++usual;
      QVERIFY2(tested.contains(it.key()), qPrintable(it.key()));
    }
    QVERIFY(usual > 30);
  }

  void labelsAreBalanced() {
    for (quint32 seed = 0; seed < 30; ++seed) {
      const QList<Sample> all = randomDataset(seed, 400, 3);
      const QList<Split> splits = split(all);
      QMap<QString, QMap<int, double>> counts;
      QMap<QString, double> totals;
      for (qsizetype i = 0; i < all.size(); ++i) ++counts[all[i].label][int(splits[i])], ++totals[all[i].label];
      for (auto it = counts.begin(); it != counts.end(); ++it) {
        const double n = totals[it.key()];
        // Largest group: a dozen images. Off by more than 2 % of the label and 2 samples would not be the greedy rule.
        const double slack = 2 + 0.02 * n;
        QVERIFY(std::abs((*it)[0] - 0.70 * n) <= slack);
        QVERIFY(std::abs((*it)[1] - 0.15 * n) <= slack);
        QVERIFY(std::abs((*it)[2] - 0.15 * n) <= slack);
      }
    }
  }

  void rareClassReachesEverySide() {
    QList<Sample> all;
    for (int i = 0; i < 200; ++i) all.append(sample(i, QStringLiteral("p%1").arg(i), i < 3 ? "rare" : "common"));
    for (int seed = 0; seed < 50; ++seed) {
      SplitRequest request;
      request.seed = seed;
      const QList<Split> splits = split(all, request);
      QCOMPARE((QSet<int>{int(splits[0]), int(splits[1]), int(splits[2])}).size(), 3);
    }
  }

  void asManyGroupsAsSplitsFillsEach() {
    const QList<Sample> all{sample(1, "a", "x"), sample(2, "b", "x"), sample(3, "c", "x")};
    const QList<Split> splits = split(all);
    QCOMPARE((QSet<int>{int(splits[0]), int(splits[1]), int(splits[2])}).size(), 3);
  }

  void tooFewGroupsIsSaid() {
    auto result = splitSamples({sample(1, "a", "x"), sample(2, "b", "x"), sample(3, "a", "y")}, {});
    QVERIFY(!result);
    QCOMPARE(result.error().kind, FailureKind::NothingToDo);
    SplitRequest two;
    two.train = 0.5, two.validation = 0.5, two.test = 0;
    const QList<Split> splits = split({sample(1, "a", "x"), sample(2, "b", "x"), sample(3, "a", "y")}, two);
    QCOMPARE(splits[0], splits[2]);
    QVERIFY(splits[0] != splits[1]);
    QVERIFY(!splits.contains(Split::Test));
  }

  void fixedGroupsGoWhereTheyMust() {
    const QList<Sample> all = randomDataset(11, 60, 3);
    SplitRequest request;
    request.fixed = {{"p0", "test"}, {"p1", "train"}, {"p2", "validation"}};
    const QList<Split> splits = split(all, request);
    for (qsizetype i = 0; i < all.size(); ++i)
      if (request.fixed.contains(all[i].patient)) QCOMPARE(splitName(splits[i]), request.fixed[all[i].patient]);
    request.fixed["p3"] = "elsewhere";
    QCOMPARE(splitSamples(all, request).error().kind, FailureKind::InvalidArgument);
  }

  void singleSamplesNeedAReason() {
    const QList<Sample> all = randomDataset(11, 60, 3);
    SplitRequest request;
    request.groupBy = "sample";
    QCOMPARE(splitSamples(all, request).error().kind, FailureKind::PolicyRefused);
    request.overrideReason = "   ";
    QCOMPARE(splitSamples(all, request).error().kind, FailureKind::PolicyRefused);
    request.overrideReason = "one image a person, checked by hand";
    QVERIFY(splitSamples(all, request));
  }

  void framesOfOneFileStayTogetherWithoutAPatient() {
    QList<Sample> all;
    for (int i = 0; i < 60; ++i) {
      Sample s = sample(i / 3, {}, i / 3 % 2 ? "a" : "b");
      s.frame = i % 3;
      all.append(s);
    }
    const QList<Split> splits = split(all);
    for (int i = 0; i < 60; i += 3) QVERIFY(splits[i] == splits[i + 1] && splits[i] == splits[i + 2]);
  }

  void wrongRequestsAreRefused_data() {
    QTest::addColumn<double>("train");
    QTest::addColumn<double>("validation");
    QTest::addColumn<double>("test");
    QTest::addColumn<QString>("group");
    QTest::newRow("sum") << 0.7 << 0.2 << 0.2 << "patient";
    QTest::newRow("negative") << 1.2 << -0.1 << -0.1 << "patient";
    QTest::newRow("nothing to train on") << 0.0 << 0.5 << 0.5 << "patient";
    QTest::newRow("not a number") << std::nan("") << 0.5 << 0.5 << "patient";
    QTest::newRow("group") << 0.7 << 0.15 << 0.15 << "hospital";
  }
  void wrongRequestsAreRefused() {
    QFETCH(double, train);
    QFETCH(double, validation);
    QFETCH(double, test);
    QFETCH(QString, group);
    SplitRequest request;
    request.train = train, request.validation = validation, request.test = test, request.groupBy = group;
    auto result = splitSamples(randomDataset(1, 20, 2), request);
    QVERIFY(!result);
    QCOMPARE(result.error().kind, FailureKind::InvalidArgument);
  }

  void requestSurvivesJson() {
    SplitRequest request{0.6, 0.2, 0.2, "site", 42, false, "because", {{"a", "test"}}};
    const SplitRequest again = SplitRequest::fromJson(request.toJson());
    QCOMPARE(again.toJson(), request.toJson());
    QCOMPARE(again.seed, 42);
    QVERIFY(again.overrideReason.isEmpty());
  }
};

QTEST_GUILESS_MAIN(TestSplit)
#include "test_split.moc"
