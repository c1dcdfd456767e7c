#include "core/text/tokenizers/sentencepiece_tokenizer.h"

#include "core/text/tokenizers/sentencepiece_model.h"
#include "core/text/tokenizers/unicode.h"

namespace cloister {
namespace {

Failure tooLong() { return {FailureKind::TooLarge, {{"path", QStringLiteral("text")}, {"limit", qint64(kLongestText)}}, {}}; }

Failure library(const sentencepiece::util::Status& status, const QString& path) {
  return {FailureKind::CorruptFile, {{"path", path}}, QString::fromUtf8(status.error_message())};
}

QString kindName(SentencePieceModel::Kind kind) {
  static const QStringList names{"unigram", "bpe", "word", "char"};
  return names[int(kind) - 1];
}

}  // namespace

Result<std::shared_ptr<Tokenizer>> SentencePieceTokenizer::load(const QByteArray& bytes, const QJsonObject& config, const QString& path) {
  const auto model = SentencePieceModel::read({bytes.constData(), std::size_t(bytes.size())}, path);
  if (!model) return model.error();
  auto tokenizer = std::make_shared<SentencePieceTokenizer>();
  const auto status = tokenizer->processor_.LoadFromSerializedProto({bytes.constData(), std::size_t(bytes.size())});
  if (!status.ok()) return library(status, path);
  tokenizer->encoder_ = SentencePieceEncoder::make(*model);
  tokenizer->config_ = config;
  tokenizer->readFrame();
  tokenizer->description_ = {{"kind", "sentencepiece"},
                             {"model", kindName(model->kind)},
                             {"byteFallback", model->byteFallback},
                             {"normalizer", QString::fromUtf8(model->normalizer)},
                             {"dummyPrefix", model->dummyPrefix},
                             {"removeExtraSpaces", model->removeExtraSpaces},
                             {"library", tokenizer->encoder_ == nullptr}};
  return std::shared_ptr<Tokenizer>(tokenizer);
}

/// Begin and end as tokenizer_config.json says; without a word of it, begin is added and end is not, as the Llama tokenizer does.
void SentencePieceTokenizer::readFrame() {
  const auto named = [&](const char* key, int known) {
    const QJsonValue value = config_[QLatin1String(key)];
    const QString name = value.isObject() ? value.toObject()["content"].toString() : value.toString();
    return name.isEmpty() ? known : idOf(name.toStdString()).value_or(known);
  };
  special_ = {named("bos_token", processor_.bos_id()), named("eos_token", processor_.eos_id()), named("pad_token", processor_.pad_id()),
              named("unk_token", processor_.unk_id())};
  addBegin_ = config_["add_bos_token"].toBool(true) && special_.begin >= 0;
  addEnd_ = config_["add_eos_token"].toBool(false) && special_.end >= 0;
}

Result<std::vector<std::int32_t>> SentencePieceTokenizer::encode(std::string_view text, EncodeOptions options) const {
  if (text.size() > kLongestText) return tooLong();
  std::string repaired;
  if (!isValidUtf8(text)) text = repaired = repairedUtf8(text);
  std::vector<std::int32_t> ids;
  if (options.addSpecial && addBegin_) ids.push_back(special_.begin);
  if (encoder_) {
    auto scratch = scratch_.take();
    scratch->text.assign(text, {});
    encoder_->normalize(scratch->text);
    encoder_->encode(scratch->text.view(), *scratch, ids, nullptr);
    scratch_.giveBack(std::move(scratch));
  } else {
    std::vector<int> found;
    if (const auto status = processor_.Encode(text, &found); !status.ok()) return library(status, QStringLiteral("text"));
    ids.insert(ids.end(), found.begin(), found.end());
  }
  if (options.addSpecial && addEnd_) ids.push_back(special_.end);
  return ids;
}

Result<std::vector<Piece>> SentencePieceTokenizer::libraryPieces(std::string_view text) const {
  sentencepiece::ImmutableSentencePieceText found;
  if (const auto status = processor_.Encode(text, found.mutable_proto()); !status.ok()) return library(status, QStringLiteral("text"));
  std::vector<Piece> pieces;
  for (const auto& p : found.pieces()) pieces.push_back({std::int32_t(p.id()), {}, p.begin(), p.end(), false});
  return pieces;
}

std::vector<Piece> SentencePieceTokenizer::ownPieces(std::string_view text) const {
  auto scratch = scratch_.take();
  std::vector<Span> origin(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) origin[i] = {std::uint32_t(i), std::uint32_t(i + 1)};
  scratch->text.assign(text, origin);
  encoder_->normalize(scratch->text);
  std::vector<std::int32_t> ids;
  std::vector<std::uint32_t> ends;
  encoder_->encode(scratch->text.view(), *scratch, ids, &ends);
  const std::span<const Span> places = scratch->text.origin();
  std::vector<Piece> pieces;
  // Bytes of one character end at one place, and all stand for the whole of it.
  for (std::size_t i = 0, from = 0; i < ids.size(); ++i) {
    if (i && ends[i] != ends[i - 1]) from = ends[i - 1];
    pieces.push_back({ids[i], {}, places[from].from, places[ends[i] - 1].to, false});
  }
  scratch_.giveBack(std::move(scratch));
  return pieces;
}

Result<std::vector<Piece>> SentencePieceTokenizer::pieces(std::string_view text, EncodeOptions options) const {
  if (text.size() > kLongestText) return tooLong();
  const std::size_t given = text.size();
  std::string repaired;
  std::vector<Span> origin;
  if (!isValidUtf8(text)) text = repaired = repairedUtf8(text, &origin);
  auto pieces = encoder_ ? Result<std::vector<Piece>>(ownPieces(text)) : libraryPieces(text);
  if (!pieces) return pieces;
  for (Piece& p : *pieces) {
    p.text = pieceOf(p.id);
    p.special = isSpecial(p.id);
    if (origin.empty() || p.from == p.to) continue;
    p.to = origin[p.to - 1].to;
    p.from = origin[p.from].from;
  }
  if (options.addSpecial && addBegin_) pieces->insert(pieces->begin(), {special_.begin, pieceOf(special_.begin), 0, 0, true});
  if (options.addSpecial && addEnd_) pieces->push_back({special_.end, pieceOf(special_.end), given, given, true});
  return pieces;
}

std::string SentencePieceTokenizer::decode(std::span<const std::int32_t> ids, bool skipSpecial) const {
  std::string text;
  std::vector<int> run;
  const auto flush = [&] {
    std::string part;
    if (!run.empty() && processor_.Decode(run, &part).ok()) text += part;
    run.clear();
  };
  for (const std::int32_t id : ids) {
    if (id < 0 || id >= vocabularySize()) continue;
    if (!isSpecial(id)) {
      run.push_back(id);
    } else if (!skipSpecial) {
      flush();
      text += processor_.IdToPiece(id);
    }
  }
  flush();
  return text;
}

std::string SentencePieceTokenizer::pieceOf(std::int32_t id) const {
  return id >= 0 && id < vocabularySize() ? processor_.IdToPiece(id) : std::string();
}

std::optional<std::int32_t> SentencePieceTokenizer::idOf(std::string_view piece) const {
  const int id = processor_.PieceToId(piece);
  if (id < 0 || id >= vocabularySize() || processor_.IdToPiece(id) != piece) return {};
  return id;
}

std::vector<SpecialToken> SentencePieceTokenizer::specialTokens() const {
  std::vector<SpecialToken> tokens;
  for (std::int32_t id = 0; id < vocabularySize(); ++id)
    if (processor_.IsControl(id) || processor_.IsUnknown(id)) tokens.push_back({id, processor_.IdToPiece(id), true});
  return tokens;
}

Result<std::shared_ptr<Tokenizer>> parseSentencePiece(const QByteArray& bytes, const QJsonObject& config, const QString& path) {
  return SentencePieceTokenizer::load(bytes, config, path);
}

}  // namespace cloister
