// Everything a bundle is made from, read and checked to belong together. Internal to core/trust; any thread; blocking.
#pragma once
#include <QJsonObject>
#include <QStringList>

#include "core/domain/run_spec.h"
#include "core/trust/bundle.h"

namespace cloister {

struct BundleSources {
  RunSpec spec;
  QJsonObject snapshot;       ///< snapshot.json
  QJsonObject report;         ///< evaluation/report.json, without pictures and sample keys
  QJsonObject exported;       ///< export/export.json
  QJsonObject candidate;      ///< the chosen row of it
  QJsonObject preprocessing;  ///< export/preprocessing.json
  QJsonObject started;        ///< the last attempt's "started" event: device, threads, precision, parameters, commit
  QByteArray lineage;         ///< lineage.jsonl
  QStringList classes;
  QString exportDir;
};

Result<BundleSources> readBundleSources(const BundleRequest&);
/// The same for a language model's run: spec, snapshot, lineage, exported, candidate; the report is checked, and read by its bundle.
Result<BundleSources> readLanguageSources(const BundleRequest&);

/// Only what is named here leaves the house: no pictures, no keys of samples, no groups that could be patients.
QJsonObject publicReport(const QJsonObject& report);

}  // namespace cloister
