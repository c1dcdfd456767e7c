// The jobs on a trained run, for their own verbs and for demo. Main thread; run the event loop.
#pragma once
#include "app/cli/run_session.h"

namespace cloister::cli {

/// Starts cloister-worker evaluate and follows it. 0 and the summary, or the exit code of a failure already printed.
int evaluateRun(Context&, RunSession&, const QString& run, const QJsonObject& options, QJsonObject* summary);
int exportRun(Context&, RunSession&, const QString& run, const QJsonObject& options, QJsonObject* summary);

}  // namespace cloister::cli
