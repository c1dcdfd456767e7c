// AdamW (decoupled weight decay) and SGD with Nesterov momentum in one pass over memory: gradients of all replicas are summed, clipped and
// applied, the moving average and the bfloat16 copies follow, in kernels of our own (core/engine/kernels). Matrices and convolutions decay,
// vectors (biases, norms) do not. Training thread only; the work may be shared out to others.
#pragma once
#include <functional>
#include <vector>

#include "core/engine/kernels/row_kernels.h"
#include "core/engine/models/model.h"
#include "core/engine/train/recipe.h"

namespace cloister {

class Optimizer {
 public:
  /// average: moves along with the weights (ema ← ema + share · (weight - ema)); null for none. Both models must outlive the optimizer.
  /// Own kernels are loops of the processor; a graphics card takes the library's.
  enum class Kernels { Own, Library };
  Optimizer(const TrainRecipe&, const Trainable&, const Trainable* average = nullptr, Kernels = Kernels::Own);

  /// Calls task(0 … n-1) once each, on any threads, and returns when all are done. LibTorch's threads unless set.
  using Share = std::function<void(std::int64_t n, const std::function<void(std::int64_t)>& task)>;
  void shareWork(Share share) { share_ = std::move(share); }

  /// Takes the gradients to apply: one list a replica, each in the order of the model's parameters; they are summed. Returns their
  /// Euclidean norm. Internal thrown when a trained parameter has none.
  double collect(const std::vector<std::vector<at::Tensor>>& replicas);
  /// Applies what was collected, each gradient times gradientScale, and forgets it.
  void step(double learningRate, double gradientScale = 1, double averageShare = 0);

  /// Moments and step count by name ("exp_avg.conv1.weight"), shared.
  NamedTensors state() const;
  void loadState(const NamedTensors&, const QString& path);

 private:
  struct Slot {
    std::size_t index;  ///< in the model's parameters
    std::string name;
    at::Tensor weight, average, first, second, step;
    bool decays;
  };
  double collectForLibrary(const std::vector<std::vector<at::Tensor>>& replicas);
  void stepByLibrary(double learningRate, double gradientScale, double averageShare);
  void cut(const Slot&, const std::vector<at::Tensor>& gradients);

  TrainRecipe recipe_;
  const Trainable& model_;
  Kernels kernels_;
  std::vector<Slot> slots_;
  Share share_;
  std::vector<at::Tensor> held_;                    ///< keeps collected gradients alive; for the library: one sum a slot
  std::vector<std::vector<const void*>> pointers_;  ///< what chunks point to
  std::vector<kernels::ParameterChunk> chunks_;
  std::vector<const Slot*> chunkSlots_;
};

/// How far the moving average moves after this step: 1 - decay, and more in the first steps.
double averageShare(double decay, std::int64_t step);
/// The same for what no optimizer moves: running statistics (counters are copied).
void averageStatistics(ClassifierModel& average, const ClassifierModel& model, double share);

}  // namespace cloister
