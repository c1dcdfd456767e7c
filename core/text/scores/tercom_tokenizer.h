// The tokenizer of tercom as sacreBLEU has it (sacrebleu/tokenizers/tokenizer_ter.py). One object a thread; words live until its next call.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/text/scores/bleu_tokenizers.h"

namespace cloister::scores {

class TercomTokenizer {
 public:
  explicit TercomTokenizer(const TerOptions& options) : options_(options) {}
  /// words is replaced.
  void words(std::string_view text, std::vector<std::string_view>& words);

 private:
  void normalize();
  void spaceOutAsian();
  void removePunctuation();

  TerOptions options_;
  std::string text_, room_;
  Scratch one_, two_;
};

}  // namespace cloister::scores
