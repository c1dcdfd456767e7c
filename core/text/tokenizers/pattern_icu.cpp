// Regular expressions through ICU, and the two patterns that need none.
#include <memory>
#include <new>

#include <unicode/regex.h>

#include "core/text/tokenizers/pattern.h"

namespace cloister {
namespace {

// What a pattern may take on one stretch of text; expressions come from files that nobody here wrote.
constexpr std::int32_t kStackBytes = 256 << 20, kTimeSteps = 60'000;

constexpr std::size_t kLongest = 128 << 20;

Failure tooMuch(const std::string& expression, const QString& why) {
  return {FailureKind::TooLarge,
          {{"path", QStringLiteral("text")}, {"limit", QStringLiteral("what the tokenizer's pattern can be tried on")}},
          QString::fromStdString(expression) + QStringLiteral(": ") + why};
}

/// One text in UTF-16 with the byte of each unit. One a thread: the spans of a text share the conversion.
struct Utf16 {
  icu::UnicodeString units;
  std::vector<std::uint32_t> bytes;   ///< of each unit
  std::vector<std::uint32_t> unitOf;  ///< of each byte
  std::unique_ptr<icu::RegexMatcher> matcher;

  void take(std::string_view text) {
    units.remove();
    bytes.clear();
    unitOf.assign(text.size() + 1, 0);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t from = at;
      const char32_t c = nextCodePoint(text, at);
      for (std::size_t i = from; i < at; ++i) unitOf[i] = std::uint32_t(bytes.size());
      units.append(UChar32(c));
      bytes.push_back(std::uint32_t(from));
      if (c > 0xFFFF) bytes.push_back(std::uint32_t(from));
    }
    unitOf[text.size()] = std::uint32_t(bytes.size());
    bytes.push_back(std::uint32_t(text.size()));
  }
};

class IcuPattern : public Pattern {
 public:
  IcuPattern(std::unique_ptr<icu::RegexPattern> pattern, std::string expression)
      : pattern_(std::move(pattern)), expression_(std::move(expression)) {}
  bool fast() const override { return false; }

  void begin(std::string_view text) const override {
    if (text.size() > kLongest) throw TokenizerError{tooMuch(expression_, QStringLiteral("%1 bytes").arg(text.size()))};
    Utf16& u = current();
    u.matcher.reset();
    u.take(text);
    UErrorCode status = U_ZERO_ERROR;
    u.matcher.reset(pattern_->matcher(u.units, status));
    if (!u.matcher) throw std::bad_alloc();
    u.matcher->setStackLimit(kStackBytes, status);
    u.matcher->setTimeLimit(kTimeSteps, status);
  }

  void find(std::string_view, Span span, std::vector<Span>& matches) const override {
    if (span.from == span.to) return;
    Utf16& u = current();
    UErrorCode status = U_ZERO_ERROR;
    u.matcher->region(u.unitOf[span.from], u.unitOf[span.to], status);
    while (U_SUCCESS(status) && u.matcher->find(status) && U_SUCCESS(status)) {
      const Span match{u.bytes[std::size_t(u.matcher->start(status))], u.bytes[std::size_t(u.matcher->end(status))]};
      if (match.from < match.to) matches.push_back(match);
    }
    if (U_FAILURE(status)) throw TokenizerError{tooMuch(expression_, QString::fromLatin1(u_errorName(status)))};
  }

 private:
  static Utf16& current() {
    thread_local Utf16 u;
    return u;
  }
  std::unique_ptr<icu::RegexPattern> pattern_;
  std::string expression_;
};

class LiteralPattern : public Pattern {
 public:
  explicit LiteralPattern(std::string wanted) : wanted_(std::move(wanted)) {}
  void find(std::string_view text, Span span, std::vector<Span>& matches) const override {
    const std::string_view part = text.substr(0, span.to);
    for (std::size_t at = part.find(wanted_, span.from); at != std::string_view::npos && !wanted_.empty();) {
      matches.push_back({std::uint32_t(at), std::uint32_t(at + wanted_.size())});
      at = part.find(wanted_, at + wanted_.size());
    }
  }

 private:
  std::string wanted_;
};

class CharacterPattern : public Pattern {
 public:
  CharacterPattern(std::uint8_t classes, std::string_view extra) : classes_(classes), extra_(extra) {}
  void find(std::string_view text, Span span, std::vector<Span>& matches) const override {
    for (std::size_t at = span.from; at < span.to;) {
      const std::size_t from = at;
      const char32_t c = nextCodePoint(text, at);
      if ((classOf(c) & classes_) || (c < 128 && extra_.find(char(c)) != std::string::npos))
        matches.push_back({std::uint32_t(from), std::uint32_t(at)});
    }
  }

 private:
  std::uint8_t classes_;
  std::string extra_;
};

}  // namespace

Result<std::unique_ptr<Pattern>> compileRegex(const std::string& expression, bool fast, const QString& where) {
  if (fast) {
    if (auto scanner = scannerFor(expression)) return scanner;
    if (auto set = simpleSetFor(expression)) return set;
  }
  UErrorCode status = U_ZERO_ERROR;
  UParseError at{};
  // In Ruby's syntax ^ and $ stand at every line, and only a line feed ends one.
  std::unique_ptr<icu::RegexPattern> compiled(
      icu::RegexPattern::compile(icu::UnicodeString::fromUTF8(expression), UREGEX_MULTILINE | UREGEX_UNIX_LINES, at, status));
  if (U_FAILURE(status) || !compiled)
    return Failure{
        FailureKind::UnsupportedEncoding,
        {{"encoding", where}},
        QStringLiteral("%1: regular expression, position %2: %3").arg(where).arg(at.offset).arg(QString::fromLatin1(u_errorName(status)))};
  return std::unique_ptr<Pattern>(std::make_unique<IcuPattern>(std::move(compiled), expression));
}

std::unique_ptr<Pattern> literalPattern(std::string text) { return std::make_unique<LiteralPattern>(std::move(text)); }

std::unique_ptr<Pattern> characterPattern(std::uint8_t classes, std::string_view extra) {
  return std::make_unique<CharacterPattern>(classes, extra);
}

}  // namespace cloister
