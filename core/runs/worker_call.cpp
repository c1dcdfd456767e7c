#include "core/runs/worker_call.h"

#include <sys/prctl.h>
#include <unistd.h>
#include <csignal>

#include "core/curation/ingest_process.h"
#include "core/runs/worker_launch.h"

namespace cloister {

namespace {
const QString kProgram = QStringLiteral("cloister-worker");
}

void setUpWorker(QProcess& process, const QStringList& arguments) {
  process.setProgram(workerProgram());
  process.setArguments(arguments);
  process.setStandardInputFile(QProcess::nullDevice());
  const pid_t parent = ::getpid();
  process.setChildProcessModifier([parent] {
    ::setpgid(0, 0);  // Ctrl-C in the terminal is this process's business
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);  // the parent died before the line above
  });
}

Result<void> workerOutcome(const QProcess& process, const QJsonObject& last, const QByteArray& errorText) {
  const QString detail = QString::fromLocal8Bit(errorText.right(2000)).trimmed();
  if (process.error() == QProcess::FailedToStart)
    return Failure{FailureKind::NotFound, {{"path", process.program()}}, process.errorString()};
  if (process.exitStatus() == QProcess::CrashExit)
    return Failure{FailureKind::Crashed, {{"program", kProgram}, {"signal", QStringLiteral("signal %1").arg(process.exitCode())}}, detail};
  if (last["type"].toString() == u"failed") {
    Failure failure = Failure::fromJson(last["failure"].toObject());
    if (failure.detail.isEmpty()) failure.detail = detail;
    return failure;
  }
  if (process.exitCode() != 0) return Failure{FailureKind::WorkerFailed, {{"program", kProgram}, {"code", process.exitCode()}}, detail};
  return {};
}

Result<QJsonObject> callWorker(const QStringList& arguments, const std::function<bool(const QJsonObject&)>& line,
                               const std::function<bool()>& stop) {
  QProcess process;
  setUpWorker(process, arguments);
  process.start();
  if (!process.waitForStarted(10'000)) return Failure{FailureKind::NotFound, {{"path", process.program()}}, process.errorString()};
  JsonLines lines;
  QJsonObject last;
  QByteArray errorText;
  bool stopping = false;
  const auto read = [&] {
    errorText = (errorText + process.readAllStandardError()).right(8000);
    for (const QJsonObject& object : lines.add(process.readAllStandardOutput())) {
      last = object;
      if (line && !stopping) stopping = !line(object);
    }
  };
  while (process.state() != QProcess::NotRunning) {
    process.waitForReadyRead(100);
    read();
    if (stop && stop()) stopping = true;
    if (stopping) process.kill();  // what it writes is staged: nothing half-written stays in place
  }
  read();
  if (stopping) return Failure{FailureKind::Stopped, {}, {}};
  if (auto outcome = workerOutcome(process, last, errorText); !outcome) return outcome.error();
  return last;
}

}  // namespace cloister
