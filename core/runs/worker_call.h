// A short call of cloister-worker that answers on standard output, one JSON object a line: language models shown, imported, run. For
// callers that wait (the command line, a background thread of the desktop); long jobs go through worker_launch.
#pragma once
#include <functional>

#include "core/domain/child_process.h"

namespace cloister {

/// Program, arguments and surroundings of such a call, for who does not wait (the desktop's main thread): started by the caller. The worker
/// dies with this process.
void setUpWorker(QProcess&, const QStringList& arguments);
/// How a worker that has ended did: the failure it said, Crashed with the signal, WorkerFailed with the code.
Result<void> workerOutcome(const QProcess&, const QJsonObject& last, const QByteArray& errorText);

/// Runs the worker and waits (never on the GUI thread). line gets every object as it comes; false stops the worker: Stopped. Returns the
/// last object; its failure where it said one, Crashed or WorkerFailed where it ended without. The worker dies with this process.
Result<QJsonObject> callWorker(const QStringList& arguments, const std::function<bool(const QJsonObject& line)>& line = {},
                               const std::function<bool()>& stop = {});

}  // namespace cloister
