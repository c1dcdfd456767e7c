#include <algorithm>
#include <limits>

#include "core/text/scores/edit_distance.h"
#include "core/text/scores/metric.h"
#include "core/text/scores/ngrams.h"
#include "core/text/scores/python_text.h"
#include "core/text/scores/tercom_tokenizer.h"

namespace cloister::scores {
namespace {

class TerScorer : public SegmentScorer {
 public:
  explicit TerScorer(const TerOptions& options) : own_(options), theirs_(options) {}

  /// Row: fewest edits over the references, mean length of the references.
  void score(std::string_view hypothesis, std::span<const std::string_view> references, std::span<double> row) override {
    own_.words(hypothesis, words_);
    std::int64_t fewest = std::numeric_limits<std::int64_t>::max();
    double lengths = 0;
    for (const std::string_view reference : references) {
      theirs_.words(reference, referenceWords_);
      // sacreBLEU tokenizes references twice (_cache_references, then _extract_reference_info); with normalisation that is not the same.
      again_.clear();
      for (const std::string_view word : referenceWords_) again_.append(word).append(1, ' ');
      theirs_.words(again_, referenceWords_);
      table_.begin(words_.size() + referenceWords_.size());
      numbers(words_, hypothesis_);
      numbers(referenceWords_, reference_);
      lengths += double(reference_.size());
      fewest = std::min(fewest, edits_.count(hypothesis_, reference_));
    }
    row[0] = double(fewest);
    row[1] = lengths / double(references.size());
  }

 private:
  void numbers(const std::vector<std::string_view>& words, std::vector<std::uint32_t>& out) {
    out.clear();
    for (const std::string_view word : words) out.push_back(table_.add(word));
  }

  TercomTokenizer own_, theirs_;
  std::string again_;
  std::vector<std::string_view> words_, referenceWords_;
  std::vector<std::uint32_t> hypothesis_, reference_;
  WordTable table_;
  TranslationEdits edits_;
};

class TerMetric : public Metric {
 public:
  explicit TerMetric(const TerOptions& options) : options_(options) {}
  int width() const override { return 2; }
  std::unique_ptr<SegmentScorer> scorer() const override { return std::make_unique<TerScorer>(options_); }
  QStringList names() const override { return {QStringLiteral("TER")}; }
  std::vector<double> scores(std::span<const double> sums) const override {
    if (sums[1] > 0) return {100 * (sums[0] / sums[1])};
    return {sums[0] > 0 ? 100.0 : 0.0};
  }
  QJsonObject parts(std::span<const double> sums) const override { return {{"edits", sums[0]}, {"referenceLength", sums[1]}}; }
  QString signature(int references, const QString& extra) const override {
    const auto word = [](bool yes) { return QString::fromLatin1(yes ? "yes" : "no"); };
    return QStringLiteral("nrefs:%1%2|case:%3|tok:tercom|norm:%4|punct:%5|asian:%6|version:2.6.0")
        .arg(references ? QString::number(references) : QStringLiteral("var"), extra, options_.caseSensitive ? "mixed" : "lc",
             word(options_.normalized), word(!options_.noPunctuation), word(options_.asianSupport));
  }

 private:
  TerOptions options_;
};

class ExactScorer : public SegmentScorer {
 public:
  explicit ExactScorer(bool lowercase) : lowercase_(lowercase) {}
  /// Row: 1 where it is equal to a reference, 1 for the segment.
  void score(std::string_view hypothesis, std::span<const std::string_view> references, std::span<double> row) override {
    const std::string_view own = prepared(hypothesis, own_);
    row[0] = std::any_of(references.begin(), references.end(), [&](std::string_view r) { return prepared(r, theirs_) == own; });
    row[1] = 1;
  }

 private:
  std::string_view prepared(std::string_view text, std::string& room) const {
    if (!lowercase_) return strip(text);
    lower(text, room);
    return strip(room);
  }
  bool lowercase_;
  std::string own_, theirs_;
};

class ExactMetric : public Metric {
 public:
  explicit ExactMetric(bool lowercase) : lowercase_(lowercase) {}
  int width() const override { return 2; }
  std::unique_ptr<SegmentScorer> scorer() const override { return std::make_unique<ExactScorer>(lowercase_); }
  QStringList names() const override { return {QStringLiteral("exactMatch")}; }
  std::vector<double> scores(std::span<const double> sums) const override { return {sums[1] > 0 ? 100 * sums[0] / sums[1] : 0.0}; }
  QJsonObject parts(std::span<const double> sums) const override { return {{"equal", sums[0]}, {"segments", sums[1]}}; }
  QString signature(int references, const QString& extra) const override {
    return QStringLiteral("nrefs:%1%2|case:%3|exact:trimmed|version:1")
        .arg(references ? QString::number(references) : QStringLiteral("var"), extra, lowercase_ ? "lc" : "mixed");
  }

 private:
  bool lowercase_;
};

}  // namespace

std::unique_ptr<Metric> makeTer(const TerOptions& options) { return std::make_unique<TerMetric>(options); }
std::unique_ptr<Metric> makeExactMatch(bool lowercase) { return std::make_unique<ExactMetric>(lowercase); }

}  // namespace cloister::scores
