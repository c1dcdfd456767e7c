// An import: cloister-ingest reads files in child processes and writes records; this applies them to the project. Lives on the thread of
// the Project (GUI: store thread), event-driven (QProcess); signals fire on that thread.
#pragma once
#include <memory>
#include <optional>

#include <QJsonArray>
#include <QJsonObject>
#include <QMap>
#include <QObject>
#include <QStringList>

#include "core/domain/result.h"

namespace cloister {
class Project;

struct ImportRequest {
  QString source = QStringLiteral("dicom");  ///< dicom, images, table; text in a project for a language model
  QStringList paths;
  QJsonObject options;  ///< complete by the source's ParameterSchema
  // Optional label table
  QString labelsFile;  ///< CSV
  QString keyColumn, labelColumn, groupColumn, siteColumn;
  QJsonObject labelsFormat;  ///< separator, encoding, decimal, header as a person chose them; what is absent is detected
  int workers = 0;           ///< 0: one per processor
  QJsonObject toJson() const;
  static ImportRequest fromJson(const QJsonObject&);
};

struct ImportProgress {
  qint64 done = 0, total = 0;  ///< files
  qint64 accepted = 0, refused = 0, duplicates = 0;
  double filesPerSecond = 0;
  double secondsLeft = -1;
};

/// What a label table did, see applyLabelTable.
struct LabelTableResult {
  qint64 rows = 0, matched = 0, unmatchedRows = 0, unlabelledSamples = 0;
  qint64 changed = 0;              ///< samples whose label, patient or site differs now
  QJsonArray conflicts;            ///< {key, labels, rows}: rows that disagree; these samples keep what they had
  QJsonArray unmatched;            ///< {row, key, reason: missing or ambiguous}, the first 100
  QMap<QString, QString> columns;  ///< the columns used: key, label, group, site
  QJsonObject toJson() const;
};

struct ImportSummary {
  qint64 importId = 0;
  qint64 accepted = 0, refusedCount = 0, duplicateCount = 0, labelled = 0;
  QJsonArray refused;     ///< {file, kind, message}
  QJsonArray duplicates;  ///< {file, of}
  QJsonArray changed;     ///< {file, what}: accepted with a repair or a warning
  bool stopped = false;
  std::optional<LabelTableResult> labels;  ///< when a label table came with the request
  QJsonObject toJson() const;              ///< the --json contract: accepted, refused, duplicates, changed, stopped
};

class ImportJob : public QObject {
  Q_OBJECT
 public:
  ImportJob(Project& project, ImportRequest request, QObject* parent = nullptr);
  ~ImportJob() override;
  /// Starts the child; InvalidArgument (also of a label table's columns), NotFound, DiskFull are found here.
  Result<void> start();
  /// Goes on with an import that a crash or a stop interrupted. Source, paths and options are those it began with; a label table given
  /// to this job replaces the one it began with.
  Result<void> resume(qint64 importId);
  /// Asks the child to end after the file at hand; finished comes with summary().stopped.
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

/// The import that a crash or a stop interrupted and that asks for the same source, paths and options; 0: none.
Result<qint64> interruptedImport(const Project&, const ImportRequest&);

/// Labels (and groups, sites) from a CSV onto samples already imported, matched by key, path, file name, SOPInstanceUID or SHA-256. Rows
/// without a sample and samples without a row are counted, conflicting rows refused. Empty column names are looked for under their usual
/// names (file, label, patient_id …); InvalidArgument lists the columns there are. One undoable change. Audit entry "label".
/// Reads by a child (`cloister-ingest table`), applies here.
Result<LabelTableResult> applyLabelTable(Project&, const QString& csv, const QString& key, const QString& label, const QString& group,
                                         const QString& site, const QJsonObject& format = {});

/// Reads only the head of the table: are the columns there? NotFound, InvalidArgument.
Result<void> checkLabelTable(const Project&, const QString& csv, const QString& key, const QString& label, const QString& group,
                             const QString& site, const QJsonObject& format = {});

}  // namespace cloister
