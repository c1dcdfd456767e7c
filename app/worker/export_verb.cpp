// export --run DIR: the best weights as ONNX candidates, each checked against the trained model. Writes DIR/export: models, test vectors,
// preprocessing.json and, last, export.json (docs/formats.md).
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>
#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QPluginLoader>

#include "app/worker/language_export_job.h"
#include "app/worker/language_run.h"
#include "app/worker/verbs.h"
#include "core/domain/files.h"
#include "core/domain/version.h"
#include "core/engine/data/prepared_data.h"
#include "core/engine/engine_failure.h"
#include "core/engine/models/model.h"
#include "core/extension/plugin_catalogue.h"
#include "core/metrics/predictions.h"
#include "core/onnx/target_plugin.h"

namespace cloister {
namespace {

constexpr int kVectors = 16, kComparedTestImages = 64;

std::atomic<bool> stopAsked{false};

void onSignal(int) { stopAsked = true; }

std::vector<float> trainedLogits(ClassifierModel& model, const onnx::Samples& images) {
  const at::NoGradGuard off;
  std::vector<float> out;
  for (int first = 0; first < images.count(); first += 16) {
    std::vector<float> batch = images.batch(first, 16);
    const TensorView view = images.view(batch);
    const at::Tensor logits = model.forward(at::from_blob(batch.data(), view.shape, at::kFloat)).contiguous();
    out.insert(out.end(), logits.const_data_ptr<float>(), logits.const_data_ptr<float>() + logits.numel());
  }
  return out;
}

onnx::Samples samplesOf(const std::shared_ptr<PreparedData>& data, const QString& split) {
  onnx::Samples samples(data, data->channels(), data->size(), data->size());
  for (const std::int64_t i : data->split(split)) samples.add(data->pixels(i), data->label(i));
  return samples;
}

// Patients of the test split, as the snapshot's sample list names them; empty when there is no such list.
std::vector<int> groupsOf(const PreparedData& data, const QString& split) {
  QFile file(data.dir() + QStringLiteral("/../../samples.jsonl"));
  if (!file.open(QIODevice::ReadOnly)) return {};
  std::vector<QString> all;
  while (!file.atEnd()) {
    const QString group = QJsonDocument::fromJson(file.readLine()).object()["group"].toString();
    // A sample without a group is one of its own.
    all.push_back(group.isEmpty() ? QStringLiteral("\n%1").arg(all.size()) : group);
  }
  if (std::int64_t(all.size()) != data.count()) return {};
  std::vector<QString> names;
  for (const std::int64_t i : data.split(split)) names.push_back(all[std::size_t(i)]);
  return denseIds(names);
}

TargetPlugin& loadTarget(const QString& id) {
  const PluginInfo info = orThrow(PluginCatalogue::scan().find("target", id));
  QPluginLoader loader(info.file);
  auto* plugin = qobject_cast<TargetPlugin*>(loader.instance());
  if (!plugin) throw EngineFailure({FailureKind::PolicyRefused, {{"rule", "target plugin " + id}}, loader.errorString()});
  return *plugin;
}

class ExportJob {
 public:
  ExportJob(QString runDir, EventWriter& events)
      : runDir_(std::move(runDir)), folder_(runDir_ + QStringLiteral("/export")), events_(events), started_(Clock::now()) {}

  WorkerExit run() {
    const QString request = folder_ + QStringLiteral("/request.json");
    const QJsonObject asked = QFile::exists(request) ? orThrow(readJson(request)) : QJsonObject();
    TargetPlugin& target = loadTarget(asked["target"].toString("onnx"));
    clear();
    event("started",
          {{"pid", QCoreApplication::applicationPid()}, {"version", programVersion()}, {"commit", codeCommit()}, {"device", "cpu"}});
    phase("loading");
    load();
    onnx::ExportReport report;
    report.phase = [this](const QString& name) { phase(name); };
    report.progress = [this](qint64 done, qint64 total) { return progress(done, total); };
    report.warning = [this](const QString& kind, const QString& message) { event("warning", {{"kind", kind}, {"message", message}}); };
    auto made = target.write(input_, asked, folder_, report);
    if (!made && made.error().kind == FailureKind::Stopped) {
      event("stopped", {{"step", 0}}, true);
      return WorkerExit::StoppedAsAsked;
    }
    QJsonObject description = orThrow(std::move(made));
    writePreprocessing();
    copyTo(asked["toDir"].toString(), description);
    orThrow(writeJsonAtomically(folder_ + QStringLiteral("/export.json"), description));
    event("finished", {{"step", 0}, {"seconds", seconds()}, {"recommended", description["recommended"]}}, true);
    return WorkerExit::Finished;
  }

