#include "core/text/jinja/lexer.h"

#include <algorithm>
#include <array>

#include "core/text/scores/python_text.h"
#include "core/text/tokenizers/unicode.h"

namespace cloister::jinja {
namespace {

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isHex(char c) { return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
int hexValue(char c) { return isDigit(c) ? c - '0' : (c | 32) - 'a' + 10; }

/// Every kind of line end as \n, and none at the very end.
std::string withPlainLines(std::string_view source) {
  std::string out;
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') out += source[i];
    else if (i + 1 == source.size() || source[i + 1] != '\n') out += '\n';
  }
  if (out.ends_with('\n')) out.pop_back();
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : text_(withPlainLines(source)) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) root();
    add(Token::Type::End, {}, at_);
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail(std::size_t at, std::string why) { throw TemplateError{placeOf(at), std::move(why)}; }

  /// Asked with growing `at` nearly always.
  Place placeOf(std::size_t at) {
    if (at < counted_) counted_ = 0, lineStart_ = 0, line_ = 1;
    for (; counted_ < at; ++counted_)
      if (text_[counted_] == '\n') ++line_, lineStart_ = counted_ + 1;
    return {line_, int(characters(std::string_view(text_).substr(lineStart_, at - lineStart_))) + 1};
  }

  void add(Token::Type type, std::string text, std::size_t at) { tokens_.push_back({type, std::move(text), placeOf(at)}); }

  std::string_view rest(std::size_t at) const { return std::string_view(text_).substr(at); }
  bool holds(std::size_t at, std::string_view what) const { return rest(std::min(at, text_.size())).starts_with(what); }
  std::size_t behindSpaces(std::size_t at) const {
    while (at < text_.size()) {
      const std::size_t n = scores::spaceBytes(text_.c_str() + at);
      if (n == 0) break;
      at += n;
    }
    return at;
  }
  void moveTo(std::size_t at) {
    lineStarting_ = at > 0 && text_[at - 1] == '\n';
    at_ = at;
  }

  /// The next tag: {{, {% or {#; the end of the text when there is none.
  std::size_t nextTag() const {
    for (std::size_t at = text_.find('{', at_); at != std::string::npos; at = text_.find('{', at + 1))
      if (at + 1 < text_.size() && (text_[at + 1] == '{' || text_[at + 1] == '%' || text_[at + 1] == '#')) return at;
    return text_.size();
  }

  /// The text before a tag, as the sign behind the tag's start and lstrip_blocks leave it.
  std::string_view dataBefore(std::size_t from, std::size_t to, char sign, bool variable) const {
    std::string_view data = std::string_view(text_).substr(from, to - from);
    if (sign == '-') return scores::stripRight(data);
    if (sign == '+' || variable) return data;
    const std::size_t line = data.rfind('\n') + 1;  // npos + 1 is 0
    if (line == 0 && !lineStarting_) return data;
    return scores::strip(data.substr(line)).empty() ? data.substr(0, line) : data;
  }

  void addData(std::size_t from, std::string_view data) {
    if (!data.empty()) add(Token::Type::Data, std::string(data), from);
  }

  char signAt(std::size_t at) const { return at < text_.size() && (text_[at] == '-' || text_[at] == '+') ? text_[at] : '\0'; }

  void root() {
    const std::size_t tag = nextTag();
    if (tag == text_.size()) {
      addData(at_, rest(at_));
      return moveTo(tag);
    }
    const char kind = text_[tag + 1], sign = signAt(tag + 2);
    addData(at_, dataBefore(at_, tag, sign, kind == '{'));
    const std::size_t inside = tag + 2 + (sign ? 1 : 0);
    if (kind == '#') return comment(inside);
    if (kind == '%')
      if (const std::size_t raw = behindRaw(inside); raw > 0) return rawText(raw);
    add(kind == '{' ? Token::Type::VariableBegin : Token::Type::BlockBegin, {}, tag);
    moveTo(inside);
    code(tag, kind == '{');
  }

  void comment(std::size_t from) {
    const std::size_t end = text_.find("#}", from);
    if (end == std::string::npos) fail(from, "Missing end of comment tag");
    moveTo(behindEnd(end, end > from ? signAt(end - 1) : '\0'));
  }

