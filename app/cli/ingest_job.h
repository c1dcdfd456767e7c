// A verb that is one request to cloister-ingest: progress, Ctrl-C and the answer. Main thread; blocks.
#pragma once
#include <QJsonObject>

#include "app/cli/context.h"

namespace cloister::cli {

/// The child's "finished" object.
Result<QJsonObject> runIngestJob(Context&, const QString& verb, const QJsonObject& request);

}  // namespace cloister::cli
