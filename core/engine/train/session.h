// Everything the training loop works with, opened and checked: recipe, data, model, optimizer, averaged weights, place to resume from.
// Training thread; internal to core/engine/train.
#pragma once
#include <chrono>
#include <memory>

#include "core/engine/data/loader.h"
#include "core/engine/device/compute_device.h"
#include "core/engine/distributed/group.h"
#include "core/engine/models/model.h"
#include "core/engine/train/attempt.h"
#include "core/engine/train/checkpoint.h"
#include "core/engine/train/optimizer.h"
#include "core/engine/train/recipe.h"
#include "core/engine/train/team.h"
#include "core/engine/train/validation_metrics.h"

namespace cloister {

class Session : public Attempt {
 public:
  /// Throws EngineFailure for whatever makes this run impossible.
  explicit Session(const TrainJob&);

  /// Whether any rank was asked to stop; all ranks get the same answer for the same step. Also prepares the step's common divisor.
  bool stopAgreed(const Batch& next);

  /// Loss of the batch in micro-batches with gradients left on the parameters: mean over the batch, weighted by class.
  double forwardBackward(const Batch&);
  /// Gradients to be summed: one list a replica, or one list summed over all processes.
  std::vector<std::vector<at::Tensor>> gradients();
  /// The optimizer's step with what it collected; averages follow, gradients are dropped.
  void applyStep(double learningRate, double gradientScale);
  ValidationMetrics validate();
  /// Writes best/ when these are the best so far. Updates the early-stop count.
  void keepBest(const ValidationMetrics&);
  void checkpoint(bool best);
  bool checkpointDue() const { return Attempt::checkpointDue(recipe.checkpointMinutes); }
  void reportStep(double loss, double norm, double learningRate);
  ClassifierModel& evaluated() { return average ? *average : *model; }  ///< the weights to validate and hand out

  ComputeDevice device;
  TrainRecipe recipe;
  std::shared_ptr<PreparedData> data;
  std::shared_ptr<Sampler> sampler;
  std::unique_ptr<ClassifierModel> model, average;
  std::unique_ptr<Optimizer> optimizer;
  at::Tensor classWeights;  ///< undefined: all equal
  TrainState state;
  std::int64_t totalSteps = 0, warmupSteps = 0, resumedFrom = 0;

 private:
  void openData();
  void buildModel();
  void resume();
  void checkResources() const;
  void checkCard(const QJsonObject& parts) const;
  void formTeam();
  void announce();
  double microBatch(ClassifierModel& replica, const Batch&, std::int64_t from, double wholeWeight);
  void averageReplicas();
  std::vector<ClassifierModel*> members();  ///< the model, then its replicas

  std::chrono::steady_clock::time_point lastReport_;
  std::int64_t lastReportStep_ = 0;
  double secondsBefore_ = 0;
  std::vector<std::unique_ptr<ClassifierModel>> replicas_;  ///< besides the model itself
  std::unique_ptr<Team> team_;
  std::unique_ptr<Group> group_;  ///< null for a single process
  double wholeWeight_ = 1;        ///< class weights of the step's batch, over all ranks
};

}  // namespace cloister
