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
#include "core/domain/task.h"
#include "core/store/project.h"
#include "core/trust/audit_log.h"

namespace cloister {
namespace {

constexpr int kSnapshotFormat = 1;
constexpr qint64 kFlushBytes = 1 << 20;
constexpr qint64 kLongestLine = 1 << 20;

Failure corrupt(const QString& path, const QString& why) { return {FailureKind::CorruptFile, {{"path", path}}, why}; }

Failure fileFailure(const QFile& file) { return failureFromErrno(errno ? errno : EIO, file.fileName()); }

QString newestOther(const QList<SnapshotRecord>& all, const QString& digest) {
  for (const SnapshotRecord& r : all)
    if (r.digest != digest) return r.digest;
  return {};
}

Result<void> audit(const Project& project, const QJsonObject& json) {
  auto log = AuditLog::open(project.dir());
  if (!log) return log.error();
  auto entry = (*log)->append("snapshot", {{"snapshot", json["digest"]},
                                           {"samples", json["samples"]},
                                           {"groups", json["groups"]},
                                           {"splitCounts", json["splitCounts"]},
                                           {"override", !json["overrideReason"].toString().isEmpty()}});
  if (!entry) return entry.error();
  return {};
}

Result<void> record(Project& project, const Snapshot& s, const QList<SnapshotMember>& members) {
  return project.addSnapshot({s.digest, s.json["createdAt"].toString(), s.samples, s.groups, s.splitCounts, s.classes}, members);
}

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

QList<SnapshotMember> textMembers(qint64 sample, const QMap<QString, qint64>& counts) {
  QList<SnapshotMember> members;
  for (const Split part : {Split::Train, Split::Validation, Split::Test})
    if (counts.value(splitName(part)) > 0) members.append({sample, int(part)});
  return members;
}

QByteArray textLine(const Sample& s, const QJsonObject& reading) {
  return canonicalJson({{"sha256", s.sha256},
                        {"frame", 0},
                        {"key", s.key},
                        {"modality", s.modality},
                        {"split", splitName(Split::Train)},
                        {"source", s.source},
                        {"text", reading}});
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
  s.source = o["source"].toString();
  const bool text = s.source == u"text";
  if (!split || s.frame < 0 || s.key.isEmpty() || s.label.isEmpty() != text || !digest.match(s.sha256).hasMatch())
    return corrupt(path, QStringLiteral("line %1 is no sample").arg(number));
  s.patient = o["patient"].toString();
  s.site = o["site"].toString();
  s.modality = o["modality"].toString();
  s.header = o["text"].toObject();
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
  if (format < 1 || s.digest.size() != 64 || (s.classes.isEmpty() && Task::named(s.json["task"].toString()).classes))
    return corrupt(path, "format, digest or classes missing");
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

Result<void> refuseBlocking(const QList<Finding>& findings, const QString& overrideReason) {
  if (!overrideReason.trimmed().isEmpty()) return {};
  for (const Finding& f : findings) {
    if (f.severity != u"blocking") continue;
    return Failure{FailureKind::PolicyRefused,
                   {{"rule", f.message + QStringLiteral(" A typed reason overrides this")}, {"finding", f.kind}},
                   f.keys.mid(0, 5).join(", ")};
  }
  return {};
}

Result<Snapshot> settleSnapshot(Project& project, const QString& staged, QJsonObject json, const QList<SnapshotMember>& members) {
  const QString digest = json["digest"].toString(), dir = project.snapshotDir(digest);
  if (auto there = snapshotFromFolder(dir); there && there->digest == digest) {
    if (auto recorded = record(project, *there, members); !recorded) return recorded.error();
    return there;
  }
  auto known = project.snapshots();
  if (!known) return known.error();
  json["parent"] = newestOther(*known, digest);
  if (auto written = writeJsonAtomically(staged + "/snapshot.json", json); !written) return written.error();
  if (auto audited = audit(project, json); !audited) return audited.error();
  if (auto published = publishSnapshot(staged, dir, digest); !published) return published.error();
  auto snapshot = snapshotFromFolder(dir);
  if (!snapshot) return snapshot;
  if (auto recorded = record(project, *snapshot, members); !recorded) return recorded.error();
  return snapshot;
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
