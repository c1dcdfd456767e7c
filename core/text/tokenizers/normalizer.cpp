#include "core/text/tokenizers/normalizer.h"

#include <algorithm>

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include "core/text/tokenizers/json_fields.h"

namespace cloister {
namespace {

const icu::Normalizer2* unicodeForm(const QString& type) {
  UErrorCode status = U_ZERO_ERROR;
  if (type == u"NFC") return icu::Normalizer2::getNFCInstance(status);
  if (type == u"NFD") return icu::Normalizer2::getNFDInstance(status);
  if (type == u"NFKC") return icu::Normalizer2::getNFKCInstance(status);
  if (type == u"NFKD") return icu::Normalizer2::getNFKDInstance(status);
  return nullptr;
}

std::string normalized(const icu::Normalizer2& form, std::string_view text) {
  std::string out;
  icu::StringByteSink<std::string> sink(&out, std::int32_t(text.size()));
  UErrorCode status = U_ZERO_ERROR;
  form.normalizeUTF8(0, icu::StringPiece(text.data(), std::int32_t(text.size())), sink, nullptr, status);
  if (U_FAILURE(status)) throw std::bad_alloc();
  return out;
}

/// From one place where the form may be cut to the next, so that each result knows what it stands for.
void toForm(const icu::Normalizer2& form, EditedText& text) {
  const std::string_view view = text.view();
  UErrorCode status = U_ZERO_ERROR;
  if (form.isNormalizedUTF8(icu::StringPiece(view.data(), std::int32_t(view.size())), status)) return;
  text.begin();
  for (std::size_t from = 0, to = 0; from < view.size(); from = to) {
    std::size_t next = from;
    (void)nextCodePoint(view, next);
    for (to = next; to < view.size(); to = next)
      if (form.hasBoundaryBefore(UChar32(nextCodePoint(view, next)))) break;
    const std::string_view part = view.substr(from, to - from);
    const std::string result = part.size() == 1 ? std::string(part) : normalized(form, part);
    if (result == part) text.copy(from, to);
    else text.put(result, from, to);
  }
  text.finish();
}

/// map: what a character becomes, empty for nothing; returning false leaves it.
template <typename Map>
void mapCharacters(EditedText& text, Map map) {
  const std::string_view view = text.view();
  std::string result;
  text.begin();
  for (std::size_t at = 0; at < view.size();) {
    const std::size_t from = at;
    const char32_t c = nextCodePoint(view, at);
    result.clear();
    if (map(c, result)) text.put(result, from, at);
    else text.copy(from, at);
  }
  text.finish();
}

bool lower(char32_t c, std::string& result) {
  if (c == 0x130) return result = "i\xCC\x87", true;  // the only character that becomes two
  const auto small = char32_t(u_tolower(UChar32(c)));
  if (small == c) return false;
  appendUtf8(result, small);
  return true;
}

void strip(EditedText& text, bool left, bool right) {
  const std::string_view view = text.view();
  std::size_t from = 0, to = view.size();
  for (std::size_t next = 0; left && from < to; from = next)
    if (!(classOf(nextCodePoint(view, next)) & kWhiteSpace)) break;
  while (right && to > from) {
    std::size_t at = previousCodePoint(view, to);
    const std::size_t before = at;
    if (!(classOf(nextCodePoint(view, at)) & kWhiteSpace)) break;
    to = before;
  }
  text.begin();
  text.copy(from, to);
  text.finish();
}

}  // namespace

void replaceMatches(EditedText& text, const std::vector<Span>& matches, std::string_view content) {
  if (matches.empty()) return;
  std::size_t at = 0;
  text.begin();
  for (const Span& m : matches) {
    text.copy(at, m.from);
    text.put(content, m.from, m.to);
    at = m.to;
  }
  text.copy(at, text.view().size());
  text.finish();
}

Normalizer Normalizer::read(const QJsonValue& value, const Place& place, bool fast) {
  Normalizer normalizer;
  normalizer.add(value, place, fast, 0);
  return normalizer;
}

void Normalizer::add(const QJsonValue& value, const Place& place, bool fast, int depth) {
  if (value.isNull() || value.isUndefined()) return;
  const QJsonObject object = objectOf(value, place);
  const QString type = object["type"].toString();
  if (depth > kDeepest) refuse(place, QStringLiteral("is nested too deeply"));
  if (type == u"Sequence") {
    const QJsonArray parts = arrayOf(object["normalizers"], place.in("normalizers"));
    for (qsizetype i = 0; i < parts.size(); ++i) add(parts[i], place.in("normalizers").at(i), fast, depth + 1);
  } else if (type == u"Prepend") {
    const std::string content = textOf(object["prepend"], place.in("prepend"));
    steps_.push_back([content](EditedText& text) {
      if (text.view().empty()) return;
      text.begin();
      text.put(content, 0, 0);
      text.copy(0, text.view().size());
      text.finish();
    });
  } else if (type == u"Replace") {
    std::shared_ptr<Pattern> pattern = patternOf(object["pattern"], place.in("pattern"), fast);
    const std::string content = textOf(object["content"], place.in("content"));
    steps_.push_back([pattern, content](EditedText& text) {
      std::vector<Span> matches;
      pattern->begin(text.view());
      pattern->find(text.view(), {0, std::uint32_t(text.view().size())}, matches);
      replaceMatches(text, matches, content);
    });
  } else if (const icu::Normalizer2* form = unicodeForm(type)) {
    steps_.push_back([form](EditedText& text) { toForm(*form, text); });
  } else if (type == u"Lowercase") {
    steps_.push_back([](EditedText& text) { mapCharacters(text, lower); });
  } else if (type == u"StripAccents") {
    steps_.push_back([](EditedText& text) { mapCharacters(text, [](char32_t c, std::string&) { return (classOf(c) & kMark) != 0; }); });
  } else if (type == u"Strip") {
    const bool left = flagOf(object, "strip_left", true, place), right = flagOf(object, "strip_right", true, place);
    steps_.push_back([left, right](EditedText& text) { strip(text, left, right); });
  } else {
    unsupported(place, QStringLiteral("normalizer ") + type);
  }
}

}  // namespace cloister
