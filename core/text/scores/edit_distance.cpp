#include "core/text/scores/edit_distance.h"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace cloister::scores {
namespace {

constexpr std::int64_t kLongestShift = 10, kFarthestShift = 50, kBeam = 25;
constexpr int kMostCandidates = 1000;
constexpr std::int32_t kInfinity = 1 << 30;

}  // namespace

void TranslationEdits::setBeam(std::size_t hypothesis, std::size_t reference) {
  hypothesisSize_ = std::int64_t(hypothesis);
  referenceSize_ = std::int64_t(reference);
  ratio_ = hypothesis ? double(reference) / double(hypothesis) : 1.0;
  // Where the lengths differ so much that two rows of the beam would not overlap, it is wider.
  beam_ = double(kBeam) < ratio_ / 2 ? std::int64_t(std::ceil(ratio_ / 2 + double(kBeam))) : kBeam;
}

void TranslationEdits::rowBounds(std::int64_t row, std::int64_t& low, std::int64_t& high) const {
  if (row == 0) {
    low = 0, high = referenceSize_ + 1;
    return;
  }
  const auto diagonal = std::int64_t(std::floor(double(row) * ratio_));
  low = std::max<std::int64_t>(0, diagonal - beam_);
  high = row == hypothesisSize_ ? referenceSize_ + 1 : std::min(referenceSize_ + 1, diagonal + beam_);
}

namespace {

/// One row from the row above it. above and row are indexed by column minus their first column; outside of them costs are infinite.
template <typename Cell, typename Step, typename Words>
void fillRow(const Cell* above, std::int64_t aboveFirst, std::int64_t aboveEnd, Cell* row, std::int64_t low, std::int64_t high,
             std::uint32_t word, const Words& reference) {
  const auto cost = [&](std::int64_t j) { return j >= aboveFirst && j < aboveEnd ? above[j - aboveFirst].cost : kInfinity; };
  for (std::int64_t j = low; j < high; ++j) {
    Cell cell{kInfinity, Step::Undefined};
    const auto offer = [&cell](std::int32_t c, Step step) {
      if (cell.cost > c) cell = {c, step};
    };
    if (j == 0) {
      cell = {cost(0) + 1, Step::Delete};
    } else {
      const bool same = word == reference[std::size_t(j - 1)];
      offer(cost(j - 1) + (same ? 0 : 1), same ? Step::Same : Step::Substitute);
      offer(cost(j) + 1, Step::Delete);
      if (j > low) offer(row[j - 1 - low].cost + 1, Step::Insert);
    }
    row[j - low] = cell;
  }
}

}  // namespace

void TranslationEdits::fillMatrix(const Words& hypothesis, const Words& reference) {
  rows_.resize(hypothesis.size() + 1);
  std::size_t cells = 0;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    std::int64_t low = 0, high = 0;
    rowBounds(std::int64_t(i), low, high);
    rows_[i] = {low, cells, std::size_t(std::max<std::int64_t>(0, high - low))};
    cells += rows_[i].size;
  }
  cells_.resize(cells);
  for (std::size_t j = 0; j < rows_[0].size; ++j) cells_[j] = {std::int32_t(j), Step::Insert};
  for (std::size_t i = 1; i < rows_.size(); ++i) {
    const Row &above = rows_[i - 1], &row = rows_[i];
    fillRow<Cell, Step>(&cells_[above.at], above.first, above.first + std::int64_t(above.size), cells_.data() + row.at, row.first,
                        row.first + std::int64_t(row.size), hypothesis[i - 1], reference);
  }
  distance_ = cells_.back().cost;
}

/// Rows before the first changed word are those of the matrix: the beam depends on the lengths only, and a shift keeps them.
std::int64_t TranslationEdits::distanceOfShifted(const Words& shifted, const Words& reference, std::size_t firstChanged) {
  if (firstChanged >= shifted.size()) return distance_;
  const Row& known = rows_[firstChanged];
  above_.assign(cells_.begin() + std::ptrdiff_t(known.at), cells_.begin() + std::ptrdiff_t(known.at + known.size));
  std::int64_t aboveFirst = known.first;
  for (std::size_t i = firstChanged + 1; i <= shifted.size(); ++i) {
    std::int64_t low = 0, high = 0;
    rowBounds(std::int64_t(i), low, high);
    below_.resize(std::size_t(std::max<std::int64_t>(0, high - low)));
    fillRow<Cell, Step>(above_.data(), aboveFirst, aboveFirst + std::int64_t(above_.size()), below_.data(), low, high, shifted[i - 1],
                        reference);
    above_.swap(below_);
    aboveFirst = low;
  }
  return above_.back().cost;
}

