#include "core/text/tokenizers/pre_tokenizer.h"

#include <algorithm>

#include "core/text/tokenizers/json_fields.h"
#include "core/text/tokenizers/normalizer.h"

namespace cloister {
namespace {

const char kGpt2[] = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
const std::string_view kAsciiPunctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

enum class Behaviour { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };

/// One stretch of a span: a match of the pattern, or what lies between two.
struct Part {
  Span span;
  bool match;
};

class SplitStep : public PreTokenizer::Step {
 public:
  SplitStep(std::unique_ptr<Pattern> pattern, Behaviour behaviour, bool invert)
      : pattern_(std::move(pattern)), behaviour_(behaviour), invert_(invert) {}

  void apply(Words& w) const override {
    const std::string_view text = w.text.view();
    pattern_->begin(text);
    w.next.clear();
    for (const Span& span : w.spans) {
      w.matches.clear();
      pattern_->find(text, span, w.matches);
      if (behaviour_ == Behaviour::Isolated) isolate(span, w);
      else arrange(span, w);
    }
    w.spans.swap(w.next);
  }

 private:
  static void isolate(Span span, Words& w) {
    std::uint32_t at = span.from;
    for (const Span& m : w.matches) {
      if (at < m.from) w.next.push_back({at, m.from});
      w.next.push_back(m);
      at = m.to;
    }
    if (at < span.to) w.next.push_back({at, span.to});
  }

  void arrange(Span span, Words& w) const {
    std::vector<Part> parts;
    std::uint32_t at = span.from;
    for (const Span& m : w.matches) {
      if (at < m.from) parts.push_back({{at, m.from}, invert_});
      parts.push_back({m, !invert_});
      at = m.to;
    }
    if (at < span.to) parts.push_back({{at, span.to}, invert_});
    if (behaviour_ == Behaviour::MergedWithNext) return mergeWithNext(parts, w);
    bool previous = false, any = false;
    for (const Part& p : parts) {
      if (behaviour_ == Behaviour::Removed) {
        if (!p.match) w.next.push_back(p.span);
        continue;
      }
      const bool joins = behaviour_ == Behaviour::Contiguous ? p.match == previous : p.match && !previous;
      if (joins && any) w.next.back().to = p.span.to;
      else w.next.push_back(p.span);
      any = true;
      previous = p.match;
    }
  }

  static void mergeWithNext(const std::vector<Part>& parts, Words& w) {
    const std::size_t first = w.next.size();
    bool previous = false;
    for (auto p = parts.rbegin(); p != parts.rend(); ++p) {
      if (p->match && !previous && w.next.size() > first) w.next.back().from = p->span.from;
      else w.next.push_back(p->span);
      previous = p->match;
    }
    std::reverse(w.next.begin() + std::ptrdiff_t(first), w.next.end());
  }

  std::unique_ptr<Pattern> pattern_;
  Behaviour behaviour_;
  bool invert_;
};

/// ByteLevel's add_prefix_space: every word begins with a space.
class PrefixSpaceStep : public PreTokenizer::Step {
 public:
  void apply(Words& w) const override {
    w.next.clear();
    w.text.begin();
    for (const Span& span : w.spans) {
      const auto from = std::uint32_t(w.text.written());
      if (w.text.view()[span.from] != ' ') w.text.put(" ", span.from, span.from);
      w.text.copy(span.from, span.to);
      w.next.push_back({from, std::uint32_t(w.text.written())});
    }
    w.text.finish();
    w.spans.swap(w.next);
  }
};

class MetaspaceStep : public PreTokenizer::Step {
 public:
  enum class Prepend { Always, First, Never };
  MetaspaceStep(std::string replacement, Prepend prepend) : replacement_(std::move(replacement)), prepend_(prepend) {}
  void apply(Words& w) const override {
    w.next.clear();
    const std::string_view text = w.text.view();
    w.text.begin();
    for (const Span& span : w.spans) {
      const auto from = std::uint32_t(w.text.written());
      const std::string_view word = text.substr(span.from, span.to - span.from);
      const bool wanted = prepend_ == Prepend::Always || (prepend_ == Prepend::First && w.atStart && span.from == 0);
      if (wanted && word[0] != ' ' && !word.starts_with(replacement_)) w.text.put(replacement_, span.from, span.from);
      for (std::size_t at = span.from; at < span.to;) {
        const std::size_t space = std::min<std::size_t>(text.find(' ', at), span.to);
        w.text.copy(at, space);
        if (space < span.to) w.text.put(replacement_, space, space + 1);
        at = space + 1;
      }
      w.next.push_back({from, std::uint32_t(w.text.written())});
    }
    w.text.finish();
    w.spans.swap(w.next);
  }

