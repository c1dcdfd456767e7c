#include "widgets/tryit/try_models.h"

#include <optional>

#include <QDir>
#include <QFileInfo>

#include "core/domain/files.h"
#include "core/domain/run_spec.h"
#include "core/store/project.h"

namespace cloister {
namespace {

bool has(const QString& dir, const char* file) { return QFileInfo::exists(dir + '/' + QLatin1String(file)); }

qint64 weightsOf(const QString& dir) {
  qint64 bytes = 0;
  for (const QFileInfo& f : QDir(dir).entryInfoList({QStringLiteral("*.safetensors")}, QDir::Files)) bytes += f.size();
  return bytes;
}

bool hasTokenizer(const QString& dir) { return has(dir, "tokenizer.json") || has(dir, "tokenizer.model"); }

// The best state of a run: a whole model, or an adapter on the model that the run began with.
std::optional<TryModel> modelOfRun(const Project& p, const RunRecord& run) {
  const QString dir = p.runDir(run.id), best = dir + "/best";
  if (!has(best, "state.json")) return {};
  const auto json = readJson(dir + "/spec.json");
  const auto spec = json ? RunSpec::fromJson(*json) : Result<RunSpec>(json.error());
  if (!spec) return {};
  const QString base = spec->baseWeights.isEmpty() ? QString() : RunSpec::resolved(dir, spec->baseWeights);
  TryModel m{best, run.id, run.id, best, {}, {}, 0};
  if (has(best, "adapter_config.json")) {
    m.model = base;
    m.adapter = best;
  }
  if (!hasTokenizer(m.model)) m.tokenizer = spec->tokenizer.isEmpty() ? base : RunSpec::resolved(dir, spec->tokenizer);
  m.bytes = weightsOf(m.model);
  return m;
}

}  // namespace

Result<QList<TryModel>> modelsToTry(Project& p) {
  QList<TryModel> models;
  for (const QFileInfo& f : QDir(p.dir() + "/models").entryInfoList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name | QDir::IgnoreCase))
    if (has(f.filePath(), "config.json")) models << TryModel{f.filePath(), f.fileName(), {}, f.filePath(), {}, {}, weightsOf(f.filePath())};
  const auto runs = p.runs();
  if (!runs) return runs.error();
  for (const RunRecord& r : *runs)
    if (r.family == u"decoder_lm")
      if (auto m = modelOfRun(p, r)) models << *m;
  return models;
}

Result<TryModel> modelInFolder(const QString& dir) {
  const QString name = QFileInfo(dir).fileName();
  if (has(dir, "adapter_config.json")) return TryModel{dir, name, {}, {}, dir, {}, weightsOf(dir)};
  if (has(dir, "config.json")) return TryModel{dir, name, {}, dir, {}, {}, weightsOf(dir)};
  return Failure{FailureKind::NotFound, {{"path", dir + "/config.json"}}, {}};
}

}  // namespace cloister
