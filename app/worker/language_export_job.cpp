// export --run DIR of a language model: adapters are added into the base, then each asked candidate gets a folder of its own in DIR/export,
// complete with tokenizer and template, and a row in export.json, which is written last.
#include "app/worker/language_export_job.h"

#include <span>

#include <QCoreApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QJsonArray>

#include "app/worker/folder_export.h"
#include "app/worker/language_export.h"
#include "app/worker/language_run.h"
#include "core/domain/files.h"
#include "core/domain/task.h"
#include "core/domain/version.h"
#include "core/engine/engine_failure.h"

namespace cloister {
namespace {

/// The word of the request, and the candidate's name: that of its folder.
struct Kind {
  const char *word, *name;
};
constexpr Kind kOnnx[] = {{"none", "fp32"}, {"fp16", "fp16"}, {"dynamic-int8", "int8-dynamic"}, {"int8", "int8"}, {"int4", "int4"}};
constexpr Kind kGguf[] = {{"fp16", "fp16"}, {"q8_0", "q8_0"}, {"q4_0", "q4_0"}};
constexpr Kind kFolder[] = {{"model", "model"}, {"adapter", "adapter"}};
constexpr std::int64_t kJudgedTexts = 200;

std::span<const Kind> kindsOf(const QString& target) {
  if (target == u"gguf") return kGguf;
  if (target == u"huggingface") return kFolder;
  return kOnnx;
}

Failure notAllowed(const char* name, const QString& value, const QStringList& allowed) {
  return {FailureKind::InvalidArgument, {{"name", QLatin1String(name)}, {"value", value}, {"allowed", allowed.join(", ")}}, {}};
}

class LanguageExportJob {
 public:
  LanguageExportJob(const QString& runDir, EventWriter& events, bool (*stopped)())
      : folder_(runDir + "/export"), runDir_(runDir), events_(events), stopped_(stopped) {
    timer_.start();
  }

  WorkerExit run() {
    readRequest();
    clear();
    event(
        "started",
        {{"pid", qint64(QCoreApplication::applicationPid())}, {"version", programVersion()}, {"commit", codeCommit()}, {"device", "cpu"}});
    phase("loading");
    run_.emplace(runDir_);
    part_ = run_->judgedPart();
    // Asked for all there is, a run of all weights has no adapter to give.
    if (all_ && !run_->adapted()) std::erase_if(kinds_, [](const Kind& k) { return QLatin1String(k.word) == QLatin1String("adapter"); });
    QJsonArray candidates;
    for (const Kind& kind : kinds_) candidates.append(candidate(kind));
    const QJsonObject description = describe(candidates);
    orThrow(writeJsonAtomically(folder_ + "/export.json", description));
    event("finished", {{"step", 0}, {"seconds", double(timer_.elapsed()) / 1000}, {"recommended", description["recommended"]}}, true);
    return WorkerExit::Finished;
  }

 private:
  void event(const QString& type, const QJsonObject& body, bool sync = false) { orThrow(events_.append(type, body, sync)); }
  void phase(const QString& name) {
    if (stopped_()) throw EngineFailure({FailureKind::Stopped, {}, {}});
    event("phase", {{"name", name}});
    phase_ = name;
    sincePhase_.start();
    sinceLine_.start();
  }
  void progress(const QString& name, qint64 done, qint64 total) {
    if (stopped_()) throw EngineFailure({FailureKind::Stopped, {}, {}});
    if (name != phase_) return phase(name);
    if (total == 0 || (done < total && sinceLine_.elapsed() < 200)) return;
    sinceLine_.restart();
    const double left = done > 0 ? double(sincePhase_.elapsed()) / 1000 * double(total - done) / double(done) : -1;
    event("progress", {{"name", name}, {"done", done}, {"total", total}, {"secondsLeft", left}});
  }

  void readRequest() {
    const QString path = folder_ + "/request.json";
    const QJsonObject asked = QFile::exists(path) ? orThrow(readJson(path)) : QJsonObject();
    target_ = asked["target"].toString("onnx");
    const QStringList targets{"onnx", "onnx-genai", "gguf", "huggingface"};
    if (!targets.contains(target_)) throw EngineFailure(notAllowed("target", target_, targets));
    const std::span<const Kind> known = kindsOf(target_);
    QStringList allowed;
    for (const Kind& k : known) allowed << k.word;
    QStringList words;
    for (const QJsonValue& v : asked["quantize"].isArray() ? asked["quantize"].toArray() : QJsonArray{asked["quantize"]})
      if (v.isString()) words << (target_ == u"gguf" && v.toString() == u"none" ? QStringLiteral("fp16") : v.toString());
    all_ = words.isEmpty();
    if (all_) words = allowed;
    for (const QString& word : std::as_const(words))
      if (!allowed.contains(word)) throw EngineFailure(notAllowed("quantize", word, allowed));
    for (const Kind& k : known)
      if (words.contains(QLatin1String(k.word))) kinds_.push_back(k);
    const QStringList blocks{"16", "32", "64", "128", "256"};
    block_ = asked["block"].toInt(32);
    if (!blocks.contains(QString::number(block_))) throw EngineFailure(notAllowed("block", QString::number(block_), blocks));
    const QStringList embeddings{"blocks", "float"};
    const QString embedding = asked["embedding"].toString("blocks");
    if (!embeddings.contains(embedding)) throw EngineFailure(notAllowed("embedding", embedding, embeddings));
    floatEmbedding_ = embedding == u"float";
    context_ = asked["context"].toInteger(0);
    if (context_ < 0) throw EngineFailure(notAllowed("context", QString::number(context_), {"0 …"}));
    if (asked.contains("limit") && !asked["limit"].isNull()) {
      const double limit = asked["limit"].toDouble(-1);
      if (!(limit >= 0 && limit <= 10)) throw EngineFailure(notAllowed("limit", asked["limit"].toVariant().toString(), {"0 … 10"}));
      limit_ = limit;
    }
  }

