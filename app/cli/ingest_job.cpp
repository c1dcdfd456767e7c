#include "app/cli/ingest_job.h"

#include <QTemporaryDir>

#include "core/curation/ingest_process.h"

namespace cloister::cli {

Result<QJsonObject> runIngestJob(Context& context, const QString& verb, const QJsonObject& request) {
  const QTemporaryDir scratch;
  if (!scratch.isValid()) return Failure{FailureKind::IoError, {{"path", scratch.path()}}, scratch.errorString()};
  auto answer = runIngest(verb, request, scratch.filePath(QStringLiteral("request.json")), [&](qint64 done, qint64 total) {
    if (total > 0) context.progress().show(done, total);
    return !Context::stopRequested();
  });
  context.progress().clear();
  if (!answer) return answer.error();
  answer->remove(QStringLiteral("type"));
  return answer;
}

}  // namespace cloister::cli
