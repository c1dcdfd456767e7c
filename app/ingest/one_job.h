// One job for one child: what the verbs share that need no more. Main thread.
#pragma once
#include <functional>

#include "app/ingest/child_pool.h"

namespace cloister {

/// The last message's JSON, or its "failure". onPart: messages with "more".
Result<QJsonObject> oneJob(const QJsonObject& job, PoolLimits limits, const SandboxPaths& paths,
                           const std::function<void(const Message&)>& onPart = {});

}  // namespace cloister
