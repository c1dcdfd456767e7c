// Our own loops against ICU on the same expressions, merging against the definition, and what both do at the edges. The field's packages
// judge whole tokenizers in tests/interop/test_tokenizers.py.
#include <QtTest>
#include <map>
#include <random>

#include "core/text/tokenizers/bpe.h"
#include "core/text/tokenizers/json_tokenizer.h"
#include "core/text/tokenizers/pattern.h"

using namespace cloister;

namespace {

const char kQwen2[] =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const char kLlama3[] =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const char kGpt2[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const char kV3[] =
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| "
    "?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/// Characters of every kind that a pattern tells apart, and any others.
std::string randomText(std::mt19937& rng) {
  static const std::u32string pool =
      U"aZsStTlLdDmMrReEvVſ'’ \t\r\n\v\u0085\u00a0\u3000019½Ⅷ٣.,!-_$+<|>｜▁\u0301\u0e31e\u200d👩中文かナ한ß\u0000\u0007";
  std::string text;
  const std::size_t length = rng() % 24;
  for (std::size_t i = 0; i < length; ++i) {
    char32_t c = pool[rng() % pool.size()];
    if (rng() % 12 == 0) c = rng() % 0x3000;
    if (rng() % 40 == 0) c = 0x10000 + rng() % 0x20000;
    if (c < 0xD800 || c > 0xDFFF) appendUtf8(text, c);
  }
  return text;
}

std::vector<std::pair<unsigned, unsigned>> spansOf(const Pattern& pattern, const std::string& text, Span span) {
  std::vector<Span> found;
  pattern.begin(text);
  pattern.find(text, span, found);
  std::vector<std::pair<unsigned, unsigned>> pairs;
  for (const Span& s : found) pairs.emplace_back(s.from, s.to);
  return pairs;
}

/// By the definition: the pair of the lowest rank, the leftmost of equals, again and again.
std::vector<std::int32_t> mergedByDefinition(std::vector<std::int32_t> ids,
                                             const std::map<std::pair<int, int>, std::pair<int, int>>& merges) {
  for (;;) {
    std::size_t best = ids.size();
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
      const auto it = merges.find({ids[i], ids[i + 1]});
      if (it != merges.end() && (best == ids.size() || it->second.first < merges.at({ids[best], ids[best + 1]}).first)) best = i;
    }
    if (best == ids.size()) return ids;
    ids[best] = merges.at({ids[best], ids[best + 1]}).second;
    ids.erase(ids.begin() + std::ptrdiff_t(best) + 1);
  }
}

}  // namespace

