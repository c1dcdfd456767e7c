#include <algorithm>
#include <cstring>
#include <string>

#include <QJsonArray>

#include "core/text/scores/metric.h"
#include "core/text/scores/ngrams.h"
#include "core/text/scores/python_text.h"

namespace cloister::scores {
namespace {

constexpr double kEpsilon = 1e-16;

/// sacreBLEU's CHRF._compute_f_score; rows hold (hypothesis, reference, match) of each order.
double fScore(std::span<const double> row, const ChrfOptions& options) {
  const double factor = double(options.beta) * options.beta;
  double smoothed = 0, precision = 0, recall = 0;
  int order = 0;
  for (std::size_t i = 0; i + 2 < row.size(); i += 3) {
    const double p = row[i] > 0 ? row[i + 2] / row[i] : kEpsilon, r = row[i + 1] > 0 ? row[i + 2] / row[i + 1] : kEpsilon;
    const double denominator = factor * p + r;
    smoothed += denominator > 0 ? (1 + factor) * p * r / denominator : kEpsilon;
    if (row[i] > 0 && row[i + 1] > 0) precision += p, recall += r, ++order;
  }
  if (options.epsilonSmoothing) return 100 * smoothed / (options.characterOrder + options.wordOrder);
  if (order) precision /= order, recall /= order;
  if (precision + recall == 0) return 0;
  return 100 * ((1 + factor) * precision * recall / (factor * precision + recall));
}

/// chrF's own words: one mark of punctuation is cut from the end, or else from the beginning.
void cutPunctuation(std::string_view text, std::vector<std::string_view>& plain, std::vector<std::string_view>& out) {
  static const auto isMark = [](char c) { return c && std::strchr("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", c); };
  plain.clear();
  out.clear();
  split(text, plain);
  for (const std::string_view word : plain) {
    const char* p = word.data();
    nextCharacter(p);
    const bool single = p == word.data() + word.size();
    if (!single && isMark(word.back())) {
      out.push_back(word.substr(0, word.size() - 1));
      out.push_back(word.substr(word.size() - 1));
    } else if (!single && isMark(word.front())) {
      out.push_back(word.substr(0, 1));
      out.push_back(word.substr(1));
    } else {
      out.push_back(word);
    }
  }
}

class ChrfScorer : public SegmentScorer {
 public:
  explicit ChrfScorer(const ChrfOptions& options) : options_(options) {}

  void score(std::string_view hypothesis, std::span<const std::string_view> references, std::span<double> row) override {
    characters(prepared(hypothesis, lowered_), own_);
    if (options_.wordOrder) cutPunctuation(prepared(hypothesis, lowered_), plain_, ownWords_);
    double best = -1;
    current_.resize(row.size());
    for (const std::string_view reference : references) {
      compare(reference);
      const double f = fScore(current_, options_);
      if (f <= best) continue;
      best = f;
      std::copy(current_.begin(), current_.end(), row.begin());
    }
  }

 private:
  std::string_view prepared(std::string_view text, std::string& room) const {
    if (!options_.lowercase) return text;
    lower(text, room);
    return room;
  }

  void characters(std::string_view text, std::vector<std::uint32_t>& out) const {
    out.clear();
    const char *p = text.data(), *const end = p + text.size();
    while (p < end) {
      const char32_t c = nextCharacter(p);
      if (options_.whitespace || !isSpace(c)) out.push_back(c);
    }
  }

  void compare(std::string_view reference) {
    reference = prepared(reference, referenceLowered_);
    characters(reference, theirs_);
    count(own_, theirs_, options_.characterOrder, 0);
    if (!options_.wordOrder) return;
    cutPunctuation(reference, plain_, theirWords_);
    words_.begin(theirWords_.size());
    wordsOf(theirWords_, theirs_, [this](std::string_view w) { return words_.add(w); });
    wordsOf(ownWords_, hypothesisWords_, [this](std::string_view w) { return words_.find(w); });
    count(hypothesisWords_, theirs_, options_.wordOrder, options_.characterOrder);
  }

