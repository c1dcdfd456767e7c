// The parts below the scores: numpy's random numbers, n-gram tables, common subsequences and shifts, against values of numpy and against
// plain algorithms written here. The scores themselves are compared with their peers by tests/interop/test_text_scores.py.
#include <QtTest>

#include <map>
#include <random>

#include "core/text/scores/common_subsequence.h"
#include "core/text/scores/edit_distance.h"
#include "core/text/scores/metric.h"
#include "core/text/scores/ngrams.h"
#include "core/text/scores/porter.h"
#include "core/text/scores/score_job.h"
#include "core/text/scores/significance.h"

using namespace cloister;
using namespace cloister::scores;

class TestScores : public QObject {
  Q_OBJECT

  using Words = std::vector<std::uint32_t>;

  static Words random(std::mt19937& generator, std::size_t most, std::uint32_t words) {
    Words all(generator() % (most + 1));
    for (std::uint32_t& w : all) w = generator() % words;
    return all;
  }

  static std::vector<std::vector<int>> table(const Words& a, const Words& b) {
    std::vector<std::vector<int>> t(a.size() + 1, std::vector<int>(b.size() + 1));
    for (std::size_t i = 1; i <= a.size(); ++i)
      for (std::size_t j = 1; j <= b.size(); ++j) t[i][j] = a[i - 1] == b[j - 1] ? t[i - 1][j - 1] + 1 : std::max(t[i - 1][j], t[i][j - 1]);
    return t;
  }

