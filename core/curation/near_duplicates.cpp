#include "core/curation/near_duplicates.h"

#include <algorithm>
#include <array>
#include <bit>
#include <map>

namespace cloister {
namespace {

// Six blocks of 11, 11, 11, 11, 10 and 10 bits.
constexpr std::array<std::uint64_t, 6> kBlocks = [] {
  std::array<std::uint64_t, 6> masks{};
  int from = 0, i = 0;
  for (const int bits : {11, 11, 11, 11, 10, 10}) {
    masks[size_t(i++)] = ((std::uint64_t(1) << bits) - 1) << from;
    from += bits;
  }
  return masks;
}();

struct Entry {
  std::uint64_t masked, hash;
  int item;  // index of a distinct hash
};

/// Items with the same hash, once, apart by side: a thousand blank images must not become a million comparisons.
struct Distinct {
  std::uint64_t hash;
  std::map<int, std::vector<int>> sides;
  /// Has this one, or the two together, items on different sides?
  bool crosses(const Distinct& other) const {
    return sides.size() > 1 || other.sides.size() > 1 || sides.begin()->first != other.sides.begin()->first;
  }
};

std::vector<Distinct> distinctHashes(const std::vector<HashedItem>& items) {
  std::vector<std::pair<std::uint64_t, int>> sorted;
  sorted.reserve(items.size());
  for (size_t i = 0; i < items.size(); ++i)
    if (items[i].hash != 0) sorted.emplace_back(items[i].hash, int(i));
  std::sort(sorted.begin(), sorted.end());
  std::vector<Distinct> distinct;
  for (const auto& [hash, index] : sorted) {
    if (distinct.empty() || distinct.back().hash != hash) distinct.push_back({hash, {}});
    distinct.back().sides[items[size_t(index)].side].push_back(index);
  }
  return distinct;
}

class Collector {
 public:
  explicit Collector(std::size_t limit) : limit_(limit) {}
  /// All pairs between two sides of two hashes (or of one with itself); false: full.
  bool add(const Distinct& left, const Distinct& right) {
    for (const auto& [leftSide, leftItems] : left.sides)
      for (const auto& [rightSide, rightItems] : right.sides) {
        if (leftSide == rightSide || (&left == &right && leftSide > rightSide)) continue;
        for (const int a : leftItems)
          for (const int b : rightItems) {
            if (found_.size() >= limit_) return false;
            found_.emplace_back(std::min(a, b), std::max(a, b));
          }
      }
    return true;
  }
  std::vector<std::pair<int, int>> take() {
    std::sort(found_.begin(), found_.end());
    return std::move(found_);
  }

 private:
  std::size_t limit_;
  std::vector<std::pair<int, int>> found_;
};

/// Pairs of distinct hashes within the distance; false when a limit was reached.
bool closeHashes(const std::vector<Distinct>& distinct, int distance, std::size_t maximumPairs, std::uint64_t comparisonsLeft,
                 std::vector<std::pair<int, int>>& close) {
  std::vector<Entry> entries(distinct.size());
  for (int a = 0; a < 4; ++a)
    for (int b = a + 1; b < 5; ++b)
      for (int c = b + 1; c < 6; ++c) {
        const std::uint64_t mask = kBlocks[size_t(a)] | kBlocks[size_t(b)] | kBlocks[size_t(c)];
        for (size_t i = 0; i < distinct.size(); ++i) entries[i] = {distinct[i].hash & mask, distinct[i].hash, int(i)};
        std::sort(entries.begin(), entries.end(), [](auto& x, auto& y) { return x.masked < y.masked; });
        for (size_t from = 0, to = 0; from < entries.size(); from = to) {
          for (to = from + 1; to < entries.size() && entries[to].masked == entries[from].masked;) ++to;
          const std::uint64_t n = to - from;
          if (n * (n - 1) / 2 > comparisonsLeft) return false;
          comparisonsLeft -= n * (n - 1) / 2;
          for (size_t i = from; i < to; ++i)
            for (size_t j = i + 1; j < to; ++j)
              if (std::popcount(entries[i].hash ^ entries[j].hash) <= distance &&
                  distinct[size_t(entries[i].item)].crosses(distinct[size_t(entries[j].item)])) {
                close.emplace_back(std::min(entries[i].item, entries[j].item), std::max(entries[i].item, entries[j].item));
                // The same pair is found by up to 20 masks; far more than that is no longer a list for a person.
                if (close.size() > maximumPairs * 20) return false;
              }
        }
      }
  return true;
}

}  // namespace

NearPairs findNearPairs(const std::vector<HashedItem>& items, int distance, std::size_t maximumPairs, std::uint64_t maximumComparisons) {
  NearPairs result;
  const std::vector<Distinct> distinct = distinctHashes(items);
  std::vector<std::pair<int, int>> close;
  if (distance > 0) result.complete = closeHashes(distinct, std::min(distance, 3), maximumPairs, maximumComparisons, close);
  std::sort(close.begin(), close.end());
  close.erase(std::unique(close.begin(), close.end()), close.end());
  Collector collector(maximumPairs);
  for (const Distinct& d : distinct)
    if (!collector.add(d, d)) result.complete = false;
  for (const auto& [a, b] : close)
    if (!collector.add(distinct[size_t(a)], distinct[size_t(b)])) result.complete = false;
  result.pairs = collector.take();
  return result;
}

}  // namespace cloister
