// Texts into token ids and back: what training, generation, evaluation and the pages see of a tokenizer, whatever file it came from.
// Two kinds stand behind it: tokenizer.json (Hugging Face tokenizers: BPE, byte-level or with byte fallback) and tokenizer.model
// (SentencePiece BPE and unigram).
//
// A tokenizer is immutable: any thread may call any of its functions at the same time. Its file is untrusted: open it in cloister-ingest or
// cloister-worker only.
//
// Texts are UTF-8. What is not well-formed is read as U+FFFD, one for each maximal ill-formed part; NUL is a character like others. A text
// may have up to kLongestText bytes.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <QJsonObject>
#include <QString>

#include "core/domain/result.h"

namespace cloister {

constexpr std::size_t kLongestText = std::size_t(1) << 30;

struct EncodeOptions {
  bool addSpecial = true;  ///< what the model expects around a text (begin, end), as the tokenizer's own files say
};

/// One token and the bytes of the given text it stands for. Added begin and end tokens have an empty range. Tokens that share a character
/// (bytes of one) have overlapping ranges.
struct Piece {
  std::int32_t id = 0;
  std::string text;  ///< as the vocabulary spells it (Ġ and ▁ for spaces)
  std::size_t from = 0, to = 0;
  bool special = false;
};

/// -1: has none.
struct SpecialIds {
  std::int32_t begin = -1, end = -1, pad = -1, unknown = -1;
};

struct SpecialToken {
  std::int32_t id = 0;
  std::string text;
  bool special = true;  ///< false: an added word that decoding keeps
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Fails with TooLarge, or when a pattern of the file asks for more steps than a text may take.
  virtual Result<std::vector<std::int32_t>> encode(std::string_view text, EncodeOptions = {}) const = 0;
  virtual Result<std::vector<Piece>> pieces(std::string_view text, EncodeOptions = {}) const = 0;
  /// Ids outside the vocabulary say nothing. Bytes that make no character become U+FFFD.
  virtual std::string decode(std::span<const std::int32_t> ids, bool skipSpecial = true) const = 0;
  /// Several texts on all cores (threads 0: one a core); answers in order.
  Result<std::vector<std::vector<std::int32_t>>> encodeBatch(std::span<const std::string_view> texts, EncodeOptions = {},
                                                             int threads = 0) const;

  /// One more than the largest id: what an embedding needs.
  virtual std::int32_t vocabularySize() const = 0;
  /// Empty for an id without a piece.
  virtual std::string pieceOf(std::int32_t id) const = 0;
  virtual std::optional<std::int32_t> idOf(std::string_view piece) const = 0;
  virtual std::vector<SpecialToken> specialTokens() const = 0;
  virtual SpecialIds special() const = 0;
  /// For people and --json: {"kind": "tokenizer.json" | "sentencepiece", "model", "normalizer", "preTokenizer", "fast" …}.
  virtual QJsonObject description() const = 0;

  /// SHA-256 over the files it was read from: same fingerprint, same ids.
  const QString& fingerprint() const { return fingerprint_; }
  /// tokenizer_config.json, empty where there is none: chat_template (a chat_template.jinja beside it goes first, as in transformers) and
  /// names of special tokens.
  const QJsonObject& config() const { return config_; }
  /// The file that states the chat template; empty for a tokenizer from memory.
  const QString& templatePath() const { return templatePath_; }

 protected:
  friend Result<std::shared_ptr<Tokenizer>> openTokenizer(const QString&);
  QString fingerprint_, templatePath_;
  QJsonObject config_;
};

/// A folder (tokenizer.json is preferred to tokenizer.model), or one of these files by itself (then without tokenizer_config.json unless it
/// lies beside it). CorruptFile with the place and what is wrong; UnsupportedEncoding names what no part here does; TooLarge.
Result<std::shared_ptr<Tokenizer>> openTokenizer(const QString& path);

/// The parsers on bytes (fuzz targets, and files that are already in memory). path only names the file in failures.
Result<std::shared_ptr<Tokenizer>> parseTokenizerJson(const QByteArray& bytes, const QJsonObject& config, const QString& path);
Result<std::shared_ptr<Tokenizer>> parseSentencePiece(const QByteArray& bytes, const QJsonObject& config, const QString& path);

/// Whether the tokenizer can serve a model with this many embedding rows; the failure says which id does not fit.
Result<void> checkVocabulary(const Tokenizer&, std::int64_t embeddingRows, const QString& path);

}  // namespace cloister