  /// Behind the two characters of a tag's end: white space with -, nothing with +, else one newline.
  std::size_t behindEnd(std::size_t end, char sign) const {
    if (sign == '-') return behindSpaces(end + 2);
    return end + 2 + (sign != '+' && holds(end + 2, "\n") ? 1 : 0);
  }

  /// Behind "raw %}" when it stands at `at`, else 0.
  std::size_t behindRaw(std::size_t at) const {
    at = behindSpaces(at);
    if (!holds(at, "raw")) return 0;
    at = behindSpaces(at + 3);
    if (holds(at, "-%}")) return behindSpaces(at + 3);
    return holds(at, "%}") ? at + 2 : 0;
  }

  void rawText(std::size_t from) {
    moveTo(from);
    for (std::size_t tag = text_.find("{%", from); tag != std::string::npos; tag = text_.find("{%", tag + 2)) {
      const char sign = signAt(tag + 2);
      std::size_t at = behindSpaces(tag + 2 + (sign ? 1 : 0));
      if (!holds(at, "endraw")) continue;
      at = behindSpaces(at + 6);
      const char behind = signAt(at);
      if (!holds(at + (behind ? 1 : 0), "%}")) continue;
      addData(from, dataBefore(from, tag, sign, false));
      return moveTo(behindEnd(at + (behind ? 1 : 0), behind));
    }
    fail(from, "Missing end of raw directive");
  }

  // Inside {{ }} and {% %}.

  void code(std::size_t tag, bool variable) {
    std::string open;  // closing brackets that are waited for
    const char* end = variable ? "}}" : "%}";
    for (;;) {
      at_ = behindSpaces(at_);
      if (at_ >= text_.size()) fail(tag, "the tag that begins here is not closed");
      const char sign = signAt(at_);
      const bool signedEnd = sign && !(variable && sign == '+') && holds(at_ + 1, end);
      if (open.empty() && (signedEnd || holds(at_, end))) {
        add(variable ? Token::Type::VariableEnd : Token::Type::BlockEnd, {}, at_);
        const std::size_t to = at_ + (signedEnd ? 1 : 0);
        return moveTo(variable && !signedEnd ? to + 2 : behindEnd(to, signedEnd ? sign : '\0'));
      }
      token(open);
    }
  }

  void token(std::string& open) {
    const char c = text_[at_];
    if (isDigit(c)) return number();
    if (c == '\'' || c == '"') return string(c);
    if (const std::size_t end = behindName(at_); end > at_) {
      if (static_cast<unsigned char>(c) >= 0x80 && !(classOf(codePoint(at_)) & kLetter)) fail(at_, "Invalid character in identifier");
      add(Token::Type::Name, text_.substr(at_, end - at_), at_);
      at_ = end;
      return;
    }
    sign(open);
  }

  char32_t codePoint(std::size_t at) const { return nextCodePoint(text_, at); }

  std::size_t behindName(std::size_t at) const {
    while (at < text_.size()) {
      std::size_t next = at;
      const char32_t c = nextCodePoint(text_, next);
      if (c != '_' && !(classOf(c) & (kLetter | kNumber))) break;
      at = next;
    }
    return at;
  }

  /// Digits with single underscores between; from when there is none.
  std::size_t behindDigits(std::size_t from) const {
    std::size_t at = from;
    while (at < text_.size() && (isDigit(text_[at]) || (text_[at] == '_' && at > from && isDigit(text_[at - 1]) && at + 1 < text_.size() &&
                                                        isDigit(text_[at + 1]))))
      ++at;
    return at;
  }

  void addNumber(Token::Type type, std::size_t end) {
    std::string digits = text_.substr(at_, end - at_);
    std::erase(digits, '_');
    add(type, digits, at_);
    at_ = end;
  }

