// Texts as Python's str changes them, on UTF-8. Source: CPython 3.11, Objects/unicodeobject.c; ICU for the case mappings.
#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "core/text/jinja/machine.h"
#include "core/text/scores/python_text.h"
#include "core/text/tokenizers/unicode.h"

namespace cloister::jinja {
namespace {

bool isCased(char32_t c) { return u_hasBinaryProperty(UChar32(c), UCHAR_CASED); }

/// The first character in title case.
std::string titleOf(std::string_view character) {
  std::string out;
  icu::UnicodeString::fromUTF8(icu::StringPiece(character.data(), int(character.size())))
      .toTitle(nullptr, icu::Locale::getRoot(), U_TITLECASE_NO_BREAK_ADJUSTMENT)
      .toUTF8String(out);
  return out;
}

std::size_t firstBytes(std::string_view text) {
  std::size_t at = 0;
  if (!text.empty()) nextCodePoint(text, at);
  return at;
}

bool isOneOf(std::string_view character, const std::string& chars) {
  for (std::size_t at = 0; at < chars.size();) {
    const std::size_t from = at;
    nextCodePoint(chars, at);
    if (std::string_view(chars).substr(from, at - from) == character) return true;
  }
  return false;
}

/// str.splitlines() cuts here.
bool isLineEnd(char32_t c) { return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029; }

}  // namespace

std::string lowered(std::string_view text) {
  std::string out;
  scores::lower(text, out);
  return out;
}

std::string uppered(std::string_view text) {
  std::string out;
  icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), int(text.size()))).toUpper(icu::Locale::getRoot()).toUTF8String(out);
  return out;
}

std::string capitalized(std::string_view text) {
  const std::size_t first = firstBytes(text);
  return titleOf(text.substr(0, first)) + lowered(text).substr(lowered(text.substr(0, first)).size());
}

std::string titled(std::string_view text) {
  std::string out;
  bool inWord = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t from = at;
    const char32_t c = nextCodePoint(text, at);
    const std::string_view character = text.substr(from, at - from);
    out += inWord ? lowered(character) : titleOf(character);
    inWord = isCased(c);
  }
  return out;
}

std::string_view stripped(std::string_view text, const std::string* chars, bool left, bool right) {
  if (!chars) {
    if (right) text = scores::stripRight(text);
    while (left && !text.empty() && !scores::strip(text.substr(0, firstBytes(text))).size()) text.remove_prefix(firstBytes(text));
    return text;
  }
  while (left && !text.empty() && isOneOf(text.substr(0, firstBytes(text)), *chars)) text.remove_prefix(firstBytes(text));
  while (right && !text.empty()) {
    const std::size_t last = previousCodePoint(text, text.size());
    if (!isOneOf(text.substr(last), *chars)) break;
    text = text.substr(0, last);
  }
  return text;
}

std::string replaced(Machine& machine, std::string_view text, std::string_view what, std::string_view by, std::int64_t most) {
  std::string out;
  const auto room = [&] {
    if (out.size() > (std::size_t(1) << 28)) refuse("the replaced text is too large");
  };
  std::size_t at = 0;
  while (most != 0) {
    const std::size_t found = what.empty() ? at : text.find(what, at);
    if (found == std::string_view::npos) break;
    out.append(text.substr(at, found - at)).append(by);
    room();
    --most;
    at = found + what.size();
    if (!what.empty()) continue;
    if (at >= text.size()) break;
    const std::size_t n = firstBytes(text.substr(at));
    out.append(text.substr(at, n));
    at += n;
  }
  if (at < text.size()) out.append(text.substr(at));
  machine.spend(text.size() + out.size());
  return out;
}

std::vector<std::string_view> linesOf(std::string_view text, bool ends) {
  std::vector<std::string_view> lines;
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = at;
    const char32_t c = nextCodePoint(text, at);
    if (!isLineEnd(c)) continue;
    if (c == '\r' && at < text.size() && text[at] == '\n') ++at;
    lines.push_back(text.substr(start, (ends ? at : end) - start));
    start = at;
  }
  if (start < text.size()) lines.push_back(text.substr(start));
  return lines;
}

}  // namespace cloister::jinja