  // A folder without export.json is not an export: the marker goes first, then what it spoke of.
  void clear() {
    const QString marker = folder_ + "/export.json";
    if (QFile::exists(marker) && !QFile::remove(marker)) throw EngineFailure({FailureKind::ReadOnly, {{"path", marker}}, {}});
    for (const char* target : {"onnx", "gguf", "huggingface"})
      for (const Kind& k : kindsOf(QLatin1String(target))) {
        QDir old(folder_ + '/' + QLatin1String(k.name));
        if (old.exists() && !old.removeRecursively()) throw EngineFailure({FailureKind::ReadOnly, {{"path", old.path()}}, {}});
      }
  }

  QJsonObject exported(const QString& name, const QString& word) {
    const ExportProgress say = [this](const QString& n, qint64 done, qint64 total) { progress(n, done, total); };
    const QString to = folder_ + '/' + name;
    if (target_ == u"huggingface") return word == u"model" ? exportModelFolder(*run_, to, say) : exportAdapterFolder(*run_, to, say);
    LanguageExportRequest r;
    r.weights = [this] { return run_->weights(WeightsAs::Stored); };
    r.companions = run_->tokenizerDir();
    r.name = run_->spec().run;
    r.to = to;
    r.quantize = word;
    r.genai = target_ == u"onnx-genai";
    r.gguf = target_ == u"gguf";
    r.block = block_;
    r.floatEmbedding = floatEmbedding_;
    r.context = context_;
    r.limit = limit_.value_or(defaultRiseLimit(word));
    r.texts = [this](const DecoderConfig& config) {
      DecoderConfig shorter = config;
      if (context_ > 0) shorter.context = std::min<std::int64_t>(config.context, context_);
      return run_->texts(part_, shorter, kJudgedTexts);
    };
    r.rounds = 3;
    return exportLanguage(r, say);
  }

  QJsonObject candidate(const Kind& kind) {
    const QString name = QLatin1String(kind.name);
    event("candidate", {{"name", name}});
    const QJsonObject report = exported(name, QLatin1String(kind.word));
    QJsonObject row = report;
    row.remove("format");
    row["name"] = name;
    row["file"] = name + '/' + report["file"].toString();
    if (QJsonObject parity = report["parity"].toObject(); !parity.isEmpty()) {
      parity["passed"] = report["passed"].toBool();
      row["parity"] = parity;
    }
    return row;
  }

  /// The smallest that keeps its limit. Nothing of ours runs GGUF, so there none is better known than another.
  QJsonObject describe(const QJsonArray& candidates) const {
    QJsonObject best;
    for (const QJsonValue& v : candidates)
      if (v["passed"].toBool() && v["name"].toString() != u"adapter" &&
          (best.isEmpty() || v["bytes"].toDouble() < best.value("bytes").toDouble()))
        best = v.toObject();
    QString why = QStringLiteral("No candidate keeps the limit of its rise in perplexity.");
    if (target_ == u"huggingface") why = QStringLiteral("The whole model needs nothing beside it; an adapter needs its base.");
    else if (target_ == u"gguf") why = QStringLiteral("GGUF files are written, not run here: judge them where they are used.");
    else if (!best.isEmpty())
      why = QStringLiteral("The smallest that keeps its limit: %1 MB, perplexity %2 against %3.")
                .arg(best.value("bytes").toDouble() / 1e6, 0, 'f', 1)
                .arg(best.value("perplexity")["exported"].toDouble(), 0, 'g', 4)
                .arg(best.value("perplexity")["original"].toDouble(), 0, 'g', 4);
    return {{"format", 1},
            {"task", Task::of(Task::Kind::LanguageModel).id},
            {"run", run_->spec().run},
            {"snapshot", run_->spec().snapshot},
            {"weights", run_->weightsDigest()},
            {"merged", run_->adapted()},
            {"target", target_},
            {"part", part_},
            {"candidates", candidates},
            {"recommended", best.isEmpty() ? QJsonValue() : best.value("name")},
            {"why", why}};
  }

  const QString folder_, runDir_;
  EventWriter& events_;
  bool (*stopped_)();
  QElapsedTimer timer_, sincePhase_, sinceLine_;
  QString phase_, target_, part_;
  std::vector<Kind> kinds_;
  int block_ = 32;
  bool floatEmbedding_ = false, all_ = false;
  qint64 context_ = 0;
  std::optional<double> limit_;
  std::optional<LanguageRun> run_;
};

}  // namespace

WorkerExit exportLanguageRun(const QString& runDir, EventWriter& events, bool (*stopped)()) {
  try {
    return LanguageExportJob(runDir, events, stopped).run();
  } catch (const EngineFailure& e) {
    if (e.failure().kind != FailureKind::Stopped) throw;
    orThrow(events.append("stopped", {{"step", 0}}, true));
    return WorkerExit::StoppedAsAsked;
  }
}

}  // namespace cloister
