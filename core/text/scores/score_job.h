// `cloister-ingest score` inside its decode child: files in, answer out (docs/formats.md, "The score request"). Blocking; uses all cores.
#pragma once
#include <functional>

#include "core/domain/result.h"

namespace cloister::scores {

/// progress: now and then, from one thread. The answer holds scores, parts, signature, intervals and tests; scores of segments go into the
/// file that the request names.
Result<QJsonObject> runScoreJob(const QJsonObject& request, const std::function<void(qint64 done, qint64 total)>& progress);

}  // namespace cloister::scores
