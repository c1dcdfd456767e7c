// Pairs of images that look alike, found among millions by their 64-bit hashes. A pure function; any thread.
#pragma once
#include <cstdint>
#include <vector>

namespace cloister {

struct HashedItem {
  std::uint64_t hash = 0;
  int side = 0;  ///< only pairs with different sides are reported
};

struct NearPairs {
  std::vector<std::pair<int, int>> pairs;  ///< indices into the items, smaller first, sorted
  bool complete = true;                    ///< false: more pairs or comparisons than the limits allow
};

/// All pairs of items on different sides whose hashes differ in at most `distance` bits (0 … 3). Exact: the 64 bits are cut into six
/// blocks; whatever three bits differ, at least three blocks are equal, so sorting by each of the 20 choices of three blocks brings
/// every pair together (multi-index hashing, Norouzi et al. 2012). O(20 n log n). Items with hash 0 (no picture, or an even one) are
/// left out.
NearPairs findNearPairs(const std::vector<HashedItem>&, int distance, std::size_t maximumPairs = 100'000,
                        std::uint64_t maximumComparisons = 4'000'000'000ULL);

}  // namespace cloister
