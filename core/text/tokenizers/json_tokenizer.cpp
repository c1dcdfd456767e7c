// JsonTokenizer: encoding and decoding.
#include "core/text/tokenizers/json_tokenizer.h"

#include "core/text/json_text.h"
#include "core/text/tokenizers/json_fields.h"

namespace cloister {
namespace {
constexpr std::string_view kSpace = "▁";
}

Piece JsonTokenizer::pieceFor(std::int32_t id, std::size_t from, std::size_t to) const {
  return {id, all_.pieceOf(id), from, to, std::size_t(id) < isSpecial_.size() && isSpecial_[std::size_t(id)]};
}

/// Long words cost more than short ones, and short ones are met again.
void JsonTokenizer::cutAtSpaces(std::vector<Span>& spans, std::string_view text) const {
  std::vector<Span> cut;
  for (const Span& span : spans) {
    std::size_t from = span.from, at = span.from;
    while (at < span.to) {
      while (at < span.to && text.substr(at).starts_with(kSpace)) at += kSpace.size();
      const std::size_t next = std::min<std::size_t>(text.find(kSpace, at), span.to);
      cut.push_back({std::uint32_t(from), std::uint32_t(next)});
      from = at = next;
    }
  }
  spans.swap(cut);
}

void JsonTokenizer::encodeWords(Scratch& s, std::vector<std::int32_t>* ids, Sink* pieces) const {
  preTokenizer_.apply(s.words);
  const std::string_view text = s.words.text.view();
  if (wordsEndAtSpaces_) cutAtSpaces(s.words.spans, text);
  for (const Span& span : s.words.spans) {
    const std::string_view word = text.substr(span.from, span.to - span.from);
    if (ids) {
      model_->encode(word, s.bpe, *ids);
      continue;
    }
    std::vector<std::int32_t> found;
    s.ends.clear();
    model_->encode(word, s.bpe, found, &s.ends);
    const std::span<const Span> origin = s.words.text.origin();
    for (std::size_t i = 0, from = span.from; i < found.size(); from = span.from + s.ends[i], ++i)
      pieces->push_back(pieceFor(found[i], origin[from].from, origin[span.from + s.ends[i] - 1].to));
  }
}

void JsonTokenizer::encodeStretch(std::string_view text, std::span<const Span> origin, bool atStart, Scratch& s,
                                  std::vector<std::int32_t>* ids, Sink* pieces) const {
  s.text.assign(text, origin);
  normalizer_.apply(s.text);
  const std::string_view normal = s.text.view();
  s.inner.clear();
  addedNormalized_.split(normal, s.inner);
  for (const TokenSpan& part : s.inner) {
    const std::span<const Span> from = pieces ? s.text.origin().subspan(part.from, part.to - part.from) : std::span<const Span>{};
    if (part.id >= 0) {
      if (ids) ids->push_back(part.id);
      else pieces->push_back(pieceFor(part.id, from.front().from, from.back().to));
      continue;
    }
    s.words.text.assign(normal.substr(part.from, part.to - part.from), from);
    s.words.spans.assign(1, {0, std::uint32_t(part.to - part.from)});
    s.words.atStart = atStart && part.from == 0;
    encodeWords(s, ids, pieces);
  }
}

void JsonTokenizer::encodeInto(std::string_view text, EncodeOptions options, Scratch& s, std::vector<std::int32_t>* ids,
                               Sink* pieces) const {
  const std::size_t given = text.size();
  if (given > kLongestText)
    throw TokenizerError{{FailureKind::TooLarge, {{"path", QStringLiteral("text")}, {"limit", qint64(kLongestText)}}, {}}};
  s.origin.clear();
  if (!isValidUtf8(text)) {
    s.repaired = repairedUtf8(text, pieces ? &s.origin : nullptr);
    text = s.repaired;
  } else if (pieces) {
    s.origin.resize(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) s.origin[i] = {std::uint32_t(i), std::uint32_t(i + 1)};
  }
  const auto frame = [&](const std::vector<std::int32_t>& around, std::size_t at) {
    for (const std::int32_t id : around) {
      if (ids) ids->push_back(id);
      else pieces->push_back(pieceFor(id, at, at));
    }
  };
  if (options.addSpecial) frame(before_, 0);
  s.raw.clear();
  added_.split(text, s.raw);
  for (const TokenSpan& part : s.raw) {
    const std::span<const Span> origin =
        pieces ? std::span<const Span>(s.origin).subspan(part.from, part.to - part.from) : std::span<const Span>{};
    if (part.id < 0) encodeStretch(text.substr(part.from, part.to - part.from), origin, part.from == 0, s, ids, pieces);
    else if (ids) ids->push_back(part.id);
    else pieces->push_back(pieceFor(part.id, origin.front().from, origin.back().to));
  }
  if (options.addSpecial) frame(behind_, given);
}

Result<std::vector<std::int32_t>> JsonTokenizer::encode(std::string_view text, EncodeOptions options) const {
  auto scratch = scratch_.take();
  std::vector<std::int32_t> ids;
  try {
    encodeInto(text, options, *scratch, &ids, nullptr);
  } catch (const TokenizerError& e) {
    return e.failure;
  }
  scratch_.giveBack(std::move(scratch));
  return ids;
}

Result<std::vector<Piece>> JsonTokenizer::pieces(std::string_view text, EncodeOptions options) const {
  auto scratch = scratch_.take();
  std::vector<Piece> pieces;
  try {
    encodeInto(text, options, *scratch, nullptr, &pieces);
  } catch (const TokenizerError& e) {
    return e.failure;
  }
  scratch_.giveBack(std::move(scratch));
  return pieces;
}

std::string JsonTokenizer::decode(std::span<const std::int32_t> ids, bool skipSpecial) const {
  std::vector<std::string> pieces;
  for (const std::int32_t id : ids)
    if (all_.holds(id) && !(skipSpecial && isSpecial_[std::size_t(id)])) pieces.push_back(all_.pieceOf(id));
  return decoder_.decode(std::move(pieces));
}

Result<std::shared_ptr<Tokenizer>> parseTokenizerJson(const QByteArray& bytes, const QJsonObject& config, const QString& path) {
  QJsonParseError error;
  const QJsonDocument document = parseJsonExactly(bytes, &error);
  if (error.error != QJsonParseError::NoError)
    return Failure{FailureKind::CorruptFile, {{"path", path}, {"position", error.offset}}, error.errorString()};
  if (!document.isObject()) return Failure{FailureKind::CorruptFile, {{"path", path}}, QStringLiteral("not a JSON object")};
  try {
    return std::shared_ptr<Tokenizer>(std::make_shared<JsonTokenizer>(document.object(), config, path, true));
  } catch (const TokenizerError& e) {
    return e.failure;
  }
}

}  // namespace cloister
