// Prepared texts (core/text/data) as the one stream of tokens that language training reads (core/engine/data/token_data). Worker only.
#pragma once
#include <cstdint>

#include <QString>

#include "core/text/data/text_shards.h"

namespace cloister {

/// Writes the rows of a part into one safetensors file, rows behind each other in sequences of `length` tokens: a row is never cut by the
/// end of a sequence, what is left of it is filled with tokens that nobody sees or learns. Returns the tokens written; 0 for a part without
/// rows, then there is no file. Throws EngineFailure: InvalidArgument when rows are longer than `length`.
std::int64_t writeTokenStream(const TextData&, const QString& part, std::int64_t length, const QString& path);

}  // namespace cloister
