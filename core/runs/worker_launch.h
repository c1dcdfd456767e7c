// Starts cloister-worker so that it outlives whoever started it: own session, no pipe to us, output into a file, identity on disk.
// Any thread; blocks until the program was executed (milliseconds).
#pragma once
#include <QList>
#include <QStringList>

#include "core/domain/result.h"
#include "core/runs/process_identity.h"

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
/// What worker.json says; empty when there is none.
QList<ProcessIdentity> readWorkerFile(const QString& folder);
QString workerLogFile(const QString& folder, int rank);
QString exitFile(const QString& folder, int rank);

}  // namespace cloister