 private:
  std::string replacement_;
  Prepend prepend_;
};

}  // namespace

PreTokenizer PreTokenizer::read(const QJsonValue& value, const Place& place, bool fast) {
  PreTokenizer pre;
  pre.add(value, place, fast, 0);
  return pre;
}

void PreTokenizer::addSplit(std::unique_ptr<Pattern> pattern, const QString& behaviour, bool invert, const Place& place) {
  static const QStringList words{"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"};
  const qsizetype which = words.indexOf(behaviour);
  if (which < 0) refuse(place.in("behavior"), QStringLiteral("is none of ") + words.join(QStringLiteral(", ")));
  steps_.push_back(std::make_unique<SplitStep>(std::move(pattern), Behaviour(which), invert));
}

void PreTokenizer::addByteLevel(const QJsonObject& object, const Place& place, bool fast) {
  if (flagOf(object, "add_prefix_space", true, place)) steps_.push_back(std::make_unique<PrefixSpaceStep>());
  if (flagOf(object, "use_regex", true, place)) {
    auto pattern = compileRegex(kGpt2, fast, place.member);
    if (!pattern) throw TokenizerError{pattern.error()};
    addSplit(std::move(*pattern), QStringLiteral("Isolated"), false, place);
  }
  byteLevel_ = true;
}

void PreTokenizer::addMetaspace(const QJsonObject& object, const Place& place) {
  const std::string replacement = object.contains("replacement") ? textOf(object["replacement"], place.in("replacement")) : "▁";
  QString scheme = object["prepend_scheme"].toString();
  // Older files have add_prefix_space instead.
  if (scheme.isEmpty()) scheme = flagOf(object, "add_prefix_space", true, place) ? QStringLiteral("always") : QStringLiteral("never");
  static const QStringList words{"always", "first", "never"};
  const qsizetype which = words.indexOf(scheme);
  if (which < 0 || replacement.empty()) refuse(place, QStringLiteral("replacement or prepend_scheme is not one that exists"));
  steps_.push_back(std::make_unique<MetaspaceStep>(replacement, MetaspaceStep::Prepend(which)));
  if (flagOf(object, "split", true, place)) addSplit(literalPattern(replacement), QStringLiteral("MergedWithNext"), false, place);
}

void PreTokenizer::add(const QJsonValue& value, const Place& place, bool fast, int depth) {
  if (value.isNull() || value.isUndefined()) return;
  const QJsonObject object = objectOf(value, place);
  const QString type = object["type"].toString();
  if (depth > kDeepest) refuse(place, QStringLiteral("is nested too deeply"));
  if (byteLevel_) unsupported(place, QStringLiteral("pre-tokenizer %1 behind ByteLevel").arg(type));
  if (type == u"Sequence") {
    const QJsonArray parts = arrayOf(object["pretokenizers"], place.in("pretokenizers"));
    for (qsizetype i = 0; i < parts.size(); ++i) add(parts[i], place.in("pretokenizers").at(i), fast, depth + 1);
    return;
  }
  QString name = type;
  const QString isolated = QStringLiteral("Isolated"), removed = QStringLiteral("Removed"), contiguous = QStringLiteral("Contiguous");
  if (type == u"Split") {
    auto pattern = patternOf(object["pattern"], place.in("pattern"), fast);
    if (!pattern->fast()) name += QStringLiteral(" (ICU)");
    addSplit(std::move(pattern), object["behavior"].toString(), flagOf(object, "invert", false, place), place);
  } else if (type == u"ByteLevel") {
    addByteLevel(object, place, fast);
  } else if (type == u"Metaspace") {
    addMetaspace(object, place);
  } else if (type == u"Digits") {
    addSplit(characterPattern(kNumber), flagOf(object, "individual_digits", false, place) ? isolated : contiguous, false, place);
  } else if (type == u"Punctuation") {
    addSplit(characterPattern(kPunctuation, kAsciiPunctuation), object["behavior"].toString(isolated), false, place);
  } else if (type == u"WhitespaceSplit") {
    addSplit(characterPattern(kWhiteSpace), removed, false, place);
  } else if (type == u"Whitespace") {
    auto pattern = compileRegex(R"(\w+|[^\w\s]+)", fast, place.member);
    if (!pattern) throw TokenizerError{pattern.error()};
    addSplit(std::move(*pattern), removed, true, place);
  } else if (type == u"CharDelimiterSplit") {
    addSplit(literalPattern(textOf(object["delimiter"], place.in("delimiter"))), removed, false, place);
  } else {
    unsupported(place, QStringLiteral("pre-tokenizer ") + type);
  }
  names_ << name;
}

}  // namespace cloister
