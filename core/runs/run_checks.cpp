#include "core/runs/run_checks.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QProcess>
#include <QTemporaryDir>

#include "core/curation/snapshot_files.h"
#include "core/curation/text_dataset.h"
#include "core/domain/files.h"
#include "core/domain/task.h"
#include "core/runs/base_models.h"
#include "core/runs/hardware.h"
#include "core/runs/worker_launch.h"
#include "core/store/project.h"
#include "core/tensors/model_folder.h"
#include "core/tensors/safetensors.h"

namespace cloister {
namespace {

constexpr int kPlanTimeoutMs = 60'000;

Failure changed(const QString& what, const QString& expected, const QString& found) {
  return {FailureKind::IdentityChanged, {{"what", what}, {"expected", expected}, {"found", found}}, {}};
}

/// A family may let its user choose the image's size and channels; null or 0 means as frozen in the snapshot.
Preprocessing preprocessingOf(const Snapshot& snapshot, QJsonObject& parameters) {
  Preprocessing p = Preprocessing::fromJson(snapshot.json["preprocessing"].toObject());
  const auto take = [&parameters](const char* key, int& value) {
    const QLatin1String name(key);
    if (!parameters.contains(name)) return;
    if (const int given = parameters[name].toVariant().toInt(); given > 0) value = given;
    parameters[name] = value;
  };
  take("image_size", p.size);
  take("channels", p.channels);
  return p;
}

Result<QJsonObject> runPlan(const QJsonObject& request) {
  QTemporaryDir folder;
  if (!folder.isValid()) return Failure{FailureKind::IoError, {{"path", QDir::tempPath()}}, folder.errorString()};
  const QString file = folder.filePath("request.json");
  if (auto written = writeJsonAtomically(file, request); !written) return written.error();
  QProcess process;
  process.start(workerProgram(), {"plan", "--request", file}, QIODevice::ReadOnly);
  if (!process.waitForStarted()) return Failure{FailureKind::NotFound, {{"path", workerProgram()}}, process.errorString()};
  if (!process.waitForFinished(kPlanTimeoutMs)) {
    process.kill();
    process.waitForFinished();
    return Failure{FailureKind::Timeout, {{"path", "cloister-worker plan"}, {"seconds", kPlanTimeoutMs / 1000}}, {}};
  }
  if (process.exitStatus() == QProcess::CrashExit)
    return Failure{FailureKind::Crashed, {{"program", "cloister-worker plan"}, {"signal", process.exitCode()}}, {}};
  const QJsonObject answer = QJsonDocument::fromJson(process.readAllStandardOutput().trimmed()).object();
  if (answer.contains("failure")) return Failure::fromJson(answer["failure"].toObject());
  if (process.exitCode() != 0 || answer.isEmpty())
    return Failure{FailureKind::WorkerFailed,
                   {{"program", "cloister-worker plan"}, {"code", process.exitCode()}},
                   QString::fromLocal8Bit(process.readAllStandardError().right(800)).trimmed()};
  return answer;
}

// A weights file, or the folder of a language model.
Result<QString> baseDigest(const QString& path) { return QFileInfo(path).isDir() ? modelFolderDigest(path) : sha256OfFile(path); }

bool fitsCard(const FitReport& fit) { return fit.card["memoryNeeded"].toInteger() <= fit.card["memoryFree"].toInteger(); }

QString fitAdvice(const FitReport& fit, bool language) {
  if (language && (!fitsCard(fit) || fit.memoryNeeded > fit.memoryFree))
    return QCoreApplication::translate(
        "RunChecks", "Not enough memory: choose a smaller micro-batch or model, shorter sequences, or LoRA instead of all weights.");
  if (!fitsCard(fit))
    return QCoreApplication::translate(
        "RunChecks", "Not enough memory on the graphics card: choose a smaller micro-batch, image size or model, or the processor.");
  if (fit.memoryNeeded > fit.memoryFree)
    return QCoreApplication::translate("RunChecks", "Not enough memory: choose a smaller micro-batch, image size or model.");
  if (fit.diskNeeded > fit.diskFree)
    return QCoreApplication::translate("RunChecks", "Not enough disk space: free some, keep fewer checkpoints, or move the project.");
  return {};
}

/// A family for another task cannot train on this project's data.
Result<PluginInfo> familyFor(const Project& project, const PluginCatalogue& catalogue, const QString& asked) {
  QStringList fitting;
  for (const PluginInfo& p : catalogue.all(QStringLiteral("family"))) {
    const QString task = p.json["task"].toString();
    if (!task.isEmpty() && task != project.info().task) continue;
    if (asked.isEmpty() || asked == p.id) return p;
    fitting << p.id;
  }
  auto known = catalogue.find(QStringLiteral("family"), asked);
  if (!known) return known.error();
  return Failure{FailureKind::InvalidArgument, {{"name", "family"}, {"value", asked}, {"allowed", fitting.join(", ")}}, {}};
}

/// The base model, and the tokenizer: named, that of the base, or the only one there is.
Result<CheckedRequest> checkLanguage(const Project& project, const TrainRequest& request, CheckedRequest checked) {
  if (!request.baseWeights.isEmpty()) {
    auto base = baseModel(project.dir(), request.baseWeights);
    if (!base) return base.error();
    auto digest = modelFolderDigest(base->dir);
    if (!digest) return digest.error();
    checked.baseWeights = base->dir;
    checked.baseWeightsSha256 = *digest;
    if (request.tokenizer.isEmpty() && base->hasTokenizer) checked.tokenizer = base->dir;
  }
  if (!request.tokenizer.isEmpty()) {
    auto given = baseModel(project.dir(), request.tokenizer);
    if (!given) return given.error();
    if (!given->hasTokenizer) return Failure{FailureKind::NotFound, {{"path", given->dir + "/tokenizer.json"}}, {}};
    checked.tokenizer = given->dir;
  }
  if (!checked.tokenizer.isEmpty()) return checked;
  QStringList names;
  for (const BaseModel& m : baseModels(project.dir()))
    if (m.hasTokenizer) names << m.name, checked.tokenizer = m.dir;
  if (names.isEmpty())
    return Failure{FailureKind::NothingToDo, {{"what", "tokenizer"}, {"next", "Bring one with a model, or train one on the texts."}}, {}};
  if (names.size() > 1)
    return Failure{FailureKind::InvalidArgument, {{"name", "tokenizer"}, {"value", ""}, {"allowed", names.join(", ")}}, {}};
  return checked;
}

Result<FitReport> reportOf(const Project& project, const Result<QJsonObject>& answer, bool language = false) {
  if (!answer) return answer.error();
  FitReport fit;
  fit.memoryNeeded = (*answer)["memoryNeeded"].toInteger();  // of all processes
  fit.memoryFree = memoryFree();
  fit.diskNeeded = (*answer)["diskNeeded"].toInteger();
  fit.diskFree = bytesFree(project.dir());
  fit.parts = (*answer)["parts"].toObject();
  fit.card = (*answer)["card"].toObject();
  fit.secondsEstimated = (*answer)["secondsEstimated"].toDouble(-1);
  fit.fits = fit.memoryNeeded <= fit.memoryFree && fit.diskNeeded <= fit.diskFree && fitsCard(fit);
  fit.advice = fitAdvice(fit, language);
  return fit;
}

/// Texts that are not cut yet are taken at this many bytes a token; the vocabulary of a new model is that of its tokenizer.
constexpr double kBytesPerToken = 3.6;

Result<FitReport> planLanguage(const Project& project, const TrainRequest& request, const CheckedRequest& checked) {
  QJsonObject parameters = checked.parameters;
  if (parameters["vocabulary"].toInteger() == 0)
    parameters["vocabulary"] = baseModel(project.dir(), checked.tokenizer)->about["tokenizer"].toObject()["vocabularySize"].toInteger();
  const double bytes = checked.snapshot.json["bytes"].toObject()["train"].toDouble();
  return reportOf(project,
                  runPlan({{"format", 1},
                           {"family", checked.family},
                           {"parameters", parameters},
                           {"baseWeights", checked.baseWeights},
                           {"trainTokens", qint64(bytes / kBytesPerToken)},
                           {"processes", request.processes}}),
                  true);
}

}  // namespace

Result<CheckedRequest> checkRequest(const Project& project, const PluginCatalogue& catalogue, const TrainRequest& request) {
  CheckedRequest checked;
  auto plugin = familyFor(project, catalogue, request.family);
  if (!plugin) return plugin.error();
  checked.family = plugin->id;
  auto parameters = plugin->schema.complete(request.parameters);
  if (!parameters) return parameters.error();
  checked.parameters = *parameters;
  if (request.processes < 1 || request.processes > 65'536)
    return Failure{FailureKind::InvalidArgument, {{"name", "processes"}, {"value", request.processes}, {"allowed", "1 … 65536"}}, {}};
  auto snapshot = openSnapshot(project, request.snapshot);
  if (!snapshot) return snapshot.error();
  checked.snapshot = *snapshot;
  if (isLanguageTask(project.info().task)) return checkLanguage(project, request, std::move(checked));
  checked.preprocessing = preprocessingOf(*snapshot, checked.parameters);
  if (request.baseWeights.isEmpty()) return checked;
  checked.baseWeights = QFileInfo(request.baseWeights).absoluteFilePath();
  if (!QFileInfo(checked.baseWeights).isDir())
    if (auto file = SafetensorsFile::open(checked.baseWeights); !file) return file.error();
  auto digest = baseDigest(checked.baseWeights);
  if (!digest) return digest.error();
  checked.baseWeightsSha256 = *digest;
  return checked;
}

Result<FitReport> planRequest(const Project& project, const TrainRequest& request, const CheckedRequest& checked) {
  if (checked.isLanguage()) return planLanguage(project, request, checked);
  const auto& counts = checked.snapshot.splitCounts;
  const qint64 pixels = qint64(checked.preprocessing.size) * checked.preprocessing.size * checked.preprocessing.channels;
  auto answer = runPlan({{"format", 1},
                         {"family", checked.family},
                         {"parameters", checked.parameters},
                         {"channels", checked.preprocessing.channels},
                         {"size", checked.preprocessing.size},
                         {"classes", checked.snapshot.classes.size()},
                         {"trainSamples", counts.value("train")},
                         {"validationSamples", counts.value("validation")},
                         {"preparedBytes", pixels * checked.snapshot.samples},
                         {"processes", request.processes}});
  return reportOf(project, answer);
}

Result<void> requireFit(const FitReport& fit, const QString& path) {
  if (!fitsCard(fit))
    return Failure{
        FailureKind::OutOfMemory, {{"needed", fit.card["memoryNeeded"]}, {"free", fit.card["memoryFree"]}}, fit.card["name"].toString()};
  if (fit.memoryNeeded > fit.memoryFree)
    return Failure{FailureKind::OutOfMemory, {{"needed", fit.memoryNeeded}, {"free", fit.memoryFree}}, {}};
  if (fit.diskNeeded > fit.diskFree)
    return Failure{FailureKind::DiskFull, {{"path", path}, {"needed", fit.diskNeeded}, {"free", fit.diskFree}}, {}};
  return {};
}

Result<void> checkPrepared(const QString& dir, const QString& expectedDigest) {
  auto marker = readJson(dir + "/prepared.json");
  if (!marker) return marker.error();
  const QString stated = (*marker)["digest"].toString();
  QJsonObject rest = *marker;
  rest.remove("digest");
  const QString found = sha256Hex(canonicalJson(rest));
  if (stated != expectedDigest || found != stated) return changed(QStringLiteral("prepared data"), expectedDigest, found);
  for (const QJsonValue& v : (*marker)["shards"].toArray()) {
    const QString file = dir + '/' + v.toObject()["file"].toString();
    if (auto shard = SafetensorsFile::open(file); !shard) return shard.error();  // length and header agree
  }
  return {};
}

namespace {

/// The frozen list is what its name says: text and samples were not edited since.
Result<void> checkSnapshot(const QString& dir, const QString& digest) {
  if (!QFileInfo::exists(dir + "/snapshot.json")) return {};  // its prepared data tells
  auto content = readSnapshotFolder(dir);
  if (!content) return changed(QStringLiteral("snapshot"), digest, content.error().detail);
  const QString found = content->json["digest"].toString();
  return found == digest ? Result<void>() : changed(QStringLiteral("snapshot"), digest, found);
}

}  // namespace

Result<void> checkIdentity(const Project& project, const RunSpec& spec) {
  if (auto frozen = checkSnapshot(project.snapshotDir(spec.snapshot), spec.snapshot); !frozen) return frozen;
  const QString dir = project.dir() + '/' + spec.prepared;
  auto prepared = spec.tokenizer.isEmpty() ? checkPrepared(dir, spec.preparedDigest) : checkPreparedTexts(dir, spec.preparedDigest);
  if (!prepared) return prepared;
  if (spec.baseWeights.isEmpty()) return {};
  auto digest = baseDigest(RunSpec::resolved(project.runDir(spec.run), spec.baseWeights));
  if (!digest) return digest.error();
  if (*digest != spec.baseWeightsSha256) return changed(QStringLiteral("base weights"), spec.baseWeightsSha256, *digest);
  return {};
}

}  // namespace cloister
