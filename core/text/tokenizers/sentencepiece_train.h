// Training a SentencePiece model (BPE or unigram) from lines of text. Runs in a cloister-ingest child; takes the calling thread and the
// library's own.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/domain/result.h"

namespace cloister {

struct TrainTokenizerOptions {
  bool unigram = false;       ///< else BPE
  int vocabularySize = 4096;  ///< pieces, with <unk>, <s>, </s> and 256 bytes
  double characterCoverage = 0.9995;
  bool byteFallback = true;
  bool identity = true;  ///< the text as it is, as Llama does; false: NFKC with white space cleaned, as SentencePiece does by default
  int threads = 2;
};

/// phase "lines": done lines given to the library; "pieces": done of total pieces made (BPE), or candidates still to drop (unigram).
using TrainTokenizerProgress = std::function<void(const char* phase, std::int64_t done, std::int64_t total)>;

/// Lines without their ends. The serialized model. InvalidArgument when the text does not hold that many pieces (allowed says how many).
Result<std::string> trainSentencePiece(const std::vector<std::string_view>& lines, const TrainTokenizerOptions&,
                                       const TrainTokenizerProgress&);

}  // namespace cloister
