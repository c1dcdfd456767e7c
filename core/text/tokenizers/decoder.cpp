#include "core/text/tokenizers/decoder.h"

#include <algorithm>
#include <charconv>
#include <memory>

#include "core/text/tokenizers/bpe.h"
#include "core/text/tokenizers/json_fields.h"
#include "core/text/tokenizers/normalizer.h"

namespace cloister {
namespace {

using Pieces = std::vector<std::string>;

std::string joined(const Pieces& pieces, std::string_view between = {}) {
  std::string all;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (i) all += between;
    all += pieces[i];
  }
  return all;
}

/// A piece with a character outside the alphabet (an added token) stands for itself.
void fromBytes(Pieces& pieces) {
  std::string bytes, spelled;
  for (const std::string& piece : pieces) {
    spelled.clear();
    bool inside = true;
    for (std::size_t at = 0; at < piece.size() && inside;) {
      const int b = byteOfAlphabet(nextCodePoint(piece, at));
      inside = b >= 0;
      spelled += char(b);
    }
    bytes += inside ? spelled : piece;
  }
  pieces = {isValidUtf8(bytes) ? bytes : repairedUtf8(bytes)};
}

/// The byte of <0xNN>, or -1.
int byteOfPiece(const std::string& piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return -1;
  int b = 0;
  const auto [end, error] = std::from_chars(piece.data() + 3, piece.data() + 5, b, 16);
  return error == std::errc() && end == piece.data() + 5 && b >= 0 ? b : -1;
}

void byteFallback(Pieces& pieces) {
  Pieces out;
  std::string bytes;
  const auto flush = [&] {
    if (bytes.empty()) return;
    if (isValidUtf8(bytes)) out.push_back(bytes);
    else out.insert(out.end(), bytes.size(), "\xEF\xBF\xBD");
    bytes.clear();
  };
  for (std::string& piece : pieces) {
    const int b = byteOfPiece(piece);
    if (b >= 0) {
      bytes += char(b);
      continue;
    }
    flush();
    out.push_back(std::move(piece));
  }
  flush();
  pieces.swap(out);
}

/// At most start characters at the front and stop at the back of each piece, where they are content.
void strip(Pieces& pieces, const std::string& content, int start, int stop) {
  for (std::string& piece : pieces) {
    std::string_view rest = piece;
    for (int i = 0; i < start && rest.starts_with(content); ++i) rest.remove_prefix(content.size());
    for (int i = 0; i < stop && rest.ends_with(content); ++i) rest.remove_suffix(content.size());
    piece = std::string(rest);
  }
}

void metaspace(Pieces& pieces, const std::string& replacement, bool prepended) {
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    std::string out;
    const std::string& piece = pieces[i];
    for (std::size_t at = 0; at < piece.size();) {
      const std::size_t hit = std::min(piece.find(replacement, at), piece.size());
      out.append(piece, at, hit - at);
      if (hit < piece.size() && (i > 0 || !prepended)) out += ' ';
      at = hit + replacement.size();
    }
    pieces[i] = out;
  }
}

}  // namespace

Decoder Decoder::read(const QJsonValue& value, const Place& place, bool fast) {
  Decoder decoder;
  decoder.none_ = value.isNull() || value.isUndefined();
  decoder.add(value, place, fast, 0);
  return decoder;
}

void Decoder::add(const QJsonValue& value, const Place& place, bool fast, int depth) {
  if (value.isNull() || value.isUndefined()) return;
  const QJsonObject object = objectOf(value, place);
  const QString type = object["type"].toString();
  if (depth > kDeepest) refuse(place, QStringLiteral("is nested too deeply"));
  if (type == u"Sequence") {
    const QJsonArray parts = arrayOf(object["decoders"], place.in("decoders"));
    for (qsizetype i = 0; i < parts.size(); ++i) add(parts[i], place.in("decoders").at(i), fast, depth + 1);
  } else if (type == u"ByteLevel") {
    steps_.push_back(fromBytes);
  } else if (type == u"ByteFallback") {
    steps_.push_back(byteFallback);
  } else if (type == u"Fuse") {
    steps_.push_back([](Pieces& pieces) { pieces = {joined(pieces)}; });
  } else if (type == u"Replace") {
    std::shared_ptr<Pattern> pattern = patternOf(object["pattern"], place.in("pattern"), fast);
    const std::string content = textOf(object["content"], place.in("content"));
    steps_.push_back([pattern, content](Pieces& pieces) {
      EditedText text;
      std::vector<Span> matches;
      for (std::string& piece : pieces) {
        matches.clear();
        text.assign(piece, {});
        pattern->begin(piece);
        pattern->find(piece, {0, std::uint32_t(piece.size())}, matches);
        replaceMatches(text, matches, content);
        if (!matches.empty()) piece = std::string(text.view());
      }
    });
  } else if (type == u"Strip") {
    const std::string content = textOf(object["content"], place.in("content"));
    const int start = object["start"].toInt(), stop = object["stop"].toInt();
    if (content.empty()) refuse(place.in("content"), QStringLiteral("is empty"));
    steps_.push_back([content, start, stop](Pieces& pieces) { strip(pieces, content, start, stop); });
  } else if (type == u"Metaspace") {
    const std::string replacement = object.contains("replacement") ? textOf(object["replacement"], place.in("replacement")) : "▁";
    if (replacement.empty()) refuse(place.in("replacement"), QStringLiteral("is empty"));
    const bool prepended = object.contains("prepend_scheme") ? object["prepend_scheme"].toString() != u"never"
                                                             : flagOf(object, "add_prefix_space", true, place);
    steps_.push_back([replacement, prepended](Pieces& pieces) { metaspace(pieces, replacement, prepended); });
  } else {
    unsupported(place, QStringLiteral("decoder ") + type);
  }
}

std::string Decoder::decode(std::vector<std::string> pieces) const {
  if (none_) return joined(pieces, " ");
  for (const Step& step : steps_) step(pieces);
  return joined(pieces);
}

}  // namespace cloister
