#include "app/cli/recipe.h"

namespace cloister::cli {

QList<QCommandLineOption> recipeOptions() {
  return {{"family", tr("Model family (default: the one for the project's task)."), "FAMILY"},
          {"snapshot", tr("Digest, or its beginning; otherwise the newest snapshot."), "DIGEST"},
          {"set", tr("One parameter of the family; may be given again. --list-parameters shows them."), "KEY=VALUE"},
          {"base-weights", tr("Start from this safetensors file instead of from scratch."), "FILE"},
          {"base", tr("Language model to start from: one of the project (model list), or a folder."), "NAME|DIR"},
          {"tokenizer", tr("Tokenizer of a new language model: one of the project, or a folder."), "NAME|DIR"},
          {"method", tr("Of a language model: how it is trained. --list-parameters shows the ways."), "WORD"},
          {"seed", tr("Seed of every random choice."), "N", "1"}};
}

Result<TrainRequest> requestFrom(const Context& context) {
  TrainRequest request;
  request.family = context.value("family");
  request.snapshot = context.value("snapshot");
  request.baseWeights = context.value(context.isSet("base") ? "base" : "base-weights");
  request.tokenizer = context.value("tokenizer");
  if (context.isSet("method")) request.parameters["method"] = context.value("method");
  for (const QString& pair : context.values("set")) {
    const qsizetype equals = pair.indexOf('=');
    if (equals < 1) return Failure{FailureKind::InvalidArgument, {{"name", "--set"}, {"value", pair}, {"allowed", "KEY=VALUE"}}, {}};
    request.parameters[pair.left(equals)] = pair.mid(equals + 1);
  }
  auto seed = context.integer("seed", 0, qint64(1) << 53);
  if (!seed) return seed.error();
  request.seed = *seed;
  auto processes = context.integer("nproc", 1, 64);
  if (!processes) return processes.error();
  request.processes = int(*processes);
  return request;
}

}  // namespace cloister::cli
