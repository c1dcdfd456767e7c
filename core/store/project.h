// A project folder and its database. The only writer of project.sqlite; samples, imports, snapshots and runs are indexed here, the truth
// of a run lies in its folder. One thread per object (GUI: the store thread; CLI: main).
#pragma once
#include <functional>
#include <memory>
#include <optional>

#include <QDateTime>
#include <QJsonObject>
#include <QList>
#include <QMap>
#include <QString>
#include <QStringList>

#include "core/domain/result.h"
#include "core/domain/sample.h"

namespace cloister {

struct ProjectInfo {
  QString id;  ///< UUID, made at creation
  QString name;
  QString task;       ///< id of a Task (core/domain/task.h)
  QString createdAt;  ///< ISO 8601 UTC
};

/// What to show. Empty strings and unset optionals do not filter.
struct SampleFilter {
  QString text;   ///< part of key, patient or label
  QString label;  ///< "\x01unlabelled" for samples without one
  QString patient, site, modality;
  QString problem;  ///< a FailureKind word, or "*" for any
  QString split;    ///< train, validation, test in the snapshot named below
  QString snapshot;
  QStringList keys;  ///< exact keys (a finding's samples)
  bool includeExcluded = true;
};

struct SampleCounts {
  qint64 samples = 0, labelled = 0, excluded = 0, patients = 0, duplicates = 0, refused = 0, problems = 0;
  QMap<QString, qint64> byLabel, bySite, byModality;
};

struct RefusedFile {
  QString file, kind, message;
};

struct ImportRecord {
  qint64 id = 0;
  QString source, state;  ///< running, finished, stopped, failed
  QString startedAt, finishedAt;
  qint64 accepted = 0, refused = 0, duplicates = 0;
  QJsonObject request;
};

struct SnapshotRecord {
  QString digest;  ///< 64 hex
  QString createdAt;
  qint64 samples = 0, groups = 0;
  QMap<QString, qint64> splitCounts;
  QStringList classes;
};

/// A sample's place in a snapshot, by its row: what the filter and the lineage need; the truth is samples.jsonl.
struct SnapshotMember {
  qint64 sample = 0;
  int split = 0;  ///< 0 train, 1 validation, 2 test
};

/// One change of one field of one sample.
struct SampleHistoryRow {
  QString at, who, what;         ///< ISO 8601 UTC, user name, what the change was called
  QString field, before, after;  ///< label, label_origin, patient, site, excluded
  bool undone = false;
};

struct RunRecord {
  QString id;                       ///< r-0001
  QString family, snapshot, state;  ///< queued, running, stopping, stopped, attempt_failed, failed, finished
  QString createdAt, finishedAt;
  qint64 step = 0, steps = 0;
  int attempts = 0;
  QJsonObject summary;  ///< best metric, last loss, failure …; from the events
};

class Project {
 public:
  enum class Mode { ReadOnly, ReadWrite };
  /// AlreadyExists when dir holds a project.
  static Result<std::unique_ptr<Project>> create(const QString& dir, const QString& name, const QString& task);
  /// ReadWrite takes the writer lock (DatabaseLocked names the holder) and migrates (after a copy); ReadOnly does neither.
  static Result<std::unique_ptr<Project>> open(const QString& dir, Mode mode = Mode::ReadWrite);
  /// For a project whose database is lost or damaged: what there is of it is set aside as project.sqlite.damaged-<time>, and an empty index
  /// takes its place, to be filled from the files (core/curation/rebuild.h). Takes the writer lock.
  static Result<std::unique_ptr<Project>> openWithNewIndex(const QString& dir);
  ~Project();

  QString dir() const;
  const ProjectInfo& info() const;
  QString objectPath(const QString& sha256) const;  ///< objects/ab/abcd…
  QString importDir(qint64 id) const;
  QString snapshotDir(const QString& digest) const;  ///< snapshots/<first 12 hex>
  QString runDir(const QString& run) const;
  QString bundlesDir() const;
  bool isWritable() const;  ///< opened ReadWrite

