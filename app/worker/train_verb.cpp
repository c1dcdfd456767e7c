// train and plan: find the family's plugin by its id, load it, hand over the job.
#include <QCoreApplication>
#include <QDir>
#include <QJsonDocument>
#include <QPluginLoader>

#include "app/worker/presence.h"
#include "app/worker/run_texts.h"
#include "app/worker/verbs.h"
#include "core/domain/files.h"
#include "core/engine/engine_failure.h"
#include "core/engine/models/family_plugin.h"
#include "core/extension/plugin_catalogue.h"
#include "core/text/tokenizers/tokenizer.h"

namespace cloister {
namespace {

struct LoadedFamily {
  FamilyPlugin* plugin = nullptr;
  ParameterSchema schema;
};

LoadedFamily loadFamily(const QString& id) {
  const PluginInfo info = orThrow(PluginCatalogue::scan().find("family", id));
  QPluginLoader loader(info.file);
  auto* plugin = qobject_cast<FamilyPlugin*>(loader.instance());
  if (!plugin) throw EngineFailure({FailureKind::PolicyRefused, {{"rule", "family plugin " + id}}, loader.errorString()});
  return {plugin, info.schema};
}

void giveWords(TrainJob& job) {
  const auto tokenizer = orThrow(openTokenizer(RunSpec::resolved(job.runDir, job.spec.tokenizer)));
  if (job.rank == 0) checkRunTexts(job.preparedDir, tokenizer->fingerprint());
  job.words = [tokenizer](const std::vector<std::int64_t>& tokens) {
    return QString::fromStdString(tokenizer->decode(std::vector<std::int32_t>(tokens.begin(), tokens.end())));
  };
  if (const std::int32_t end = tokenizer->special().end; end >= 0) job.ends = {end};
}

int environmentNumber(const char* name, int fallback) {
  bool ok = false;
  const int n = qEnvironmentVariableIntValue(name, &ok);
  return ok ? n : fallback;
}

}  // namespace

int trainVerb(const QStringList& arguments) {
  TrainJob job;
  job.runDir = QDir(option(arguments, "run")).absolutePath();
  job.attempt = attemptNumber(option(arguments, "attempt", false, "1"));
  job.rank = environmentNumber("RANK", 0);
  job.worldSize = environmentNumber("WORLD_SIZE", 1);
  const QString attempt = QString("%1/attempt-%2").arg(job.runDir).arg(job.attempt, 3, 10, QChar('0'));
  QDir().mkpath(attempt);
  const Presence presence(attempt, job.rank);
  const QString exitName = job.rank == 0 ? QString("exit.json") : QString("exit-%1.json").arg(job.rank);
  const int code = runJob(
      QString("%1/rank-%2.events.jsonl").arg(attempt).arg(job.rank),
      [&](EventWriter& events) {
        job.spec = orThrow(RunSpec::fromJson(orThrow(readJson(job.runDir + "/spec.json"))));
        const LoadedFamily family = loadFamily(job.spec.family);
        job.spec.parameters = orThrow(family.schema.complete(job.spec.parameters));
        if (job.worldSize != job.spec.processes)
          throw EngineFailure({FailureKind::InvalidArgument,
                               {{"name", "WORLD_SIZE"}, {"value", job.worldSize}, {"allowed", QString::number(job.spec.processes)}},
                               {}});
        job.preparedDir = RunSpec::resolved(job.runDir, job.spec.prepared);
        job.spec.baseWeights = RunSpec::resolved(job.runDir, job.spec.baseWeights);
        job.events = &events;
        if (!job.spec.tokenizer.isEmpty()) giveWords(job);
        return family.plugin->train(job);
      },
      exitName);
  // Launchers take every other number for a failure, and would start the attempt again or call the job failed; exit.json keeps the 10.
  return code == int(WorkerExit::StoppedAsAsked) ? option(arguments, "stop-code", false, "10").toInt() : code;
}

int planVerb(const QStringList& arguments) {
  QJsonObject request = orThrow(readJson(option(arguments, "request")));
  const LoadedFamily family = loadFamily(request["family"].toString("image_classifier"));
  request["parameters"] = orThrow(family.schema.complete(request["parameters"].toObject()));
  const QByteArray text = QJsonDocument(family.plugin->plan(request)).toJson(QJsonDocument::Compact);
  std::printf("%s\n", text.constData());
  return int(WorkerExit::Finished);
}

}  // namespace cloister
