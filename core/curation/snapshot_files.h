// The files of a snapshot: samples.jsonl in its canonical form and the digest over it. Used by core/curation.
#pragma once
#include <QCryptographicHash>
#include <QFile>
#include <QList>

#include "core/curation/dataset.h"

namespace cloister {
struct SnapshotMember;

/// One line of samples.jsonl without the newline.
QByteArray snapshotLine(const Sample&, const QString& group, int classIndex, Split);
/// The line of a text file; reading: how its records are read, kept under "text".
QByteArray textLine(const Sample&, const QJsonObject& reading);
/// Strict: a line that lacks a member or names an unknown split is CorruptFile.
Result<QPair<Sample, Split>> parseSnapshotLine(const QByteArray& line, const QString& path, qint64 number);

/// SHA-256 over the lines as written, a newline and the canonical JSON of split and preprocessing.
class SnapshotDigest {
 public:
  void addBytes(QByteArrayView bytes) { hash_.addData(bytes); }
  QString finish(const QJsonObject& split, const QJsonObject& preprocessing);

 private:
  QCryptographicHash hash_{QCryptographicHash::Sha256};
};

/// Writes lines and feeds the digest; finish syncs to disk.
class SnapshotWriter {
 public:
  Result<void> open(const QString& path);
  Result<void> write(QByteArray line);
  Result<void> close();
  SnapshotDigest& digest() { return digest_; }

 private:
  Result<void> flush();
  QFile file_;
  QByteArray buffer_;
  SnapshotDigest digest_;
};

/// Reads samples.jsonl and snapshot.json of a folder (a project's or an exported one) and checks the digest: CorruptFile when it differs.
struct SnapshotContent {
  QJsonObject json;
  QList<QPair<Sample, Split>> samples;
};
Result<SnapshotContent> readSnapshotFolder(const QString& dir);
/// snapshot.json alone, as a value.
Result<Snapshot> snapshotFromFolder(const QString& dir);

/// A file of texts has texts in every part that has any: one member each. counts: texts of a part by its name.
QList<SnapshotMember> textMembers(qint64 sample, const QMap<QString, qint64>& counts);
/// Gives a staged folder with its samples.jsonl the snapshot.json, its place, the audit entry and its row. The same content once more
/// makes nothing new: what is there is returned, and an index that lost its row gets it back.
Result<Snapshot> settleSnapshot(Project&, const QString& staged, QJsonObject json, const QList<SnapshotMember>&);
/// PolicyRefused for a blocking finding without a reason.
Result<void> refuseBlocking(const QList<Finding>&, const QString& overrideReason);

/// Moves a staged folder to its place; a whole one already there is kept and the staged one removed.
Result<void> publishSnapshot(const QString& staged, const QString& dir, const QString& digest);

}  // namespace cloister