  /// All that work writes, or nothing of it. May be nested; work's failure is returned.
  Result<void> inTransaction(const std::function<Result<void>()>& work);

  // Samples
  Result<SampleCounts> counts() const;
  Result<qint64> countSamples(const SampleFilter&) const;
  /// Ordered by id; a page of the virtual grid. Constant time in the number of records for the unfiltered case (keyset on afterId).
  /// Sample::header is left empty here and filled by samplesById and sampleByKey: a scan of a million samples must not read it.
  Result<QList<Sample>> samples(const SampleFilter&, qint64 afterId, int limit) const;
  /// Ids of all that match, in order: what a virtual view needs once per filter (8 bytes a sample).
  Result<QList<qint64>> sampleIds(const SampleFilter&) const;
  Result<QList<Sample>> samplesById(const QList<qint64>& ids) const;
  Result<Sample> sampleByKey(const QString& key) const;
  /// By the SHA-256 of its bytes, or at least its first 8 digits; the first of several. NotFound.
  Result<Sample> sampleByDigest(const QString& digestOrPrefix) const;
  /// One transaction. Same sha256 and frame already present → recorded as duplicate, not inserted; returns how many were inserted.
  Result<qint64> addSamples(qint64 importId, const QList<Sample>&);
  Result<void> addRefusals(qint64 importId, const QList<RefusedFile>&);
  Result<void> addDuplicates(qint64 importId, const QList<QPair<QString, QString>>& fileAndOriginal);
  Result<QList<RefusedFile>> refusals(qint64 importId = -1) const;
  Result<QList<QPair<QString, QString>>> duplicates(qint64 importId = -1) const;

  struct SampleChange {
    qint64 id = 0;
    std::optional<QString> label, patient, site;
    std::optional<bool> excluded;
    QString labelOrigin;  ///< csv, person …, used with label
  };
  /// One transaction with its history row (who, before, after): undo() of the newest group restores it.
  Result<void> changeSamples(const QList<SampleChange>&, const QString& what);
  Result<QString> undo();  ///< what was undone; NothingToDo when the history is empty
  Result<QString> redo();
  /// Oldest first: how a sample came to its label, patient, site and exclusion.
  Result<QList<SampleHistoryRow>> sampleHistory(qint64 sampleId) const;

  // Imports
  Result<qint64> beginImport(const QString& source, const QJsonObject& request);
  /// An import under the number it had, with its state and times, for an index that is rebuilt.
  Result<void> restoreImport(const ImportRecord&);
  Result<void> finishImport(qint64 id, const QString& state, qint64 recordsOffset);
  Result<void> setImportOffset(qint64 id, qint64 recordsOffset);
  Result<qint64> importOffset(qint64 id) const;
  Result<QList<ImportRecord>> imports() const;         ///< newest first
  Result<ImportRecord> importRecord(qint64 id) const;  ///< NotFound

  // Snapshots and runs
  /// One transaction; a digest already there is left as it is.
  Result<void> addSnapshot(const SnapshotRecord&, const QList<SnapshotMember>& members = {});
  /// digest → split name for each snapshot that holds the sample, newest first.
  Result<QList<QPair<QString, QString>>> snapshotsOfSample(qint64 sampleId) const;
  Result<QList<SnapshotRecord>> snapshots() const;  ///< newest first
  Result<QString> newRunId();                       ///< r-0001 …; never given out twice, also not after a run folder was removed
  Result<void> saveRun(const RunRecord&);
  Result<QList<RunRecord>> runs() const;           ///< newest first
  Result<RunRecord> run(const QString& id) const;  ///< empty id: the newest

  // Settings of the project (small JSON values)
  Result<QJsonValue> setting(const QString& key) const;
  Result<void> setSetting(const QString& key, const QJsonValue&);

 private:
  Project();
  struct Private;
  std::unique_ptr<Private> d;
};

}  // namespace cloister
