// Files of texts into prepared texts: read, encoded on all cores, packed or masked, written as shards with an index. The same data,
// tokenizer and settings give the same bytes, and a fingerprint of all three, so that nothing is tokenised twice. Runs in a cloister-ingest
// child.
#pragma once
#include <functional>

#include <QJsonObject>

#include "core/domain/result.h"

namespace cloister {

/// job: kind and inputs (TextInputs), tokenizer, out (an empty folder), length, validation, test, seed, template, pad, existing (a folder
/// prepared before: when it has the same fingerprint, "reused" is true and nothing is written). Returns the index, with "report":
/// {accepted, refusedCount, refused, changedCount, changed}. progress: bytes read, and of how many.
Result<QJsonObject> prepareText(const QJsonObject& job, const std::function<void(std::int64_t, std::int64_t)>& progress);

}  // namespace cloister
