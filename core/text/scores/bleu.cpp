#include <algorithm>
#include <cmath>

#include <QJsonArray>

#include "core/text/scores/bleu_tokenizers.h"
#include "core/text/scores/metric.h"
#include "core/text/scores/ngrams.h"

namespace cloister::scores {
namespace {

/// How often an n-gram stands in one reference at most, in the reference being read, and how often the hypothesis has used it.
struct Counts {
  std::uint32_t most = 0, here = 0, reference = 0, used = 0;
};

class BleuScorer : public SegmentScorer {
 public:
  explicit BleuScorer(const BleuOptions& options) : options_(options), own_(options.tokenizer, options.lowercase) {}

  /// Row: length of the hypothesis, of the closest reference, matches of each order, n-grams of each order.
  void score(std::string_view hypothesis, std::span<const std::string_view> references, std::span<double> row) override {
    std::fill(row.begin(), row.end(), 0.0);
    readReferences(references);
    own_.words(hypothesis, words_);
    row[0] = double(words_.size());
    row[1] = closestLength(words_.size());
    symbols_.clear();
    for (const std::string_view word : words_) symbols_.push_back(table_.find(word));
    places_.assign(symbols_.size(), kNone);
    const auto orders = std::size_t(options_.maxOrder);
    for (std::size_t n = 1; n <= orders; ++n) {
      const std::size_t ngrams = symbols_.size() >= n ? symbols_.size() - n + 1 : 0;
      row[1 + orders + n] = double(ngrams);
      row[1 + n] = matches(n, ngrams);
    }
  }

 private:
  void readReferences(std::span<const std::string_view> references) {
    while (tokenizers_.size() < references.size()) tokenizers_.emplace_back(options_.tokenizer, options_.lowercase);
    std::size_t all = 0;
    referenceWords_.resize(references.size());
    for (std::size_t r = 0; r < references.size(); ++r) {
      tokenizers_[r].words(references[r], referenceWords_[r]);
      all += referenceWords_[r].size();
    }
    table_.begin(all);
    ngrams_.begin(all * std::size_t(options_.maxOrder));
    for (std::size_t r = 0; r < references.size(); ++r) addReference(referenceWords_[r], std::uint32_t(r + 1));
  }

  void addReference(const std::vector<std::string_view>& words, std::uint32_t reference) {
    symbols_.clear();
    for (const std::string_view word : words) symbols_.push_back(table_.add(word));
    places_.assign(symbols_.size(), kNone);
    for (std::size_t n = 1; n <= std::size_t(options_.maxOrder) && n <= symbols_.size(); ++n)
      for (std::size_t i = 0; i + n <= symbols_.size(); ++i) {
        places_[i] = ngrams_.add(places_[i], symbols_[i + n - 1]);
        Counts& counts = ngrams_[places_[i]];
        if (counts.reference != reference) counts.reference = reference, counts.here = 0;
        counts.most = std::max(counts.most, ++counts.here);
      }
  }

  /// Clipped matches of order n; an n-gram whose beginning no reference has cannot match.
  double matches(std::size_t n, std::size_t ngrams) {
    std::uint64_t found = 0;
    for (std::size_t i = 0; i < ngrams; ++i) {
      const std::uint32_t symbol = symbols_[i + n - 1];
      if (symbol == kNone || (n > 1 && places_[i] == kNone)) {
        places_[i] = kNone;
        continue;
      }
      places_[i] = ngrams_.find(n > 1 ? places_[i] : kNone, symbol);
      if (places_[i] == kNone) continue;
      Counts& counts = ngrams_[places_[i]];
      if (counts.used < counts.most) ++counts.used, ++found;
    }
    return double(found);
  }

  /// Of two references equally close the shorter one.
  double closestLength(std::size_t length) const {
    std::size_t best = referenceWords_.front().size();
    const auto distance = [length](std::size_t l) { return l > length ? l - length : length - l; };
    for (const auto& words : referenceWords_)
      if (distance(words.size()) < distance(best) || (distance(words.size()) == distance(best) && words.size() < best)) best = words.size();
    return double(best);
  }

