// What a decode child does with texts and tokenizers ("op": "tokenizer"): everything that parses them. Main thread of the child; the
// tokenizers use more.
#pragma once
#include "app/ingest/wire.h"

namespace cloister {

Message tokenizerJob(const QJsonObject& job);

}  // namespace cloister
