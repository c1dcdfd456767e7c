#include "core/domain/child_process.h"

#include <sys/prctl.h>
#include <unistd.h>
#include <csignal>

#include <QElapsedTimer>
#include <QJsonDocument>

namespace cloister {
namespace {

constexpr qsizetype kLongestLine = 4 << 20;

}  // namespace

void setUpChild(QProcess& process, const QString& program, const QStringList& arguments) {
  process.setProgram(program);
  process.setArguments(arguments);
  process.setStandardInputFile(QProcess::nullDevice());
  const pid_t parent = ::getpid();
  process.setChildProcessModifier([parent] {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);  // the parent died before the line above
  });
}

QList<QJsonObject> JsonLines::add(const QByteArray& bytes) {
  rest_ += bytes;
  QList<QJsonObject> objects;
  qsizetype from = 0;
  for (qsizetype end = rest_.indexOf('\n'); end >= 0; end = rest_.indexOf('\n', from)) {
    const QJsonDocument line = QJsonDocument::fromJson(rest_.mid(from, end - from));
    if (line.isObject()) objects.append(line.object());
    from = end + 1;
  }
  rest_ = rest_.size() - from > kLongestLine ? QByteArray() : rest_.mid(from);
  return objects;
}

Result<void> childOutcome(const QProcess& process, const QString& name, const QJsonObject& last, const QByteArray& errorText) {
  const QString detail = QString::fromLocal8Bit(errorText.right(2000)).trimmed();
  if (process.error() == QProcess::FailedToStart)
    return Failure{FailureKind::NotFound, {{"path", process.program()}}, process.errorString()};
  if (process.exitStatus() == QProcess::CrashExit)
    return Failure{FailureKind::Crashed, {{"program", name}, {"signal", QStringLiteral("signal %1").arg(process.exitCode())}}, detail};
  if (last["type"].toString() == u"failed") {
    Failure failure = Failure::fromJson(last["failure"].toObject());
    if (failure.detail.isEmpty()) failure.detail = detail;
    return failure;
  }
  if (process.exitCode() != 0) return Failure{FailureKind::WorkerFailed, {{"program", name}, {"code", process.exitCode()}}, detail};
  return {};
}

Result<QJsonObject> runChild(QProcess& process, const QString& name, const ChildTalk& talk) {
  process.start();
  if (!process.waitForStarted(10'000)) return Failure{FailureKind::NotFound, {{"path", process.program()}}, process.errorString()};
  JsonLines lines;
  QJsonObject last;
  QByteArray errorText;
  bool stopping = false;
  QElapsedTimer sinceStop;
  const auto read = [&] {
    errorText = (errorText + process.readAllStandardError()).right(8000);
    for (const QJsonObject& object : lines.add(process.readAllStandardOutput())) {
      last = object;
      if (talk.line && !stopping) stopping = !talk.line(object);
    }
  };
  while (process.state() != QProcess::NotRunning) {
    process.waitForReadyRead(100);
    read();
    if (!stopping) stopping = talk.stop && talk.stop();
    if (!stopping) continue;
    if (!sinceStop.isValid()) {
      sinceStop.start();
      if (talk.graceMilliseconds > 0) process.terminate();
    }
    // What it writes is staged: nothing half-written stays in place.
    if (sinceStop.elapsed() >= talk.graceMilliseconds) process.kill();
  }
  read();
  if (stopping) return Failure{FailureKind::Stopped, {}, {}};
  if (auto outcome = childOutcome(process, name, last, errorText); !outcome) return outcome.error();
  return last;
}

}  // namespace cloister
