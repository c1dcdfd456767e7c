// export-graph and run: the ONNX writer and runtime without a run folder, for experts, for bundle checks and for the tests that compare
// with other implementations.
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>

#include "app/worker/verbs.h"
#include "core/domain/files.h"
#include "core/engine/engine_failure.h"
#include "core/onnx/accuracy_search.h"
#include "core/onnx/graph_builder.h"
#include "core/onnx/model_check.h"
#include "core/onnx/quantize.h"

namespace cloister {
namespace {

onnx::Samples samplesFrom(const QString& path) {
  auto file = orThrow(SafetensorsFile::open(path));
  const TensorView* images = file->find("images");
  const TensorView* labels = file->find("labels");
  if (!images || images->shape.size() != 4 || (images->dtype != DType::U8 && images->dtype != DType::F32))
    throw EngineFailure({FailureKind::CorruptFile, {{"path", path}}, "images must be U8 or F32 [n,C,H,W]"});
  if (labels && (labels->dtype != DType::I64 || labels->shape.size() != 1 || labels->shape[0] != images->shape[0]))
    throw EngineFailure({FailureKind::CorruptFile, {{"path", path}}, "labels must be I64, one an image"});
  return {file, *images, labels};
}

onnx::Model staticModel(const onnx::Model& floatModel, const QJsonObject& request, QStringList& kept) {
  const onnx::Samples samples = samplesFrom(request["samples"].toString());
  onnx::CalibrationOptions calibration;
  calibration.methods = {orThrow(onnx::calibrationFromName(request["calibration"].toString("percentile")))};
  calibration.samples = request["calibrationSamples"].toInt(calibration.samples);
  calibration.threads = request["threads"].toInt();
  const onnx::Statistics statistics =
      orThrow(onnx::calibrate(floatModel, onnx::valuesToCalibrate(floatModel), samples, calibration)).front();
  if (!request.contains("maximumAccuracyDrop"))
    return onnx::quantizeStatic(floatModel, statistics, {{}, request["biasCorrection"].toBool(true)});
  onnx::SearchOptions search;
  search.maximumDrop = request["maximumAccuracyDrop"].toDouble();
  search.threads = calibration.threads;
  const onnx::Samples check = request.contains("checkSamples") ? samplesFrom(request["checkSamples"].toString()) : samples;
  onnx::SearchResult found = orThrow(onnx::quantizeWithinLimit(floatModel, statistics, check, search));
  for (const std::string& name : found.floatLayers) kept << QString::fromStdString(name);
  return std::move(found.model);
}

}  // namespace

// request: {"weights":FILE,"recipe":{…} (default: the file's
// cloister.model),"to":FILE.onnx,"quantize":"none|fp16|dynamic-int8|static-int8",
//  "samples":FILE with images (U8 or F32) and labels,"calibration","calibrationSamples","maximumAccuracyDrop" with
//  "checkSamples","biasCorrection", "externalAbove":bytes}. Prints {"file","bytes","floatLayers":[…]}.
int exportGraphVerb(const QStringList& arguments) {
  const QJsonObject request = orThrow(readJson(option(arguments, "request")));
  const QString weights = request["weights"].toString(), to = request["to"].toString(), kind = request["quantize"].toString("none");
  const auto file = orThrow(SafetensorsFile::open(weights));
  const ModelGraph graph = orThrow(request["recipe"].isObject() ? ModelGraph::fromRecipe(request["recipe"].toObject())
                                                                : ModelGraph::fromMetadata(file->metadata(), weights));
  onnx::Model model = orThrow(onnx::buildModel(graph, file->tensors(), weights, {{}, {}, orThrow(sha256OfFile(weights))}));
  QStringList kept;
  if (kind == u"fp16") model = onnx::toHalfPrecision(model);
  else if (kind == u"dynamic-int8") model = onnx::quantizeDynamic(model);
  else if (kind == u"static-int8") model = staticModel(model, request, kept);
  else if (kind != u"none")
    throw EngineFailure(
        {FailureKind::InvalidArgument, {{"name", "quantize"}, {"value", kind}, {"allowed", "none, fp16, dynamic-int8, static-int8"}}, {}});
  onnx::WriteOptions write;
  write.externalAbove = request["externalAbove"].toInteger(write.externalAbove);
  orThrow(onnx::writeModel(model, to, write));
  const QJsonObject done{{"file", to}, {"bytes", QFileInfo(to).size()}, {"floatLayers", QJsonArray::fromStringList(kept)}};
  std::printf("%s\n", QJsonDocument(done).toJson(QJsonDocument::Compact).constData());
  return int(WorkerExit::Finished);
}

// The input file's tensors are given by name; the output file holds every output of the model. A file that is not one of ours is refused
// before the runtime sees it (core/onnx/model_check.h).
int runVerb(const QStringList& arguments) {
  const QString path = option(arguments, "model"), input = option(arguments, "input");
  orThrow(onnx::checkedModel(path));
  auto session = orThrow(onnx::Session::open(path, {option(arguments, "threads", false, "0").toInt(), true, {}}));
  const auto given = orThrow(SafetensorsFile::open(input));
  std::map<std::string, TensorView> tensors;
  for (const onnx::Port& port : session.inputs()) {
    const TensorView* t = given->find(port.name);
    // A test-vector file calls the one image input "input".
    if (!t && session.inputs().size() == 1) t = given->find("input");
    if (!t) throw EngineFailure({FailureKind::NotFound, {{"path", QString::fromStdString(port.name)}}, "the input file lacks this tensor"});
    tensors[port.name] = *t;
  }
  const std::vector<onnx::HostTensor> results = orThrow(session.run(tensors));
  std::map<std::string, TensorView> out;
  for (std::size_t i = 0; i < results.size(); ++i) out[session.outputs()[i].name] = results[i].view();
  orThrow(writeSafetensors(option(arguments, "to"), out));
  return int(WorkerExit::Finished);
}

}  // namespace cloister
