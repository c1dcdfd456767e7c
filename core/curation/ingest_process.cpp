#include "core/curation/ingest_process.h"

#include "core/domain/files.h"
#include "core/extension/plugin_catalogue.h"

namespace cloister {
namespace {

const QString kProgram = QStringLiteral("cloister-ingest");
constexpr int kStopGraceMilliseconds = 15'000;  // a file may take 10 s

}  // namespace

void setUpIngest(QProcess& process, const QString& verb, const QString& requestFile) {
  setUpChild(process, siblingProgram(kProgram), {verb, QStringLiteral("--request"), requestFile});
}

Result<void> ingestOutcome(const QProcess& process, const QJsonObject& last, const QByteArray& errorText) {
  return childOutcome(process, kProgram, last, errorText);
}

Result<QJsonObject> runIngest(const QString& verb, const QJsonObject& request, const QString& requestFile,
                              const std::function<bool(qint64, qint64)>& progress) {
  if (auto written = writeJsonAtomically(requestFile, request); !written) return written.error();
  QProcess process;
  setUpIngest(process, verb, requestFile);
  qint64 done = 0, total = 0;
  ChildTalk talk{{}, {}, kStopGraceMilliseconds};
  talk.line = [&](const QJsonObject& line) {
    if (line["type"].toString() == u"progress") done = line["done"].toInteger(), total = line["total"].toInteger();
    return true;
  };
  if (progress) talk.stop = [&] { return !progress(done, total); };
  auto answer = runChild(process, kProgram, talk);
  if (answer && progress) progress(total, total);
  return answer;
}

}  // namespace cloister
