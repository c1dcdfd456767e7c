#include <algorithm>
#include <string>
#include <unordered_map>

#include "core/text/scores/common_subsequence.h"
#include "core/text/scores/metric.h"
#include "core/text/scores/ngrams.h"
#include "core/text/scores/python_text.h"
#include "core/text/scores/rouge_tokenizers.h"

namespace cloister::scores {
namespace {

constexpr std::size_t kTypes = 4;
const char* const kNames[kTypes] = {"rouge1", "rouge2", "rougeL", "rougeLsum"};

// Pairs of words that a longest common subsequence may take: about a second, and 256 MB where it is read back.
constexpr std::size_t kMostPairs = std::size_t(1) << 36, kMostPairsReadBack = std::size_t(1) << 31;

struct Values {
  double precision = 0, recall = 0, f = 0;
};

Values values(double hits, double candidate, double reference) {
  Values v{hits / std::max(candidate, 1.0), hits / std::max(reference, 1.0), 0};
  if (v.precision + v.recall > 0) v.f = 2 * v.precision * v.recall / (v.precision + v.recall);
  return v;
}

void checkLength(std::size_t a, std::size_t b, std::size_t most) {
  if (b && a > most / b) throw TextTooLong{qint64(a) * qint64(b), qint64(most)};
}

/// A text's words as numbers, and where its lines end: ROUGE-Lsum takes lines for sentences.
struct Text {
  std::vector<std::uint32_t> words, lineWords;
  std::vector<std::size_t> lineEnds;

  std::span<const std::uint32_t> line(std::size_t i) const {
    const std::size_t from = i ? lineEnds[i - 1] : 0;
    return std::span(lineWords).subspan(from, lineEnds[i] - from);
  }
};

class RougeScorer : public SegmentScorer {
 public:
  explicit RougeScorer(const RougeOptions& options) : options_(options), tokenizer_(options) {}

  /// Row: precision, recall and F of each type, then 1 for the segment. Each type takes its own best reference, by F.
  void score(std::string_view hypothesis, std::span<const std::string_view> references, std::span<double> row) override {
    std::fill(row.begin(), row.end(), 0.0);
    for (std::size_t r = 0; r < references.size(); ++r) {
      numbers_.clear();
      read(references[r], reference_);
      read(hypothesis, candidate_);
      const Values all[kTypes] = {ngrams(1), ngrams(2), subsequence(), summary()};
      for (std::size_t t = 0; t < kTypes; ++t)
        if (r == 0 || all[t].f > row[3 * t + 2]) row[3 * t] = all[t].precision, row[3 * t + 1] = all[t].recall, row[3 * t + 2] = all[t].f;
    }
    row[3 * kTypes] = 1;
  }

 private:
  std::uint32_t number(std::string_view word) {
    const auto [at, fresh] = numbers_.try_emplace(std::string(word), std::uint32_t(numbers_.size()));
    (void)fresh;
    return at->second;
  }

  void read(std::string_view text, Text& out) {
    out.words.clear();
    out.lineWords.clear();
    out.lineEnds.clear();
    tokenizer_.words(text, words_);
    for (const std::string_view word : words_) out.words.push_back(number(word));
    for (std::size_t from = 0; from <= text.size();) {
      const std::size_t to = std::min(text.find('\n', from), text.size());
      if (to > from) {
        // Lower case looks at neighbours, so a line is cut before its words are.
        tokenizer_.words(text.substr(from, to - from), words_);
        for (const std::string_view word : words_) out.lineWords.push_back(number(word));
        out.lineEnds.push_back(out.lineWords.size());
      }
      from = to + 1;
    }
  }

  Values ngrams(std::size_t n) {
    const auto &own = candidate_.words, &theirs = reference_.words;
    const std::size_t tried = own.size() >= n ? own.size() - n + 1 : 0, has = theirs.size() >= n ? theirs.size() - n + 1 : 0;
    table_.begin(has);
    const auto prefix = [n](const std::vector<std::uint32_t>& words, std::size_t i) { return n > 1 ? words[i] : kNone; };
    for (std::size_t i = 0; i < has; ++i) ++table_[table_.add(prefix(theirs, i), theirs[i + n - 1])];
    std::size_t hits = 0;
    for (std::size_t i = 0; i < tried; ++i) {
      const std::uint32_t at = table_.find(prefix(own, i), own[i + n - 1]);
      if (at != kNone && table_[at]) --table_[at], ++hits;
    }
    return values(double(hits), double(tried), double(has));
  }

