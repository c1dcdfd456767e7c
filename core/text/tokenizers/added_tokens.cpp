#include "core/text/tokenizers/added_tokens.h"

#include <algorithm>

#include "core/text/tokenizers/unicode.h"

namespace cloister {
namespace {

bool wordEndsAt(std::string_view text, std::size_t at) {
  if (at == 0) return false;
  std::size_t before = previousCodePoint(text, at);
  return classOf(nextCodePoint(text, before)) & kWordCharacter;
}
bool wordBeginsAt(std::string_view text, std::size_t at) { return at < text.size() && (classOf(nextCodePoint(text, at)) & kWordCharacter); }
std::size_t withoutSpaceBefore(std::string_view text, std::size_t at, std::size_t least) {
  while (at > least) {
    const std::size_t before = previousCodePoint(text, at);
    std::size_t next = before;
    if (!(classOf(nextCodePoint(text, next)) & kWhiteSpace)) break;
    at = before;
  }
  return at;
}
std::size_t withoutSpaceBehind(std::string_view text, std::size_t at) {
  for (std::size_t next = at; at < text.size(); at = next)
    if (!(classOf(nextCodePoint(text, next)) & kWhiteSpace)) break;
  return at;
}

}  // namespace

void AddedTokens::add(const AddedToken& token, const std::string& as) {
  if (as.empty()) return;
  std::uint32_t node = 0;
  for (const char c : as) {
    const auto byte = static_cast<unsigned char>(c);
    auto& next = nodes_[node].next;
    const auto at = std::lower_bound(next.begin(), next.end(), std::pair<unsigned char, std::uint32_t>{byte, 0});
    if (at != next.end() && at->first == byte) {
      node = at->second;
      continue;
    }
    const auto made = std::uint32_t(nodes_.size());
    next.insert(at, {byte, made});
    nodes_.emplace_back();
    node = made;
  }
  first_[static_cast<unsigned char>(as[0])] = true;
  nodes_[node].token = std::int32_t(tokens_.size());
  tokens_.push_back(token);
}

void AddedTokens::split(std::string_view text, std::vector<TokenSpan>& spans) const {
  std::size_t from = 0;
  for (std::size_t at = 0; at < text.size() && !empty();) {
    if (!first_[static_cast<unsigned char>(text[at])]) {
      ++at;
      continue;
    }
    std::uint32_t node = 0;
    std::int32_t found = -1;
    std::size_t end = at;
    for (std::size_t i = at; i < text.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      const auto& next = nodes_[node].next;
      const auto edge = std::lower_bound(next.begin(), next.end(), std::pair<unsigned char, std::uint32_t>{byte, 0});
      if (edge == next.end() || edge->first != byte) break;
      node = edge->second;
      if (nodes_[node].token >= 0) found = nodes_[node].token, end = i + 1;
    }
    if (found < 0) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens_[std::size_t(found)];
    std::size_t begin = at, stop = end;
    at = end;
    if (token.singleWord && (wordEndsAt(text, begin) || wordBeginsAt(text, end))) continue;
    if (token.strippedLeft) begin = withoutSpaceBefore(text, begin, from);
    if (token.strippedRight) stop = withoutSpaceBehind(text, stop);
    begin = std::max(begin, from);  // an earlier token may have taken white space that this one begins with
    if (from < begin) spans.push_back({-1, from, begin});
    spans.push_back({token.id, begin, stop});
    from = stop;
  }
  if (from < text.size()) spans.push_back({-1, from, text.size()});
}

}  // namespace cloister