  template <typename Number>
  static void wordsOf(const std::vector<std::string_view>& words, std::vector<std::uint32_t>& out, Number number) {
    out.clear();
    for (const std::string_view word : words) out.push_back(number(word));
  }

  /// Fills three numbers for each order of current_, from order `first` on. kNone as a symbol of ours is in no reference.
  void count(const std::vector<std::uint32_t>& ours, const std::vector<std::uint32_t>& theirs, int orders, int first) {
    ngrams_.begin(theirs.size() * std::size_t(orders));
    places_.assign(ours.size(), kNone);
    theirPlaces_.assign(theirs.size(), kNone);
    for (std::size_t n = 1; n <= std::size_t(orders); ++n) {
      double* const out = &current_[3 * (std::size_t(first) + n - 1)];
      const std::size_t has = theirs.size() >= n ? theirs.size() - n + 1 : 0, tried = ours.size() >= n ? ours.size() - n + 1 : 0;
      for (std::size_t i = 0; i < has; ++i) {
        theirPlaces_[i] = ngrams_.add(theirPlaces_[i], theirs[i + n - 1]);
        ++ngrams_[theirPlaces_[i]];
      }
      out[0] = has ? double(tried) : 0.0;
      out[1] = double(has);
      out[2] = double(matches(ours, n, tried));
    }
  }

  std::uint64_t matches(const std::vector<std::uint32_t>& ours, std::size_t n, std::size_t tried) {
    std::uint64_t found = 0;
    for (std::size_t i = 0; i < tried; ++i) {
      const std::uint32_t symbol = ours[i + n - 1];
      if (symbol == kNone || (n > 1 && places_[i] == kNone)) {
        places_[i] = kNone;
        continue;
      }
      places_[i] = ngrams_.find(places_[i], symbol);
      if (places_[i] == kNone) continue;
      std::uint32_t& left = ngrams_[places_[i]];
      if (left) --left, ++found;
    }
    return found;
  }

  ChrfOptions options_;
  std::string lowered_, referenceLowered_;
  std::vector<std::uint32_t> own_, theirs_, hypothesisWords_, places_, theirPlaces_;
  std::vector<std::string_view> plain_, ownWords_, theirWords_;
  std::vector<double> current_;
  WordTable words_;
  NgramTable<std::uint32_t> ngrams_;
};

class ChrfMetric : public Metric {
 public:
  explicit ChrfMetric(const ChrfOptions& options) : options_(options) {}
  int width() const override { return 3 * (options_.characterOrder + options_.wordOrder); }
  std::unique_ptr<SegmentScorer> scorer() const override { return std::make_unique<ChrfScorer>(options_); }
  QStringList names() const override { return {QStringLiteral("chrF%1").arg(options_.beta) + QString(options_.wordOrder, '+')}; }
  std::vector<double> scores(std::span<const double> sums) const override { return {fScore(sums, options_)}; }
  QJsonObject parts(std::span<const double> sums) const override {
    QJsonArray hypothesis, reference, matches;
    for (std::size_t i = 0; i + 2 < sums.size(); i += 3)
      hypothesis.append(sums[i]), reference.append(sums[i + 1]), matches.append(sums[i + 2]);
    return {{"hypothesisNgrams", hypothesis}, {"referenceNgrams", reference}, {"matches", matches}};
  }
  QString signature(int references, const QString& extra) const override {
    return QStringLiteral("nrefs:%1%2|case:%3|eff:%4|nc:%5|nw:%6|space:%7|version:2.6.0")
        .arg(references ? QString::number(references) : QStringLiteral("var"), extra, options_.lowercase ? "lc" : "mixed",
             options_.epsilonSmoothing ? "no" : "yes")
        .arg(options_.characterOrder)
        .arg(options_.wordOrder)
        .arg(options_.whitespace ? "yes" : "no");
  }

 private:
  ChrfOptions options_;
};

}  // namespace

std::unique_ptr<Metric> makeChrf(const ChrfOptions& options) { return std::make_unique<ChrfMetric>(options); }

}  // namespace cloister::scores
