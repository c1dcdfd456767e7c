#include "core/text/scores/bleu_tokenizers.h"

#include <unicode/uchar.h>

#include <array>

#include "core/text/scores/python_text.h"

namespace cloister::scores {
namespace {

/// What the passes ask of a byte.
enum : std::uint8_t { kDigit = 1, kSymbol = 2, kPeriod = 4 };

constexpr std::array<std::uint8_t, 256> byteClasses() {
  std::array<std::uint8_t, 256> table{};
  for (unsigned c = '0'; c <= '9'; ++c) table[c] |= kDigit;
  const auto symbols = [&table](unsigned first, unsigned last) {
    for (unsigned c = first; c <= last; ++c) table[c] |= kSymbol;
  };
  symbols('{', '~');
  symbols('[', '`');
  symbols(' ', '&');
  symbols('(', '+');
  symbols(':', '@');
  symbols('/', '/');
  table[static_cast<unsigned>('.')] |= kPeriod;
  table[static_cast<unsigned>(',')] |= kPeriod;
  return table;
}
constexpr std::array<std::uint8_t, 256> kClass = byteClasses();

bool is(char c, std::uint8_t what) { return (kClass[static_cast<unsigned char>(c)] & what) != 0; }

/// TokenizerZh._is_chinese_char. Two of its ranges are strings of two characters ('\u20000' is U+2000 and '0'), and Python compares them as
/// such: they act as U+2001–U+2A6D and U+2F81–U+2FA1. Scores are only comparable with the same mistake.
bool isChinese(char32_t c) {
  struct Range {
    char32_t first, last;
  };
  static constexpr std::array kRanges{Range{0x2001, 0x2A6D}, Range{0x2E80, 0x2EFF}, Range{0x2F00, 0x2FDF}, Range{0x2FF0, 0x303F},
                                      Range{0x3100, 0x312F}, Range{0x31A0, 0x31BF}, Range{0x31C0, 0x31EF}, Range{0x3200, 0x33FF},
                                      Range{0x3400, 0x4DB5}, Range{0x4E00, 0x9FBB}, Range{0xF900, 0xFA2D}, Range{0xFA30, 0xFA6A},
                                      Range{0xFA70, 0xFAD9}, Range{0xFE10, 0xFE1F}, Range{0xFE30, 0xFE4F}, Range{0xFF00, 0xFFEF}};
  if (c < kRanges.front().first) return false;
  for (const Range& r : kRanges)
    if (c <= r.last) return c >= r.first;
  return false;
}

bool isPunctuation(char32_t c) { return (U_GET_GC_MASK(UChar32(c)) & U_GC_P_MASK) != 0; }
bool isNumber(char32_t c) { return (U_GET_GC_MASK(UChar32(c)) & U_GC_N_MASK) != 0; }
bool isMathOrOtherSymbol(char32_t c) { return (U_GET_GC_MASK(UChar32(c)) & U_GC_S_MASK) != 0; }

}  // namespace

char* separateSymbols(std::string_view text, char* out) {
  for (const char c : text) {
    if (is(c, kSymbol)) {
      out[0] = ' ', out[1] = c, out[2] = ' ';
      out += 3;
    } else {
      *out++ = c;
    }
  }
  return out;
}

char* separatePeriodsAfterNonDigit(std::string_view text, char* out) {
  const std::size_t n = text.size();
  for (std::size_t i = 0; i < n; ++i) {
    *out++ = text[i];
    if (i + 1 == n || !is(text[i + 1], kPeriod) || is(text[i], kDigit)) continue;
    out[0] = ' ', out[1] = text[++i], out[2] = ' ';
    out += 3;
  }
  return out;
}

char* separatePeriodsBeforeNonDigit(std::string_view text, char* out) {
  const std::size_t n = text.size();
  for (std::size_t i = 0; i < n; ++i) {
    if (!is(text[i], kPeriod) || i + 1 == n || is(text[i + 1], kDigit)) {
      *out++ = text[i];
      continue;
    }
    out[0] = ' ', out[1] = text[i], out[2] = ' ', out[3] = text[i + 1];
    out += 4;
    ++i;
  }
  return out;
}

char* separateDashAfterDigit(std::string_view text, char* out) {
  const std::size_t n = text.size();
  for (std::size_t i = 0; i < n; ++i) {
    *out++ = text[i];
    if (i + 1 == n || text[i + 1] != '-' || !is(text[i], kDigit)) continue;
    out[0] = ' ', out[1] = text[++i], out[2] = ' ';
    out += 3;
  }
  return out;
}

void replaceAll(std::string& text, std::string_view what, std::string_view with) {
  std::size_t found = text.find(what);
  if (found == std::string::npos) return;
  std::string out;
  out.reserve(text.size());
  std::size_t from = 0;
  for (; found != std::string::npos; found = text.find(what, from)) {
    out.append(text, from, found - from).append(with);
    from = found + what.size();
  }
  text = out.append(text, from);
}

std::string_view BleuTokenizer::westernPasses(std::string_view text) {
  const auto between = [](const char* begin, const char* end) { return std::string_view(begin, static_cast<std::size_t>(end - begin)); };
  char* a = one_.atLeast(3 * text.size());
  const std::string_view symbols = between(a, separateSymbols(text, a));
  char* b = two_.atLeast(2 * symbols.size());
  const std::string_view after = between(b, separatePeriodsAfterNonDigit(symbols, b));
  a = one_.atLeast(2 * after.size());
  const std::string_view before = between(a, separatePeriodsBeforeNonDigit(after, a));
  b = two_.atLeast(2 * before.size());
  return between(b, separateDashAfterDigit(before, b));
}

std::string_view BleuTokenizer::mteval13a(std::string_view text) {
  changed_.assign(1, ' ');
  changed_.append(text);
  if (text.find('<') != std::string_view::npos) replaceAll(changed_, "<skipped>", "");
  if (text.find('\n') != std::string_view::npos) {
    replaceAll(changed_, "-\n", "");
    replaceAll(changed_, "\n", " ");
  }
  if (text.find('&') != std::string_view::npos) {
    replaceAll(changed_, "&quot;", "\"");
    replaceAll(changed_, "&amp;", "&");
    replaceAll(changed_, "&lt;", "<");
    replaceAll(changed_, "&gt;", ">");
  }
  changed_ += ' ';
  return westernPasses(changed_);
}

std::string_view BleuTokenizer::spacedChinese(std::string_view text) {
  changed_.clear();
  text = strip(text);
  const char *p = text.data(), *const end = p + text.size();
  while (p < end) {
    const char* const from = p;
    const bool chinese = isChinese(nextCharacter(p));
    if (chinese) changed_ += ' ';
    changed_.append(from, p);
    if (chinese) changed_ += ' ';
  }
  return westernPasses(changed_);
}

void BleuTokenizer::international(std::string_view text, std::vector<std::string_view>& words) {
  toCharacters(text, characters_);
  // (\P{N})(\p{P}) → "\1 \2 "
  spaced_.clear();
  for (std::size_t i = 0; i < characters_.size(); ++i) {
    spaced_ += characters_[i];
    if (i + 1 == characters_.size() || isNumber(characters_[i]) || !isPunctuation(characters_[i + 1])) continue;
    spaced_ += U' ';
    spaced_ += characters_[++i];
    spaced_ += U' ';
  }
  // (\p{P})(\P{N}) → " \1 \2", and then (\p{S}) → " \1 " on what comes out of it.
  changed_.clear();
  const auto put = [this](char32_t c) {
    const bool symbol = isMathOrOtherSymbol(c);
    if (symbol) changed_ += ' ';
    append(changed_, c);
    if (symbol) changed_ += ' ';
  };
  for (std::size_t i = 0; i < spaced_.size(); ++i) {
    if (!isPunctuation(spaced_[i]) || i + 1 == spaced_.size() || isNumber(spaced_[i + 1])) {
      put(spaced_[i]);
      continue;
    }
    changed_ += ' ';
    append(changed_, spaced_[i]);
    changed_ += ' ';
    put(spaced_[++i]);
  }
  split(changed_, words);
}

void BleuTokenizer::words(std::string_view text, std::vector<std::string_view>& words) {
  words.clear();
  if (lowercase_) {
    lower(text, lowered_);
    text = lowered_;
  }
  text = stripRight(text);
  switch (kind_) {
    case BleuOptions::Tokenizer::None:
      return split(text, words);
    case BleuOptions::Tokenizer::Mteval13a:
      return split(mteval13a(text), words);
    case BleuOptions::Tokenizer::Zh:
      return split(spacedChinese(text), words);
    case BleuOptions::Tokenizer::Intl:
      return international(text, words);
    case BleuOptions::Tokenizer::Char:
      break;
  }
  const char *p = text.data(), *const end = p + text.size();
  while (p < end) {
    const char* const from = p;
    if (!isSpace(nextCharacter(p))) words.emplace_back(from, static_cast<std::size_t>(p - from));
  }
}

}  // namespace cloister::scores
