// From logits to the next token: repetition penalty (CTRL, Keskar et al. 2019), temperature, top-k (Fan et al. 2018), top-p (Holtzman et
// al. 2020), in the order and with the arithmetic of transformers, then a draw that depends on seed, sequence and step alone. Any thread.
#pragma once
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>
#include <QJsonObject>

#include "core/domain/result.h"

namespace cloister {

using TokenIds = std::vector<std::int64_t>;

struct SamplingSettings {
  bool sample = false;           ///< else the most likely token
  double temperature = 1;        ///< > 0, with sample
  std::int64_t topK = 0;         ///< 0: all, with sample
  double topP = 1;               ///< (0, 1], with sample
  double repetitionPenalty = 1;  ///< > 0; 1: none
  std::uint64_t seed = 0;
  /// Members sample, temperature, top_k, top_p, repetition_penalty, seed; InvalidArgument names what is out of range.
  static Result<SamplingSettings> fromJson(const QJsonObject&);
};

/// float [B, V] → float [B, V] with -inf where a token is ruled out. history: what each sequence holds so far, padding left out.
at::Tensor processedLogits(const at::Tensor& logits, const std::vector<TokenIds>& history, const SamplingSettings&);

/// One token a row. sequence: the rows' own numbers, which a row keeps when others end.
TokenIds chooseTokens(const at::Tensor& processed, const SamplingSettings&, const std::vector<std::int64_t>& sequence, std::int64_t step);

}  // namespace cloister
