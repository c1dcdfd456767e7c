// init and logits: small verbs for experts and for the tests that compare with other implementations.
#include <cstdio>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/grad_mode.h>
#include <torch/headeronly/version.h>

#include <QJsonDocument>

#include "app/worker/verbs.h"
#include "core/domain/files.h"
#include "core/engine/device/cuda_loader.h"
#include "core/engine/engine_failure.h"
#include "core/engine/models/model.h"
#include "core/engine/models/precision.h"

namespace cloister {

// request: {"architecture","parameters":{},"channels","size","classes","seed","mean":[…],"std":[…],"baseWeights":"FILE" or absent}
int initVerb(const QStringList& arguments) {
  const QJsonObject request = orThrow(readJson(option(arguments, "request")));
  QJsonObject recipe = request;
  recipe["dropout"] = request["parameters"].toObject()["dropout"].toDouble(0.1);
  ClassifierModel model(orThrow(ModelGraph::fromRecipe(recipe)), quint64(request["seed"].toInteger(0)));
  if (const QString base = request["baseWeights"].toString(); !base.isEmpty()) {
    const TransferReport report = loadBaseWeights(model, base);
    for (const QString& w : report.warnings) std::fprintf(stderr, "%s\n", qUtf8Printable(w));
  }
  saveTensors(option(arguments, "to"), model.state(), model.graph().metadata());
  return int(WorkerExit::Finished);
}

// What the library itself sees, as opposed to core/runs/hardware, which reads the system: on one line, for support.
int hardwareVerb(const QStringList&) {
  const QJsonObject seen{
      {"libtorch", QStringLiteral("%1.%2.%3").arg(TORCH_VERSION_MAJOR).arg(TORCH_VERSION_MINOR).arg(TORCH_VERSION_PATCH)},
      {"cpuCapability", QString::fromStdString(at::get_cpu_capability())},
      {"threads", at::get_num_threads()},
      {"oneDnn", at::globalContext().hasMKLDNN()},
      {"cuda", cudaState().toJson()}};
  std::printf("%s\n", QJsonDocument(seen).toJson(QJsonDocument::Compact).constData());
  return int(WorkerExit::Finished);
}

// The input file holds "image" F32 [N,C,H,W], pixel/255; the output "logits" F32 [N,classes].
int logitsVerb(const QStringList& arguments) {
  const auto model = loadModel(option(arguments, "weights"));
  const QString input = option(arguments, "input");
  const NamedTensors given = readTensors(input);
  const auto image = given.find("image");
  if (image == given.end()) throw EngineFailure({FailureKind::CorruptFile, {{"path", input}}, "no tensor named image"});
  at::NoGradGuard noGrad;
  const Autocast autocast(option(arguments, "precision", false, "fp32") == u"bf16");
  saveTensors(option(arguments, "to"), {{"logits", model->forward(image->second)}});
  return int(WorkerExit::Finished);
}

}  // namespace cloister
