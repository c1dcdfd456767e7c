#include "core/domain/run_spec.h"

#include <QDir>

#include "core/domain/files.h"

namespace cloister {

QJsonObject RunSpec::toJson() const {
  return {{"format", 1},
          {"run", run},
          {"family", family},
          {"snapshot", snapshot},
          {"prepared", prepared},
          {"preparedDigest", preparedDigest},
          {"baseWeights", baseWeights},
          {"baseWeightsSha256", baseWeightsSha256},
          {"tokenizer", tokenizer},
          {"parameters", parameters},
          {"seed", seed},
          {"processes", processes},
          {"restarts", restarts},
          {"createdAt", createdAt},
          {"codeVersion", codeVersion}};
}

Result<RunSpec> RunSpec::fromJson(const QJsonObject& o) {
  if (o["format"].toInt() > 1)
    return Failure{FailureKind::NewerVersion, {{"path", "spec.json"}, {"found", o["format"].toInt()}, {"supported", 1}}, {}};
  RunSpec s;
  s.run = o["run"].toString();
  s.family = o["family"].toString();
  s.snapshot = o["snapshot"].toString();
  s.prepared = o["prepared"].toString();
  s.preparedDigest = o["preparedDigest"].toString();
  s.baseWeights = o["baseWeights"].toString();
  s.baseWeightsSha256 = o["baseWeightsSha256"].toString();
  s.tokenizer = o["tokenizer"].toString();
  s.parameters = o["parameters"].toObject();
  s.seed = o["seed"].toInteger();
  s.processes = o["processes"].toInt(1);
  s.restarts = o["restarts"].toInt();
  s.createdAt = o["createdAt"].toString();
  s.codeVersion = o["codeVersion"].toString();
  if (s.run.isEmpty() || s.family.isEmpty() || s.prepared.isEmpty() || s.parameters.isEmpty())
    return Failure{FailureKind::CorruptFile, {{"path", "spec.json"}}, "run, family, prepared or parameters missing"};
  return s;
}

QString RunSpec::resolved(const QString& runDir, const QString& path) {
  if (path.isEmpty() || QDir::isAbsolutePath(path)) return path;
  return QDir::cleanPath(runDir + "/../../" + path);
}

QJsonObject RunSpec::identityParameters() const {
  QJsonObject p = parameters;
  p.remove("device");
  return p;
}

QString RunSpec::identityDigest() const {
  return sha256Hex(canonicalJson({{"family", family},
                                  {"snapshot", snapshot},
                                  {"preparedDigest", preparedDigest},
                                  {"baseWeightsSha256", baseWeightsSha256},
                                  {"parameters", identityParameters()},
                                  {"seed", seed},
                                  {"processes", processes}}));
}

}  // namespace cloister