  Values subsequence() {
    const auto &own = candidate_.words, &theirs = reference_.words;
    if (own.empty() || theirs.empty()) return {};
    checkLength(own.size(), theirs.size(), kMostPairs);
    return values(double(lcs_.length(theirs, own, numbers_.size())), double(own.size()), double(theirs.size()));
  }

  /// Union of the subsequences that each line of the reference has with every line of the candidate; a word counts as often as both have
  /// it.
  Values summary() {
    const std::size_t own = candidate_.lineWords.size(), theirs = reference_.lineWords.size();
    if (!own || !theirs) return {};
    checkLength(own, theirs, kMostPairs);
    left_.assign(numbers_.size(), {0, 0});
    for (const std::uint32_t w : reference_.lineWords) ++left_[w].first;
    for (const std::uint32_t w : candidate_.lineWords) ++left_[w].second;
    double hits = 0;
    for (std::size_t r = 0; r < reference_.lineEnds.size(); ++r) {
      const auto line = reference_.line(r);
      marked_.assign(line.size(), 0);
      for (std::size_t c = 0; c < candidate_.lineEnds.size(); ++c) {
        checkLength(line.size(), candidate_.line(c).size(), kMostPairsReadBack);
        lcs_.mark(line, candidate_.line(c), numbers_.size(), marked_);
      }
      for (std::size_t i = 0; i < line.size(); ++i) {
        auto& [inReference, inCandidate] = left_[line[i]];
        if (!marked_[i] || !inReference || !inCandidate) continue;
        --inReference, --inCandidate, ++hits;
      }
    }
    return values(hits, double(own), double(theirs));
  }

  RougeOptions options_;
  RougeTokenizer tokenizer_;
  Text reference_, candidate_;
  std::vector<std::string_view> words_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> left_;
  std::vector<std::uint8_t> marked_;
  NgramTable<std::uint32_t> table_;
  CommonSubsequence lcs_;
};

class RougeMetric : public Metric {
 public:
  explicit RougeMetric(const RougeOptions& options) : options_(options) {}
  int width() const override { return int(3 * kTypes + 1); }
  std::unique_ptr<SegmentScorer> scorer() const override { return std::make_unique<RougeScorer>(options_); }
  QStringList names() const override { return {kNames[0], kNames[1], kNames[2], kNames[3]}; }
  /// Mean F, between 0 and 1 as rouge-score gives it.
  std::vector<double> scores(std::span<const double> sums) const override {
    std::vector<double> all;
    for (std::size_t t = 0; t < kTypes; ++t) all.push_back(mean(sums, 3 * t + 2));
    return all;
  }
  QJsonObject parts(std::span<const double> sums) const override {
    QJsonObject all;
    for (std::size_t t = 0; t < kTypes; ++t)
      all[QLatin1String(kNames[t])] =
          QJsonObject{{"precision", mean(sums, 3 * t)}, {"recall", mean(sums, 3 * t + 1)}, {"f", mean(sums, 3 * t + 2)}};
    return all;
  }
  QString signature(int references, const QString& extra) const override {
    static const char* const kTokenizers[] = {"rouge", "zh", "char"};
    return QStringLiteral("nrefs:%1%2|case:lc|tok:%3|stem:%4|version:rouge-score-0.1.2")
        .arg(references ? QString::number(references) : QStringLiteral("var"), extra, QLatin1String(kTokenizers[int(options_.tokenizer)]),
             options_.stemmer ? "porter" : "no");
  }

 private:
  static double mean(std::span<const double> sums, std::size_t i) { return sums[3 * kTypes] > 0 ? sums[i] / sums[3 * kTypes] : 0.0; }
  RougeOptions options_;
};

}  // namespace

std::unique_ptr<Metric> makeRouge(const RougeOptions& options) { return std::make_unique<RougeMetric>(options); }

}  // namespace cloister::scores
