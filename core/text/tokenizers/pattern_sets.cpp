// Simple patterns: an optional `\s?`, one set of characters, and how often: `X`, `X+`, `X{1,3}`, `\s?X+`. Most pre-tokenizers of DeepSeek
// are made of them. The set becomes a bit a code point.
#include <charconv>
#include <optional>

#include "core/text/tokenizers/pattern.h"

namespace cloister {
namespace {

class CodePointSet {
 public:
  CodePointSet() : bits_(0x110000 / 64) {}
  void add(char32_t c) { bits_[c >> 6] |= 1ULL << (c & 63); }
  void addRange(char32_t from, char32_t to) {
    for (char32_t c = from; c <= to; ++c) add(c);
  }
  void addClasses(std::uint8_t mask) {
    const std::uint8_t* classes = characterClasses();
    for (char32_t c = 0; c < 0x110000; ++c)
      if (classes[c] & mask) add(c);
  }
  bool has(char32_t c) const { return bits_[c >> 6] >> (c & 63) & 1; }

 private:
  std::vector<std::uint64_t> bits_;
};

/// Reads the expression; anything it is not sure of makes it give up, and ICU takes over.
class SetReader {
 public:
  explicit SetReader(const std::string& e) : e_(e) {}

  bool read(CodePointSet& set, bool& optionalSpace, std::size_t& most) {
    optionalSpace = take("\\s?");
    if (!readSet(set)) return false;
    most = 1;
    if (take("+")) most = std::size_t(-1);
    else if (take("{1,")) {
      const auto [p, error] = std::from_chars(e_.data() + at_, e_.data() + e_.size(), most);
      if (error != std::errc() || most < 1) return false;
      at_ = std::size_t(p - e_.data());
      if (!take("}")) return false;
    }
    return at_ == e_.size();
  }

 private:
  bool take(std::string_view what) {
    if (e_.compare(at_, what.size(), what) != 0) return false;
    at_ += what.size();
    return true;
  }
  static std::uint8_t classNamed(char name) {
    switch (name) {
      case 'L':
        return kLetter;
      case 'M':
        return kMark;
      case 'N':
        return kNumber;
      case 'P':
        return kPunctuation;
      case 'S':
        return kSymbol;
      default:
        return 0;
    }
  }
  /// \p{X} or \s.
  bool readClass(CodePointSet& set) {
    if (take("\\s")) return set.addClasses(kWhiteSpace), true;
    if (e_.compare(at_, 3, "\\p{") != 0 || at_ + 4 >= e_.size() || e_[at_ + 4] != '}') return false;
    const std::uint8_t mask = classNamed(e_[at_ + 3]);
    if (!mask) return false;
    set.addClasses(mask);
    at_ += 5;
    return true;
  }
  std::optional<char32_t> readCharacter() {
    if (at_ >= e_.size()) return {};
    if (take("\\r")) return U'\r';
    if (take("\\n")) return U'\n';
    if (take("\\t")) return U'\t';
    const char c = e_[at_];
    if (c == '\\') {
      if (at_ + 1 >= e_.size()) return {};
      const char escaped = e_[at_ + 1];
      if ((escaped >= '0' && escaped <= '9') || (escaped >= 'a' && escaped <= 'z') || (escaped >= 'A' && escaped <= 'Z') || escaped & 0x80)
        return {};
      at_ += 2;
      return char32_t(static_cast<unsigned char>(escaped));
    }
    if (c == '[' || c == ']' || c == '^' || c == '&' || c == '-') return {};
    return nextCodePoint(e_, at_);
  }
  bool readSet(CodePointSet& set) {
    if (!take("[")) return readClass(set);
    bool any = false;
    while (at_ < e_.size() && e_[at_] != ']') {
      any = true;
      if (e_.compare(at_, 2, "\\p") == 0 || e_.compare(at_, 2, "\\s") == 0) {
        if (!readClass(set)) return false;
        continue;
      }
      const auto from = readCharacter();
      if (!from) return false;
      auto to = from;
      if (take("-")) to = readCharacter();
      if (!to || *to < *from) return false;
      set.addRange(*from, *to);
    }
    return any && take("]");
  }

  const std::string& e_;
  std::size_t at_ = 0;
};

class SetPattern : public Pattern {
 public:
  SetPattern(CodePointSet set, bool optionalSpace, std::size_t most) : set_(std::move(set)), optionalSpace_(optionalSpace), most_(most) {}
  void find(std::string_view text, Span span, std::vector<Span>& matches) const override {
    for (std::size_t at = span.from; at < span.to;) {
      const std::size_t from = at;
      const char32_t c = nextCodePoint(text, at);
      std::size_t first = from;  // where the set has to begin
      if (optionalSpace_ && (classOf(c) & kWhiteSpace)) {
        std::size_t next = at;
        if (at < span.to && set_.has(nextCodePoint(text, next))) first = at;
      }
      if (first == from && !set_.has(c)) continue;
      at = run(text, first, span.to);
      matches.push_back({std::uint32_t(from), std::uint32_t(at)});
    }
  }

 private:
  std::size_t run(std::string_view text, std::size_t at, std::size_t end) const {
    for (std::size_t count = 0; at < end && count < most_; ++count) {
      std::size_t next = at;
      if (!set_.has(nextCodePoint(text, next))) break;
      at = next;
    }
    return at;
  }
  CodePointSet set_;
  bool optionalSpace_;
  std::size_t most_;
};

}  // namespace

std::unique_ptr<Pattern> simpleSetFor(const std::string& expression) {
  if (!isValidUtf8(expression)) return nullptr;
  CodePointSet set;
  bool optionalSpace = false;
  std::size_t most = 1;
  if (!SetReader(expression).read(set, optionalSpace, most)) return nullptr;
  return std::make_unique<SetPattern>(std::move(set), optionalSpace, most);
}

}  // namespace cloister
