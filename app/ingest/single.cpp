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
Result<QJsonObject> single(const QJsonObject& job, PoolLimits limits, const SandboxPaths& paths,
                           const std::function<void(const Message&)>& onPart = {}) {
  ChildPool pool(1, limits, paths);
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

/// The one file, and the folder its answer goes to.
SandboxPaths pathsOf(const QJsonObject& job, const QStringList& sources) {
  SandboxPaths paths{{job["file"].toString()}, {}, sources};
  if (const QString out = job["out"].toString(); !out.isEmpty()) paths.write << QFileInfo(out).absolutePath();
  return paths;
}

/// Of whom a file is asked whose source is not said.
QStringList imageSources(const QString& said) { return said.isEmpty() ? QStringList{"dicom", "images"} : QStringList{said}; }

QJsonObject withFile(QJsonObject request, const char* op) {
  request["op"] = QLatin1String(op);
  request["file"] = QFileInfo(request["file"].toString()).absoluteFilePath();
  return request;
}

}  // namespace

Result<QJsonObject> renderVerb(const QJsonObject& request) {
  const QJsonObject job = withFile(request, "render");
  return single(job, {}, pathsOf(job, imageSources(job["source"].toString())));
}

Result<QJsonObject> tableVerb(const QJsonObject& request) {
  ProgressLine progress;
  const QJsonObject job = withFile(request, "table");
  auto read = single(job, {}, pathsOf(job, {"table"}), [&](const Message& m) { progress.report(m.json["rows"].toInteger(), -1); });
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
  const SandboxPaths paths{{}, {job["dir"].toString()}, {"dicom"}};
  auto made =
      single(job, {60, 0}, paths, [&](const Message& m) { progress.report(m.json["done"].toInteger(), m.json["total"].toInteger()); });
  if (!made) return made.error();
  return (*made)["made"].toObject();
}

Result<QJsonObject> probeVerb(const QStringList& files) {
  ChildPool pool(std::min(childCount(0), int(files.size())), {}, {files, {}, imageSources({})});
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

Result<QJsonObject> selfTestVerb() {
  auto result = single({{"op", "selfTest"}}, {}, {});
  if (!result) return result.error();
  QJsonObject tried = (*result)["tried"].toObject();
  for (const QString& fatal : {QStringLiteral("execve"), QStringLiteral("ptrace"), QStringLiteral("unshare")}) {
    const auto ended = single({{"op", "selfTest"}, {"fatal", fatal}}, {}, {});
    tried[fatal] = ended ? QStringLiteral("allowed") : QStringLiteral("killed by ") + ended.error().args["signal"].toString();
  }
  return QJsonObject{{"sandbox", (*result)["sandbox"]}, {"tried", tried}};
}

}  // namespace cloister