class TestTokenizers : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void loopsFindWhatIcuFinds_data() {
    QTest::addColumn<QString>("expression");
    const QStringList expressions{kQwen2,
                                  kLlama3,
                                  kGpt2,
                                  kV3,
                                  "\\p{N}{1,3}",
                                  "\\p{N}",
                                  "[\\r\\n]",
                                  "\\s?\\p{L}+",
                                  "\\s?\\p{P}+",
                                  "[一-龥぀-ゟ゠-ヿ]+",
                                  "[一-龥ࠀ-一가-퟿]+",
                                  "\\s?[!-/:-~！-／：-～‘-‟　-。]+",
                                  "\\s+",
                                  "[\\p{L}\\p{M}\\s'\\-]+"};
    for (const QString& e : expressions) QTest::newRow(qPrintable(e.left(40))) << e;
  }
  void loopsFindWhatIcuFinds() {
    QFETCH(QString, expression);
    const auto fast = compileRegex(expression.toStdString(), true, {}), icu = compileRegex(expression.toStdString(), false, {});
    QVERIFY(fast && icu);
    QVERIFY((*fast)->fast());
    QVERIFY(!(*icu)->fast());
    std::mt19937 rng(1);
    for (int i = 0; i < 20'000; ++i) {
      const std::string text = randomText(rng);
      // A part of the text is a text of its own: nothing outside may be looked at.
      std::uint32_t from = text.empty() ? 0 : std::uint32_t(rng() % text.size()), to = std::uint32_t(text.size());
      while (from > 0 && (static_cast<unsigned char>(text[from]) & 0xC0) == 0x80) --from;
      if (i % 2) from = 0;
      if (spansOf(**fast, text, {from, to}) != spansOf(**icu, text, {from, to})) QFAIL(text.c_str());
    }
  }

  void anExpressionThatIsNotSimpleGoesToIcu() {
    for (const char* e : {"[^a]+", "[a&&b]", "a+", "\\d+", "[a-", "[\\w]+", "\\s+$"}) {
      const auto compiled = compileRegex(e, true, {});
      QVERIFY2(!compiled || !(*compiled)->fast(), e);
    }
  }

  void mergingFollowsTheDefinition() {
    std::mt19937 rng(2);
    for (int round = 0; round < 300; ++round) {
      Vocabulary vocabulary;
      const std::string letters = "abcd";
      for (std::size_t i = 0; i < letters.size(); ++i) QVERIFY(vocabulary.add(letters.substr(i, 1), std::int32_t(i)));
      std::map<std::pair<int, int>, std::pair<int, int>> merges;
      MergeTable table(60);
      for (int rank = 0; rank < 60; ++rank) {
        const auto left = std::int32_t(rng() % unsigned(vocabulary.size())), right = std::int32_t(rng() % unsigned(vocabulary.size()));
        const std::string piece = vocabulary.pieceOf(left) + vocabulary.pieceOf(right);
        if (piece.size() > 12) continue;
        const std::int32_t id = vocabulary.find(piece).value_or(vocabulary.size());
        (void)vocabulary.add(piece, id);
        table.add(left, right, std::uint32_t(rank), id);
        merges[{left, right}] = {rank, id};
      }
      const BpeModel model(vocabulary, std::move(table), {});
      BpeScratch scratch;
      for (int i = 0; i < 20; ++i) {
        std::string word;
        std::vector<std::int32_t> ids;
        for (std::size_t n = rng() % 90; n > 0; --n) word += letters[rng() % 4], ids.push_back(word.back() - 'a');  // short and long words
        std::vector<std::int32_t> ours, cached, placed;
        std::vector<std::uint32_t> ends;
        model.encode(word, scratch, ours);
        model.encode(word, scratch, cached);
        model.encode(word, scratch, placed, &ends);
        QCOMPARE(ours, mergedByDefinition(ids, merges));
        QCOMPARE(cached, ours);
        QCOMPARE(placed, ours);
        std::string spelled;
        for (const std::int32_t id : ours) spelled += vocabulary.pieceOf(id);
        QCOMPARE(spelled, word);
        QVERIFY(word.empty() || ends.back() == word.size());
      }
    }
  }

  void theCacheForgetsWithoutHarm() {
    WordCache cache;
    for (int i = 0; i < 100'000; ++i) {
      const std::string word = std::to_string(i);
      const std::int32_t id = i;
      cache.add(word, WordCache::hashOf(word), &id, 1);
      std::vector<std::int32_t> found;
      QVERIFY(cache.find(word, WordCache::hashOf(word), found));
      QCOMPARE(found, std::vector<std::int32_t>{i});
    }
    std::vector<std::int32_t> none;
    QVERIFY(!cache.find("0", WordCache::hashOf("0"), none));
  }

  void illFormedTextIsRepaired_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QByteArray>("expected");
    const QByteArray bad("\xEF\xBF\xBD");
    // Unicode standard 15, table 3-8 and its neighbours.
    QTest::newRow("mixed") << QByteArray("\x61\xF1\x80\x80\xE1\x80\xC2\x62\x80\x63\x80\xBF\x64")
                           << "a" + bad + bad + bad + "b" + bad + "c" + bad + bad + "d";
    QTest::newRow("surrogates") << QByteArray("\xED\xA0\x80\xED\xBF\xBF\x41") << bad.repeated(6) + "A";
    QTest::newRow("overlong") << QByteArray("\xC0\xAF\xE0\x80\xBF\x41") << bad.repeated(5) + "A";
    QTest::newRow("beyond") << QByteArray("\xF4\x91\x92\x93\xFF\x41") << bad.repeated(5) + "A";
    QTest::newRow("cut") << QByteArray("\xE4\xB8") << bad;
    QTest::newRow("good") << QByteArray("\xE4\xB8\xAD\xF0\x9F\x98\x80") << QByteArray("\xE4\xB8\xAD\xF0\x9F\x98\x80");
  }
  void illFormedTextIsRepaired() {
    QFETCH(QByteArray, bytes);
    QFETCH(QByteArray, expected);
    std::vector<Span> origin;
    const std::string repaired = repairedUtf8(bytes.toStdString(), &origin);
    QCOMPARE(QByteArray::fromStdString(repaired), expected);
    QCOMPARE(isValidUtf8(bytes.toStdString()), bytes == expected);
    QVERIFY(isValidUtf8(repaired));
    QCOMPARE(origin.size(), repaired.size());
    QCOMPARE(qsizetype(origin.back().to), bytes.size());
  }

  void aTextThatIsTooLongIsRefused() {
    const auto tokenizer = parseTokenizerJson("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[]}}", {}, "t");
    QVERIFY(tokenizer);
    const char a = 'a';
    QCOMPARE((*tokenizer)->encode(std::string_view(&a, kLongestText + 1)).error().kind, FailureKind::TooLarge);  // before it is looked at
    QVERIFY(checkVocabulary(**tokenizer, 1, "t"));
    QVERIFY(!checkVocabulary(**tokenizer, 0, "t"));
  }
};

QTEST_GUILESS_MAIN(TestTokenizers)
#include "test_tokenizers.moc"
