// What was asked of a worker: written once to runs/<id>/spec.json, never changed. A value; any thread.
#pragma once
#include <QJsonObject>
#include <QString>

#include "core/domain/result.h"

namespace cloister {

struct RunSpec {
  QString run;             ///< "r-0001"
  QString family;          ///< plugin id: image_classifier
  QString snapshot;        ///< full 64-hex digest of the DatasetSnapshot
  QString prepared;        ///< folder of the prepared shards, relative to the project
  QString preparedDigest;  ///< digest of prepared.json
  /// Absolute path of a safetensors file or of a language model's folder, relative to the project when it lies in it; empty: from scratch.
  QString baseWeights;
  QString baseWeightsSha256;
  QString tokenizer;       ///< language models: folder of the tokenizer, as baseWeights
  QJsonObject parameters;  ///< complete: every key of the family's ParameterSchema
  qint64 seed = 0;
  int processes = 1;  ///< world size
  int restarts = 0;   ///< failed attempts after which another one begins by itself; no part of the identity
  QString createdAt;  ///< ISO 8601 UTC
  QString codeVersion;

  QJsonObject toJson() const;
  static Result<RunSpec> fromJson(const QJsonObject&);
  /// SHA-256 of what must not change between a checkpoint and its resume: snapshot, prepared digest, base weights, family, parameters,
  /// seed.
  QString identityDigest() const;
  /// A path of the spec (prepared, baseWeights, tokenizer) for a run whose folder is <project>/runs/<id>.
  static QString resolved(const QString& runDir, const QString& path);
  /// The parameters that decide what is computed: all but "device", which decides where. A run may go on on another one, with a warning.
  QJsonObject identityParameters() const;
};

/// Exit codes of a worker (design): stable, tested.
enum class WorkerExit : int {
  Finished = 0,
  StoppedAsAsked = 10,
  InvalidSpec = 20,
  OutOfMemory = 30,
  NonFiniteLoss = 40,
  PluginRefused = 50,
  IdentityChanged = 60,
  Failed = 1
};

/// In a worker's environment: the number of a pipe's reading end, one byte a rank. It comes when worker.json names the worker; the end of
/// the pipe means that the starter died before that, and that the worker must end too. Absent under torchrun, Slurm and Kubernetes.
inline constexpr char kStartGateVariable[] = "CLOISTER_START_GATE";

}  // namespace cloister
