// evaluate --run DIR: the best weights on the snapshot's test split. Writes DIR/evaluation: predictions, pictures, report.html and, last,
// report.json (docs/formats.md).
#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <QCoreApplication>
#include <QDateTime>
#include <QDir>
#include <QFile>

#include "app/worker/evaluate_job.h"
#include "app/worker/language_run.h"
#include "app/worker/verbs.h"
#include "core/domain/files.h"
#include "core/domain/version.h"
#include "core/engine/engine_failure.h"
#include "core/engine/train/machine.h"
#include "core/metrics/curves.h"
#include "core/report/png.h"
#include "core/report/report_html.h"

namespace cloister {
namespace {

std::atomic<bool> stopAsked{false};

void onSignal(int) { stopAsked = true; }

Failure invalid(const QString& name, const QString& value, const QString& allowed) {
  return {FailureKind::InvalidArgument, {{"name", name}, {"value", value}, {"allowed", allowed}}, {}};
}

std::vector<double> radii(const QJsonObject& o, const QString& name, double most) {
  std::vector<double> out;
  for (const QJsonValue& v : o[name].toArray()) {
    const double e = v.toDouble(-1);
    if (!(e >= 0 && e <= most)) throw EngineFailure(invalid(name, v.toVariant().toString(), QStringLiteral("0 … %1").arg(most)));
    if (e > 0) out.push_back(e);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void readThreshold(const QJsonObject& o, EvaluateOptions& options) {
  const QJsonValue v = o["threshold"];
  if (v.isUndefined() || v.isNull()) return;
  options.youden = v.toString() == u"youden";
  if (options.youden) return;
  options.threshold = v.toDouble(-1);
  if (!(options.threshold > 0 && options.threshold < 1))
    throw EngineFailure(invalid("threshold", v.toVariant().toString(), "0 … 1, youden"));
}

/// The threshold is chosen on validation, never on the split it is then measured on.
double chosenThreshold(EvaluateJob& job, EvaluateProgress& progress) {
  if (job.set.data->classes().size() != 2 || !job.options.youden) return job.options.threshold;
  progress.phase("choosing-threshold");
  const EvaluationSet validation = openEvaluationSet(job.set.data, "validation");
  const at::Tensor logits = predictLogits(job.models, validation, job.options.batch, [&](std::size_t done) {
    progress.at(static_cast<qint64>(done), static_cast<qint64>(validation.count()));
  });
  const Predictions p = predictionsOf(logits, validation);
  std::vector<std::uint8_t> positive;
  for (const int label : p.labels) positive.push_back(label == 1);
  // Exactly 0 or 1 would leave no other side.
  return std::clamp(youdenThreshold(Ranking(p.column(1), positive), 0.5), 1e-6, 1 - 1e-6);
}

QJsonObject qualitySection(EvaluateJob& job, EvaluateProgress& progress) {
  progress.phase("predicting");
  const at::Tensor logits = predictLogits(job.models, job.set, job.options.batch, [&](std::size_t done) {
    progress.at(static_cast<qint64>(done), static_cast<qint64>(job.set.count()));
  });
  const Predictions predictions = predictionsOf(logits, job.set);
  writePredictions(job.folder + "/predictions.safetensors", job.options.split, logits, predictions, job.set);
  progress.phase("measuring");
  QualityOptions options;
  options.threshold = job.threshold;
  options.bootstrap.resamples = job.options.resamples;
  options.bootstrap.seed = job.options.seed;
  return orThrow(qualityReport(qualityInput(predictions, job.set), options, [&](int done, int total) { progress.at(done, total); }));
}

QJsonObject describeRun(const EvaluateJob& job, const RunSpec& spec) {
  return {{"format", 1},
          {"run", spec.run},
          {"snapshot", spec.snapshot},
          {"architecture", job.models[0]->graph().architecture},
          {"parameters", static_cast<qint64>(job.models[0]->graph().parameterCount())},
          {"imageSize", job.set.data->size()},
          {"channels", job.set.data->channels()},
          {"split", job.options.split},
          {"groupedBy", job.set.groupedBy()},
          {"thresholdSource", job.options.youden ? "youden" : "given"},
          {"createdAt", QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs)},
          {"commit", codeCommit()},
          {"version", programVersion()},
          {"hardware", hardwareLine()},
          {"threads", job.threads}};
}

/// One thread a batch instead of all threads on one operation: no barriers, whatever else runs on the machine.
void loadModels(EvaluateJob& job) {
  job.threads = processorCount();
  job.models.push_back(loadBest(job.runDir));
  while (static_cast<int>(job.models.size()) < job.threads) job.models.emplace_back(job.models[0]->sharingWeights());
  for (const auto& model : job.models) model->setTraining(false);
  at::set_num_threads(1);
}

WorkerExit evaluate(EvaluateJob& job, EventWriter& events) {
  EvaluateProgress progress(events);
  QElapsedTimer timer;
  timer.start();
  const RunSpec spec = orThrow(RunSpec::fromJson(orThrow(readJson(job.runDir + "/spec.json"))));
  const QString request = job.folder + "/request.json";
  job.options = evaluateOptions(QFile::exists(request) ? orThrow(readJson(request)) : QJsonObject());
  clearEvaluation(job.folder);
  progress.event("started", {{"pid", static_cast<qint64>(QCoreApplication::applicationPid())},
                             {"version", programVersion()},
                             {"commit", codeCommit()},
                             {"device", "cpu"},
                             {"threads", processorCount()}});
  progress.phase("loading");
  const QString prepared = RunSpec::resolved(job.runDir, spec.prepared);
  loadModels(job);
  job.set = openEvaluationSet(orThrow(PreparedData::open(prepared, spec.preparedDigest)), job.options.split);
  if (job.models[0]->graph().classes != job.set.data->classes().size() || job.models[0]->graph().channels != job.set.data->channels())
    throw EngineFailure({FailureKind::IdentityChanged,
                         {{"what", "data"}, {"expected", job.models[0]->graph().classes}, {"found", job.set.data->classes().size()}},
                         "classes or channels of the weights and of the prepared samples differ"});
  job.threshold = chosenThreshold(job, progress);

  QJsonObject report = describeRun(job, spec);
  const QJsonObject quality = qualitySection(job, progress);
  for (auto it = quality.begin(); it != quality.end(); ++it) report[it.key()] = it.value();
  progress.phase("drawing");
  report["worst"] = withPictures(quality["worst"].toArray(), "worst", job);
  report["best"] = withPictures(quality["best"].toArray(), "best", job);
  report["attacks"] = job.options.attacks ? attackSection(job, progress) : QJsonArray();
  report["latency"] = job.options.latency ? latencySection(job, progress) : QJsonArray();
  report["seconds"] = static_cast<double>(timer.elapsed()) / 1000;
  progress.phase("writing");
  orThrow(writeFileAtomically(job.folder + "/report.html", reportHtml(report, job.folder, job.options.language)));
  orThrow(writeJsonAtomically(job.folder + "/report.json", report));
  QJsonObject values;
  for (const QJsonValue& h : report["headline"].toArray()) values["test/" + h["name"].toString()] = h["value"];
  progress.event("evaluation", {{"step", 0}, {"values", values}});
  progress.event("finished", {{"step", 0}, {"seconds", report["seconds"]}}, true);
  return WorkerExit::Finished;
}

}  // namespace

int wholeOption(const QJsonObject& o, const QString& name, int fallback, int least, int most) {
  if (!o.contains(name)) return fallback;
  const double v = o[name].toDouble(std::nan(""));
  if (!(v >= least && v <= most) || v != std::floor(v))
    throw EngineFailure(invalid(name, o[name].toVariant().toString(), QStringLiteral("%1 … %2").arg(least).arg(most)));
  return static_cast<int>(v);
}

void clearEvaluation(const QString& folder) {
  if (!QDir().mkpath(folder)) throw EngineFailure({FailureKind::PermissionDenied, {{"path", folder}}, {}});
  for (const char* name : {"/report.json", "/report.html", "/predictions.safetensors"}) {
    const QString path = folder + QLatin1String(name);
    if (QFile::exists(path) && !QFile::remove(path)) throw EngineFailure({FailureKind::ReadOnly, {{"path", path}}, {}});
  }
  QDir(folder + "/images").removeRecursively();
  if (!QDir().mkpath(folder + "/images")) throw EngineFailure({FailureKind::PermissionDenied, {{"path", folder + "/images"}}, {}});
}

EvaluateOptions evaluateOptions(const QJsonObject& request) {
  EvaluateOptions o;
  o.split = request["split"].toString(o.split);
  if (o.split != u"test" && o.split != u"validation") throw EngineFailure(invalid("split", o.split, "test, validation"));
  o.attacks = request["attacks"].toBool(true);
  o.epsilons = radii(request, "epsilons", 1);
  o.epsilonsL2 = radii(request, "epsilonsL2", 1e4);
  if (!request.contains("epsilons"))
    for (const double grey : {0.5, 1.0, 2.0, 4.0, 8.0}) o.epsilons.push_back(grey / 255);
  o.steps = wholeOption(request, "steps", o.steps, 1, 1000);
  o.restarts = wholeOption(request, "restarts", o.restarts, 1, 100);
  const int samples = wholeOption(request, "samples", 0, 0, 1000000);
  if (samples > 0) o.samples = samples;
  o.attackSeconds = wholeOption(request, "attackSeconds", o.attackSeconds, 1, 1000000);
  o.resamples = wholeOption(request, "resamples", o.resamples, 0, 100000);
  readThreshold(request, o);
  o.latency = request["latency"].toBool(true);
  o.latencySeconds = wholeOption(request, "latencySeconds", o.latencySeconds, 1, 100000);
  o.batch = wholeOption(request, "batch", o.batch, 1, 4096);
  o.seed = static_cast<quint64>(request["seed"].toInteger(static_cast<qint64>(o.seed)));
  o.language = request["language"].toString(o.language);
  return o;
}

EvaluateProgress::EvaluateProgress(EventWriter& events) : events_(events) { sinceLine_.start(); }

void EvaluateProgress::throwIfStopped() {
  if (stopAsked) throw EngineFailure({FailureKind::Stopped, {}, {}});
}

void EvaluateProgress::event(const QString& type, const QJsonObject& body, bool sync) { orThrow(events_.append(type, body, sync)); }

void EvaluateProgress::phase(const QString& name) {
  throwIfStopped();
  phase_ = name;
  event("phase", {{"name", name}});
  sinceStart_.start();
  sinceLine_.restart();
}

void EvaluateProgress::at(qint64 done, qint64 total) {
  throwIfStopped();
  if (done < total && sinceLine_.elapsed() < 200) return;
  sinceLine_.restart();
  const double left =
      done > 0 ? static_cast<double>(sinceStart_.elapsed()) / 1000 * static_cast<double>(total - done) / static_cast<double>(done) : -1;
  event("progress", {{"name", phase_}, {"done", done}, {"total", total}, {"secondsLeft", std::round(left * 10) / 10}});
}

void EvaluateProgress::warn(const QString& kind, const QString& message) { event("warning", {{"kind", kind}, {"message", message}}); }

QString writePicture(const EvaluateJob& job, const QString& name, const at::Tensor& image) {
  // Drawn as the model saw it; a picture has one or three channels.
  const at::Tensor bytes = (image.clamp(0, 1) * 255).round().to(at::kByte).permute({1, 2, 0}).contiguous();
  const auto size = static_cast<std::size_t>(bytes.numel());
  const QByteArray png = encodePng({bytes.const_data_ptr<std::uint8_t>(), size}, static_cast<int>(bytes.size(1)),
                                   static_cast<int>(bytes.size(0)), static_cast<int>(bytes.size(2)));
  const QString path = "images/" + name + ".png";
  orThrow(writeFileAtomically(job.folder + '/' + path, png));
  return path;
}

QJsonArray withPictures(const QJsonArray& samples, const QString& prefix, const EvaluateJob& job) {
  QJsonArray out;
  for (const QJsonValue& v : samples) {
    QJsonObject o = v.toObject();
    const auto row = static_cast<std::size_t>(o.take("row").toInteger());
    const SampleFacts& facts = job.set.facts[row];
    o["sha256"] = facts.sha256;
    o["site"] = facts.site;
    o["image"] = writePicture(job, QStringLiteral("%1-%2").arg(prefix).arg(out.size() + 1, 2, 10, QChar('0')), job.set.images({row})[0]);
    out.append(o);
  }
  return out;
}

QString hardwareLine() {
  QString processor = QStringLiteral("CPU");
  QFile info(QStringLiteral("/proc/cpuinfo"));
  if (info.open(QIODevice::ReadOnly))
    for (const QByteArray& line : info.readAll().split('\n'))
      if (line.startsWith("model name")) {
        processor = QString::fromUtf8(line.mid(line.indexOf(':') + 1)).trimmed();
        break;
      }
  return QStringLiteral("%1, %2 processors").arg(processor).arg(processorCount());
}

int evaluateVerb(const QStringList& arguments) {
  EvaluateJob job;
  job.runDir = QDir(option(arguments, "run")).absolutePath();
  job.folder = job.runDir + "/evaluation";
  if (!QFile::exists(job.runDir + "/spec.json")) throw EngineFailure({FailureKind::NotFound, {{"path", job.runDir + "/spec.json"}}, {}});
  QDir().mkpath(job.folder);
  std::signal(SIGTERM, onSignal);
  std::signal(SIGINT, onSignal);
  return runJob(job.folder + "/events.jsonl", [&](EventWriter& events) {
    try {
      return isLanguageRun(orThrow(RunSpec::fromJson(orThrow(readJson(job.runDir + "/spec.json"))))) ? evaluateLanguage(job.runDir, events)
                                                                                                     : evaluate(job, events);
    } catch (const EngineFailure& e) {
      if (e.failure().kind != FailureKind::Stopped) throw;
      orThrow(events.append("stopped", {{"step", 0}}, true));
      return WorkerExit::StoppedAsAsked;
    }
  });
}

}  // namespace cloister
