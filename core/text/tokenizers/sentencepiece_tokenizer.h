// SentencePiece models (tokenizer.model of Llama 2, DeepSeek's predecessors, and what `tokenizer train` makes), through the sentencepiece
// library 0.1.97 for decoding and for the models that SentencePieceEncoder leaves to it.
#pragma once
#include <sentencepiece_processor.h>

#include "core/text/tokenizers/scratch_pool.h"
#include "core/text/tokenizers/sentencepiece_encoder.h"
#include "core/text/tokenizers/tokenizer.h"

namespace cloister {

class SentencePieceTokenizer : public Tokenizer {
 public:
  static Result<std::shared_ptr<Tokenizer>> load(const QByteArray& bytes, const QJsonObject& config, const QString& path);

  Result<std::vector<std::int32_t>> encode(std::string_view text, EncodeOptions) const override;
  Result<std::vector<Piece>> pieces(std::string_view text, EncodeOptions) const override;
  std::string decode(std::span<const std::int32_t> ids, bool skipSpecial) const override;
  std::int32_t vocabularySize() const override { return processor_.GetPieceSize(); }
  std::string pieceOf(std::int32_t id) const override;
  std::optional<std::int32_t> idOf(std::string_view piece) const override;
  std::vector<SpecialToken> specialTokens() const override;
  SpecialIds special() const override { return special_; }
  QJsonObject description() const override { return description_; }

 private:
  bool isSpecial(std::int32_t id) const { return processor_.IsControl(id); }
  void readFrame();
  Result<std::vector<Piece>> libraryPieces(std::string_view text) const;
  std::vector<Piece> ownPieces(std::string_view text) const;

  sentencepiece::SentencePieceProcessor processor_;
  std::unique_ptr<SentencePieceEncoder> encoder_;  ///< null: the library encodes
  mutable ScratchPool<SentencePieceScratch> scratch_;
  SpecialIds special_;
  bool addBegin_ = false, addEnd_ = false;
  QJsonObject description_;
};

}  // namespace cloister
