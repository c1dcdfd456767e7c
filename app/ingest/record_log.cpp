#include "app/ingest/record_log.h"

#include <unistd.h>
#include <cerrno>

#include <QFileInfo>
#include <QJsonDocument>

#include "core/domain/files.h"

namespace cloister {
namespace {

Result<void> writeAll(QFile& file, QByteArrayView bytes) {
  while (!bytes.isEmpty()) {
    const ssize_t n = ::write(file.handle(), bytes.data(), size_t(bytes.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failureFromErrno(errno, file.fileName());
    bytes = bytes.sliced(n);
  }
  return {};
}

QString fileOf(const QJsonObject& record) {
  return record["type"].toString() == u"accepted" ? record["sample"].toObject()["file"].toString() : record["file"].toString();
}

bool mayGoOn(const QJsonObject& record) {
  const QString type = record["type"].toString();
  return (type == u"accepted" && record["sample"].toObject()["frames"].toInt() > 1) || record["kind"].toString() == u"policy_refused";
}

bool objectThere(const QJsonObject& record, const QString& objects, const QString& staging) {
  if (record["type"].toString() != u"accepted") return true;
  const QJsonObject sample = record["sample"].toObject();
  const QString sha = sample["sha256"].toString(), below = sha.left(2) + '/' + sha;
  for (const QString& folder : {staging, objects})
    if (const QFileInfo info(folder + '/' + below); info.exists() && info.size() == sample["bytes"].toInteger()) return true;
  return false;
}

}  // namespace

Result<std::unique_ptr<RecordLog>> RecordLog::open(const QString& folder, const QString& objects) {
  std::unique_ptr<RecordLog> log(new RecordLog(folder));
  for (QFile* f : {&log->log_, &log->pack_})
    if (!f->open(QIODevice::ReadWrite | QIODevice::Unbuffered)) {
      const int error = errno;
      return failureFromErrno(error ? error : EIO, f->fileName());
    }
  if (auto read = log->readBack(objects); !read) return read.error();
  return log;
}

Result<void> RecordLog::readBack(const QString& objects) {
  struct Line {
    qint64 end;
    QJsonObject record;
  };
  QList<Line> lines;
  qint64 good = 0;
  while (!log_.atEnd()) {
    const QByteArray line = log_.readLine();
    const QJsonObject record = line.endsWith('\n') ? QJsonDocument::fromJson(line).object() : QJsonObject();
    if (record.isEmpty() || !objectThere(record, objects, folder_ + "/objects")) break;
    good += line.size();
    lines.append({good, record});
  }
  if (!lines.isEmpty() && lines.last().record["type"].toString() == u"finished") {
    alreadyFinished = true;
  } else {
    // A file's records are written at once, yet a crash may have cut them: what may go on after its last line is read again.
    if (!lines.isEmpty() && mayGoOn(lines.last().record)) {
      const QString last = fileOf(lines.last().record);
      while (!lines.isEmpty() && fileOf(lines.last().record) == last) lines.removeLast();
    }
    good = lines.isEmpty() ? 0 : lines.last().end;
  }
  qint64 packEnd = 0;
  for (const Line& l : lines) {
    count(l.record);
    if (const QString file = fileOf(l.record); !file.isEmpty()) files_.insert(file);
    const QJsonObject thumb = l.record["sample"].toObject()["thumb"].toObject();
    packEnd = std::max(
        packEnd, thumb["offset"].toInteger() + thumb["width"].toInteger() * thumb["height"].toInteger() * thumb["channels"].toInteger());
  }
  files = files_.size();
  if (!log_.resize(good) || !pack_.resize(packEnd) || !log_.seek(good) || !pack_.seek(packEnd))
    return failureFromErrno(EIO, log_.fileName());
  return {};
}

void RecordLog::count(const QJsonObject& record) {
  const QString type = record["type"].toString();
  if (type == u"accepted") {
    ++accepted;
    const QJsonObject sample = record["sample"].toObject();
    const QString sha = sample["sha256"].toString();
    if (!first_.contains(sha)) first_[sha] = sample["file"].toString();
  } else if (type == u"refused") {
    ++refused;
  } else if (type == u"duplicate") {
    ++duplicates;
  } else if (type == u"changed" && record.contains("index")) {
    indexes_.insert(record["file"].toString());
  }
}

Result<void> RecordLog::append(const QString& file, const QList<QJsonObject>& records, const QByteArray& thumbs) {
  const qint64 base = pack_.pos();
  if (auto w = writeAll(pack_, thumbs); !w) return w;
  pack_.seek(base + thumbs.size());
  QByteArray lines;
  for (const QJsonObject& r : records) {
    count(r);
    lines += QJsonDocument(r).toJson(QJsonDocument::Compact) + '\n';
  }
  if (!files_.contains(file)) {
    files_.insert(file);
    ++files;
  }
  return writeAll(log_, lines);
}

void RecordLog::sync() { ::syncfs(log_.handle()); }

Result<void> RecordLog::finish() {
  // One sync of the file system for all objects and both logs, then the record that says so.
  if (::syncfs(log_.handle()) != 0) return failureFromErrno(errno, folder_);
  const QJsonObject end{{"type", "finished"}, {"files", files}, {"accepted", accepted}, {"refused", refused}, {"duplicates", duplicates}};
  if (auto w = writeAll(log_, QJsonDocument(end).toJson(QJsonDocument::Compact) + '\n'); !w) return w;
  if (::fsync(log_.handle()) != 0) return failureFromErrno(errno, folder_);
  return syncFolder(folder_);
}

}  // namespace cloister