 private:
  using Clock = std::chrono::steady_clock;
  double seconds() const { return std::chrono::duration<double>(Clock::now() - started_).count(); }
  void event(const QString& type, const QJsonObject& body, bool sync = false) { orThrow(events_.append(type, body, sync)); }
  void phase(const QString& name) { event("phase", {{"name", name}}); }

  // A folder without export.json is not an export: the marker goes first, then what it spoke of.
  void clear() {
    for (const char* name : {"export.json", "preprocessing.json", "test_vectors.safetensors", "fp32.onnx", "fp16.onnx", "int8-dynamic.onnx",
                             "int8-static.onnx", "fp32.onnx.data"}) {
      const QString path = folder_ + '/' + QLatin1String(name);
      if (QFile::exists(path) && !QFile::remove(path)) throw EngineFailure({FailureKind::ReadOnly, {{"path", path}}, {}});
    }
  }

  void load() {
    spec_ = orThrow(RunSpec::fromJson(orThrow(readJson(runDir_ + QStringLiteral("/spec.json")))));
    input_.weightsPath = runDir_ + QStringLiteral("/best/model.safetensors");
    if (!QFile::exists(input_.weightsPath))
      throw EngineFailure({FailureKind::NothingToDo, {{"what", "trained model"}, {"next", "Let the run reach its first validation."}}, {}});
    model_ = loadBest(runDir_);
    weights_ = orThrow(SafetensorsFile::open(input_.weightsPath));
    data_ = orThrow(PreparedData::open(RunSpec::resolved(runDir_, spec_.prepared), spec_.preparedDigest));
    input_.graph = model_->graph();
    if (input_.graph.channels != data_->channels() || input_.graph.size != data_->size() || input_.graph.classes != data_->classes().size())
      throw EngineFailure({FailureKind::IdentityChanged, {{"what", "data"}}, "weights and prepared samples differ in size or classes"});
    if (input_.graph.classNames.isEmpty()) input_.graph.classNames = data_->classes();
    input_.weights = weights_->tensors();
    input_.info = {spec_.run, spec_.snapshot, orThrow(sha256OfFile(input_.weightsPath))};
    input_.train = samplesOf(data_, "train");
    input_.validation = samplesOf(data_, "validation");
    input_.test = samplesOf(data_, "test");
    if (input_.train.isEmpty() || input_.test.isEmpty())
      throw EngineFailure(
          {FailureKind::NothingToDo, {{"what", "training or test sample"}, {"next", "Freeze a snapshot with all three splits."}}, {}});
    input_.testGroups = groupsOf(*data_, "test");
    references();
  }

  void references() {
    const int channels = data_->channels(), size = data_->size();
    auto pixels = std::make_shared<std::vector<float>>(onnx::syntheticImages(kVectors, channels, size, data_->mean(), data_->std()));
    onnx::Samples vectors(pixels, channels, size, size);
    for (int i = 0; i < kVectors; ++i) vectors.add(pixels->data() + std::size_t(i) * vectors.imageElements());
    input_.vectors = {vectors, trainedLogits(*model_, vectors)};
    const onnx::Samples real = input_.test.spread(kComparedTestImages);
    input_.testImages = {real, trainedLogits(*model_, real)};
  }

