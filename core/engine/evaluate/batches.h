// Batches side by side, each on one thread (core/engine/train/team.h says why). What a batch is does not depend on the number of threads,
// and results are stored by place, so a report is the same on any machine of the same arithmetic. Called on the worker's main thread.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>

#include "core/engine/train/team.h"

namespace cloister {

inline std::size_t batchCount(std::size_t count, int batch) {
  const auto step = static_cast<std::size_t>(std::max(1, batch));
  return (count + step - 1) / step;
}

/// f(member, index of the batch, first, one past the last). Members take the next free batch. The first exception ends all and is thrown.
inline void forBatches(Team& team, std::size_t count, int batch,
                       const std::function<void(int member, std::size_t index, std::size_t begin, std::size_t end)>& f) {
  const auto step = static_cast<std::size_t>(std::max(1, batch));
  std::atomic<std::size_t> next{0};
  team.run([&](int member) {
    try {
      for (std::size_t i = next++; i < batchCount(count, batch); i = next++) f(member, i, i * step, std::min(count, (i + 1) * step));
    } catch (...) {
      next = count;  // the others need not go on
      throw;
    }
  });
}

}  // namespace cloister
