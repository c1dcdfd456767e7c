// Batches made ahead of the training step by threads of its own, so that the step never waits for data. What a batch holds is a function
// of (seed, step) alone: the threads' timing cannot change it. Made and read on the training thread.
#pragma once
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <ATen/core/Tensor.h>

#include "core/engine/data/augment.h"
#include "core/engine/data/prepared_data.h"

namespace cloister {

struct Batch {
  at::Tensor images;  ///< float32 [n, C, size, size], 0…1
  at::Tensor labels;  ///< int64 [n]
  std::vector<std::int64_t> indices;
};

/// Which samples a step takes. Each epoch is a fresh permutation; an incomplete last batch is left out, its samples come in other epochs.
class Sampler {
 public:
  /// batch: samples of one step over all ranks; a training split smaller than that makes one step of all of it.
  Sampler(std::vector<std::int64_t> samples, int batch, std::uint64_t seed, int rank = 0, int worldSize = 1);
  std::int64_t stepsPerEpoch() const { return stepsPerEpoch_; }
  std::int64_t epochOf(std::int64_t step) const { return step / stepsPerEpoch_; }
  /// This rank's part of a step's batch: a contiguous slice.
  std::vector<std::int64_t> samplesOf(std::int64_t step) const;

 private:
  std::vector<std::int64_t> samples_;
  std::int64_t batch_, stepsPerEpoch_;
  std::uint64_t seed_;
  int rank_, worldSize_;
  mutable std::mutex mutex_;
  mutable std::int64_t cachedEpoch_[2] = {-1, -1};
  mutable std::vector<std::int64_t> cached_[2];
};

class Loader {
 public:
  Loader(std::shared_ptr<const PreparedData>, std::shared_ptr<const Sampler>, AugmentRecipe, std::uint64_t seed, std::int64_t firstStep,
         std::int64_t lastStep, int threads);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;
  /// The next step's batch, in order.
  Batch next();
  /// Steps that had to wait for data since the start.
  std::int64_t starvedSteps() const { return starved_; }

 private:
  void work();

  std::shared_ptr<const PreparedData> data_;
  std::shared_ptr<const Sampler> sampler_;
  AugmentRecipe recipe_;
  std::uint64_t seed_;
  std::int64_t nextToMake_, nextToGive_, last_, starved_ = 0;
  std::int64_t depth_;
  bool stopping_ = false;
  std::map<std::int64_t, Batch> ready_;
  std::exception_ptr error_;
  std::mutex mutex_;
  std::condition_variable made_, taken_;
  std::vector<std::thread> threads_;
};

/// One batch at once on the calling thread, without augmentation: validation, evaluation, calibration.
Batch plainBatch(const PreparedData&, const std::vector<std::int64_t>& indices);

}  // namespace cloister
