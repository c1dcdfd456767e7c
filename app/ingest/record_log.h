// records.jsonl and thumbs.pack of one import: appended, read back when an import goes on. One thread.
#pragma once
#include <memory>

#include <QFile>
#include <QHash>
#include <QJsonObject>
#include <QSet>
#include <QString>

#include "core/domain/result.h"

namespace cloister {

class RecordLog {
 public:
  /// Opens or goes on: a torn last line and records of a last file that may be incomplete are cut, accepted records whose object is
  /// gone end the part that counts. objects and staging are where an accepted sample's bytes may be.
  static Result<std::unique_ptr<RecordLog>> open(const QString& folder, const QString& objects);

  bool knows(const QString& file) const { return files_.contains(file); }
  /// A DICOMDIR read before: the files it names are still wanted.
  bool isIndex(const QString& file) const { return indexes_.contains(file); }
  /// First file with these bytes, empty when new.
  QString firstWith(const QString& sha256) const { return first_.value(sha256); }

  /// Where the thumbnails of the next append will begin: thumb offsets of its samples are counted from the start of the pack.
  qint64 packEnd() const { return pack_.pos(); }
  /// All records of one file in one write; the thumbnails first.
  Result<void> append(const QString& file, const QList<QJsonObject>& records, const QByteArray& thumbs);
  void sync();            ///< what was recorded so far survives a power cut
  Result<void> finish();  ///< the "finished" record, everything on disk

  qint64 files = 0, accepted = 0, refused = 0, duplicates = 0;
  bool alreadyFinished = false;

 private:
  RecordLog(const QString& folder) : folder_(folder), log_(folder + "/records.jsonl"), pack_(folder + "/thumbs.pack") {}
  void count(const QJsonObject& record);
  Result<void> readBack(const QString& objects);

  QString folder_;
  QFile log_, pack_;
  QSet<QString> files_, indexes_;
  QHash<QString, QString> first_;  ///< sha256 → file
};

}  // namespace cloister
