// What to do in a training run, as typed values made from the complete parameters of the family's schema; plus the learning-rate schedule.
// No LibTorch. Any thread.
#pragma once
#include <QJsonObject>
#include <QString>

#include "core/domain/result.h"
#include "core/engine/data/augment.h"

namespace cloister {

struct TrainRecipe {
  QString architecture = "small_cnn";
  double dropout = 0.1;
  int epochs = 40;
  double learningRate = 1e-3;
  int batchSize = 8;   ///< samples of one optimizer step over all processes
  int microBatch = 8;  ///< samples of one forward pass; the rest side by side and by gradient accumulation
  bool adamw = true;   ///< else SGD with Nesterov momentum
  double weightDecay = 0.01, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, momentum = 0.9;
  double warmupEpochs = 1;
  bool cosine = true;  ///< else constant after the warm-up
  double labelSmoothing = 0;
  bool balancedClasses = true;  ///< loss weights inverse to the classes' frequency
  double clipNorm = 1;          ///< 0: off
  double gradientLimit = 1e5;   ///< a gradient norm above stops the run
  double emaDecay = 0;          ///< 0: off
  bool bf16 = false;
  int patience = 0;              ///< epochs without improvement before an early stop; 0: off
  QString bestMetric = "auc";    ///< auc, accuracy, balanced_accuracy, loss
  double checkpointMinutes = 2;  ///< 0: after each step
  double metricSeconds = 0.25;   ///< shortest time between two points of the curve
  int threads = 1;               ///< processors to use
  int replicas = 1;              ///< micro-batches computed side by side; threads / replicas threads each
  bool freezeBackbone = false;   ///< train the output layer only
  AugmentRecipe augment;
};

struct RecipeContext {
  bool baseWeights = false;
  int classes = 2;
  std::int64_t trainSamples = 0;
  int worldSize = 1;
  int processors = 1;
  bool fastBf16 = false;  ///< the device multiplies bfloat16 matrices faster than float32 (AMX; graphics cards since 8.0)
  bool gpu = false;       ///< a graphics card: whole batches at once instead of one micro-batch a processor
};

/// Decides every "auto" (null) from the context. InvalidArgument when values do not go together. Pure: the same input gives the same
/// recipe, so a resumed run computes what the first attempt computed.
Result<TrainRecipe> makeRecipe(const QJsonObject& parameters, const RecipeContext&);

/// Linear warm-up from 0 (reached at the end of step warmupSteps-1), then half a cosine down to 0 at totalSteps.
double learningRateAt(const TrainRecipe&, std::int64_t step, std::int64_t warmupSteps, std::int64_t totalSteps);

/// AMX tiles for bfloat16, from the processor's flags.
bool processorHasFastBf16();

}  // namespace cloister
