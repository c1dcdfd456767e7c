// Starts cloister-worker so that it outlives whoever started it: own session, no pipe to us, output into a file, identity on disk.
// Any thread; blocks until the program was executed (milliseconds).
#pragma once
#include <QList>
#include <QStringList>

#include "core/domain/process_identity.h"
#include "core/domain/result.h"

namespace cloister {

struct WorkerLaunch {
  QStringList arguments;  ///< verb and options
  QString folder;         ///< attempt or job folder: worker.json, worker.log, exit.json
  int processes = 1;      ///< ranks; each gets the torchrun environment
};

/// $CLOISTER_WORKER, else cloister-worker beside this program.
QString workerProgram();
/// All ranks or none. NotFound when the program is missing.
Result<QList<ProcessIdentity>> launchWorkers(const WorkerLaunch&);
/// What worker.json says, or the worker-N.json of ranks that nobody of ours started; empty when there is none.
QList<ProcessIdentity> readWorkerFile(const QString& folder);
/// How many programs the kernel has killed for want of memory since the attempt in this folder was started here; 0 also when unknown. On
/// Linux only the machine's sum can be read without being the parent: it says that memory ran out, not who was killed.
qint64 memoryKillsSinceStart(const QString& folder);
QString workerLogFile(const QString& folder, int rank);
QString exitFile(const QString& folder, int rank);

}  // namespace cloister
