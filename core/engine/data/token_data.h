// Token numbers to train on, memory-mapped: one long stream, optionally cut into documents and with a mark for each token that counts in
// the loss. Any thread after opening.
//
// A safetensors file with `tokens` (U16, I32, U32 or I64, [N]), optionally `starts` (I64, [documents], where each document begins, the
// first at 0) and `loss` (U8 or BOOL, [N], 1: the token is to be learnt).
#pragma once
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>
#include <QString>

#include "core/tensors/safetensors.h"

namespace cloister {

/// Sequences of one step. Labels are the next tokens; kIgnoredLabel where none counts.
struct TokenBatch {
  at::Tensor ids, labels;           ///< int64 [B, T]
  at::Tensor positions, documents;  ///< int64 [B, T]; undefined: one document throughout
};

class TokenData {
 public:
  /// CorruptFile thrown for anything but the above, and for a token outside the vocabulary; NothingToDo for fewer than two tokens.
  static std::shared_ptr<TokenData> open(const QString& path, std::int64_t vocabulary);

  std::int64_t tokens() const { return count_; }
  std::int64_t documents() const { return std::int64_t(starts_.size()); }
  /// Whole sequences of this length, each with its next token: (N - 1) / length.
  std::int64_t sequences(std::int64_t length) const { return (count_ - 1) / length; }
  /// Sequence i covers tokens [i · length, (i + 1) · length). separate: no token sees or predicts across a document's border.
  TokenBatch batch(const std::vector<std::int64_t>& indices, std::int64_t length, bool separate) const;

 private:
  std::int64_t at(std::int64_t i) const;
  void checkTokens(const QString& path, std::int64_t vocabulary) const;

  std::shared_ptr<SafetensorsFile> file_;
  const TensorView* tokens_ = nullptr;
  const TensorView* loss_ = nullptr;
  std::vector<std::int64_t> starts_;
  std::int64_t count_ = 0;
};

}  // namespace cloister
