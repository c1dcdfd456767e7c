// The long patterns of the field as loops over characters. Each follows its expression alternative by alternative, in order; ICU on the
// same expression is the reference in tests/unit/text/test_patterns.cpp and Hugging Face tokenizers in tests/interop/test_tokenizers.py.
#include <array>

#include "core/text/tokenizers/pattern.h"

namespace cloister {
namespace {

/// A stretch of text read from left to right.
struct Reader {
  std::string_view text;
  std::size_t end;
  const std::uint8_t* classes = characterClasses();

  char32_t at(std::size_t i, std::size_t& next) const {
    next = i;
    return nextCodePoint(text, next);
  }
  /// The end of the run of characters from i on that have one of these classes.
  std::size_t runOf(std::uint8_t mask, std::size_t i) const {
    while (i < end) {
      std::size_t next;
      if (!(classes[at(i, next)] & mask)) break;
      i = next;
    }
    return i;
  }
  /// … that have none of them.
  std::size_t runWithout(std::uint8_t mask, std::size_t i) const {
    while (i < end) {
      std::size_t next;
      if (classes[at(i, next)] & mask) break;
      i = next;
    }
    return i;
  }
  std::size_t lineEnds(std::size_t i) const {
    while (i < end && (text[i] == '\r' || text[i] == '\n')) ++i;
    return i;
  }
  bool has(std::uint8_t mask, std::size_t i) const {
    std::size_t next;
    return i < end && (classes[at(i, next)] & mask);
  }
  /// `\s*[\r\n]+|\s+(?!\S)|\s+` at a white space (lines false: without the first alternative).
  std::size_t whiteSpace(std::size_t i, bool lines) const {
    std::size_t last = i, e = i, behindLine = 0;
    while (e < end) {
      std::size_t next;
      const char32_t c = at(e, next);
      if (!(classes[c] & kWhiteSpace)) break;
      last = e;
      e = next;
      if (c == '\r' || c == '\n') behindLine = e;
    }
    if (lines && behindLine) return behindLine;
    return e == end || last == i ? e : last;
  }
  /// 's 't 're 've 'm 'll 'd at an apostrophe: the end, or i. Without case, ſ is an s.
  std::size_t contraction(std::size_t i, bool anyCase) const {
    const auto letter = [&](std::size_t k) {
      if (k >= end) return '\0';
      const char c = text[k];
      return anyCase && c >= 'A' && c <= 'Z' ? char(c + 32) : c;
    };
    const char first = letter(i + 1), second = letter(i + 2);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return i + 2;
    if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l')) return i + 3;
    if (anyCase && i + 2 < end && text[i + 1] == '\xC5' && text[i + 2] == '\xBF') return i + 3;
    return i;
  }
};

/// '…|…?\p{L}+|\p{N}{1,digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+ with digits 1 (Qwen 2) or 3 (Llama 3).
class ChatPattern : public Pattern {
 public:
  explicit ChatPattern(int digits) : digits_(digits) {}
  void find(std::string_view text, Span span, std::vector<Span>& matches) const override {
    const Reader r{text, span.to};
    for (std::size_t i = span.from; i < span.to;) {
      const std::size_t e = match(r, i);
      matches.push_back({std::uint32_t(i), std::uint32_t(e)});
      i = e;
    }
  }

 private:
  std::size_t match(const Reader& r, std::size_t i) const {
    std::size_t next;
    const char32_t c = r.at(i, next);
    if (c == '\'')
      if (const std::size_t e = r.contraction(i, true); e > i) return e;
    const std::uint8_t k = r.classes[c];
    if (k & kLetter) return r.runOf(kLetter, next);
    if (!(k & kNumber) && c != '\r' && c != '\n' && r.has(kLetter, next)) return r.runOf(kLetter, next);
    if (k & kNumber) {
      for (int n = 1; n < digits_ && r.has(kNumber, next); ++n) (void)r.at(next, next);
      return next;
    }
    constexpr std::uint8_t kNot = kWhiteSpace | kLetter | kNumber;
    const std::size_t from = c == ' ' ? next : i;
    if (from < r.end && !r.has(kNot, from)) return r.lineEnds(r.runWithout(kNot, from));
    return r.whiteSpace(i, true);
  }
  int digits_;
};

/// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
class Gpt2Pattern : public Pattern {
 public:
  void find(std::string_view text, Span span, std::vector<Span>& matches) const override {
    const Reader r{text, span.to};
    for (std::size_t i = span.from; i < span.to;) {
      const std::size_t e = match(r, i);
      matches.push_back({std::uint32_t(i), std::uint32_t(e)});
      i = e;
    }
  }

 private:
  static std::size_t match(const Reader& r, std::size_t i) {
    if (r.text[i] == '\'')
      if (const std::size_t e = r.contraction(i, false); e > i) return e;
    const std::size_t from = r.text[i] == ' ' ? i + 1 : i;
    if (from < r.end) {
      std::size_t next;
      const std::uint8_t k = r.classes[r.at(from, next)];
      if (k & kLetter) return r.runOf(kLetter, next);
      if (k & kNumber) return r.runOf(kNumber, next);
      if (!(k & kWhiteSpace)) return r.runWithout(kWhiteSpace | kLetter | kNumber, next);
    }
    return r.whiteSpace(i, false);
  }
};

bool isAsciiPunctuation(char32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}
bool isAsciiLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// The third pattern of DeepSeek V3: [!-/:-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
class DeepSeekV3Pattern : public Pattern {
 public:
  void find(std::string_view text, Span span, std::vector<Span>& matches) const override {
    const Reader r{text, span.to};
    for (std::size_t i = span.from; i < span.to;) {
      std::size_t next;
      const char32_t c = r.at(i, next);
      const std::size_t e = match(r, i, c, next);
      if (e > i) matches.push_back({std::uint32_t(i), std::uint32_t(e)});
      i = e > i ? e : next;  // numbers, controls and the like match nothing
    }
  }

 private:
  static std::size_t match(const Reader& r, std::size_t i, char32_t c, std::size_t next) {
    if (isAsciiPunctuation(c) && next < r.end && isAsciiLetter(r.text[next])) {
      while (next < r.end && isAsciiLetter(r.text[next])) ++next;
      return next;
    }
    constexpr std::uint8_t kWord = kLetter | kMark, kSign = kPunctuation | kSymbol;
    const std::uint8_t k = r.classes[c];
    if (k & kWord) return r.runOf(kWord, next);
    if (!(k & kSign) && c != '\r' && c != '\n' && r.has(kWord, next)) return r.runOf(kWord, next);
    const std::size_t from = c == ' ' ? next : i;
    if (r.has(kSign, from)) return r.lineEnds(r.runOf(kSign, from));
    return k & kWhiteSpace ? r.whiteSpace(i, true) : i;
  }
};

}  // namespace

std::unique_ptr<Pattern> scannerFor(const std::string& e) {
  static const std::string kLlama3 =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  static const std::string kQwen2 =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  static const std::string kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
  static const std::string kGpt2Grouped = R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
  static const std::string kDeepSeekV3 =
      R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  if (e == kLlama3) return std::make_unique<ChatPattern>(3);
  if (e == kQwen2) return std::make_unique<ChatPattern>(1);
  if (e == kGpt2 || e == kGpt2Grouped) return std::make_unique<Gpt2Pattern>();
  if (e == kDeepSeekV3) return std::make_unique<DeepSeekV3Pattern>();
  return nullptr;
}

}  // namespace cloister
