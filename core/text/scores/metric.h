// A score of texts, cut in two: statistics of each segment (a row of numbers), and a score from the sum of rows. Intervals and significance
// tests then run on rows alone, as in sacreBLEU. A Metric is immutable and shared by threads; a SegmentScorer has the scratch memory of
// one.
#pragma once
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <QJsonObject>
#include <QString>
#include <QStringList>

#include "core/domain/result.h"

namespace cloister::scores {

class SegmentScorer {
 public:
  virtual ~SegmentScorer() = default;
  /// Fills row (Metric::width() numbers). references: one at least. All texts are valid UTF-8 without NUL. Throws TextTooLong.
  virtual void score(std::string_view hypothesis, std::span<const std::string_view> references, std::span<double> row) = 0;
};

/// One pair of texts is beyond what the metric's algorithm can do (ROUGE-L: memory and time grow with the product of the lengths).
struct TextTooLong {
  qint64 tokens = 0, limit = 0;
};

class Metric {
 public:
  virtual ~Metric() = default;
  virtual int width() const = 0;
  virtual std::unique_ptr<SegmentScorer> scorer() const = 0;
  /// What it gives: {"BLEU"}, {"chrF2++"}, {"rouge1", …}.
  virtual QStringList names() const = 0;
  /// One number for each name, from summed rows. Higher is better, but for TER.
  virtual std::vector<double> scores(std::span<const double> sums) const = 0;
  /// What stands behind the scores: precisions, brevity penalty, lengths …
  virtual QJsonObject parts(std::span<const double> sums) const = 0;
  /// The scores of one segment: sacreBLEU uses the effective order there, whatever was asked for the corpus.
  virtual std::vector<double> segmentScores(std::span<const double> row) const { return scores(row); }
  /// sacreBLEU's signature, or one of its kind for the others. references 0: their number varies. extra: "|bs:1000|seed:12345" or nothing.
  virtual QString signature(int references, const QString& extra = {}) const = 0;
};

/// name: bleu, chrf, ter, rouge or exact; options as in docs/formats.md ("The score request"). InvalidArgument names the option.
Result<std::unique_ptr<Metric>> makeMetric(const QString& name, const QJsonObject& options);

// The metrics themselves, each with its source.
struct BleuOptions {
  enum class Tokenizer { None, Mteval13a, Zh, Intl, Char } tokenizer = Tokenizer::Mteval13a;
  enum class Smoothing { None, Floor, AddK, Exp } smoothing = Smoothing::Exp;
  double smoothingValue = 0;  ///< floor 0.1, add-k 1 by default
  bool lowercase = false;
  bool effectiveOrder = false;
  int maxOrder = 4;
};
/// Papineni et al., ACL 2002; Post, WMT 2018 (sacreBLEU 2.6.0); smoothing: Chen and Cherry, WMT 2014.
std::unique_ptr<Metric> makeBleu(const BleuOptions&);

struct ChrfOptions {
  int characterOrder = 6, wordOrder = 0, beta = 2;
  bool lowercase = false, whitespace = false, epsilonSmoothing = false;
};
/// Popović, WMT 2015 and 2017; sacreBLEU 2.6.0.
std::unique_ptr<Metric> makeChrf(const ChrfOptions&);

struct TerOptions {
  bool normalized = false, noPunctuation = false, asianSupport = false, caseSensitive = false;
};
/// Snover et al., AMTA 2006; tercom as in sacreBLEU 2.6.0.
std::unique_ptr<Metric> makeTer(const TerOptions&);

struct RougeOptions {
  /// Default: rouge-score's, [a-z0-9]+ only. Zh: ideographs and kana alone, other runs of letters and digits as words. Char: every
  /// character.
  enum class Tokenizer { Default, Zh, Char } tokenizer = Tokenizer::Default;
  bool stemmer = false;
};
/// Lin, ACL workshop 2004; rouge-score 0.1.2. ROUGE-1, -2, -L and -Lsum, means over segments of the best reference's F.
std::unique_ptr<Metric> makeRouge(const RougeOptions&);

/// The share of segments equal to one of their references once white space at both ends (and case) is put aside.
std::unique_ptr<Metric> makeExactMatch(bool lowercase);

}  // namespace cloister::scores
