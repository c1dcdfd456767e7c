// A text on its way through normalizers and pre-tokenizers, which change it; on demand every byte remembers what it stood for in the text
// that came in. One thread at a time.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/tokenizers/unicode.h"

namespace cloister {

class EditedText {
 public:
  EditedText() = default;
  EditedText(const EditedText&) = delete;
  EditedText& operator=(const EditedText&) = delete;

  /// The text itself, not copied. origin empty: not tracked; else a range for each byte.
  void assign(std::string_view text, std::span<const Span> origin) {
    view_ = text;
    origin_ = origin;
    tracked_ = !origin.empty();
  }
  std::string_view view() const { return view_; }
  std::span<const Span> origin() const { return origin_; }
  bool tracked() const { return tracked_; }

  // A new version is written piece by piece and then becomes the text.
  void begin() {
    nextBytes_.clear();
    nextOrigin_.clear();
  }
  std::size_t written() const { return nextBytes_.size(); }
  void copy(std::size_t from, std::size_t to);
  /// content in place of [from, to) of the text as it is.
  void put(std::string_view content, std::size_t from, std::size_t to);
  void finish();

 private:
  std::string_view view_;
  std::span<const Span> origin_;
  bool tracked_ = false;
  std::string bytes_, nextBytes_;
  std::vector<Span> ranges_, nextOrigin_;
};

}  // namespace cloister
