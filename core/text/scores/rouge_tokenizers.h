// The words of ROUGE. Default is rouge-score's: lower case, runs of [a-z0-9], everything else lost, Chinese included. Zh: ideographs, kana
// and bopomofo are words of one character, other runs of letters, marks and digits are words. Char: every character that is not white
// space.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/text/scores/metric.h"

namespace cloister::scores {

class RougeTokenizer {
 public:
  explicit RougeTokenizer(const RougeOptions& options) : options_(options) {}
  /// words is replaced; they point into this object until its next call.
  void words(std::string_view text, std::vector<std::string_view>& words);

 private:
  void addWord(std::string_view word);

  RougeOptions options_;
  std::string lowered_, kept_, stem_;
  std::vector<std::size_t> ends_;
};

}  // namespace cloister::scores
