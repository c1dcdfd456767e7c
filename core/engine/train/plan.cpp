// What a recipe needs before it starts: memory by part, disk, time. Time is measured on one real training step.
#include <chrono>

#include <ATen/Parallel.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>

#include "core/engine/device/compute_device.h"
#include "core/engine/engine_failure.h"
#include "core/engine/models/model.h"
#include "core/engine/models/precision.h"
#include "core/engine/train/machine.h"
#include "core/engine/train/recipe.h"
#include "core/engine/train/train.h"

namespace cloister {
namespace {

// Seconds of one micro-batch forward and backward (the second of two; the first pays for set-up).
double measureStep(const ModelGraph& graph, const TrainRecipe& recipe, const ComputeDevice& device) {
  ClassifierModel model(graph, 1);
  model.moveTo(device.tensors);
  model.setTraining(true);
  model.setGradients(true);
  if (recipe.bf16 && !device.isGpu()) model.computeInBf16();
  at::set_num_threads(std::max(1, recipe.threads / recipe.replicas));
  const at::Tensor images = at::rand({recipe.microBatch, graph.channels, graph.size, graph.size}).to(device.tensors);
  const at::Tensor labels = at::zeros({recipe.microBatch}, at::kLong).to(device.tensors);
  double seconds = 0;
  for (int i = 0; i < 2; ++i) {
    const auto start = std::chrono::steady_clock::now();
    at::Tensor loss;
    {
      const Autocast autocast(recipe.bf16, device.tensors.type());
      loss = at::cross_entropy_loss(model.forward(images), labels);
    }
    loss.backward();
    for (const at::Tensor& t : model.computed()) at::Tensor(t).mutable_grad().reset();
    if (device.isGpu()) device.cuda->synchronise(device.index);
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return seconds;
}

constexpr qint64 kCudaContext = qint64(700) << 20;  // on the card: context, cuBLAS workspaces
constexpr qint64 kCudaLibraries = qint64(3) << 30;  // of the computer: what the CUDA libraries map and pin

}  // namespace

QJsonObject cardParts(const QJsonObject& parts) {
  // A card keeps the outputs that the processor's kernels leave out by doing a chain of operations in one.
  QJsonObject card{{"runtime", kCudaContext}, {"activations", parts["activations"].toInteger() * 3 / 2}};
  for (const char* part : {"weights", "gradients", "optimizer", "average", "copies"})
    if (parts.contains(QLatin1String(part))) card[QLatin1String(part)] = parts[QLatin1String(part)];
  return card;
}

QJsonObject hostParts(const QJsonObject& parts) {
  return {{"data", parts["data"]}, {"runtime", parts["runtime"].toInteger() + kCudaLibraries}};
}

// Calibrated on measured peaks (docs/measurements.md, "Memory"): 1.0 to 1.3 times what training takes.
QJsonObject memoryParts(const ModelGraph& graph, const TrainRecipe& recipe) {
  const qint64 count = graph.parameterCount(), weights = 4 * count;
  const qint64 image = qint64(4) * graph.channels * graph.size * graph.size;
  // Bytes an element of an operation's output costs on average. Chains that run as one keep one output; bfloat16 reaches products,
  // convolutions and the norms behind them, not the sums and layer norms of a transformer.
  const bool transformer = graph.architecture.startsWith(u"vit");
  const double perElement = recipe.bf16 ? (transformer ? 2.5 : 2.0) : (transformer ? 3.8 : 4.4);
  QJsonObject parts{{"weights", weights},
                    {"gradients", (recipe.bf16 ? weights / 2 : weights) * recipe.replicas},
                    {"optimizer", recipe.adamw ? 2 * weights : weights},
                    {"average", recipe.emaDecay > 0 ? weights : 0},
                    {"activations", qint64(double(graph.activationElements()) * recipe.microBatch * recipe.replicas * perElement)},
                    {"data", qint64(5) * recipe.batchSize * image + 32 * image},
                    {"runtime", qint64(260) << 20}};
  if (recipe.bf16) parts["copies"] = weights / 2;
  return parts;
}

qint64 sumOf(const QJsonObject& parts) {
  qint64 sum = 0;
  for (const QJsonValue& v : parts) sum += v.toInteger();
  return sum;
}

QJsonObject planClassifier(const QJsonObject& request) {
  const QJsonObject parameters = request["parameters"].toObject();
  const int processes = std::max(1, request["processes"].toInt(1));
  const ComputeDevice device = chooseDevice(parameters["device"].toString("auto"));
  const TrainRecipe recipe = orThrow(makeRecipe(parameters, {.baseWeights = !request["baseWeights"].toString().isEmpty(),
                                                             .classes = request["classes"].toInt(2),
                                                             .trainSamples = request["trainSamples"].toInteger(),
                                                             .worldSize = processes,
                                                             .processors = processorCount(),
                                                             .fastBf16 = device.isGpu() ? device.hasBf16() : processorHasFastBf16(),
                                                             .gpu = device.isGpu()}));
  const ModelGraph graph = orThrow(buildGraph(recipe.architecture, {{"dropout", recipe.dropout}}, request["channels"].toInt(1),
                                              request["size"].toInt(224), request["classes"].toInt(2)));
  const QJsonObject whole = memoryParts(graph, recipe), parts = device.isGpu() ? hostParts(whole) : whole;
  const qint64 needed = sumOf(parts) * processes;
  QJsonObject card;
  if (device.isGpu())
    card = {{"name", QString::fromStdString(device.card.name)},
            {"memoryNeeded", sumOf(cardParts(whole))},
            {"memoryFree", qint64(device.cuda->freeMemory(device.index))}};
  const double samples = double(request["trainSamples"].toInteger()) * recipe.epochs;
  double seconds = -1;
  if (needed < memoryAvailable() && card["memoryNeeded"].toInteger() <= card["memoryFree"].toInteger() && samples > 0) {
    const double perSample = measureStep(graph, recipe, device) / (recipe.microBatch * recipe.replicas);
    // A validation pass costs about a third of a training pass over as many samples.
    seconds = samples * perSample / processes + double(request["validationSamples"].toInteger()) * recipe.epochs * perSample / 3;
  }
  const qint64 checkpoint = 4 * graph.parameterCount() + whole["optimizer"].toInteger() + whole["average"].toInteger();
  QJsonObject report{{"memoryNeeded", needed},
                     {"diskNeeded", 3 * checkpoint + 4 * graph.parameterCount() + (16 << 20)},
                     {"parts", parts},
                     {"parameters", qint64(graph.parameterCount())},
                     {"secondsEstimated", seconds},
                     {"precision", recipe.bf16 ? "bf16" : "fp32"},
                     {"device", device.name()}};
  if (device.isGpu()) report["card"] = card;
  return report;
}

}  // namespace cloister
