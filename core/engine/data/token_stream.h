// A stream of tokens: a safetensors file with `tokens` (U16, I32, U32 or I64, [N]), optionally `starts` (I64, where each document begins,
// the first at 0) and `loss` (U8 or BOOL, [N], 1: the token is to be learnt). Opened by openTokens.
#pragma once
#include "core/engine/data/token_data.h"
#include "core/tensors/safetensors.h"

namespace cloister {

class TokenStream : public TokenData {
 public:
  /// shorten: a stream shorter than one sequence is one sequence.
  TokenStream(const QString& path, std::int64_t vocabulary, std::int64_t length, bool shorten);
  std::int64_t tokens() const override { return count_; }
  /// Sequence i covers tokens [i · length, (i + 1) · length), each with its next token.
  std::int64_t sequences() const override { return (count_ - 1) / length_; }
  std::int64_t length() const override { return length_; }
  TokenBatch batch(const std::vector<std::int64_t>& indices, bool separate) const override;

 private:
  std::int64_t at(std::int64_t i) const;
  void checkTokens(const QString& path, std::int64_t vocabulary) const;
  void readStarts(const QString& path);

  std::shared_ptr<SafetensorsFile> file_;
  const TensorView* tokens_ = nullptr;
  const TensorView* loss_ = nullptr;
  std::vector<std::int64_t> starts_;
  std::int64_t count_ = 0, length_;
};

}  // namespace cloister
