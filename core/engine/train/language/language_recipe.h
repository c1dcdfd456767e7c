// What to do in the training of a language model, as typed values made from the complete parameters of the family's schema. No LibTorch.
// Any thread.
#pragma once
#include <optional>

#include "core/engine/models/decoder/adapter.h"
#include "core/engine/train/recipe.h"

namespace cloister {

enum class PreferenceLoss { Sigmoid, Robust, Hinge, Ipo };

/// Direct preference optimization, in the words of trl.
struct PreferenceSettings {
  double beta = 0.1;  ///< how far the model may go from where it started; with Ipo its tau
  PreferenceLoss loss = PreferenceLoss::Sigmoid;
  double labelSmoothing = 0;  ///< share of pairs taken to be the wrong way round; Sigmoid and Robust
};

struct LanguageRecipe {
  TrainRecipe step;     ///< optimizer, schedule, clipping, precision, checkpoints, threads; batches count sequences
  QString baseModel;    ///< Hugging Face folder; empty: from scratch
  QString preset;       ///< from scratch: name in decoderPresets()
  bool lora = false;    ///< else every weight
  bool packed = false;  ///< QLoRA: LoRA on a base in four bits
  /// Activation checkpointing; nullopt: when the training needs more memory than is free without it.
  std::optional<bool> recompute;
  AdapterSettings adapter;
  bool preferences = false;  ///< DPO: a sequence is a pair of a chosen and a rejected answer
  PreferenceSettings preference;
  std::int64_t length = 512;       ///< tokens of a sequence
  std::int64_t maxSteps = 0;       ///< 0: as the epochs give
  std::int64_t warmupSteps = -1;   ///< -1: 3 % of the steps
  std::int64_t evaluateEvery = 0;  ///< steps; 0: at the end of each epoch
  std::int64_t sampleTokens = 48;  ///< written at each validation, for a person to read; 0: nothing
  bool shuffled = true;            ///< else in the order of the data
  bool separateDocuments = true;
  double attentionDropout = -1;  ///< -1: what the model's configuration says
  double predictionLoss = 0;     ///< what the loss of multi-token prediction counts (V3); 0: its layers stay as they are
  double biasUpdate = 0;         ///< V3's correction bias moves by this after each step
};

/// InvalidArgument when values do not go together. Pure.
Result<LanguageRecipe> makeLanguageRecipe(const QJsonObject& parameters, const RecipeContext&);

/// Bytes by part while training: the planner's (core/domain/language_plan.h) for this recipe, on the processor or on a card.
QJsonObject languageMemoryParts(const DecoderConfig&, const LanguageRecipe&, bool onCard);
/// Decides recipe.recompute where it is open: on when more is needed than is free. True when that turned it on.
bool decideRecompute(const DecoderConfig&, LanguageRecipe&, qint64 free, bool onCard);

}  // namespace cloister
