// Everything that is checked before a run starts, so that a long job never dies of what could have been known. Thread of the Project;
// blocking (hashes the base weights, prepares the data by cloister-ingest, asks cloister-worker for its plan).
#pragma once
#include <functional>

#include "core/curation/dataset.h"
#include "core/extension/plugin_catalogue.h"
#include "core/runs/run_supervisor.h"

namespace cloister {

/// What was checked, ready to become a RunSpec.
struct CheckedRequest {
  QJsonObject parameters;  ///< complete
  Snapshot snapshot;
  Preprocessing preprocessing;
  QString family;
  QString baseWeights, baseWeightsSha256;
  QString tokenizer;  ///< folder, of a language model
  bool isLanguage() const { return !tokenizer.isEmpty(); }
};

/// Schema, snapshot and base weights; no data is prepared.
Result<CheckedRequest> checkRequest(const Project&, const PluginCatalogue&, const TrainRequest&);
/// Memory and disk by `cloister-worker plan`. preparedBytes 0: estimated from the snapshot.
Result<FitReport> planRequest(const Project&, const TrainRequest&, const CheckedRequest&);
/// OutOfMemory or DiskFull when it does not fit.
Result<void> requireFit(const FitReport&, const QString& path);
/// The marker's own digest and the presence and length of each shard; IdentityChanged when expectedDigest is another.
Result<void> checkPrepared(const QString& dir, const QString& expectedDigest);
/// Whether what the spec names is still the same: prepared data and base weights. For a resume.
Result<void> checkIdentity(const Project&, const RunSpec&);

}  // namespace cloister
