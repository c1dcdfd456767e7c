#include "core/runs/worker_call.h"

#include "core/runs/worker_launch.h"

namespace cloister {
namespace {

const QString kProgram = QStringLiteral("cloister-worker");

}  // namespace

void setUpWorker(QProcess& process, const QStringList& arguments) { setUpChild(process, workerProgram(), arguments); }

Result<void> workerOutcome(const QProcess& process, const QJsonObject& last, const QByteArray& errorText) {
  return childOutcome(process, kProgram, last, errorText);
}

Result<QJsonObject> callWorker(const QStringList& arguments, const std::function<bool(const QJsonObject&)>& line,
                               const std::function<bool()>& stop) {
  QProcess process;
  setUpWorker(process, arguments);
  return runChild(process, kProgram, {line, stop, 0});
}

}  // namespace cloister
