// Starting cloister-ingest, which reads untrusted files: what every caller in core/curation shares.
#pragma once
#include <functional>

#include "core/domain/child_process.h"

namespace cloister {

/// Program and arguments of `cloister-ingest VERB --request FILE`, set up as core/domain/child_process.h says.
void setUpIngest(QProcess&, const QString& verb, const QString& requestFile);

/// How a child that has ended did: its own last "failed" object when it said one, Crashed with the signal, WorkerFailed with the code.
Result<void> ingestOutcome(const QProcess&, const QJsonObject& last, const QByteArray& errorText);

/// Writes the request, runs the child and waits (never on the GUI thread). progress returns false to stop: Stopped. Returns the child's
/// "finished" object.
Result<QJsonObject> runIngest(const QString& verb, const QJsonObject& request, const QString& requestFile,
                              const std::function<bool(qint64 done, qint64 total)>& progress);

}  // namespace cloister
