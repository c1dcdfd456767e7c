// Encoding with a SentencePiece model by code of our own: the normalizer's table, BPE by merges (word by word where no piece goes on behind
// a space) and unigram by Viterbi. The ids are those of the Python package sentencepiece 0.2.3; Debian's library 0.1.97 lets unigram scores
// of long texts run out of precision. Algorithms: Kudo & Richardson 2018; Kudo 2018. Immutable; the scratch belongs to one thread at a
// time.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/text/tokenizers/bpe.h"
#include "core/text/tokenizers/sentencepiece_model.h"
#include "core/text/tokenizers/text_edit.h"

namespace cloister {

struct SentencePieceScratch {
  BpeScratch bpe;
  EditedText text;
  struct Node {
    float score;
    std::uint32_t from;
    std::int32_t id;  // -1: not reached
  };
  std::vector<Node> nodes;
  std::vector<std::int32_t> ids;
  std::vector<std::uint32_t> ends;
};

class SentencePieceEncoder {
 public:
  /// Nothing for models that hold what this does not do: user-defined or unused pieces, words or characters as model, spaces as suffix.
  static std::unique_ptr<SentencePieceEncoder> make(const SentencePieceModel&);

  /// The model's normal form of the scratch's text, which keeps its origin when it is tracked.
  void normalize(EditedText&) const;
  /// Appends the ids of a normalized text. ends (optional): where each token ends in it; several bytes of one character end at the same
  /// place.
  void encode(std::string_view normal, SentencePieceScratch&, std::vector<std::int32_t>& ids, std::vector<std::uint32_t>* ends) const;

 private:
  SentencePieceEncoder() = default;
  void readMap(std::string_view map);
  bool readBpe(const SentencePieceModel&);
  void readUnigram(const SentencePieceModel&);
  /// What stands for the begin of the text at `at`, and how many bytes it takes.
  std::pair<std::string_view, std::size_t> prefixAt(std::string_view text, std::size_t at) const;
  void encodeWord(std::string_view word, SentencePieceScratch&, std::vector<std::int32_t>& ids, std::vector<std::uint32_t>* ends) const;
  void viterbi(std::string_view word, SentencePieceScratch&) const;
  void pushUnknown(std::string_view word, std::size_t from, std::size_t to, SentencePieceScratch&) const;

  std::vector<std::uint32_t> units_;  ///< double array of darts-clone
  std::string replacements_;
  bool dummyPrefix_ = true, removeExtraSpaces_ = true, escapeSpaces_ = true;

  Vocabulary vocabulary_;  ///< of the pieces that text can become
  std::unique_ptr<BpeModel> bpe_;
  MergeTable edges_;                   ///< unigram: (node, byte) → node
  std::vector<std::int32_t> pieceAt_;  ///< of a node; -1 none
  std::vector<float> scores_;          ///< by id
  float unknownScore_ = 0;
  std::int32_t unknown_ = -1;
  std::array<std::int32_t, 256> bytes_{};
  bool byteFallback_ = false, wordsEndAtSpaces_ = false;
};

}  // namespace cloister
