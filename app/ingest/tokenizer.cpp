// The verb tokenizer (with preparing texts): paths, staging and progress on this side, every byte of a tokenizer or a text in a child.
#include <cstdio>

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QUuid>

#include "app/ingest/one_job.h"
#include "app/ingest/verbs.h"
#include "core/domain/files.h"

namespace cloister {
namespace {

/// A text of a gigabyte takes its ids and its words beside it; training builds suffix arrays.
constexpr PoolLimits kLimits{600, 16ull << 30, true};

QString absolute(const QJsonValue& path) { return QFileInfo(path.toString()).absoluteFilePath(); }

/// All that the job may touch, and the job with absolute paths.
SandboxPaths pathsOf(QJsonObject& job) {
  SandboxPaths paths;
  if (job.contains("tokenizer")) {
    job["tokenizer"] = absolute(job["tokenizer"]);
    const QFileInfo tokenizer(job["tokenizer"].toString());
    paths.read << tokenizer.filePath();
    if (!tokenizer.isDir()) paths.read << tokenizer.dir().filePath(QStringLiteral("tokenizer_config.json"));
  }
  if (job.contains("file")) paths.read << (job["file"] = absolute(job["file"]), job["file"].toString());
  QJsonArray inputs;
  for (const QJsonValue& input : job["inputs"].toArray()) {
    QJsonObject named = input.toObject();  // a file kept under another name
    const QString path = absolute(input.isObject() ? named["path"] : input);
    named["path"] = path;
    inputs.append(input.isObject() ? QJsonValue(named) : QJsonValue(path));
    paths.read << path;
  }
  if (!inputs.isEmpty()) job["inputs"] = inputs;
  if (job.contains("to")) {
    job["to"] = absolute(job["to"]);
    paths.write << QFileInfo(job["to"].toString()).absolutePath();
  }
  return paths;
}

Result<QJsonObject> run(const QJsonObject& job, const SandboxPaths& paths) {
  ProgressLine progress;
  auto answer = oneJob(job, kLimits, paths,
                       [&](const Message& m) { progress.report(m.json["done"].toInteger(), m.json["total"].toInteger(), false); });
  if (!answer) return answer.error();
  return (*answer)["answer"].toObject();
}

/// Into a folder beside its place, which is then renamed.
Result<QJsonObject> intoFolder(QJsonObject job, const QString& dir) {
  const QString parent = QFileInfo(dir).absolutePath();
  const QString staged = parent + "/.part-" + QUuid::createUuid().toString(QUuid::Id128).left(8);
  errno = 0;
  if (!QDir().mkpath(staged)) return failureFromErrno(errno ? errno : EIO, dir);
  job["out"] = staged;
  SandboxPaths paths = pathsOf(job);
  paths.write << staged;
  auto made = run(job, paths);
  if (made && ::rename(QFile::encodeName(staged).constData(), QFile::encodeName(dir).constData()) != 0) made = failureFromErrno(errno, dir);
  if (!made) {
    QDir(staged).removeRecursively();
    return made;
  }
  if (auto synced = syncFolder(parent); !synced) return synced.error();
  (*made)["dir"] = dir;
  return made;
}

/// A folder that was prepared before from the same data is not made again.
Result<QJsonObject> reuse(QJsonObject job, const QString& dir) {
  job["existing"] = dir;
  SandboxPaths paths = pathsOf(job);
  paths.read << dir;
  auto found = run(job, paths);
  if (found) (*found)["dir"] = dir;
  return found;
}

}  // namespace

Result<QJsonObject> tokenizerVerb(const QJsonObject& request) {
  QJsonObject job = request;
  job["op"] = QStringLiteral("tokenizer");
  static const QStringList actions{"train", "inspect", "encode", "decode", "chat", "prepare", "divide", "records"};
  if (!actions.contains(job["action"].toString()))
    return Failure{FailureKind::InvalidArgument, {{"name", "action"}, {"value", job["action"]}, {"allowed", actions.join(", ")}}, {}};
  if (const QString action = job["action"].toString(); action == u"train" || action == u"prepare") {
    const QString dir = absolute(job.take("to"));
    if (!QFileInfo::exists(dir)) return intoFolder(job, dir);
    if (action == u"prepare") return reuse(job, dir);
    return Failure{FailureKind::AlreadyExists, {{"path", dir}}, {}};
  }
  const SandboxPaths paths = pathsOf(job);
  return run(job, paths);
}

}  // namespace cloister
