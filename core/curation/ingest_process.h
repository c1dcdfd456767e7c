// Starting cloister-ingest, which reads untrusted files: what every caller in core/curation shares.
#pragma once
#include <functional>

#include <QJsonObject>
#include <QProcess>

#include "core/domain/result.h"

namespace cloister {

/// Program, arguments and environment of `cloister-ingest VERB --request FILE`. The child dies with this process (so that a resumed
/// import never meets its former self) and does not get the terminal's Ctrl-C: stopping is this process's business.
void setUpIngest(QProcess&, const QString& verb, const QString& requestFile);

/// The JSON lines a child prints: whole lines only, a bounded memory of what is not one.
class JsonLines {
 public:
  QList<QJsonObject> add(const QByteArray& bytes);

 private:
  QByteArray rest_;
};

/// How a child that has ended did: its own last "failed" object when it said one, Crashed with the signal, WorkerFailed with the code.
Result<void> ingestOutcome(const QProcess&, const QJsonObject& last, const QByteArray& errorText);

/// Writes the request, runs the child and waits (never on the GUI thread). progress returns false to stop: Stopped. Returns the child's
/// "finished" object.
Result<QJsonObject> runIngest(const QString& verb, const QJsonObject& request, const QString& requestFile,
                              const std::function<bool(qint64 done, qint64 total)>& progress);

}  // namespace cloister
