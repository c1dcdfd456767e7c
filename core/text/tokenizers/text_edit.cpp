#include "core/text/tokenizers/text_edit.h"

namespace cloister {

void EditedText::copy(std::size_t from, std::size_t to) {
  nextBytes_.append(view_, from, to - from);
  if (tracked_) nextOrigin_.insert(nextOrigin_.end(), origin_.begin() + std::ptrdiff_t(from), origin_.begin() + std::ptrdiff_t(to));
}

void EditedText::put(std::string_view content, std::size_t from, std::size_t to) {
  nextBytes_ += content;
  if (!tracked_) return;
  Span range;
  if (from < to) range = {origin_[from].from, origin_[to - 1].to};
  else if (from < origin_.size()) range = {origin_[from].from, origin_[from].from};
  else if (!origin_.empty()) range = {origin_.back().to, origin_.back().to};
  nextOrigin_.insert(nextOrigin_.end(), content.size(), range);
}

void EditedText::finish() {
  bytes_.swap(nextBytes_);
  ranges_.swap(nextOrigin_);
  view_ = bytes_;
  origin_ = ranges_;
}

}  // namespace cloister