  bool progress(qint64 done, qint64 total) {
    // Ten lines a second are enough for any reader.
    const double now = seconds();
    if (now - lastProgress_ >= 0.1 || done == total) {
      lastProgress_ = now;
      const double left = done > 0 ? now * double(total - done) / double(done) : -1;
      event("progress", {{"done", done}, {"total", total}, {"secondsLeft", left}});
    }
    return !stopAsked;
  }

  // What a program must do before and after the graph, in words and numbers; the graph itself does the rest.
  void writePreprocessing() {
    const QJsonObject prepared = orThrow(readJson(data_->dir() + QStringLiteral("/prepared.json")));
    QJsonArray mean, deviation;
    for (const double v : input_.graph.mean) mean.append(v);
    for (const double v : input_.graph.std) deviation.append(v);
    const QJsonArray steps{
        "stored pixel values to modality values (Modality LUT or Rescale Slope and Intercept)",
        "modality values to 0..1: the sample's VOI window or VOI LUT; without one, the percentiles 0.5 and 99.5 of the image become 0 and "
        "1",
        "MONOCHROME1 is inverted",
        "fit into a square of the input size, black borders (letterbox): area averaging when shrinking, bilinear when growing",
        "round(255 x) to 8 bits, then divide by 255"};
    const QJsonObject after{{"logits", "raw scores, one a class"},
                            {"probabilities", "softmax of the logits"},
                            {"decision", "class of the largest probability; labels in the order of classes"}};
    orThrow(
        writeJsonAtomically(folder_ + QStringLiteral("/preprocessing.json"),
                            {{"format", 1},
                             {"steps", steps},
                             {"parameters", prepared["preprocessing"].toObject()},
                             {"input", QJsonObject{{"name", "image"},
                                                   {"shape", QJsonArray{"N", input_.graph.channels, input_.graph.size, input_.graph.size}},
                                                   {"dtype", "float32"},
                                                   {"layout", "NCHW"},
                                                   {"range", "0..1"}}},
                             {"insideGraph", QJsonObject{{"subtract", mean}, {"divide", deviation}}},
                             {"classes", QJsonArray::fromStringList(input_.graph.classNames)},
                             {"postprocessing", after}}));
  }

  // Models, vectors and preprocessing once more where the user wants them.
  void copyTo(const QString& to, const QJsonObject& description) {
    if (to.isEmpty()) return;
    phase("copying");
    if (!QDir().mkpath(to)) throw EngineFailure({FailureKind::PermissionDenied, {{"path", to}}, {}});
    QStringList files{"preprocessing.json", "test_vectors.safetensors"};
    for (const QJsonValue& c : description["candidates"].toArray()) {
      files << c["file"].toString();
      if (const QString data = c["file"].toString() + QStringLiteral(".data"); QFile::exists(folder_ + '/' + data)) files << data;
    }
    for (const QString& name : std::as_const(files))
      orThrow(writeFileAtomically(to + '/' + name, orThrow(readFile(folder_ + '/' + name, (qint64(1) << 31) - 1))));
    orThrow(writeJsonAtomically(to + QStringLiteral("/export.json"), description));
  }

  QString runDir_, folder_;
  EventWriter& events_;
  Clock::time_point started_;
  double lastProgress_ = -1;
  RunSpec spec_;
  std::shared_ptr<ClassifierModel> model_;
  std::shared_ptr<SafetensorsFile> weights_;
  std::shared_ptr<PreparedData> data_;
  onnx::ExportInput input_;
};

}  // namespace

int exportVerb(const QStringList& arguments) {
  const QString runDir = QDir(option(arguments, "run")).absolutePath();
  if (!QDir().mkpath(runDir + "/export")) throw EngineFailure({FailureKind::PermissionDenied, {{"path", runDir + "/export"}}, {}});
  std::signal(SIGTERM, onSignal);
  std::signal(SIGINT, onSignal);
  return runJob(runDir + "/export/events.jsonl", [&](EventWriter& events) {
    if (isLanguageRun(orThrow(RunSpec::fromJson(orThrow(readJson(runDir + "/spec.json"))))))
      return exportLanguageRun(runDir, events, [] { return stopAsked.load(); });
    return ExportJob(runDir, events).run();
  });
}

}  // namespace cloister
