// Options as JSON → metrics.
#include <algorithm>
#include <optional>

#include "core/text/scores/metric.h"

namespace cloister::scores {
namespace {

/// Reads options and remembers the first that cannot be.
class Options {
 public:
  explicit Options(const QJsonObject& options) : options_(options) {}

  bool flag(const char* name) const { return options_[QLatin1String(name)].toBool(); }

  int integer(const char* name, int usual, int least, int most) {
    const QJsonValue value = options_[QLatin1String(name)];
    if (value.isUndefined() || value.isNull()) return usual;
    const int i = value.toInt(least - 1);
    if (i < least || i > most) refuse(name, value, QStringLiteral("%1 … %2").arg(least).arg(most));
    return i;
  }

  double number(const char* name, double usual, double above, double most) {
    const QJsonValue value = options_[QLatin1String(name)];
    if (value.isUndefined() || value.isNull()) return usual;
    const double d = value.toDouble(above);
    if (!(d > above) || d > most) refuse(name, value, QStringLiteral("> %1, ≤ %2").arg(above).arg(most));
    return d;
  }

  int choice(const char* name, const QStringList& words, int usual) {
    const QJsonValue value = options_[QLatin1String(name)];
    if (value.isUndefined() || value.isNull()) return usual;
    const auto at = words.indexOf(value.toString());
    if (at < 0) refuse(name, value, words.join(QStringLiteral(", ")));
    return int(std::max<qsizetype>(at, 0));
  }

  const std::optional<Failure>& failure() const { return failure_; }

 private:
  void refuse(const char* name, const QJsonValue& value, const QString& allowed) {
    if (!failure_)
      failure_ = Failure{
          FailureKind::InvalidArgument, {{"name", QLatin1String(name)}, {"value", value.toVariant().toString()}, {"allowed", allowed}}, {}};
  }
  QJsonObject options_;
  std::optional<Failure> failure_;
};

std::unique_ptr<Metric> bleu(Options& o) {
  BleuOptions b;
  b.tokenizer = BleuOptions::Tokenizer(o.choice("tokenize", {"none", "13a", "zh", "intl", "char"}, 1));
  b.smoothing = BleuOptions::Smoothing(o.choice("smoothing", {"none", "floor", "add-k", "exp"}, 3));
  b.smoothingValue = o.number("smoothingValue", b.smoothing == BleuOptions::Smoothing::Floor ? 0.1 : 1.0, 0, 1e6);
  b.lowercase = o.flag("lowercase");
  b.effectiveOrder = o.flag("effectiveOrder");
  b.maxOrder = o.integer("maxOrder", 4, 1, 16);
  return makeBleu(b);
}

std::unique_ptr<Metric> chrf(Options& o) {
  ChrfOptions c;
  c.characterOrder = o.integer("characterOrder", 6, 1, 16);
  c.wordOrder = o.integer("wordOrder", 0, 0, 4);
  c.beta = o.integer("beta", 2, 1, 16);
  c.lowercase = o.flag("lowercase");
  c.whitespace = o.flag("whitespace");
  c.epsilonSmoothing = o.flag("epsilonSmoothing");
  return makeChrf(c);
}

std::unique_ptr<Metric> ter(const Options& o) {
  return makeTer({o.flag("normalized"), o.flag("noPunctuation"), o.flag("asianSupport"), o.flag("caseSensitive")});
}

std::unique_ptr<Metric> rouge(Options& o) {
  RougeOptions r;
  r.tokenizer = RougeOptions::Tokenizer(o.choice("tokenize", {"rouge", "zh", "char"}, 0));
  r.stemmer = o.flag("stemmer");
  return makeRouge(r);
}

}  // namespace

Result<std::unique_ptr<Metric>> makeMetric(const QString& name, const QJsonObject& options) {
  Options o(options);
  std::unique_ptr<Metric> metric;
  if (name == u"bleu") metric = bleu(o);
  else if (name == u"chrf") metric = chrf(o);
  else if (name == u"ter") metric = ter(o);
  else if (name == u"rouge") metric = rouge(o);
  else if (name == u"exact") metric = makeExactMatch(o.flag("lowercase"));
  else
    return Failure{FailureKind::InvalidArgument, {{"name", "metric"}, {"value", name}, {"allowed", "bleu, chrf, ter, rouge, exact"}}, {}};
  if (o.failure()) return *o.failure();
  return metric;
}

}  // namespace cloister::scores
