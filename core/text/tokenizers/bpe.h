// Byte-pair encoding of one word: the pair of the lowest rank is merged first, the leftmost of equals, until no pair has a rank (Sennrich
// et al. 2016, as Hugging Face tokenizers 0.23 does it). Immutable; the scratch belongs to one thread at a time.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/text/tokenizers/vocabulary.h"

namespace cloister {

struct BpeOptions {
  bool byteLevel = false;     ///< words are raw bytes; the vocabulary spells them with the alphabet of GPT-2
  bool byteFallback = false;  ///< a character without a piece becomes <0xNN> pieces
  bool fuseUnknown = false;
  bool ignoreMerges = false;  ///< a word that is a piece is that piece
  std::int32_t unknown = -1;  ///< -1: what has no piece is left out
};

struct BpeScratch {
  WordCache cache;
  std::string key;
  struct Symbol {
    std::int32_t id;
    std::uint32_t end, previous, next;  ///< end: byte behind it in the word
  };
  std::vector<Symbol> symbols;
  std::vector<MergeTable::Entry> pairs;
  struct Candidate {
    std::uint32_t rank, at;
    std::int32_t id;
    bool operator<(const Candidate& o) const { return rank != o.rank ? rank > o.rank : at > o.at; }
  };
  std::vector<Candidate> heap;
};

class BpeModel {
 public:
  /// merges: as added, ids of vocabulary.
  BpeModel(const Vocabulary& vocabulary, MergeTable merges, BpeOptions options);

  /// Appends the ids of a word. ends (optional): where each token ends in the word; then the cache is not used.
  void encode(std::string_view word, BpeScratch&, std::vector<std::int32_t>& ids, std::vector<std::uint32_t>* ends = nullptr) const;
  const BpeOptions& options() const { return options_; }

 private:
  void spell(std::string_view word, BpeScratch&) const;
  void mergeShort(BpeScratch&) const;
  void mergeLong(BpeScratch&) const;
  std::int32_t wholeWord(std::string_view word, BpeScratch&) const;

  const Vocabulary& vocabulary_;
  MergeTable merges_;
  BpeOptions options_;
  std::array<std::int32_t, 256> bytes_;  ///< byte-level: the letter of each byte; else its <0xNN>; -1 none
  std::array<std::int32_t, 128> ascii_;
  std::unordered_map<char32_t, std::int32_t> characters_;
};

/// The alphabet of GPT-2: a printable character for each byte, as UTF-8.
const std::array<std::string, 256>& byteAlphabet();
/// The byte a character of that alphabet stands for, or -1.
int byteOfAlphabet(char32_t);

}  // namespace cloister
