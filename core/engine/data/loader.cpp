#include "core/engine/data/loader.h"

#include <algorithm>

#include <ATen/ops/empty.h>

#include "core/engine/data/counter_rng.h"

namespace cloister {
namespace {

Batch emptyBatch(const PreparedData& data, std::vector<std::int64_t> indices) {
  Batch b;
  const auto n = std::int64_t(indices.size());
  b.images = at::empty({n, data.channels(), data.size(), data.size()}, at::kFloat);
  b.labels = at::empty({n}, at::kLong);
  for (std::int64_t i = 0; i < n; ++i) b.labels.data_ptr<std::int64_t>()[i] = data.label(indices[std::size_t(i)]);
  b.indices = std::move(indices);
  return b;
}

}  // namespace

Sampler::Sampler(std::vector<std::int64_t> samples, int batch, std::uint64_t seed, int rank, int worldSize)
    : samples_(std::move(samples)),
      batch_(std::min<std::int64_t>(batch, std::int64_t(samples_.size()) / worldSize * worldSize)),
      stepsPerEpoch_(batch_ > 0 ? std::int64_t(samples_.size()) / batch_ : 0),
      seed_(seed),
      rank_(rank),
      worldSize_(worldSize) {}

std::vector<std::int64_t> Sampler::samplesOf(std::int64_t step) const {
  const std::int64_t epoch = epochOf(step), slot = epoch % 2;
  const std::int64_t perRank = batch_ / worldSize_;
  const std::int64_t from = (step % stepsPerEpoch_) * batch_ + rank_ * perRank;
  const std::lock_guard lock(mutex_);
  if (cachedEpoch_[slot] != epoch) {
    cached_[slot] = permutation(std::int64_t(samples_.size()), keyOf(seed_, std::uint64_t(epoch), 0x5a3b1e));
    cachedEpoch_[slot] = epoch;
  }
  std::vector<std::int64_t> result;
  for (std::int64_t i = from; i < from + perRank; ++i) result.push_back(samples_[std::size_t(cached_[slot][std::size_t(i)])]);
  return result;
}

Loader::Loader(std::shared_ptr<const PreparedData> data, std::shared_ptr<const Sampler> sampler, AugmentRecipe recipe, std::uint64_t seed,
               std::int64_t firstStep, std::int64_t lastStep, int threads)
    : data_(std::move(data)),
      sampler_(std::move(sampler)),
      recipe_(recipe),
      seed_(seed),
      nextToMake_(firstStep),
      nextToGive_(firstStep),
      last_(lastStep),
      depth_(threads + 3) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  taken_.notify_all();
  for (std::thread& t : threads_) t.join();
}

void Loader::work() {
  AugmentScratch scratch;
  for (;;) {
    std::int64_t step;
    {
      std::unique_lock lock(mutex_);
      taken_.wait(lock, [&] { return stopping_ || (nextToMake_ < last_ && nextToMake_ < nextToGive_ + depth_); });
      if (stopping_) return;
      step = nextToMake_++;
    }
    Batch batch;
    std::exception_ptr error;
    try {
      batch = emptyBatch(*data_, sampler_->samplesOf(step));
      const auto epoch = std::uint64_t(sampler_->epochOf(step));
      float* out = batch.images.data_ptr<float>();
      for (std::int64_t index : batch.indices) {
        if (recipe_.any())
          augmentSample(recipe_, data_->pixels(index), data_->channels(), data_->size(), keyOf(seed_, epoch, std::uint64_t(index)), out,
                        scratch);
        else plainSample(data_->pixels(index), data_->bytesPerSample(), out);
        out += data_->bytesPerSample();
      }
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    if (error) error_ = error;
    ready_.emplace(step, std::move(batch));
    made_.notify_all();
  }
}

Batch Loader::next() {
  std::unique_lock lock(mutex_);
  if (!ready_.contains(nextToGive_) && !error_) ++starved_;
  made_.wait(lock, [&] { return error_ || ready_.contains(nextToGive_); });
  if (error_) std::rethrow_exception(error_);
  Batch batch = std::move(ready_.at(nextToGive_));
  ready_.erase(nextToGive_++);
  lock.unlock();
  taken_.notify_all();
  return batch;
}

Batch plainBatch(const PreparedData& data, const std::vector<std::int64_t>& indices) {
  Batch batch = emptyBatch(data, indices);
  float* out = batch.images.data_ptr<float>();
  for (std::int64_t index : batch.indices) {
    plainSample(data.pixels(index), data.bytesPerSample(), out);
    out += data.bytesPerSample();
  }
  return batch;
}

}  // namespace cloister
