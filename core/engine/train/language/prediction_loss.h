// The loss of multi-token prediction (DeepSeek-V3, 2412.19437, section 2.2, equations 21 to 25): prediction layer k says, from what is
// known of token i, token i + k + 1. Its gradients reach the whole model. Training thread; throws as the model does.
#pragma once
#include <vector>

#include "core/engine/data/token_data.h"
#include "core/engine/models/decoder/decoder_model.h"

namespace cloister {

/// Labels of prediction layer `depth` (from 1): int64 [B, T - depth], kIgnoredLabel where the token lies in another document or does not
/// count. Not defined when the sequences are too short.
at::Tensor predictionLabels(const TokenBatch&, std::int64_t depth);
/// How many labels of each prediction layer count.
std::vector<double> predictionWeights(const TokenBatch&, std::int64_t depths);

/// Mean over the prediction layers of Σ cross-entropy / divisors[layer]. hidden: the model's, of this batch. The logits are the model's
/// own head's.
at::Tensor predictionLoss(DecoderModel&, const at::Tensor& hidden, const TokenBatch&, const std::vector<double>& divisors);

}  // namespace cloister
