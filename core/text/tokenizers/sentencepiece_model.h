// What a SentencePiece model file says, read with every length checked before the library sees it. Format: protocol buffer ModelProto of
// sentencepiece_model.proto (google/sentencepiece 0.1.97). Any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <QString>

#include "core/domain/result.h"

namespace cloister {

struct SentencePieceModel {
  enum class PieceType { Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6 };
  enum class Kind { Unigram = 1, Bpe = 2, Word = 3, Character = 4 };
  struct Entry {
    std::string_view piece;  ///< into the bytes that were read
    float score = 0;
    PieceType type = PieceType::Normal;
  };
  std::vector<Entry> pieces;
  Kind kind = Kind::Unigram;
  bool byteFallback = false, spaceAsSuffix = false;
  std::string_view normalizer, characterMap;
  bool dummyPrefix = true, removeExtraSpaces = true, escapeSpaces = true;

  static Result<SentencePieceModel> read(std::string_view bytes, const QString& path);
};

}  // namespace cloister
