#include "core/curation/snapshot_files.h"

#include <unistd.h>
#include <cerrno>
#include <cstdio>

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QRegularExpression>

#include "core/domain/files.h"

namespace cloister {
namespace {

constexpr int kSnapshotFormat = 1;
constexpr qint64 kFlushBytes = 1 << 20;
constexpr qint64 kLongestLine = 1 << 20;

Failure corrupt(const QString& path, const QString& why) { return {FailureKind::CorruptFile, {{"path", path}}, why}; }

Failure fileFailure(const QFile& file) { return failureFromErrno(errno ? errno : EIO, file.fileName()); }

}  // namespace

QByteArray snapshotLine(const Sample& s, const QString& group, int classIndex, Split split) {
  return canonicalJson({{"sha256", s.sha256},
                        {"frame", s.frame},
                        {"key", s.key},
                        {"label", s.label},
                        {"classIndex", classIndex},
                        {"group", group},
                        {"patient", s.patient},
                        {"site", s.site},
                        {"modality", s.modality},
                        {"split", splitName(split)},
                        {"source", s.source},
                        {"windowCenter", s.windowCenter},
                        {"windowWidth", s.windowWidth},
                        {"bits", s.bits}});
}

Result<QPair<Sample, Split>> parseSnapshotLine(const QByteArray& line, const QString& path, qint64 number) {
  const QJsonObject o = QJsonDocument::fromJson(line).object();
  const std::optional<Split> split = splitFromName(o["split"].toString());
  Sample s;
  s.sha256 = o["sha256"].toString();
  s.frame = o["frame"].toInt(-1);
  s.key = o["key"].toString();
  s.label = o["label"].toString();
  static const QRegularExpression digest("^[0-9a-f]{64}$");
  if (!split || s.frame < 0 || s.key.isEmpty() || s.label.isEmpty() || !digest.match(s.sha256).hasMatch())
    return corrupt(path, QStringLiteral("line %1 is no sample").arg(number));
  s.patient = o["patient"].toString();
  s.site = o["site"].toString();
  s.modality = o["modality"].toString();
  s.source = o["source"].toString();
  s.windowCenter = o["windowCenter"].toDouble();
  s.windowWidth = o["windowWidth"].toDouble();
  s.bits = o["bits"].toInt(8);
  return qMakePair(s, *split);
}

QString SnapshotDigest::finish(const QJsonObject& split, const QJsonObject& preprocessing) {
  addBytes("\n");
  addBytes(canonicalJson({{"split", split}, {"preprocessing", preprocessing}}));
  return QString::fromLatin1(hash_.result().toHex());
}

Result<void> SnapshotWriter::open(const QString& path) {
  file_.setFileName(path);
  errno = 0;
  if (!file_.open(QIODevice::WriteOnly | QIODevice::NewOnly | QIODevice::Unbuffered)) return fileFailure(file_);
  return {};
}

Result<void> SnapshotWriter::flush() {
  errno = 0;
  if (file_.write(buffer_) != buffer_.size()) return fileFailure(file_);
  digest_.addBytes(buffer_);
  buffer_.clear();
  return {};
}

Result<void> SnapshotWriter::write(QByteArray line) {
  buffer_ += line;
  buffer_ += '\n';
  return buffer_.size() < kFlushBytes ? Result<void>{} : flush();
}

Result<void> SnapshotWriter::close() {
  if (auto flushed = flush(); !flushed) return flushed;
  errno = 0;
  if (::fsync(file_.handle()) != 0) return fileFailure(file_);
  file_.close();
  return {};
}

Result<Snapshot> snapshotFromFolder(const QString& dir) {
  const QString path = dir + "/snapshot.json";
  auto json = readJson(path, 256 << 20);
  if (!json) return json.error();
  const int format = (*json)["format"].toInt();
  if (format > kSnapshotFormat)
    return Failure{FailureKind::NewerVersion, {{"path", path}, {"found", format}, {"supported", kSnapshotFormat}}, {}};
  Snapshot s;
  s.json = *json;
  s.dir = dir;
  s.digest = s.json["digest"].toString();
  s.samples = s.json["samples"].toInteger();
  s.groups = s.json["groups"].toInteger();
  for (const QJsonValue& name : s.json["classes"].toArray()) s.classes.append(name.toString());
  const QJsonObject counts = s.json["splitCounts"].toObject();
  for (auto it = counts.begin(); it != counts.end(); ++it) s.splitCounts[it.key()] = it.value().toInteger();
  if (format < 1 || s.digest.size() != 64 || s.classes.isEmpty()) return corrupt(path, "format, digest or classes missing");
  return s;
}

Result<SnapshotContent> readSnapshotFolder(const QString& dir) {
  auto snapshot = snapshotFromFolder(dir);
  if (!snapshot) return snapshot.error();
  SnapshotContent content{snapshot->json, {}};
  QFile file(dir + "/samples.jsonl");
  errno = 0;
  if (!file.open(QIODevice::ReadOnly)) return fileFailure(file);
  SnapshotDigest digest;
  qint64 number = 0;
  while (!file.atEnd()) {
    QByteArray line = file.readLine(kLongestLine);
    digest.addBytes(line);
    ++number;
    if (!line.endsWith('\n')) return corrupt(file.fileName(), QStringLiteral("line %1 does not end").arg(number));
    line.chop(1);
    auto parsed = parseSnapshotLine(line, file.fileName(), number);
    if (!parsed) return parsed.error();
    content.samples.append(std::move(*parsed));
  }
  if (digest.finish(content.json["split"].toObject(), content.json["preprocessing"].toObject()) != snapshot->digest)
    return corrupt(file.fileName(), "the digest in snapshot.json is another one");
  return content;
}

Result<void> publishSnapshot(const QString& staged, const QString& dir, const QString& digest) {
  if (QFileInfo::exists(dir + "/snapshot.json")) {
    auto there = snapshotFromFolder(dir);
    if (!there) return there.error();
    QDir(staged).removeRecursively();
    if (there->digest == digest) return {};
    return Failure{FailureKind::AlreadyExists, {{"path", dir}}, "another snapshot with the same first 12 digits"};
  }
  QDir(dir).removeRecursively();  // without its marker it is no snapshot: a removal that was cut off
  if (::rename(QFile::encodeName(staged).constData(), QFile::encodeName(dir).constData()) != 0) return failureFromErrno(errno, dir);
  return syncFolder(QFileInfo(dir).absolutePath());
}

}  // namespace cloister
