// Verbs that need one child, and probe.
#include <cstdio>

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>

#include "app/ingest/one_job.h"
#include "app/ingest/verbs.h"

namespace cloister {

Result<QJsonObject> oneJob(const QJsonObject& job, PoolLimits limits, const SandboxPaths& paths,
                           const std::function<void(const Message&)>& onPart) {
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

namespace {

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
  return oneJob(job, {}, pathsOf(job, imageSources(job["source"].toString())));
}

Result<QJsonObject> tableVerb(const QJsonObject& request) {
  ProgressLine progress;
  const QJsonObject job = withFile(request, "table");
  auto read = oneJob(job, {}, pathsOf(job, {"table"}), [&](const Message& m) { progress.report(m.json["rows"].toInteger(), -1); });
  if (!read) return read.error();
  return (*read)["table"].toObject();
}

Result<QJsonObject> scoreVerb(const QJsonObject& request) {
  QJsonObject job = request;
  job["op"] = QStringLiteral("score");
  SandboxPaths paths;
  quint64 bytes = 0;
  const auto absolute = [&](const QJsonValue& file) {
    const QFileInfo info(file.toString());
    bytes += quint64(std::max<qint64>(0, info.size()));
    paths.read << info.absoluteFilePath();
    return info.absoluteFilePath();
  };
  job["file"] = job["hypotheses"] = absolute(job["hypotheses"]);
  QJsonArray references;
  for (const QJsonValue& file : job["references"].toArray()) references.append(absolute(file));
  job["references"] = references;
  if (!job["baseline"].toString().isEmpty()) job["baseline"] = absolute(job["baseline"]);
  if (const QString out = job["sentences"].toString(); !out.isEmpty()) {
    job["sentences"] = QFileInfo(out).absoluteFilePath();
    paths.write << QFileInfo(out).absolutePath();
  }
  ProgressLine progress;
  // The files lie in the address space, every thread reserves some of it, and a corpus of short lines needs many times its size for rows.
  const PoolLimits limits{60, (quint64(16) << 30) + 64 * bytes};
  auto scored =
      oneJob(job, limits, paths, [&](const Message& m) { progress.report(m.json["done"].toInteger(), m.json["total"].toInteger()); });
  if (!scored) return scored.error();
  return (*scored)["score"].toObject();
}

Result<QJsonObject> synthesizeVerb(const QJsonObject& options) {
  QJsonObject job = options;
  job["op"] = QStringLiteral("synthesize");
  const QString source = job["source"].toString();
  if (source != u"dicom" && source != u"text")
    return Failure{FailureKind::InvalidArgument, {{"name", "source"}, {"value", source}, {"allowed", "dicom, text"}}, {}};
  job["dir"] = QFileInfo(options["dir"].toString()).absoluteFilePath();
  if (!QDir().mkpath(job["dir"].toString())) return failureFromErrno(errno ? errno : EIO, job["dir"].toString());
  ProgressLine progress;
  const SandboxPaths paths{{}, {job["dir"].toString()}, {source}};
  auto made =
      oneJob(job, {60, 0}, paths, [&](const Message& m) { progress.report(m.json["done"].toInteger(), m.json["total"].toInteger()); });
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
  auto result = oneJob({{"op", "selfTest"}}, {}, {});
  if (!result) return result.error();
  QJsonObject tried = (*result)["tried"].toObject();
  for (const QString& fatal : {QStringLiteral("execve"), QStringLiteral("ptrace"), QStringLiteral("unshare")}) {
    const auto ended = oneJob({{"op", "selfTest"}, {"fatal", fatal}}, {}, {});
    tried[fatal] = ended ? QStringLiteral("allowed") : QStringLiteral("killed by ") + ended.error().args["signal"].toString();
  }
  return QJsonObject{{"sandbox", (*result)["sandbox"]}, {"tried", tried}};
}

}  // namespace cloister
