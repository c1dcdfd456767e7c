// Checks, splits and snapshots of a dataset. Pure functions on values plus the snapshot folder; any thread with its own Project.
#pragma once
#include <functional>
#include <optional>

#include <QJsonObject>
#include <QList>
#include <QMap>
#include <QStringList>

#include "core/domain/result.h"
#include "core/domain/sample.h"

namespace cloister {
class Project;

enum class Split { Train, Validation, Test };
QString splitName(Split);  ///< train, validation, test
std::optional<Split> splitFromName(const QString&);

struct SplitRequest {
  double train = 0.70, validation = 0.15, test = 0.15;  ///< fractions of samples, sum 1
  QString groupBy = QStringLiteral("patient");          ///< patient, site, study, series, or sample (needs overrideReason)
  qint64 seed = 1;
  bool stratify = true;          ///< by label
  QString overrideReason;        ///< typed by a person; required for groupBy = sample
  QMap<QString, QString> fixed;  ///< group → split name, honoured first
  QJsonObject toJson() const;    ///< without overrideReason: why something was allowed does not change what it is
  static SplitRequest fromJson(const QJsonObject&);
};

/// The group a sample is split by. A sample without one (a plain image without a patient) is its own group, named by its bytes, so that
/// the frames of one file stay together.
QString groupOf(const Sample&, const QString& groupBy);

/// Deterministic from the samples' (group, label) and the seed, independent of their order. Whole groups only; greedy stratification:
/// groups in seeded order, largest first (by powers of two), each to the split whose label counts are furthest below their target. The last
/// groups of a class go where that class is still missing, so that each split shows each class when there are groups enough. Returns the
/// split of each sample, in order. PolicyRefused without a reason for groupBy = sample; NothingToDo for fewer groups than splits.
Result<QList<Split>> splitSamples(const QList<Sample>&, const SplitRequest&);

struct Finding {
  QString column;  ///< format, semantic, distribution
  QString kind;  ///< unreadable, duplicate, near_duplicate_across_splits, label_imbalance, group_on_both_sides, unlabelled, missing_group,
                 ///< single_site_per_label …
  QString severity;  ///< info, warning, blocking
  QString message;   ///< English sentence, for logs; people read describeFinding (finding_words.h)
  QJsonObject args;
  QStringList keys;  ///< samples it is about (first 1,000)
  QJsonObject toJson() const;
  static Finding fromJson(const QJsonObject&);
};

/// What every kind of project has: files that could not be imported, and equal ones.
Result<QList<Finding>> checkFiles(const Project&);
/// splits may be empty (before a snapshot) or one per sample.
Result<QList<Finding>> checkDataset(const Project&, const QList<Sample>&, const QList<Split>& splits);

struct Preprocessing {
  int size = 224;                             ///< pixels, square
  int channels = 1;                           ///< 1 or 3
  QString window = QStringLiteral("voi");     ///< voi (stored window, else percentile), minmax, percentile, or "center,width"
  QString fit = QStringLiteral("letterbox");  ///< letterbox, stretch, crop
  QJsonObject toJson() const;
  static Preprocessing fromJson(const QJsonObject&);
};

struct Snapshot {
  QString digest;  ///< SHA-256 over canonical samples, split and preprocessing
  QString dir;
  QStringList classes;  ///< sorted by code point; index = class number
  QMap<QString, qint64> splitCounts;
  qint64 samples = 0, groups = 0;
  QJsonObject json;  ///< snapshot.json
};

/// Freezes all included, labelled samples. Same content gives the same digest and folder (idempotent). Audit entry "snapshot".
/// Blocking findings refuse with PolicyRefused unless overrideReason is given.
Result<Snapshot> freezeSnapshot(Project&, const SplitRequest&, const Preprocessing&);
Result<Snapshot> openSnapshot(const Project&, const QString& digestOrPrefix);  ///< empty: the newest
Result<QList<QPair<Sample, Split>>> snapshotSamples(const Snapshot&);
/// files/ + samples.csv + snapshot.json + digest.txt, recreatable elsewhere.
Result<void> exportSnapshot(const Project&, const Snapshot&, const QString& toDir, std::function<bool(qint64 done, qint64 total)> progress);
Result<Snapshot> recreateSnapshot(Project&, const QString& exportedDir);

/// snapshots/<12hex>/prepared/<12hex>/ with safetensors shards made by `cloister-ingest prepare` (child process; blocking here, the
/// progress callback returns false to stop). Whole or absent; reused when already there.
struct PreparedData {
  QString dir, digest;
  QJsonObject json;  ///< prepared.json
};
Result<PreparedData> prepareSnapshot(const Project&, const Snapshot&, const Preprocessing&,
                                     std::function<bool(qint64 done, qint64 total)> progress);

}  // namespace cloister
