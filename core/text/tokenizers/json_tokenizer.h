// tokenizer.json of Hugging Face tokenizers with a BPE model: what the parts around it (added tokens, normalizer, pre-tokenizer, decoder,
// template) do with a text. The ids are those of the Python package tokenizers 0.23, which is the judge in tests/interop.
#pragma once
#include "core/text/tokenizers/added_tokens.h"
#include "core/text/tokenizers/bpe.h"
#include "core/text/tokenizers/decoder.h"
#include "core/text/tokenizers/normalizer.h"
#include "core/text/tokenizers/pre_tokenizer.h"
#include "core/text/tokenizers/scratch_pool.h"
#include "core/text/tokenizers/tokenizer.h"

namespace cloister {

class JsonTokenizer : public Tokenizer {
 public:
  /// fast false: every regular expression by ICU (the reference for our own loops). Throws TokenizerError.
  JsonTokenizer(const QJsonObject& file, const QJsonObject& config, const QString& path, bool fast);

  Result<std::vector<std::int32_t>> encode(std::string_view text, EncodeOptions) const override;
  Result<std::vector<Piece>> pieces(std::string_view text, EncodeOptions) const override;
  std::string decode(std::span<const std::int32_t> ids, bool skipSpecial) const override;
  std::int32_t vocabularySize() const override { return all_.size(); }
  std::string pieceOf(std::int32_t id) const override { return all_.pieceOf(id); }
  std::optional<std::int32_t> idOf(std::string_view piece) const override { return all_.find(piece); }
  std::vector<SpecialToken> specialTokens() const override { return specials_; }
  SpecialIds special() const override { return special_; }
  QJsonObject description() const override { return description_; }

 private:
  struct Scratch {
    BpeScratch bpe;
    EditedText text;
    Words words;
    std::vector<TokenSpan> raw, inner;
    std::string repaired;
    std::vector<Span> origin;
    std::vector<std::uint32_t> ends;
  };
  using Sink = std::vector<Piece>;

  void readModel(const QJsonObject& model, const struct Place&);
  MergeTable readMerges(const QJsonObject& model, const struct Place&);
  void readAdded(const QJsonValue&, const struct Place&);
  void readTemplate(const QJsonValue&, const struct Place&, int depth);
  void readTemplateItems(const QJsonObject&, const struct Place&);
  void readSpecials();
  void frameAsLlama();

  /// ids or pieces, one of them null.
  void encodeInto(std::string_view text, EncodeOptions, Scratch&, std::vector<std::int32_t>* ids, Sink* pieces) const;
  void encodeStretch(std::string_view text, std::span<const Span> origin, bool atStart, Scratch&, std::vector<std::int32_t>* ids,
                     Sink* pieces) const;
  void encodeWords(Scratch&, std::vector<std::int32_t>* ids, Sink* pieces) const;
  void cutAtSpaces(std::vector<Span>& spans, std::string_view text) const;
  Piece pieceFor(std::int32_t id, std::size_t from, std::size_t to) const;

  Vocabulary vocabulary_;  ///< of the model
  Vocabulary all_;         ///< with added tokens
  std::unique_ptr<BpeModel> model_;
  AddedTokens added_, addedNormalized_;
  std::vector<AddedToken> addedList_;
  std::vector<bool> isSpecial_;
  Normalizer normalizer_;
  PreTokenizer preTokenizer_;
  Decoder decoder_;
  std::vector<std::int32_t> before_, behind_;
  bool wordsEndAtSpaces_ = false;  ///< no piece goes on behind ▁ that did not begin with it: words may be cut there without a change
  std::vector<SpecialToken> specials_;
  SpecialIds special_;
  QJsonObject description_;

  mutable ScratchPool<Scratch> scratch_;
};

}  // namespace cloister
