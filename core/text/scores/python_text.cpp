#include "core/text/scores/python_text.h"

#include <unicode/uchar.h>

#include <cstring>

namespace cloister::scores {
namespace {

constexpr std::array<std::uint8_t, 256> spaceClasses() {
  std::array<std::uint8_t, 256> table{};
  for (char32_t c = 0; c < 0x80; ++c) table[c] = isSpace(c) ? 1 : 0;
  for (const unsigned lead : {0xC2U, 0xE1U, 0xE2U, 0xE3U}) table[lead] = 2;
  return table;
}

/// The start of the character that ends before end.
const char* characterBefore(const char* begin, const char* end) {
  const char* p = end - 1;
  while (p > begin && (static_cast<unsigned char>(*p) & 0xC0) == 0x80) --p;
  return p;
}

/// Whether the capital sigma at place ends its word (Unicode 3.13, Final_Sigma; CPython handle_capital_sigma).
bool isFinalSigma(const std::u32string& text, std::size_t place) {
  const auto ignorable = [&text](std::size_t i) { return u_hasBinaryProperty(UChar32(text[i]), UCHAR_CASE_IGNORABLE); };
  const auto cased = [&text](std::size_t i) { return u_hasBinaryProperty(UChar32(text[i]), UCHAR_CASED); };
  std::size_t before = place;
  while (before > 0 && ignorable(before - 1)) --before;
  if (before == 0 || !cased(before - 1)) return false;
  std::size_t after = place + 1;
  while (after < text.size() && ignorable(after)) ++after;
  return after == text.size() || !cased(after);
}

/// Bytes of the well-formed sequence at p (Unicode table 3-7), 0 when it is none.
std::size_t sequenceBytes(const unsigned char* p, const unsigned char* end) {
  const unsigned char lead = *p;
  if (lead < 0x80) return lead ? 1 : 0;
  std::size_t bytes = 0;
  unsigned char low = 0x80, high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) bytes = 2;
  else if (lead >= 0xE0 && lead <= 0xEF) bytes = 3, low = lead == 0xE0 ? 0xA0 : low, high = lead == 0xED ? 0x9F : high;
  else if (lead >= 0xF0 && lead <= 0xF4) bytes = 4, low = lead == 0xF0 ? 0x90 : low, high = lead == 0xF4 ? 0x8F : high;
  if (bytes == 0 || static_cast<std::size_t>(end - p) < bytes || p[1] < low || p[1] > high) return 0;
  for (std::size_t i = 2; i < bytes; ++i)
    if ((p[i] & 0xC0) != 0x80) return 0;
  return bytes;
}

/// Eight bytes at once: none is NUL or beyond ASCII.
bool isPlain(std::uint64_t eight) {
  constexpr std::uint64_t kHigh = 0x8080808080808080ULL, kOnes = 0x0101010101010101ULL;
  return ((eight | (eight - kOnes)) & kHigh) == 0;
}

}  // namespace

const std::array<std::uint8_t, 256> kSpaceClass = spaceClasses();

void split(std::string_view text, std::vector<std::string_view>& out) {
  const char *p = text.data(), *const end = p + text.size(), *word = nullptr;
  while (p < end) {
    if (const std::size_t space = spaceBytes(p)) {
      if (word) out.emplace_back(word, static_cast<std::size_t>(p - word));
      word = nullptr;
      p += space;
      continue;
    }
    if (!word) word = p;
    ++p;  // a continuation byte is never taken for white space
  }
  if (word) out.emplace_back(word, static_cast<std::size_t>(end - word));
}

std::string_view stripRight(std::string_view text) {
  const char* const begin = text.data();
  const char* end = begin + text.size();
  while (end > begin) {
    const char* const last = characterBefore(begin, end);
    if (!spaceBytes(last)) break;
    end = last;
  }
  return {begin, static_cast<std::size_t>(end - begin)};
}

std::string_view strip(std::string_view text) {
  text = stripRight(text);
  while (!text.empty()) {
    const std::size_t space = spaceBytes(text.data());
    if (!space) break;
    text.remove_prefix(space);
  }
  return text;
}

bool isAscii(std::string_view text) {
  std::uint64_t any = 0;
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, text.data() + i, 8);
    any |= eight;
  }
  unsigned char rest = 0;
  for (; i < text.size(); ++i) rest |= static_cast<unsigned char>(text[i]);
  return (any & 0x8080808080808080ULL) == 0 && rest < 0x80;
}

void toCharacters(std::string_view text, std::u32string& out) {
  out.resize(text.size());
  const char *p = text.data(), *const end = p + text.size();
  std::size_t count = 0;
  while (p < end) out[count++] = nextCharacter(p);
  out.resize(count);
}

void append(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

void lower(std::string_view text, std::string& out) {
  if (isAscii(text)) {
    out.resize(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) out[i] = text[i] >= 'A' && text[i] <= 'Z' ? char(text[i] + 32) : text[i];
    return;
  }
  std::u32string characters;
  toCharacters(text, characters);
  out.clear();
  out.reserve(text.size() + 8);
  for (std::size_t i = 0; i < characters.size(); ++i) {
    const char32_t c = characters[i];
    if (c == 0x130) out += "i\xCC\x87";  // the one letter whose lower case is two characters
    else if (c == 0x3A3) append(out, isFinalSigma(characters, i) ? 0x3C2 : 0x3C3);
    else append(out, c < 0x80 ? (c >= 'A' && c <= 'Z' ? c + 32 : c) : char32_t(u_tolower(UChar32(c))));
  }
}

std::size_t validText(std::string_view bytes) {
  const auto* const begin = reinterpret_cast<const unsigned char*>(bytes.data());
  const unsigned char *p = begin, *const end = begin + bytes.size();
  while (p < end) {
    std::uint64_t eight;
    while (end - p >= 8 && (std::memcpy(&eight, p, 8), isPlain(eight))) p += 8;
    if (p == end) break;
    const std::size_t step = sequenceBytes(p, end);
    if (!step) break;
    p += step;
  }
  return static_cast<std::size_t>(p - begin);
}

}  // namespace cloister::scores
