#include "core/text/tokenizers/unicode.h"

#include <cstring>

#include <unicode/uchar.h>

namespace cloister {
namespace {

std::uint8_t flagsOf(UCharCategory category) {
  const std::uint32_t mask = U_MASK(category);
  std::uint8_t flags = 0;
  if (mask & U_GC_L_MASK) flags |= kLetter | kWordCharacter;
  if (mask & U_GC_M_MASK) flags |= kMark | kWordCharacter;
  if (mask & U_GC_N_MASK) flags |= kNumber;
  if (mask & (U_GC_ND_MASK | U_GC_NL_MASK | U_GC_PC_MASK)) flags |= kWordCharacter;
  if (mask & U_GC_P_MASK) flags |= kPunctuation;
  if (mask & U_GC_S_MASK) flags |= kSymbol;
  return flags;
}

UBool addRange(const void* context, UChar32 from, UChar32 to, UCharCategory category) {
  auto* table = static_cast<std::uint8_t*>(const_cast<void*>(context));
  std::memset(table + from, flagsOf(category), std::size_t(to - from));
  // Alphabetic symbols (Ⓐ) exist in this category only; letters, letter numbers and marks are words already.
  if (category == U_OTHER_SYMBOL)
    for (UChar32 c = from; c < to; ++c)
      if (u_isUAlphabetic(c)) table[c] |= kWordCharacter;
  return true;
}

std::vector<std::uint8_t> makeTable() {
  std::vector<std::uint8_t> table(0x110000);
  u_enumCharTypes(addRange, table.data());
  for (UChar32 c = 0; c < 0x3001; ++c)  // the last white space is U+3000
    if (u_isUWhiteSpace(c)) table[std::size_t(c)] |= kWhiteSpace;
  table[0x200C] |= kWordCharacter;
  table[0x200D] |= kWordCharacter;
  return table;
}

/// Length of the well-formed sequence at p, or 0 with bad: the length of the maximal ill-formed part. Unicode standard, table 3-7.
std::size_t sequenceAt(const unsigned char* p, std::size_t left, std::size_t& bad) {
  const unsigned char first = p[0];
  if (first < 0x80) return 1;
  bad = 1;
  std::size_t length = first >= 0xC2 && first <= 0xDF ? 2 : first >= 0xE0 && first <= 0xEF ? 3 : first >= 0xF0 && first <= 0xF4 ? 4 : 0;
  unsigned char low = 0x80, high = 0xBF;
  if (first == 0xE0) low = 0xA0;
  if (first == 0xED) high = 0x9F;
  if (first == 0xF0) low = 0x90;
  if (first == 0xF4) high = 0x8F;
  for (std::size_t i = 1; i < length; ++i) {
    if (i >= left || p[i] < low || p[i] > high) return bad = i, 0;
    low = 0x80;
    high = 0xBF;
  }
  return length;
}

}  // namespace

const std::uint8_t* characterClasses() {
  static const std::vector<std::uint8_t> table = makeTable();
  static const std::uint8_t* const data = table.data();
  return data;
}

void appendUtf8(std::string& text, char32_t c) {
  if (c < 0x80) {
    text += char(c);
  } else if (c < 0x800) {
    text += char(0xC0 | c >> 6);
    text += char(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    text += char(0xE0 | c >> 12);
    text += char(0x80 | (c >> 6 & 0x3F));
    text += char(0x80 | (c & 0x3F));
  } else {
    text += char(0xF0 | c >> 18);
    text += char(0x80 | (c >> 12 & 0x3F));
    text += char(0x80 | (c >> 6 & 0x3F));
    text += char(0x80 | (c & 0x3F));
  }
}

bool isValidUtf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const std::size_t size = text.size();
  for (std::size_t i = 0, bad = 0; i < size;) {
    std::uint64_t eight = 0;
    if (i + 8 <= size && (std::memcpy(&eight, p + i, 8), (eight & 0x8080808080808080u) == 0)) {
      i += 8;
      continue;
    }
    const std::size_t length = sequenceAt(p + i, size - i, bad);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string repairedUtf8(std::string_view text, std::vector<Span>* origin) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  std::string good;
  good.reserve(text.size() + 16);
  if (origin) origin->clear();
  for (std::size_t i = 0, bad = 0; i < text.size();) {
    const std::size_t length = sequenceAt(p + i, text.size() - i, bad), taken = length ? length : bad;
    if (length) good.append(text, i, length);
    else good += "\xEF\xBF\xBD";
    if (origin) {
      if (length)
        for (std::size_t k = 0; k < length; ++k) origin->push_back({std::uint32_t(i + k), std::uint32_t(i + k + 1)});
      else origin->insert(origin->end(), 3, {std::uint32_t(i), std::uint32_t(i + bad)});
    }
    i += taken;
  }
  return good;
}

}  // namespace cloister