  void number() {
    const std::size_t whole = behindDigits(at_);
    std::size_t end = whole;
    if (at_ == 0 || text_[at_ - 1] != '.') {
      if (holds(end, ".") && behindDigits(end + 1) > end + 1) end = behindDigits(end + 1);
      if (end < text_.size() && (text_[end] | 32) == 'e') {
        const std::size_t digits = end + 1 + (signAt(end + 1) ? 1 : 0);
        if (behindDigits(digits) > digits) end = behindDigits(digits);
      }
      if (end > whole) return addNumber(Token::Type::Float, end);
    }
    if (text_[at_] == '0' && at_ + 1 < text_.size()) {
      const char base = char(text_[at_ + 1] | 32);
      end = at_ + 2;
      while (end < text_.size() && isHex(text_[end]) &&
             (base == 'x' || (base == 'o' && text_[end] < '8') || (base == 'b' && text_[end] < '2')))
        ++end;
      if (end > at_ + 2 && (base == 'x' || base == 'o' || base == 'b')) return addNumber(Token::Type::Integer, end);
      for (end = at_; end < whole && (text_[end] == '0' || text_[end] == '_');) ++end;
      if (end < whole) fail(at_, "a number does not begin with 0");
    }
    addNumber(Token::Type::Integer, whole);
  }

  void string(char quote) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) fail(at_, "a text in quotes is not closed");
    add(Token::Type::String, unescaped(at_ + 1, end), at_);
    at_ = end + 1;
  }

  std::string unescaped(std::size_t at, std::size_t end) {
    static constexpr std::string_view kLetters = "\n\\'\"abfnrtv", kMean = "\1\\'\"\a\b\f\n\r\t\v";
    std::string out;
    while (at < end) {
      const char c = text_[at++];
      if (c != '\\') {
        out += c;
        continue;
      }
      const char e = text_[at++];
      if (e == '\n') continue;
      if (const std::size_t known = kLetters.find(e); known != std::string_view::npos) out += kMean[known];
      else if (e == 'x' || e == 'u' || e == 'U') at = hexadecimal(at, end, e == 'x' ? 2 : e == 'u' ? 4 : 8, out);
      else if (e >= '0' && e <= '7') {
        char32_t value = char32_t(e - '0');
        for (int i = 0; i < 2 && at < end && text_[at] >= '0' && text_[at] <= '7'; ++i) value = value * 8 + char32_t(text_[at++] - '0');
        appendUtf8(out, value);
      } else if (e == 'N') fail(at, "characters by name (\\N) are not known here");
      else out += '\\', out += e;
    }
    return out;
  }

  std::size_t hexadecimal(std::size_t at, std::size_t end, std::size_t digits, std::string& out) {
    char32_t value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (at + i >= end || !isHex(text_[at + i]) || value > 0x10FFFF) fail(at, "an escape in a text is cut short");
      value = value * 16 + char32_t(hexValue(text_[at + i]));
    }
    if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) fail(at, "an escape in a text names no character");
    appendUtf8(out, value);
    return at + digits;
  }

  void sign(std::string& open) {
    static constexpr std::array<std::string_view, 6> kDouble{"//", "**", "==", "!=", ">=", "<="};
    const auto two = std::find_if(kDouble.begin(), kDouble.end(), [&](std::string_view s) { return holds(at_, s); });
    if (two != kDouble.end()) {
      add(Token::Type::Operator, std::string(*two), at_);
      at_ += 2;
      return;
    }
    const char c = text_[at_];
    if (std::string_view("+-/*%~[](){}><=.:|,;").find(c) == std::string_view::npos) fail(at_, "unexpected character");
    if (c == '{' || c == '(' || c == '[') open += c == '{' ? '}' : c == '(' ? ')' : ']';
    if (c == '}' || c == ')' || c == ']') {
      if (open.empty()) fail(at_, std::string("unexpected '") + c + "'");
      if (open.back() != c) fail(at_, std::string("unexpected '") + c + "', expected '" + open.back() + "'");
      open.pop_back();
    }
    add(Token::Type::Operator, std::string(1, c), at_);
    ++at_;
  }

  const std::string text_;
  std::size_t at_ = 0;
  bool lineStarting_ = true;
  std::vector<Token> tokens_;
  std::size_t counted_ = 0, lineStart_ = 0;
  int line_ = 1;
};

}  // namespace

std::vector<Token> tokensOf(std::string_view source) { return Lexer(source).run(); }

}  // namespace cloister::jinja
