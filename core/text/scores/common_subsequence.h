// Longest common subsequences by bit vectors: 64 columns of the table a step. Source: Hyyrö, "Bit-parallel LCS-length computation
// revisited" (2004). The same subsequence is read back that rouge-score reads from its whole table. Words are numbers; one object a thread.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace cloister::scores {

class CommonSubsequence {
 public:
  using Words = std::span<const std::uint32_t>;
  /// words: one more than the largest number.
  std::size_t length(Words reference, Words candidate, std::size_t words);
  /// Marks the places of one longest common subsequence in the reference (rouge_scorer._backtrack_norec: to the left only where the table
  /// is larger there).
  void mark(Words reference, Words candidate, std::size_t words, std::vector<std::uint8_t>& inReference);

 private:
  void prepare(Words candidate, std::size_t words);
  void step(std::uint32_t word, const std::uint64_t* from, std::uint64_t* to) const;

  std::size_t blocks_ = 0;
  std::vector<std::uint32_t> firstPlace_, nextPlace_;  ///< places of each word in the candidate, as chains
  mutable std::vector<std::uint64_t> match_;
  std::vector<std::uint64_t> rows_;
};

}  // namespace cloister::scores
