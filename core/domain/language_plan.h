// Will a language model train, or run, on given cards; and if not, which change makes it fit. From a DecoderConfig alone: no weights, no
// LibTorch. Called by `model plan`, the desktop's planner and the checks before a run. Any thread; microseconds.
//
// Bytes of one card. States of AdamW per parameter (Rajbhandari et al., ZeRO, SC 2020): mixed 2 + 2 + 12, autocast 4 (and 2 for the copies
// that autocast keeps) + 4 + 8, bf16 2 + 2 + 4, fp32 4 + 4 + 8 for weights + gradients + optimizer. Of N cards, ZeRO 1 shares the
// optimizer, 2 the gradients too, 3 the weights too. LoRA trains r (in + out) parameters of every linear layer in mixed precision over a
// frozen bfloat16 base (layers that are stored in float8 stay so); QLoRA keeps the base's layers in 4 bits, as core/engine/models/decoder/
// nf4.h does: a byte for 64 weights and a float for 256 of those, embeddings and norms in bfloat16 (Dettmers et al., NeurIPS 2023).
// Activations are those that a layer with flash attention keeps for backward (LLaMA: 16 d + 8 ff bytes a token), or with checkpointing each
// layer's input and one whole layer.
//
// On the processor (the worker's own training, LibTorch): float32 weights and moments; with bfloat16 the layers' matrices have copies, on
// which their gradients land, and the residual stream stays float32. Activations of gates are not kept, logits are as many rows as fill
// 8 Mi elements. What the libraries hold and what a layer's backward works with were measured (docs/measurements.md).
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "core/domain/decoder_config.h"

namespace cloister {

enum class LanguageMethod { Full, Lora, Qlora, Generate };
enum class LanguagePrecision { Mixed, Autocast, Bf16, Fp32 };

struct LanguagePlanOptions {
  LanguageMethod method = LanguageMethod::Full;
  LanguagePrecision precision = LanguagePrecision::Mixed;  ///< of Full; LoRA trains mixed
  bool pairs = false;  ///< DPO: the batch counts pairs, two sequences each; the reference is no second model (decision 0060)
  std::int64_t loraRank = 16;
  std::int64_t sequence = 512;  ///< tokens; Generate: prompt and answer together
  std::int64_t batch = 1;       ///< sequences at once on one card
  bool checkpointing = false;
  bool chunkedLoss = true;  ///< the logits of 1,024 tokens at a time
  int cards = 1;
  int zeroStage = 0;
  bool processor = false;   ///< Cloister's own training on the processor instead of a card
  bool prediction = false;  ///< multi-token prediction layers train along (V3, loss weight above zero)
  int microBatches = 1;     ///< processor: a step adds up the gradients of so many

  /// {"method":"full|lora|qlora|generate|dpo","dpoWeights":"lora|qlora|full" (with
  /// dpo),"pairs","precision":"mixed|autocast|bf16|fp32","rank","sequence","batch","checkpointing","chunkedLoss",
  /// "cards","zero","processor","prediction","microBatches"}; what is missing has its default. InvalidArgument names the member.
  static Result<LanguagePlanOptions> fromJson(const QJsonObject&);
  QJsonObject toJson() const;
};

/// Bytes of one card.
struct LanguageMemory {
  std::int64_t weights = 0, gradients = 0, optimizer = 0;
  std::int64_t activations = 0, logits = 0, cache = 0;
  std::int64_t overhead = 0;  ///< driver, collectives, layers gathered or unpacked for use, fragmentation
  std::int64_t states() const { return weights + gradients + optimizer; }
  std::int64_t total() const { return states() + activations + logits + cache + overhead; }
  QJsonObject toJson() const;
};

/// What the arithmetic needs of a model, read off its tensors once.
struct LanguageSizes {
  std::int64_t parameters = 0, linear = 0, adapterPerRank = 0;  ///< linear: what QLoRA keeps in 4 bits
  std::int64_t fourBitBytes = 0;                                ///< of the linear weights, with all their scales
  std::int64_t storedBytes = 0;                                 ///< of the linear weights as LoRA keeps them in bfloat16 or float8
  std::int64_t largestUnit = 0;                                 ///< parameters gathered at once: a layer or an embedding
  std::int64_t largestMatrix = 0;
  std::int64_t layers = 0, hidden = 0, vocabulary = 0, cachePerToken = 0;
  std::int64_t keptPerToken = 0, keptOfLargestLayer = 0;  ///< elements kept for backward: all layers, one layer
  std::int64_t resultsPerToken = 0;                       ///< of all products of the layers, experts aside
  std::int64_t gatedPerToken = 0;                         ///< of these, results of one activation in each layer
  /// prediction: with the multi-token prediction layers, embedding and head excepted, which are the model's own.
  static LanguageSizes of(const DecoderConfig&, bool prediction = false);
};

LanguageMemory languageMemory(const LanguageSizes&, const LanguagePlanOptions&);
/// Parameters that an optimizer moves.
std::int64_t trainedParameters(const LanguageSizes&, const LanguagePlanOptions&);

/// One setting changed: "checkpointing", "chunkedLoss", "zero", "batch", "precision", "method", "sequence", "cards", "cardBytes".
struct PlanChange {
  QString knob;
  QJsonValue value;
};

struct LanguageFit {
  std::int64_t cardBytes = 0;
  bool fits = false;
  std::vector<PlanChange> changes;       ///< when it does not: the fewest that do, the least costly first; empty: nothing does
  std::int64_t changedTotal = 0;         ///< bytes needed then
  std::vector<PlanChange> alternatives;  ///< other single changes that are enough
};

/// A setting that leaves the result as it is (checkpointing, loss in pieces, ZeRO, a smaller batch) comes before one that does not
/// (bfloat16, LoRA, QLoRA, shorter sequences), and both before other cards.
LanguageFit fitLanguageModel(const LanguageSizes&, const LanguagePlanOptions&, std::int64_t cardBytes);

/// {"parameters","predictionParameters" (where there are
/// any),"trained","options","parts":{…,"total"},"cards":[{"bytes","fits","needed","changes":[{"knob","value"}],"changedTotal",
/// "alternatives"}]}. InvalidArgument when the sequence is longer than the model's context.
Result<QJsonObject> languagePlanReport(const DecoderConfig&, const LanguagePlanOptions&, const std::vector<std::int64_t>& cardBytes);

/// One translated sentence on an element of "cards": whether it fits, or which change makes it fit.
QString describeFit(const QJsonObject& card);

/// A decoder preset, or llama-175b: LLaMA's layout at the size of GPT-3.
Result<DecoderConfig> planPreset(const QString& name);
QStringList planPresetNames();

}  // namespace cloister
