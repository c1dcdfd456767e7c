// An import: cloister-ingest reads files in child processes and writes records; this applies them to the project. Lives on the thread of
// the Project (GUI: store thread), event-driven (QProcess); signals fire on that thread.
#pragma once
#include <memory>

#include <QJsonArray>
#include <QJsonObject>
#include <QObject>
#include <QStringList>

#include "core/domain/result.h"

namespace cloister {
class Project;

struct ImportRequest {
  QString source = QStringLiteral("dicom");  ///< dicom, images, table
  QStringList paths;
  QJsonObject options;  ///< complete by the source's ParameterSchema
  // Optional label table
  QString labelsFile;  ///< CSV
  QString keyColumn, labelColumn, groupColumn, siteColumn;
  int workers = 0;  ///< 0: one per processor
};

struct ImportProgress {
  qint64 done = 0, total = 0;  ///< files
  qint64 accepted = 0, refused = 0, duplicates = 0;
  double filesPerSecond = 0;
  double secondsLeft = -1;
};

struct ImportSummary {
  qint64 importId = 0;
  qint64 accepted = 0, refusedCount = 0, duplicateCount = 0, labelled = 0;
  QJsonArray refused;     ///< {file, kind, message}
  QJsonArray duplicates;  ///< {file, of}
  QJsonArray changed;     ///< {file, what}: accepted with a repair or a warning
  bool stopped = false;
  QJsonObject toJson() const;  ///< the --json contract: accepted, refused, duplicates, changed, stopped
};

class ImportJob : public QObject {
  Q_OBJECT
 public:
  ImportJob(Project& project, ImportRequest request, QObject* parent = nullptr);
  ~ImportJob() override;
  /// Starts the child; InvalidArgument, NotFound, DiskFull are found here.
  Result<void> start();
  /// Goes on with an import that a crash or a stop interrupted.
  Result<void> resume(qint64 importId);
  void stop();
  const ImportSummary& summary() const;

 Q_SIGNALS:
  void progressed(cloister::ImportProgress);
  void finished(cloister::ImportSummary);
  void failed(cloister::Failure);

 private:
  struct Private;
  std::unique_ptr<Private> d;
};

/// Labels (and groups, sites) from a CSV onto samples already imported, matched by key, file name or SOPInstanceUID. Rows without a
/// sample and samples without a row are counted, conflicting rows refused.
struct LabelTableResult {
  qint64 rows = 0, matched = 0, unmatchedRows = 0, unlabelledSamples = 0;
  QJsonArray conflicts;
};
/// Reads by a child (`cloister-ingest table`), applies here.
Result<LabelTableResult> applyLabelTable(Project&, const QString& csv, const QString& key, const QString& label, const QString& group,
                                         const QString& site);

}  // namespace cloister
