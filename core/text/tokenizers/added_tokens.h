// The added tokens of a tokenizer.json: they are found in a text before anything else is done with it, and are never cut. At each place the
// longest counts. Immutable; any thread.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cloister {

struct AddedToken {
  std::string content;
  std::int32_t id = 0;
  bool special = false;
  bool strippedLeft = false, strippedRight = false;  ///< takes the white space beside it
  bool singleWord = false;                           ///< not inside a word
  bool normalized = false;                           ///< is looked for in the normalized text
};

/// id -1: a stretch between tokens.
struct TokenSpan {
  std::int32_t id;
  std::size_t from, to;
};

class AddedTokens {
 public:
  /// as: how the token is spelled in the text that will be searched.
  void add(const AddedToken& token, const std::string& as);
  bool empty() const { return tokens_.empty(); }
  /// The whole text as tokens and what lies between.
  void split(std::string_view text, std::vector<TokenSpan>& spans) const;

 private:
  struct Node {
    std::vector<std::pair<unsigned char, std::uint32_t>> next;  // sorted
    std::int32_t token = -1;                                    // index
  };
  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_{1};
  std::array<bool, 256> first_{};
};

}  // namespace cloister
