// Writes on from prompts: greedy, sampled or by beam search, through a key/value cache, several prompts at once (padded on the left), each
// token given to the caller as it comes. Worker's main thread. Throws EngineFailure.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/engine/generate/sampling.h"
#include "core/engine/models/decoder/decoder_model.h"

namespace cloister {

struct GenerateSettings {
  std::int64_t newTokens = 128;  ///< at most; less where the model's context ends
  TokenIds ends;                 ///< tokens that end a sequence, kept as its last token
  std::vector<TokenIds> stops;   ///< token sequences that end a sequence
  /// Further reasons to end: sees the new tokens of a sequence (stop strings need the tokenizer). Empty: none.
  std::function<bool(std::int64_t sequence, const TokenIds& tokens)> stopsHere;
  SamplingSettings sampling;
  std::int64_t beams = 1;      ///< above 1: beam search, without sampling
  double lengthPenalty = 1;    ///< beams: score / length^penalty
  bool earlyStopping = false;  ///< beams: end when as many as beams are finished
  /// Members new_tokens, beams, length_penalty, early_stopping, stop_ids and those of SamplingSettings.
  static Result<GenerateSettings> fromJson(const QJsonObject&);
};

struct Generated {
  TokenIds tokens;     ///< new ones
  const char* reason;  ///< "end", "stop", "length", "context", "asked"
  double score = 0;    ///< beams: Σ log probability / length^penalty
};

/// Called for each new token; false ends everything. Beam search calls it only to ask, with token -1, once a step.
using OnToken = std::function<bool(std::int64_t sequence, std::int64_t token)>;

/// InvalidArgument thrown when a prompt is empty, holds unknown tokens or fills the whole context.
std::vector<Generated> generate(DecoderModel&, const std::vector<TokenIds>& prompts, const GenerateSettings&, const OnToken& = {});

// --- parts, shared by both ways -----------------------------------------------------------------------------------------------------

/// Prompts side by side, padded on the left; the model's cache behind them.
class PromptBatch {
 public:
  PromptBatch(DecoderModel&, const std::vector<TokenIds>& prompts);
  /// Reads the prompts, then one token a row each time; returns float logits [B, V] of the last position.
  at::Tensor prefill();
  at::Tensor next(const TokenIds& tokens);
  /// Row i goes on as what was row rows[i]; others are dropped.
  void select(const std::vector<std::int64_t>& rows);

 private:
  at::Tensor read(const at::Tensor& ids, const at::Tensor& positions);

  DecoderModel& model_;
  DecoderCache cache_;
  at::Tensor ids_, valid_, lengths_;  ///< [B, T], bool [B, S] (undefined: no padding), int64 [B]
};

std::vector<Generated> beamSearch(DecoderModel&, const std::vector<TokenIds>& prompts, const GenerateSettings&, std::int64_t limit,
                                  const OnToken&);
/// "end", "stop" or null, for the new tokens of a sequence.
const char* reasonToEnd(const GenerateSettings&, std::int64_t sequence, const TokenIds& tokens);

}  // namespace cloister
