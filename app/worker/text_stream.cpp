#include "app/worker/text_stream.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace cloister {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

}  // namespace

TextStream::TextStream(const Tokenizer& tokenizer, const std::vector<std::int64_t>& prompt) : tokenizer_(tokenizer) {
  constexpr std::size_t kContext = 6;
  for (std::size_t i = prompt.size() - std::min(prompt.size(), kContext); i < prompt.size(); ++i) ids_.push_back(std::int32_t(prompt[i]));
  told_ = ids_.size();
}

// The text after what was told.
std::string TextStream::tail() const {
  const std::span<const std::int32_t> all(ids_);
  const std::string before = tokenizer_.decode(all.subspan(from_, told_ - from_)), whole = tokenizer_.decode(all.subspan(from_));
  return whole.size() > before.size() ? whole.substr(before.size()) : std::string();
}

std::string TextStream::add(std::int64_t token) {
  ids_.push_back(std::int32_t(token));
  const std::string fresh = tail();
  if (fresh.empty() || fresh.ends_with(kReplacement)) return {};
  from_ = told_;
  told_ = ids_.size();
  text_ += fresh;
  return fresh;
}

std::string TextStream::finish() {
  const std::string fresh = tail();
  told_ = ids_.size();
  text_ += fresh;
  return fresh;
}

std::string textOf(const Tokenizer& tokenizer, const std::vector<std::int64_t>& prompt, const std::vector<std::int64_t>& tokens) {
  TextStream stream(tokenizer, prompt);
  for (std::int64_t t : tokens) stream.add(t);
  stream.finish();
  return stream.text();
}

}  // namespace cloister
