// UTF-8 and the character classes that pre-tokenizers ask for. ICU 72 (Unicode 15) is the source of every class. Any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cloister {

/// Byte range [from, to) of a text.
struct Span {
  std::uint32_t from = 0, to = 0;
};

enum CharacterClass : std::uint8_t {
  kLetter = 1,         ///< \p{L}
  kMark = 2,           ///< \p{M}
  kNumber = 4,         ///< \p{N}: Nd, Nl and No, as Rust's is_numeric
  kPunctuation = 8,    ///< \p{P}
  kSymbol = 16,        ///< \p{S}
  kWhiteSpace = 32,    ///< White_Space, as \s
  kWordCharacter = 64  ///< \w of UTS 18: alphabetic, marks, decimal digits, connectors, joiners
};

/// One byte a code point, 0x110000 of them; built at the first call (about 3 ms).
const std::uint8_t* characterClasses();
inline std::uint8_t classOf(char32_t c) { return characterClasses()[c]; }

/// The code point at text[at]; at moves behind it. The text must be valid UTF-8 and at inside it.
inline char32_t nextCodePoint(std::string_view text, std::size_t& at) {
  const auto b = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned char first = b(0);
  if (first < 0x80) return at += 1, first;
  if (first < 0xE0) {
    const char32_t c = char32_t(first & 0x1F) << 6 | (b(1) & 0x3F);
    return at += 2, c;
  }
  if (first < 0xF0) {
    const char32_t c = char32_t(first & 0x0F) << 12 | char32_t(b(1) & 0x3F) << 6 | (b(2) & 0x3F);
    return at += 3, c;
  }
  const char32_t c = char32_t(first & 0x07) << 18 | char32_t(b(1) & 0x3F) << 12 | char32_t(b(2) & 0x3F) << 6 | (b(3) & 0x3F);
  return at += 4, c;
}

/// Where the code point before at begins (at > 0).
inline std::size_t previousCodePoint(std::string_view text, std::size_t at) {
  do --at;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

void appendUtf8(std::string& text, char32_t c);

bool isValidUtf8(std::string_view);
/// Every maximal ill-formed part becomes one U+FFFD (the Unicode standard's recommendation, and what Python's "replace" does). With
/// origin: the range of the source that each byte of the answer stands for.
std::string repairedUtf8(std::string_view, std::vector<Span>* origin = nullptr);

}  // namespace cloister
