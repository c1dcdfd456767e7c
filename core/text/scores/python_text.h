// Text as Python's str sees it, on UTF-8 bytes: sacreBLEU and rouge-score are Python, and a score is only comparable when white space,
// lower case and stripping are theirs. Source: CPython Objects/unicodeobject.c and unicodectype.c (3.11). All input is valid UTF-8
// (validText). Any thread; nothing is kept between calls.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cloister::scores {

/// str.isspace() of one character: bidirectional type WS, B or S, or category Zs.
constexpr bool isSpace(char32_t c) {
  if (c < 0x80) return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

/// The character at p, which moves behind it.
inline char32_t nextCharacter(const char*& p) {
  const auto b = [&p](int i) { return static_cast<unsigned char>(p[i]); };
  const unsigned char lead = b(0);
  if (lead < 0x80) return ++p, lead;
  if (lead < 0xE0) return p += 2, char32_t((lead & 0x1F) << 6 | (b(-1) & 0x3F));
  if (lead < 0xF0) return p += 3, char32_t((lead & 0x0F) << 12 | (b(-2) & 0x3F) << 6 | (b(-1) & 0x3F));
  return p += 4, char32_t((lead & 0x07) << 18 | (b(-3) & 0x3F) << 12 | (b(-2) & 0x3F) << 6 | (b(-1) & 0x3F));
}

/// 0: part of a word, 1: white space of one byte, 2: a byte that may begin longer white space.
extern const std::array<std::uint8_t, 256> kSpaceClass;

/// Bytes of the white space character at p, 0 when it is none.
inline std::size_t spaceBytes(const char* p) {
  const std::uint8_t kind = kSpaceClass[static_cast<unsigned char>(*p)];
  if (kind != 2) return kind;
  const char* q = p;
  return isSpace(nextCharacter(q)) ? static_cast<std::size_t>(q - p) : 0;
}

/// str.split(): the words are appended to out and point into text.
void split(std::string_view text, std::vector<std::string_view>& out);
/// str.rstrip() and str.strip().
std::string_view stripRight(std::string_view text);
std::string_view strip(std::string_view text);
/// str.lower(): full mapping, with İ and the final sigma. out is replaced.
void lower(std::string_view text, std::string& out);

bool isAscii(std::string_view text);
/// out is replaced.
void toCharacters(std::string_view text, std::u32string& out);
void append(std::string& out, char32_t c);

/// Where bytes stop being UTF-8 text: at a NUL or at a sequence that Unicode forbids (overlong, surrogate, beyond U+10FFFF, cut short).
/// bytes.size() when all is well.
std::size_t validText(std::string_view bytes);

}  // namespace cloister::scores
