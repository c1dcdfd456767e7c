// AdamW (decoupled weight decay) and SGD with Nesterov momentum by LibTorch's fused kernels: one pass over each tensor. Matrices and
// convolutions decay, vectors (biases, norms) do not. Also the moving average of the weights. Training thread only.
#pragma once
#include <vector>

#include "core/engine/models/model.h"
#include "core/engine/train/recipe.h"

namespace cloister {

class Optimizer {
 public:
  Optimizer(const TrainRecipe&, ClassifierModel&);
  /// Takes the gradients of the model's parameters.
  void step(double learningRate);
  /// Drops the gradients.
  void zeroGradients();
  /// Moments and step count by name ("exp_avg.conv1.weight"), shared.
  NamedTensors state() const;
  void loadState(const NamedTensors&, const QString& path);

 private:
  struct Group {
    std::vector<at::Tensor> parameters, first, second, steps;
    std::vector<std::string> names;
    double weightDecay = 0;
  };
  TrainRecipe recipe_;
  std::vector<Group> groups_;
};

/// Euclidean norm of all gradients together.
double gradientNorm(const ClassifierModel&);
void scaleGradients(ClassifierModel&, double factor);

/// ema ← ema + (1-d)(model - ema) over all float tensors, running statistics included; d grows from 0.1 in the first steps.
void updateAverage(ClassifierModel& average, const ClassifierModel& model, double decay, std::int64_t step);

}  // namespace cloister
