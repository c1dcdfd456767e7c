// model-export: a language model's folder as ONNX or GGUF, compared with the model it came from before it is handed out.
#include <algorithm>

#include <QFileInfo>

#include "app/worker/judged_texts.h"
#include "app/worker/language_export.h"
#include "app/worker/language_run.h"
#include "app/worker/verbs.h"
#include "core/engine/engine_failure.h"

namespace cloister {
namespace {

constexpr std::int64_t kJudgedTexts = 200;

LanguageExportRequest readRequest(const QStringList& arguments) {
  const auto one = [&](const char* name, const QStringList& allowed) {
    const QString given = option(arguments, QLatin1String(name), false, allowed.first());
    if (allowed.contains(given)) return given;
    throw EngineFailure(
        {FailureKind::InvalidArgument, {{"name", QString("--") + name}, {"value", given}, {"allowed", allowed.join(", ")}}, {}});
  };
  LanguageExportRequest r;
  const QString from = option(arguments, "model");
  std::shared_ptr<LanguageRun> run;
  if (const QString dir = runFolderAt(from); !dir.isEmpty()) run = std::make_shared<LanguageRun>(dir);
  r.weights = [from, run] { return run ? run->weights(WeightsAs::Stored) : readDecoderFolder(from, WeightsAs::Stored); };
  r.companions = run ? run->tokenizerDir() : from;
  r.name = QFileInfo(from).fileName();
  r.to = option(arguments, "to");
  const QString variant = one("variant", {"standard", "genai", "gguf"});
  r.genai = variant == u"genai";
  r.gguf = variant == u"gguf";
  r.quantize =
      r.gguf ? one("quantize", {"none", "fp16", "q8_0", "q4_0"}) : one("quantize", {"none", "fp16", "dynamic-int8", "int8", "int4"});
  r.block = one("block", {"32", "16", "64", "128", "256"}).toInt();
  r.floatEmbedding = one("embedding", {"blocks", "float"}) == u"float";
  r.context = option(arguments, "context", false, "0").toLongLong();
  if (const QString texts = option(arguments, "texts", false, {}); !texts.isEmpty())
    r.texts = [texts, folder = r.companions](const DecoderConfig& config) { return readJudgedTexts(texts, folder, config); };
  else if (run)
    r.texts = [run, context = r.context](DecoderConfig config) {
      if (context > 0) config.context = std::min<std::int64_t>(config.context, context);
      return run->texts(run->judgedPart(), config, kJudgedTexts);
    };
  const QString limit = option(arguments, "limit", false, {});
  r.limit = limit.isEmpty() ? defaultRiseLimit(r.quantize) : limit.toDouble();
  return r;
}

}  // namespace

int modelExportVerb(const QStringList& arguments) {
  return runSpoken([&](const Say& say) {
    QJsonObject report = exportLanguage(readRequest(arguments), [&](const QString& phase, qint64 done, qint64 total) {
      if (total == 0) say({{"type", "phase"}, {"phase", phase}});
      else say({{"type", "progress"}, {"phase", phase}, {"done", done}, {"total", total}});
    });
    report["type"] = "finished";
    say(report);
  });
}

}  // namespace cloister
