#include "core/metrics/sampling.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "core/metrics/bootstrap.h"

namespace cloister {
namespace {

std::uint64_t rank(std::size_t index, std::uint64_t seed) {
  const auto b = philox4x32({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), 1, 0},
                            {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  return (static_cast<std::uint64_t>(b[0]) << 32) | b[1];
}

/// How many of each class; the sum is limit.
std::vector<std::size_t> quotas(const std::vector<std::size_t>& sizes, std::size_t limit) {
  const std::size_t total = std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
  std::vector<std::size_t> quota(sizes.size());
  std::size_t given = 0;
  for (std::size_t c = 0; c < sizes.size(); ++c) {
    quota[c] = std::min(sizes[c], std::max<std::size_t>(given < limit ? 1 : 0, sizes[c] * limit / total));
    given += quota[c];
  }
  const auto remainder = [&](std::size_t c) {
    return static_cast<double>(sizes[c]) * static_cast<double>(limit) / static_cast<double>(total) - static_cast<double>(quota[c]);
  };
  while (given < limit) {
    std::size_t best = sizes.size();
    for (std::size_t c = 0; c < sizes.size(); ++c)
      if (quota[c] < sizes[c] && (best == sizes.size() || remainder(c) > remainder(best))) best = c;
    if (best == sizes.size()) break;
    ++quota[best];
    ++given;
  }
  while (given > limit) {  // the guarantee of one each can overshoot: the class most over its share gives
    std::size_t best = 0;
    for (std::size_t c = 1; c < sizes.size(); ++c)
      if (remainder(c) < remainder(best)) best = c;
    --quota[best];
    --given;
  }
  return quota;
}

}  // namespace

std::vector<std::size_t> stratifiedSubset(const std::vector<int>& labels, int limit, std::uint64_t seed) {
  std::vector<std::size_t> out(labels.size());
  std::iota(out.begin(), out.end(), std::size_t{0});
  const auto most = static_cast<std::size_t>(std::max(0, limit));
  if (most == 0 || most >= labels.size()) return out;
  std::map<int, std::vector<std::size_t>> members;
  for (const std::size_t i : out) members[labels[i]].push_back(i);
  std::vector<std::size_t> sizes;
  for (const auto& [label, list] : members) sizes.push_back(list.size());
  const std::vector<std::size_t> quota = quotas(sizes, most);
  out.clear();
  std::size_t c = 0;
  for (auto& [label, list] : members) {
    std::sort(list.begin(), list.end(), [seed](std::size_t a, std::size_t b) { return rank(a, seed) < rank(b, seed); });
    out.insert(out.end(), list.begin(), list.begin() + static_cast<std::ptrdiff_t>(quota[c++]));
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace cloister
