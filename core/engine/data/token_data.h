// Token numbers to train on, memory-mapped, as sequences of a step. Two kinds of file: prepared texts (a folder with index.json, rows of
// their own lengths, core/text/data/text_shards.h), and one long stream in a safetensors file, cut every `length` tokens. Any thread after
// opening. Preferences are pairs of rows: a sequence is a pair, and a batch holds the chosen rows of all its pairs, then the rejected ones.
#pragma once
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>
#include <QString>

namespace cloister {

/// Sequences of one step. Labels are the next tokens; kIgnoredLabel where none counts, and behind the end of a shorter sequence.
struct TokenBatch {
  at::Tensor ids, labels;           ///< int64 [B, T]
  at::Tensor positions, documents;  ///< int64 [B, T]; undefined: one document throughout
};

class TokenData {
 public:
  virtual ~TokenData() = default;
  virtual std::int64_t tokens() const = 0;
  virtual std::int64_t sequences() const = 0;
  virtual std::int64_t length() const = 0;  ///< tokens of the longest sequence
  /// separate: no token sees or predicts across a document's border.
  virtual TokenBatch batch(const std::vector<std::int64_t>& indices, bool separate) const = 0;
};

enum class TokenRowsAre { Texts, Pairs };

/// `part` ("train", "validation") of prepared texts in dir, or of the stream dir/part.safetensors cut to `length`. Null when there is no
/// such part. CorruptFile thrown for a damaged file and for a token outside the vocabulary; NothingToDo for fewer than two tokens;
/// InvalidArgument for preferences where texts are wanted, and for texts where pairs are.
std::shared_ptr<TokenData> openTokens(const QString& dir, const QString& part, std::int64_t vocabulary, std::int64_t length,
                                      TokenRowsAre = TokenRowsAre::Texts);
/// What the index of prepared texts says; empty and 0 for a stream.
struct TokenSource {
  QString fingerprint;
  std::int64_t vocabulary = 0, length = 0;
};
TokenSource tokenSourceOf(const QString& dir);

}  // namespace cloister
