// Text out of tokens that come one by one. Some pieces only mean something together (bytes of one character, a space before a word), so
// text is given out when the tokens before it can no longer change it. One thread per object.
#pragma once
#include <string>
#include <vector>

#include "core/text/tokenizers/tokenizer.h"

namespace cloister {

class TextStream {
 public:
  /// prompt: what was there before; its end decides how the first new piece reads. The tokenizer must outlive the stream.
  TextStream(const Tokenizer&, const std::vector<std::int64_t>& prompt);
  /// What became certain with this token; may be empty.
  std::string add(std::int64_t token);
  /// What is left at the end, half characters as U+FFFD.
  std::string finish();
  const std::string& text() const { return text_; }  ///< all that was given out

 private:
  std::string tail() const;

  const Tokenizer& tokenizer_;
  std::vector<std::int32_t> ids_;
  std::size_t from_ = 0, told_ = 0;  ///< text is told up to ids_[told_]; decoding starts at from_ for context
  std::string text_;
};

/// The text of new tokens behind a prompt, as the stream would give it out.
std::string textOf(const Tokenizer&, const std::vector<std::int64_t>& prompt, const std::vector<std::int64_t>& tokens);

}  // namespace cloister
