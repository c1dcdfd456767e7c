// Edit distance around the diagonal and the greedy shifts of translation edit rate, as in sacrebleu/metrics/lib_ter.py: the same beam, the
// same limits and the same order of preference, so that the same shifts are chosen. Words are numbers. One object a thread.
#pragma once
#include <cstdint>
#include <vector>

namespace cloister::scores {

class TranslationEdits {
 public:
  using Words = std::vector<std::uint32_t>;
  /// Shifts and edits that make the hypothesis the reference. Equal numbers are equal words.
  std::int64_t count(const Words& hypothesis, const Words& reference);

 private:
  enum class Step : std::uint8_t { Undefined, Same, Substitute, Insert, Delete };
  struct Cell {
    std::int32_t cost;
    Step step;
  };
  /// One row of the matrix: only the columns from first on are stored.
  struct Row {
    std::int64_t first = 0;
    std::size_t at = 0, size = 0;
  };
  struct Shift {
    std::int64_t gain = 0, length = 0, start = 0, target = 0;
  };

  void setBeam(std::size_t hypothesis, std::size_t reference);
  void rowBounds(std::int64_t row, std::int64_t& low, std::int64_t& high) const;
  void fillMatrix(const Words& hypothesis, const Words& reference);
  std::int64_t distanceOfShifted(const Words& shifted, const Words& reference, std::size_t firstChanged);
  void align();
  bool bestShift(const Words& hypothesis, const Words& reference, Shift& best);
  void tryTargets(const Words& hypothesis, const Words& reference, Shift shift, std::int64_t startInReference, Shift& best, bool& any);
  static void perform(const Words& words, const Shift& shift, Words& out);

  double ratio_ = 1;
  std::int64_t beam_ = 25, hypothesisSize_ = 0, referenceSize_ = 0, distance_ = 0;
  int candidates_ = 0;
  std::vector<Row> rows_;
  std::vector<Cell> cells_;
  std::vector<Cell> above_, below_;
  std::vector<Step> trace_;
  std::vector<std::int64_t> alignment_, hypothesisErrors_, referenceErrors_;  // errors: running sums
  Words words_, shifted_;
};

}  // namespace cloister::scores