/// Where each word of the reference lies in the hypothesis, and which words of both are in error. The trace is read as rewriting the
/// reference into the hypothesis: insertions and deletions change places.
void TranslationEdits::align() {
  trace_.clear();
  for (std::int64_t i = hypothesisSize_, j = referenceSize_; i > 0 || j > 0;) {
    const Row& row = rows_[std::size_t(i)];
    const Step step = cells_[row.at + std::size_t(j - row.first)].step;
    trace_.push_back(step);
    if (step != Step::Insert) --i;
    if (step != Step::Delete) --j;
  }
  alignment_.clear();
  hypothesisErrors_.assign(1, 0);
  referenceErrors_.assign(1, 0);
  std::int64_t place = -1;
  for (auto step = trace_.rbegin(); step != trace_.rend(); ++step) {
    const bool wrong = *step != Step::Same;
    if (*step != Step::Insert) {
      ++place;
      hypothesisErrors_.push_back(hypothesisErrors_.back() + wrong);
    }
    if (*step != Step::Delete) {
      alignment_.push_back(place);
      referenceErrors_.push_back(referenceErrors_.back() + wrong);
    }
  }
}

void TranslationEdits::perform(const Words& words, const Shift& shift, Words& out) {
  const auto size = std::int64_t(words.size());
  out.clear();
  const auto take = [&](std::int64_t from, std::int64_t to) {
    out.insert(out.end(), words.begin() + std::min(from, size), words.begin() + std::clamp(to, std::min(from, size), size));
  };
  const std::int64_t start = shift.start, end = shift.start + shift.length, target = shift.target;
  if (target < start) {
    take(0, target), take(start, end), take(target, start), take(end, size);
  } else if (target > end) {
    take(0, start), take(end, target), take(start, end), take(target, size);
  } else {
    take(0, start), take(end, shift.length + target), take(start, end), take(shift.length + target, size);
  }
}

void TranslationEdits::tryTargets(const Words& hypothesis, const Words& reference, Shift shift, std::int64_t startInReference, Shift& best,
                                  bool& any) {
  std::int64_t previous = -1;
  for (std::int64_t offset = -1; offset < shift.length; ++offset) {
    const std::int64_t place = startInReference + offset;
    if (place >= std::int64_t(alignment_.size())) break;  // past the reference
    shift.target = place == -1 ? 0 : alignment_[std::size_t(place)] + 1;
    if (shift.target == previous) continue;
    previous = shift.target;
    perform(hypothesis, shift, shifted_);
    shift.gain = distance_ - distanceOfShifted(shifted_, reference, std::size_t(std::min(shift.start, shift.target)));
    ++candidates_;
    // tercom's ranking: gain, then length, then the earliest start, then the earliest target.
    const auto rank = [](const Shift& s) { return std::tuple(s.gain, s.length, -s.start, -s.target); };
    if (!any || rank(shift) > rank(best)) best = shift;
    any = true;
  }
}

/// False when there is none. Stops looking after so many candidates of the whole segment.
bool TranslationEdits::bestShift(const Words& hypothesis, const Words& reference, Shift& best) {
  align();
  bool any = false;
  const auto own = std::int64_t(hypothesis.size()), theirs = std::int64_t(reference.size());
  for (std::int64_t start = 0; start < own; ++start) {
    const std::int64_t last = std::min(theirs - 1, start + kFarthestShift);
    for (std::int64_t other = std::max<std::int64_t>(0, start - kFarthestShift); other <= last; ++other) {
      for (std::int64_t length = 1; length <= kLongestShift && start + length <= own && other + length <= theirs; ++length) {
        if (hypothesis[std::size_t(start + length - 1)] != reference[std::size_t(other + length - 1)]) break;
        // Only where both are wrong, and never into itself.
        if (hypothesisErrors_[std::size_t(start + length)] == hypothesisErrors_[std::size_t(start)]) continue;
        if (referenceErrors_[std::size_t(other + length)] == referenceErrors_[std::size_t(other)]) continue;
        const std::int64_t aligned = alignment_[std::size_t(other)];
        if (start <= aligned && aligned < start + length) continue;
        tryTargets(hypothesis, reference, {0, length, start, 0}, other, best, any);
        if (candidates_ >= kMostCandidates) return any;
      }
    }
  }
  return any;
}

std::int64_t TranslationEdits::count(const Words& hypothesis, const Words& reference) {
  if (reference.empty()) return std::int64_t(hypothesis.size());
  words_ = hypothesis;
  candidates_ = 0;
  setBeam(hypothesis.size(), reference.size());
  std::int64_t shifts = 0;
  for (;;) {
    fillMatrix(words_, reference);
    Shift best;
    const bool any = bestShift(words_, reference, best);
    if (candidates_ >= kMostCandidates || !any || best.gain <= 0) break;
    ++shifts;
    perform(words_, best, shifted_);
    words_.swap(shifted_);
  }
  return shifts + distance_;
}

}  // namespace cloister::scores
