// One function over many things on all cores. Blocking; the function runs on several threads at once.
#pragma once
#include <cstddef>
#include <functional>

#include "core/domain/result.h"

namespace cloister {

/// item(i) for every i < count; the first failure ends it (things begun by others are finished). threads 0: one a core. OutOfMemory where a
/// thread runs out of it.
Result<void> onAllCores(std::size_t count, int threads, const std::function<Result<void>(std::size_t)>& item);

}  // namespace cloister
