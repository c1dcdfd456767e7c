// How well a language model knows texts: probability of the judged tokens, choices by likelihood, and what it repeats by heart. Called by
// `cloister-worker model-evaluate`. The caller turns gradients off. One thread per model; throws EngineFailure.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "core/engine/models/decoder/decoder_model.h"

namespace cloister {

/// Tokens of one text; those from `answer` on are judged (1: all that have something before them).
struct TokenText {
  std::vector<std::int64_t> ids;
  std::int64_t answer = 1;
  /// As long as ids: of those, the ones that count (a conversation of several answers). Empty: all of them. Attacks do not look at it.
  std::vector<std::uint8_t> counts = {};
};

struct TextLoss {
  double nats = 0;          ///< Σ −ln p of the judged tokens
  std::int64_t tokens = 0;  ///< judged
  std::int64_t greedy = 0;  ///< of these, the model's own first choice
};

/// false stops: Stopped is thrown.
using TextTick = std::function<bool(std::int64_t done, std::int64_t total)>;

std::vector<TextLoss> textLosses(DecoderModel&, const std::vector<TokenText>&, const TextTick& = {});
/// exp(Σ nats / Σ tokens); NaN without tokens.
double perplexity(const std::vector<TextLoss>&);

/// A question and its answers; `right` is the index of the correct one.
struct TokenChoice {
  std::vector<std::int64_t> question;
  std::vector<std::vector<std::int64_t>> answers;
  std::int64_t right = 0;
};
struct ChoiceOutcome {
  std::vector<double> logLikelihood;  ///< of each answer after the question
  std::int64_t chosen = 0;            ///< the likeliest
  std::int64_t chosenPerToken = 0;    ///< the likeliest by mean over its tokens: a long answer is not at a disadvantage
};
std::vector<ChoiceOutcome> chooseByLikelihood(DecoderModel&, const std::vector<TokenChoice>&, const TextTick& = {});

/// Extraction as Carlini et al. (2202.07646) measure it: the model gets `prompt` tokens of a training text and continues greedily.
struct Recall {
  std::int64_t prompt = 0, expected = 0;  ///< tokens given, and how many follow in the text
  std::int64_t verbatim = 0;              ///< of the continuation, equal from its start
  bool whole() const { return expected > 0 && verbatim == expected; }
};
/// Texts shorter than prompt + 1 tokens are left out of the answer's meaning: expected is 0. At most `length` tokens are compared.
std::vector<Recall> recallOf(DecoderModel&, const std::vector<std::vector<std::int64_t>>& texts, std::int64_t prompt, std::int64_t length,
                             const TextTick& = {});

}  // namespace cloister
