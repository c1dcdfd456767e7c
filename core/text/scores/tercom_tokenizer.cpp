#include "core/text/scores/tercom_tokenizer.h"

#include <array>
#include <cstring>

#include "core/text/scores/python_text.h"

namespace cloister::scores {
namespace {

bool isAsianPunctuation(char32_t c) {
  return c == 0x3001 || c == 0x3002 || (c >= 0x3008 && c <= 0x3011) || (c >= 0x3014 && c <= 0x301F) || (c >= 0xFF61 && c <= 0xFF65) ||
         c == 0x30FB;
}

bool isFullWidthPunctuation(char32_t c) {
  return c == 0xFF0E || c == 0xFF0C || c == 0xFF1F || c == 0xFF1A || c == 0xFF1B || c == 0xFF01 || c == 0xFF02 || c == 0xFF08 ||
         c == 0xFF09;
}

/// A character that _normalize_asian surrounds with spaces. Its rules follow one another, but a character that two of them match only gets
/// more spaces, and spaces are joined at the end. Its three rules for runs of kana match at the start of the text alone, which is always a
/// space by then: they do nothing, so kana is split only where the range U+3200–U+3F22 (sic) and the others have it.
bool standsAlone(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x31C0 && c <= 0x31EF) || (c >= 0x2E80 && c <= 0x2EFF) ||
         (c >= 0x3300 && c <= 0x33FF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE4F) || (c >= 0x3200 && c <= 0x3F22) ||
         isAsianPunctuation(c) || isFullWidthPunctuation(c);
}

}  // namespace

void TercomTokenizer::normalize() {
  replaceAll(text_, "\n-", "");
  replaceAll(text_, "\n", " ");
  replaceAll(text_, "&quot;", "\"");
  replaceAll(text_, "&amp;", "&");
  replaceAll(text_, "&lt;", "<");
  replaceAll(text_, "&gt;", ">");
  text_.insert(text_.begin(), ' ');
  text_ += ' ';
  char* a = one_.atLeast(3 * text_.size());
  room_.assign(a, separateSymbols(text_, a));
  // "'s$" never matches: the text ends with a space.
  replaceAll(room_, "'s ", " 's ");
  a = one_.atLeast(2 * room_.size());
  const std::size_t after = std::size_t(separatePeriodsAfterNonDigit(room_, a) - a);
  char* b = two_.atLeast(2 * after);
  const std::size_t before = std::size_t(separatePeriodsBeforeNonDigit({a, after}, b) - b);
  a = one_.atLeast(2 * before);
  text_.assign(a, separateDashAfterDigit({b, before}, a));
}

void TercomTokenizer::spaceOutAsian() {
  room_.clear();
  const char *p = text_.data(), *const end = p + text_.size();
  while (p < end) {
    const char* const from = p;
    const bool alone = standsAlone(nextCharacter(p));
    if (alone) room_ += ' ';
    room_.append(from, p);
    if (alone) room_ += ' ';
  }
  text_.swap(room_);
}

void TercomTokenizer::removePunctuation() {
  room_.clear();
  const char *p = text_.data(), *const end = p + text_.size();
  while (p < end) {
    const char* const from = p;
    const char32_t c = nextCharacter(p);
    const bool western = c < 0x80 && c && std::strchr(".,?:;!\"()", int(c));
    if (western || (options_.asianSupport && (isAsianPunctuation(c) || isFullWidthPunctuation(c)))) continue;
    room_.append(from, p);
  }
  text_.swap(room_);
}

void TercomTokenizer::words(std::string_view text, std::vector<std::string_view>& words) {
  words.clear();
  text = stripRight(text);
  if (text.empty()) return;
  if (options_.caseSensitive) text_.assign(text);
  else lower(text, text_);
  if (options_.normalized) {
    normalize();
    if (options_.asianSupport) spaceOutAsian();
  }
  if (options_.noPunctuation) removePunctuation();
  split(text_, words);
}

}  // namespace cloister::scores
