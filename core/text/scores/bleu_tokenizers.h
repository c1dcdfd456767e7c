// The tokenizers of sacreBLEU: none, 13a (mteval-v13a), zh, intl (mteval-v14) and char. One object a thread; the words of a text point into
// the text or into this object and live until its next call.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/scores/metric.h"

namespace cloister::scores {

/// Bytes that only grow, without being cleared.
class Scratch {
 public:
  char* atLeast(std::size_t bytes) {
    if (bytes > room_) {
      room_ = bytes + bytes / 2;
      bytes_.reset(new char[room_]);
    }
    return bytes_.get();
  }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t room_ = 0;
};

class BleuTokenizer {
 public:
  BleuTokenizer(BleuOptions::Tokenizer kind, bool lowercase) : kind_(kind), lowercase_(lowercase) {}
  /// words is replaced.
  void words(std::string_view text, std::vector<std::string_view>& words);

 private:
  std::string_view mteval13a(std::string_view text);
  std::string_view spacedChinese(std::string_view text);
  std::string_view westernPasses(std::string_view text);
  void international(std::string_view text, std::vector<std::string_view>& words);

  BleuOptions::Tokenizer kind_;
  bool lowercase_;
  std::string lowered_, changed_;
  Scratch one_, two_;
  std::u32string characters_, spaced_;
};

/// The regular expressions that 13a, zh and tercom share. They look at ASCII only, so they run on the bytes of UTF-8.
/// Each needs room for 3, 2, 2 and 2 times the bytes it reads and returns the end of what it wrote.
char* separateSymbols(std::string_view text, char* out);                ///< ([\{-\~\[-\` -\&\(-\+\:-\@\/]) → " \1 "
char* separatePeriodsAfterNonDigit(std::string_view text, char* out);   ///< ([^0-9])([\.,]) → "\1 \2 "
char* separatePeriodsBeforeNonDigit(std::string_view text, char* out);  ///< ([\.,])([^0-9]) → " \1 \2"
char* separateDashAfterDigit(std::string_view text, char* out);         ///< ([0-9])(-) → "\1 \2 "

/// str.replace on text in place.
void replaceAll(std::string& text, std::string_view what, std::string_view with);

}  // namespace cloister::scores
