#include "core/curation/ingest_process.h"

#include <sys/prctl.h>
#include <unistd.h>
#include <csignal>

#include <QElapsedTimer>
#include <QFileInfo>
#include <QJsonDocument>

#include "core/domain/files.h"
#include "core/extension/plugin_catalogue.h"

namespace cloister {
namespace {

const QString kProgram = QStringLiteral("cloister-ingest");
constexpr qsizetype kLongestLine = 4 << 20;
constexpr int kStopGraceMilliseconds = 15'000;  // a file may take 10 s

}  // namespace

void setUpIngest(QProcess& process, const QString& verb, const QString& requestFile) {
  process.setProgram(siblingProgram(kProgram));
  process.setArguments({verb, QStringLiteral("--request"), requestFile});
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

Result<void> ingestOutcome(const QProcess& process, const QJsonObject& last, const QByteArray& errorText) {
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

Result<QJsonObject> runIngest(const QString& verb, const QJsonObject& request, const QString& requestFile,
                              const std::function<bool(qint64, qint64)>& progress) {
  if (auto written = writeJsonAtomically(requestFile, request); !written) return written.error();
  QProcess process;
  setUpIngest(process, verb, requestFile);
  process.start();
  process.waitForStarted(10'000);
  JsonLines lines;
  QJsonObject last;
  QByteArray errorText;
  qint64 done = 0, total = 0;
  bool stopping = false;
  QElapsedTimer sinceStop;
  const auto read = [&] {
    errorText = (errorText + process.readAllStandardError()).right(8000);
    for (const QJsonObject& line : lines.add(process.readAllStandardOutput())) {
      if (line["type"].toString() == u"progress") done = line["done"].toInteger(), total = line["total"].toInteger();
      last = line;
    }
  };
  while (process.state() != QProcess::NotRunning) {
    process.waitForReadyRead(100);
    read();
    if (!stopping && progress && !progress(done, total)) {
      stopping = true;
      sinceStop.start();
      process.terminate();
    }
    if (stopping && sinceStop.elapsed() > kStopGraceMilliseconds) process.kill();
  }
  read();
  if (stopping) return Failure{FailureKind::Stopped, {}, {}};
  if (auto outcome = ingestOutcome(process, last, errorText); !outcome) return outcome.error();
  if (progress) progress(total, total);
  return last;
}

}  // namespace cloister