  BleuOptions options_;
  BleuTokenizer own_;
  std::vector<BleuTokenizer> tokenizers_;  // one a reference: its words live in it
  std::vector<std::vector<std::string_view>> referenceWords_;
  std::vector<std::string_view> words_;
  std::vector<std::uint32_t> symbols_, places_;
  WordTable table_;
  NgramTable<Counts> ngrams_;
};

struct Bleu {
  double score = 0, brevity = 1;
  std::vector<double> precisions, counts, totals;
};

/// sacreBLEU's BLEU.compute_bleu.
Bleu computed(std::span<const double> sums, const BleuOptions& options, bool effectiveOrder) {
  const auto orders = std::size_t(options.maxOrder);
  Bleu bleu;
  bleu.counts.assign(sums.begin() + 2, sums.begin() + 2 + options.maxOrder);
  bleu.totals.assign(sums.begin() + 2 + options.maxOrder, sums.end());
  bleu.precisions.assign(orders, 0.0);
  const double hypothesis = sums[0], reference = sums[1];
  if (hypothesis < reference) bleu.brevity = hypothesis > 0 ? std::exp(1 - reference / hypothesis) : 0.0;
  if (std::all_of(bleu.counts.begin(), bleu.counts.end(), [](double c) { return c == 0; })) return bleu;
  double halving = 1;
  std::size_t order = orders;
  for (std::size_t n = 0; n < orders; ++n) {
    if (options.smoothing == BleuOptions::Smoothing::AddK && n > 0) {
      bleu.counts[n] += options.smoothingValue;
      bleu.totals[n] += options.smoothingValue;
    }
    if (bleu.totals[n] == 0) break;
    if (effectiveOrder) order = n + 1;
    if (bleu.counts[n] != 0) bleu.precisions[n] = 100.0 * bleu.counts[n] / bleu.totals[n];
    else if (options.smoothing == BleuOptions::Smoothing::Exp) bleu.precisions[n] = 100.0 / ((halving *= 2) * bleu.totals[n]);
    else if (options.smoothing == BleuOptions::Smoothing::Floor) bleu.precisions[n] = 100.0 * options.smoothingValue / bleu.totals[n];
  }
  double logarithms = 0;
  for (std::size_t n = 0; n < order; ++n) logarithms += bleu.precisions[n] == 0 ? -9999999999.0 : std::log(bleu.precisions[n]);
  bleu.score = bleu.brevity * std::exp(logarithms / double(order));
  return bleu;
}

QJsonArray numbers(const std::vector<double>& values) {
  QJsonArray all;
  for (const double v : values) all.append(v);
  return all;
}

class BleuMetric : public Metric {
 public:
  explicit BleuMetric(const BleuOptions& options) : options_(options) {}
  int width() const override { return 2 + 2 * options_.maxOrder; }
  std::unique_ptr<SegmentScorer> scorer() const override { return std::make_unique<BleuScorer>(options_); }
  QStringList names() const override { return {QStringLiteral("BLEU")}; }
  std::vector<double> scores(std::span<const double> sums) const override {
    return {computed(sums, options_, options_.effectiveOrder).score};
  }
  std::vector<double> segmentScores(std::span<const double> row) const override { return {computed(row, options_, true).score}; }
  QJsonObject parts(std::span<const double> sums) const override {
    const Bleu bleu = computed(sums, options_, options_.effectiveOrder);
    return {{"precisions", numbers(bleu.precisions)},
            {"counts", numbers(bleu.counts)},
            {"totals", numbers(bleu.totals)},
            {"bp", bleu.brevity},
            {"ratio", sums[1] > 0 ? sums[0] / sums[1] : 0.0},
            {"hypothesisLength", sums[0]},
            {"referenceLength", sums[1]}};
  }
  QString signature(int references, const QString& extra) const override {
    static const char* const kTokenizers[] = {"none", "13a", "zh", "intl", "char"};
    static const char* const kSmoothings[] = {"none", "floor", "add-k", "exp"};
    QString smoothing = QLatin1String(kSmoothings[int(options_.smoothing)]);
    if (options_.smoothing == BleuOptions::Smoothing::Floor || options_.smoothing == BleuOptions::Smoothing::AddK)
      smoothing += QStringLiteral("[%1]").arg(options_.smoothingValue, 0, 'f', 2);
    return QStringLiteral("nrefs:%1%2|case:%3|eff:%4|tok:%5|smooth:%6|version:2.6.0")
        .arg(references ? QString::number(references) : QStringLiteral("var"), extra, options_.lowercase ? "lc" : "mixed",
             options_.effectiveOrder ? "yes" : "no", QLatin1String(kTokenizers[int(options_.tokenizer)]), smoothing);
  }

 private:
  BleuOptions options_;
};

}  // namespace

std::unique_ptr<Metric> makeBleu(const BleuOptions& options) { return std::make_unique<BleuMetric>(options); }

}  // namespace cloister::scores
