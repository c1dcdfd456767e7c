// A fair part of a set: when attacking every sample would take hours, a stated number of them, every class in its share. Any thread.
#pragma once
#include <cstdint>
#include <vector>

namespace cloister {

/// Indices in ascending order, limit at most (all when limit is 0 or larger than the set). Each class gets its share, rounded by largest
/// remainder, one at least as far as limit allows; within a class the choice follows from the seed alone.
std::vector<std::size_t> stratifiedSubset(const std::vector<int>& labels, int limit, std::uint64_t seed);

}  // namespace cloister