 private Q_SLOTS:
  void randomNumbersAreNumpys() {
    // numpy 2.4.6: g = numpy.random.default_rng(12345); g.bit_generator.random_raw(3)
    NumpyGenerator raw(12345);
    QCOMPARE(raw.next64(), std::uint64_t(4193609425186963869ULL));
    QCOMPARE(raw.next64(), std::uint64_t(5843160025838961886ULL));
    QCOMPARE(raw.next64(), std::uint64_t(14708796524633321433ULL));
    // default_rng(12345).choice(1000, 8) and default_rng(2**40 + 9).choice(3_000_000_000, 4), which rejects often
    NumpyGenerator choice(12345);
    for (const std::uint32_t expected : {699U, 227U, 788U, 316U, 204U, 797U, 642U, 676U}) QCOMPARE(choice.below(1000), expected);
    NumpyGenerator wide((1ULL << 40) + 9);
    for (const std::uint32_t expected : {1327640132U, 535555074U, 1741458501U, 1813842382U}) QCOMPARE(wide.below(3'000'000'000U), expected);
  }

  void ngramsAreCountedAsByAMap() {
    std::mt19937 generator(1);
    NgramTable<std::uint32_t> ngrams;
    for (int round = 0; round < 300; ++round) {
      const Words words = random(generator, 80, 1 + generator() % 30);
      ngrams.begin(words.size() * 4);
      std::map<Words, std::uint32_t> expected;
      std::map<Words, std::uint32_t> places;
      Words at(words.size(), kNone);
      for (std::size_t n = 1; n <= 4; ++n)
        for (std::size_t i = 0; i + n <= words.size(); ++i) {
          at[i] = ngrams.add(at[i], words[i + n - 1]);
          ++ngrams[at[i]];
          const Words key(words.begin() + std::ptrdiff_t(i), words.begin() + std::ptrdiff_t(i + n));
          ++expected[key];
          places[key] = at[i];
        }
      for (const auto& [key, count] : expected) QCOMPARE(ngrams[places[key]], count);
    }
  }

  void subsequencesAreThoseOfTheWholeTable() {
    std::mt19937 generator(2);
    CommonSubsequence lcs;
    for (int round = 0; round < 2000; ++round) {
      const std::uint32_t words = 1 + generator() % 12;
      const Words a = random(generator, 150, words), b = random(generator, 150, words);
      const auto t = table(a, b);
      QCOMPARE(lcs.length(a, b, words), std::size_t(t[a.size()][b.size()]));
      std::vector<std::uint8_t> expected(a.size()), marked(a.size());
      for (std::size_t i = a.size(), j = b.size(); i > 0 && j > 0;) {
        if (a[i - 1] == b[j - 1]) expected[i - 1] = 1, --i, --j;
        else if (t[i][j - 1] > t[i - 1][j]) --j;
        else --i;
      }
      lcs.mark(a, b, words, marked);
      QCOMPARE(marked, expected);
    }
  }

  void editsAreNoFewerThanShiftsAllowAndNoMoreThanWithoutThem() {
    std::mt19937 generator(3);
    TranslationEdits edits;
    for (int round = 0; round < 500; ++round) {
      const Words a = random(generator, 20, 6), b = random(generator, 20, 6);
      std::vector<std::vector<int>> t(a.size() + 1, std::vector<int>(b.size() + 1));
      for (std::size_t i = 0; i <= a.size(); ++i)
        for (std::size_t j = 0; j <= b.size(); ++j)
          t[i][j] = i == 0   ? int(j)
                    : j == 0 ? int(i)
                             : std::min({t[i - 1][j] + 1, t[i][j - 1] + 1, t[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      const std::int64_t found = edits.count(a, b);
      QVERIFY(found <= t[a.size()][b.size()]);
      QVERIFY(found >= std::abs(std::int64_t(a.size()) - std::int64_t(b.size())));
    }
    QCOMPARE(edits.count({0, 1, 2, 3, 4, 5}, {4, 5, 0, 1, 2, 3}), 1);  // one shift
    QCOMPARE(edits.count({}, {1, 2}), 2);
    QCOMPARE(edits.count({1, 2, 3}, {}), 3);
  }

  void stems() {
    const std::map<std::string, std::string> expected{
        {"running", "run"}, {"patients", "patient"}, {"quickly", "quickli"}, {"generalizations", "gener"}, {"dying", "die"},
        {"skies", "sky"},   {"happily", "happili"},  {"agreed", "agre"},     {"oscillators", "oscil"},     {"diagnosis", "diagnosi"},
        {"oed", "o"}};
    for (const auto& [word, stem] : expected) {
      std::string got = word;
      porterStem(got);
      QCOMPARE(QByteArray::fromStdString(got), QByteArray::fromStdString(stem));
    }
  }

  void resultsDoNotDependOnTheNumberOfThreads() {
    const auto metric = makeBleu({});
    std::mt19937 generator(5);
    Rows system{std::size_t(metric->width()), {}}, baseline{std::size_t(metric->width()), {}};
    for (int i = 0; i < 60; ++i)
      for (Rows* rows : {&system, &baseline}) {
        const double length = 8 + generator() % 9;
        rows->values.insert(rows->values.end(),
                            {length, 12, length - generator() % 5, length - 1 - generator() % 6, length - 2 - generator() % 6,
                             length - 3 - generator() % 5, length, length - 1, length - 2, length - 3});
      }
    std::vector<PairedScore> first;
    for (const int threads : {1, 2, 5}) {
      SignificanceOptions options;
      options.resamples = 200, options.trials = 300, options.threads = threads;
      const auto paired = pairedTests(*metric, system, baseline, options);
      QCOMPARE(paired.size(), std::size_t(1));
      if (first.empty()) first = paired;
      QCOMPARE(paired[0].randomisationP, first[0].randomisationP);
      QCOMPARE(paired[0].bootstrapP, first[0].bootstrapP);
      QCOMPARE(paired[0].systemInterval.low, first[0].systemInterval.low);
      QVERIFY(first[0].systemInterval.low < first[0].system && first[0].system < first[0].systemInterval.high);
    }
  }

  void textsInMemory() {
    // sacreBLEU 2.6.0: BLEU(effective_order=False).corpus_score(…), sentence_score with effective order
    const TextSet texts{{"good morning", "the quick brown fox jumped over the dog"},
                        {{"good morning everyone", "the quick brown fox jumps over the lazy dog"}},
                        {"bad evening", "a slow fox"}};
    std::vector<std::vector<double>> sentences;
    const auto answer = scoreTexts({{"metric", "bleu"}, {"trials", 100}}, texts, &sentences);
    QVERIFY(bool(answer));
    QVERIFY(std::abs((*answer)["score"].toDouble() - 36.0287272529) < 1e-9);
    QCOMPARE(sentences.size(), std::size_t(2));
    QVERIFY(std::abs(sentences[0][0] - 60.6530659713) < 1e-9 && std::abs(sentences[1][0] - 37.7079459659) < 1e-9);
    QVERIFY((*answer)["paired"].toObject()["difference"].toDouble() > 0);
    QCOMPARE(scoreTexts({{"metric", "bleu"}}, {{"a"}, {}, {}}).error().kind, FailureKind::InvalidArgument);
    QCOMPARE(scoreTexts({{"metric", "bleu"}}, {{"a", "b"}, {{"a"}}, {}}).error().kind, FailureKind::LineCountMismatch);
    QCOMPARE(scoreTexts({{"metric", "bleu"}}, {{"a", "\xC3"}, {{"a", "b"}}, {}}).error().args["line"].toInt(), 2);
    QCOMPARE(scoreTexts({{"metric", "bleu"}}, {{}, {{"a"}}, {}}).error().kind, FailureKind::EmptyFile);
  }

  void optionsOutOfRangeAreNamed_data() {
    QTest::addColumn<QString>("metric");
    QTest::addColumn<QJsonObject>("options");
    QTest::addColumn<QString>("name");
    QTest::newRow("metric") << "meteor" << QJsonObject{} << "metric";
    QTest::newRow("tokenizer") << "bleu" << QJsonObject{{"tokenize", "spm"}} << "tokenize";
    QTest::newRow("order") << "bleu" << QJsonObject{{"maxOrder", 0}} << "maxOrder";
    QTest::newRow("value") << "bleu" << QJsonObject{{"smoothing", "floor"}, {"smoothingValue", -1}} << "smoothingValue";
    QTest::newRow("beta") << "chrf" << QJsonObject{{"beta", 99}} << "beta";
    QTest::newRow("rouge tokenizer") << "rouge" << QJsonObject{{"tokenize", "13a"}} << "tokenize";
  }
  void optionsOutOfRangeAreNamed() {
    QFETCH(QString, metric);
    QFETCH(QJsonObject, options);
    QFETCH(QString, name);
    const auto made = makeMetric(metric, options);
    QVERIFY(!made);
    QCOMPARE(made.error().kind, FailureKind::InvalidArgument);
    QCOMPARE(made.error().args["name"].toString(), name);
  }
};

QTEST_APPLESS_MAIN(TestScores)
#include "test_scores.moc"
