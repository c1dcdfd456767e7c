// Verbs that need one child, and probe.
#include <cstdio>

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>

#include "app/ingest/child_pool.h"
#include "app/ingest/verbs.h"

namespace cloister {
namespace {

/// One job; the last message's JSON.
Result<QJsonObject> single(const QJsonObject& job, PoolLimits limits, const std::function<void(const Message&)>& onPart = {}) {
  ChildPool pool(1, limits);
  bool given = false;
  Result<QJsonObject> answer = Failure{FailureKind::Stopped, {}, {}};
  const auto done = pool.run(
      [&]() -> std::optional<QJsonObject> {
        if (given) return {};
        given = true;
        return job;
      },
      [&](ChildPool::Answer a) {
        if (a.failure) answer = *a.failure;
        else if (!a.parts.empty() && a.parts.back().json.contains("failure"))
          answer = Failure::fromJson(a.parts.back().json["failure"].toObject());
        else if (!a.parts.empty()) answer = a.parts.back().json;
        return true;
      },
      onPart);
  if (!done && answer) return done.error();
  return answer;
}

QJsonObject withFile(QJsonObject request, const char* op) {
  request["op"] = QLatin1String(op);
  request["file"] = QFileInfo(request["file"].toString()).absoluteFilePath();
  return request;
}

}  // namespace

Result<QJsonObject> renderVerb(const QJsonObject& request) { return single(withFile(request, "render"), {}); }

Result<QJsonObject> tableVerb(const QJsonObject& request) {
  ProgressLine progress;
  auto read = single(withFile(request, "table"), {}, [&](const Message& m) { progress.report(m.json["rows"].toInteger(), -1); });
  if (!read) return read.error();
  return (*read)["table"].toObject();
}

Result<QJsonObject> synthesizeVerb(const QJsonObject& options) {
  QJsonObject job = options;
  job["op"] = QStringLiteral("synthesize");
  job["source"] = QStringLiteral("dicom");
  job["dir"] = QFileInfo(options["dir"].toString()).absoluteFilePath();
  if (!QDir().mkpath(job["dir"].toString())) return failureFromErrno(errno ? errno : EIO, job["dir"].toString());
  ProgressLine progress;
  auto made = single(job, {60, 0}, [&](const Message& m) { progress.report(m.json["done"].toInteger(), m.json["total"].toInteger()); });
  if (!made) return made.error();
  return (*made)["made"].toObject();
}

Result<QJsonObject> probeVerb(const QStringList& files) {
  ChildPool pool(std::min(childCount(0), int(files.size())), {});
  qsizetype at = 0;
  qint64 readable = 0;
  const auto done = pool.run(
      [&]() -> std::optional<QJsonObject> {
        if (at >= files.size()) return {};
        return QJsonObject{{"op", "probe"}, {"file", QFileInfo(files[at++]).absoluteFilePath()}};
      },
      [&](ChildPool::Answer a) {
        QJsonObject line{{"type", "probe"}, {"file", a.job["file"]}};
        if (a.failure) line["failure"] = a.failure->toJson();
        else
          for (const QString& member : {QStringLiteral("sample"), QStringLiteral("failure")})
            if (a.parts.back().json.contains(member)) line[member] = a.parts.back().json[member];
        readable += line.contains("sample") ? 1 : 0;
        printLine(line);
        return true;
      });
  if (!done) return done.error();
  return QJsonObject{{"files", files.size()}, {"readable", readable}};
}

}  // namespace cloister
