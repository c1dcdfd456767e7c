// Direct preference optimization (DPO, Rafailov et al. 2023, 2305.18290) with the losses that go by the same log-ratios: robust (Chowdhury
// et al. 2024, 2403.00409), hinge (SLiC, Zhao et al. 2023, 2305.10425) and IPO (Azar et al. 2023, 2310.12036; log-ratios a token, as its
// authors advise and trl does). The reference is the model that training began with: with adapters, the model without them; with all
// weights, its log-probabilities, computed once and kept in the run. Never a second model. Called by LanguageSession; training thread.
#pragma once
#include <functional>
#include <vector>

#include <QJsonObject>

#include "core/engine/data/token_data.h"
#include "core/engine/models/decoder/decoder_model.h"
#include "core/engine/train/language/language_recipe.h"

namespace cloister {

/// Sums over pairs; a reward is beta times the log-ratio of the model to the reference.
struct PairSums {
  double loss = 0, chosenReward = 0, rejectedReward = 0, rightlyOrdered = 0, chosenLogProbability = 0, rejectedLogProbability = 0;
  std::int64_t pairs = 0;
  /// Means by trl's names: rewards/chosen, rewards/rejected, rewards/margins, rewards/accuracies, logps/chosen, logps/rejected.
  QJsonObject means(const QString& prefix = {}) const;
};

class Preferences {
 public:
  /// The model must outlive this.
  Preferences(DecoderModel& model, const LanguageRecipe& recipe) : model_(model), recipe_(recipe) {}

  /// With all weights, before the first step and with the weights that training began with: the reference of each pair, from the file if it
  /// is there, else computed and written to it. Nothing to do with adapters. mayCompute false: CorruptFile thrown for a file that is
  /// missing, as the weights have moved on. progress(done, total) returning false ends it; then false, and no file.
  bool prepareReference(const TokenData& train, const TokenData* validation, const QString& file, bool mayCompute,
                        const std::function<bool(std::int64_t done, std::int64_t total)>& progress);

  /// Loss summed over the pairs of a batch (chosen rows, then rejected ones, on the model's device); its parts are added to sums.
  at::Tensor loss(const TokenBatch& batch, const std::vector<std::int64_t>& pairs, bool ofValidation, PairSums& sums);

 private:
  at::Tensor rowLogProbabilities(const TokenBatch&) const;
  at::Tensor referenceOf(const TokenBatch&, const std::vector<std::int64_t>& pairs, bool ofValidation);
  at::Tensor pairLosses(const at::Tensor& ratios, const at::Tensor& lengths) const;

  DecoderModel& model_;
  const LanguageRecipe& recipe_;
  at::Tensor train_, validation_;  ///< float32 [2, pairs]: chosen, rejected
};

/// The batch on another device.
TokenBatch placed(const TokenBatch&, at::Device);

}  // namespace cloister
