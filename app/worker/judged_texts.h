// The texts a language model is judged by, from files. Worker only: files and tokenizers are untrusted. Throws EngineFailure with the
// place.
#pragma once
#include <QString>

#include "core/domain/decoder_config.h"
#include "core/engine/evaluate/language_quality.h"

namespace cloister {

/// By the ending of the name:
/// - .json: token numbers, {"input_ids":[[…]],"answer_start":[…]} or as readTokenIds takes them;
/// - .jsonl: a text a line, {"text"} or {"prompt","completion"} of which the completion is judged, cut by the tokenizer in modelDir;
/// - else plain UTF-8, cut by the tokenizer and then into pieces as long as the model's context (512 at most, so that an interval has texts
///   enough to draw from), each judged from its second token on.
/// Tokens outside the vocabulary and texts longer than the context are refused.
std::vector<TokenText> readJudgedTexts(const QString& path, const QString& modelDir, const DecoderConfig&);

}  // namespace cloister
