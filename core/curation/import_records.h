// From the lines of an import's records.jsonl to the project: whole lines in batches, each batch one transaction together with the place
// in the file, so that neither a crash nor a restart takes a line twice or leaves one out. Used by ImportJob. Thread of the Project.
#pragma once
#include <QJsonArray>
#include <QString>

#include "core/domain/result.h"

namespace cloister {
class Project;

class ImportRecords {
 public:
  /// offset: where an earlier attempt came to.
  ImportRecords(Project& project, qint64 importId, qint64 offset);

  struct Batch {
    qint64 lines = 0, accepted = 0, refused = 0, duplicates = 0;
  };
  /// Applies up to 4 MiB of new lines. A file that is not there yet gives an empty batch.
  Result<Batch> applyNew();
  qint64 offset() const { return offset_; }
  QString path() const;
  /// Cuts off a torn last line, which a killed child left. Before a child starts on the same file.
  Result<void> cutTornLine();
  /// {file, what} of all "changed" lines, from the beginning.
  QJsonArray changed() const;

 private:
  struct Pending;
  void take(const QByteArray& line, Pending&);
  Result<void> adoptObject(const QString& sha256, qint64 bytes);
  Result<Batch> commit(Pending&, qint64 newOffset);
  Project& project_;
  qint64 importId_, offset_;
};

/// outcome.json beside the records: how the index says the import ended, and when. For a rebuild of the index.
Result<void> writeImportOutcome(const Project&, qint64 importId);

}  // namespace cloister
