// Everything the training loop of a language model works with: recipe, tokens, model, adapters, optimizer, place to resume from. Training
// thread; internal to core/engine/train.
#pragma once
#include <memory>

#include "core/engine/data/loader.h"
#include "core/engine/data/token_data.h"
#include "core/engine/device/compute_device.h"
#include "core/engine/models/decoder/decoder_folder.h"
#include "core/engine/models/decoder/decoder_model.h"
#include "core/engine/train/attempt.h"
#include "core/engine/train/checkpoint.h"
#include "core/engine/train/language/language_recipe.h"
#include "core/engine/train/language/preferences.h"
#include "core/engine/train/optimizer.h"

namespace cloister {

/// The trained tensors of a DecoderModel: all weights, or the adapters.
class TrainedDecoder : public Trainable {
 public:
  /// joined: on the processor, where all weights train: see DecoderModel::joinWeights.
  TrainedDecoder(DecoderModel&, bool adapters, bool joined, bool bf16);
  const std::vector<at::Tensor>& parameters() const override { return parameters_; }
  const std::vector<std::string>& parameterNames() const override { return names_; }
  const std::vector<at::Tensor>& computed() const override { return computed_; }
  /// After the weights were changed by other hands than the optimizer's.
  void refreshCopies();
  /// Between micro-batches: what was added up so far is kept in float32, whatever the copies' type.
  void foldGradients();
  /// Zeros where a tensor took no part (an expert without tokens).
  std::vector<at::Tensor> gradients() const;
  void dropGradients();

 private:
  at::Tensor gradientOf(std::size_t) const;
  void resetGradients();

  std::vector<at::Tensor> parameters_, computed_, sums_;
  std::vector<std::string> names_;
  std::map<std::string, ComputedWeight> joined_;
};

class LanguageSession : public Attempt {
 public:
  /// Throws EngineFailure for whatever makes this run impossible.
  explicit LanguageSession(const TrainJob&);

  /// What has to be known of the model before its first step (DPO). Ends early when asked to stop.
  void prepareReference();
  /// The sequences of a step.
  std::vector<std::int64_t> sequencesOf(std::int64_t step) const;
  /// Mean loss of the learnt tokens (DPO: of the pairs), in micro-batches; gradients are left on the parameters.
  double forwardBackward(const std::vector<std::int64_t>& sequences);
  void applyStep(double learningRate, double gradientScale);
  /// Mean loss over the validation tokens or pairs; the last training loss when there are none.
  double validate(double trainingLoss);
  void keepBest(double loss);
  void checkpoint(bool best);
  bool checkpointDue() const { return Attempt::checkpointDue(recipe.step.checkpointMinutes); }
  bool evaluationDue() const;
  void reportStep(double loss, double norm, double learningRate);

  ComputeDevice device;
  LanguageRecipe recipe;
  std::shared_ptr<TokenData> train, validation;  ///< validation may be null
  std::unique_ptr<DecoderModel> model;
  std::unique_ptr<TrainedDecoder> trained;
  std::unique_ptr<Optimizer> optimizer;
  TrainState state;
  std::int64_t stepsPerEpoch = 0, totalSteps = 0, warmupSteps = 0, resumedFrom = 0;

 private:
  void writeSample();
  void openBase();
  void openData();
  void checkPrepared();
  std::int64_t vocabularyWanted() const;
  void resume();
  void checkMemory();
  void announce();
  /// Sequences of one forward pass; weight: what its loss counts, in learnt tokens or pairs.
  struct Part {
    std::vector<std::int64_t> sequences;
    TokenBatch batch;
    double weight = 0;
  };
  void openPrediction();
  Part partOf(const TokenData&, std::vector<std::int64_t> sequences) const;
  at::Tensor lossOf(const Part&, double divisor, bool ofValidation, PairSums&);
  void moveBias();
  NamedTensors savedTensors() const;

  DecoderConfig config_;
  at::Tensor hidden_;           ///< of the last lossOf()
  double stepPredictions_ = 0;  ///< loss of the prediction layers in this step
  DecoderFolder base_;
  std::unique_ptr<Sampler> sampler_;
  std::unique_ptr<Preferences> preferences_;  ///< null: texts are learnt
  PairSums stepPairs_;
  std::vector<at::Tensor> stepLoads_;  ///< tokens per expert and layer in this step
  std::chrono::steady_clock::time_point lastReport_;
  std::int64_t lastReportStep_ = 0;
  double secondsBefore_ = 0;
};

}  // namespace cloister
