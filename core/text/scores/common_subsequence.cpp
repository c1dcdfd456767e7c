#include "core/text/scores/common_subsequence.h"

#include <algorithm>
#include <bit>

#include "core/text/scores/ngrams.h"

namespace cloister::scores {

void CommonSubsequence::prepare(Words candidate, std::size_t words) {
  blocks_ = (candidate.size() + 63) / 64;
  firstPlace_.assign(words, kNone);
  nextPlace_.resize(candidate.size());
  for (std::size_t j = candidate.size(); j-- > 0;) {
    nextPlace_[j] = firstPlace_[candidate[j]];
    firstPlace_[candidate[j]] = std::uint32_t(j);
  }
  match_.assign(blocks_, 0);
}

/// A bit is 0 where the row of the table grows by one: V' = (V + (V & M)) | (V & ~M), with the carry through all blocks.
void CommonSubsequence::step(std::uint32_t word, const std::uint64_t* from, std::uint64_t* to) const {
  for (std::uint32_t j = firstPlace_[word]; j != kNone; j = nextPlace_[j]) match_[j / 64] |= 1ULL << (j % 64);
  std::uint64_t carry = 0;
  for (std::size_t b = 0; b < blocks_; ++b) {
    const std::uint64_t v = from[b], u = v & match_[b];
    const std::uint64_t sum = v + u, whole = sum + carry;
    carry = (sum < v) | (whole < sum);
    to[b] = whole | (v & ~match_[b]);
  }
  for (std::uint32_t j = firstPlace_[word]; j != kNone; j = nextPlace_[j]) match_[j / 64] = 0;
}

std::size_t CommonSubsequence::length(Words reference, Words candidate, std::size_t words) {
  if (reference.empty() || candidate.empty()) return 0;
  prepare(candidate, words);
  rows_.assign(blocks_, ~0ULL);
  for (const std::uint32_t word : reference)
    if (firstPlace_[word] != kNone) step(word, rows_.data(), rows_.data());
  std::size_t zeros = 0;
  for (const std::uint64_t v : rows_) zeros += std::size_t(std::popcount(~v));
  return zeros;
}

void CommonSubsequence::mark(Words reference, Words candidate, std::size_t words, std::vector<std::uint8_t>& inReference) {
  if (reference.empty() || candidate.empty()) return;
  prepare(candidate, words);
  rows_.resize((reference.size() + 1) * blocks_);
  std::fill_n(rows_.begin(), blocks_, ~0ULL);
  for (std::size_t i = 0; i < reference.size(); ++i) step(reference[i], &rows_[i * blocks_], &rows_[(i + 1) * blocks_]);
  // The table itself at (i, j): how many of the row's first j bits are 0.
  const auto table = [this](std::size_t i, std::size_t j) {
    const std::uint64_t* row = &rows_[i * blocks_];
    std::size_t zeros = 0;
    for (std::size_t b = 0; b < j / 64; ++b) zeros += std::size_t(std::popcount(~row[b]));
    if (j % 64) zeros += std::size_t(std::popcount(~row[j / 64] & ((1ULL << (j % 64)) - 1)));
    return zeros;
  };
  for (std::size_t i = reference.size(), j = candidate.size(); i > 0 && j > 0;) {
    if (reference[i - 1] == candidate[j - 1]) {
      inReference[i - 1] = 1;
      --i, --j;
    } else if (table(i, j - 1) > table(i - 1, j)) {
      --j;
    } else {
      --i;
    }
  }
}

}  // namespace cloister::scores
