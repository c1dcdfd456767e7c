// export: the trained model as ONNX in the asked precisions, with parity, accuracy, size and latency of each.
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QLocale>
#include <QUuid>

#include "app/cli/run_session.h"
#include "app/cli/verb.h"
#include "core/domain/files.h"
#include "core/domain/task.h"

namespace cloister::cli {
namespace {

const QStringList kQuantize{"none", "fp16", "dynamic-int8", "static-int8"};
const QStringList kLanguageTargets{"onnx", "onnx-genai", "gguf", "huggingface"};
const QStringList kLanguageQuantize{"none", "fp16", "dynamic-int8", "int8", "int4"};
const QStringList kGgufQuantize{"fp16", "q8_0", "q4_0"};
const QStringList kFolderKinds{"model", "adapter"};
const QStringList kBlocks{"16", "32", "64", "128", "256"};
const QStringList kEmbeddings{"blocks", "float"};
const QStringList kCalibrations{"minmax", "entropy", "percentile"};

Failure notAllowed(const QString& option, const QString& value, const QStringList& allowed) {
  return {FailureKind::InvalidArgument, {{"name", option}, {"value", value}, {"allowed", allowed.join(", ")}}, {}};
}

Result<QStringList> quantizeFrom(const Context& context, const QStringList& allowed) {
  QStringList quantize;
  for (const QString& given : context.values("quantize"))
    for (const QString& word : given.split(',', Qt::SkipEmptyParts)) {
      if (!allowed.contains(word)) return notAllowed("--quantize", word, allowed);
      if (!quantize.contains(word)) quantize << word;
    }
  return quantize;
}

Result<QJsonObject> languageOptions(const Context& context) {
  const QString target = context.value("target"), block = context.value("block");
  if (!kLanguageTargets.contains(target)) return notAllowed("--target", target, kLanguageTargets);
  const bool folder = target == u"huggingface";
  auto quantize = quantizeFrom(context, folder ? kFolderKinds : target == u"gguf" ? kGgufQuantize : kLanguageQuantize);
  if (!quantize) return quantize.error();
  QJsonObject options{{"target", target}, {"quantize", QJsonArray::fromStringList(*quantize)}};
  if (!block.isEmpty() && !kBlocks.contains(block)) return notAllowed("--block", block, kBlocks);
  if (!block.isEmpty()) options["block"] = block.toInt();
  if (const QString embedding = context.value("embedding"); !embedding.isEmpty()) {
    if (!kEmbeddings.contains(embedding)) return notAllowed("--embedding", embedding, kEmbeddings);
    options["embedding"] = embedding;
  }
  if (const QString limit = context.value("limit"); !limit.isEmpty()) {
    bool ok = false;
    const double value = limit.toDouble(&ok);
    if (!ok || value < 0 || value > 10) return notAllowed("--limit", limit, {"0 … 10"});
    options["limit"] = value;
  }
  return options;
}

Result<QJsonObject> imageOptions(const Context& context) {
  if (context.value("target") != u"onnx") return notAllowed("--target", context.value("target"), {"onnx"});
  auto given = quantizeFrom(context, kQuantize);
  if (!given) return given.error();
  const QStringList quantize = given->isEmpty() ? kQuantize : *given;
  QJsonObject options{{"target", "onnx"}, {"quantize", QJsonArray::fromStringList(quantize)}};
  if (const QString calibration = context.value("calibration"); !calibration.isEmpty()) {
    if (!kCalibrations.contains(calibration)) return notAllowed("--calibration", calibration, kCalibrations);
    options["calibration"] = calibration;
  }
  if (const QString drop = context.value("maximum-accuracy-drop"); !drop.isEmpty()) {
    bool ok = false;
    const double value = drop.toDouble(&ok);
    if (!ok || value < 0 || value > 1) return notAllowed("--maximum-accuracy-drop", drop, {"0 … 1"});
    options["maximumAccuracyDrop"] = value;
  }
  return options;
}

Result<void> copyFile(const QString& from, const QString& to) {
  auto bytes = readFile(from, qint64(8) << 30);
  if (!bytes) return bytes.error();
  return writeFileAtomically(to, *bytes);
}

/// The exported files into a folder that is new or empty, whole or absent.
Result<void> copyExport(const QString& folder, const QString& toDir) {
  const QString target = QDir::cleanPath(QDir::current().absoluteFilePath(toDir));
  if (QFileInfo::exists(target) && !QDir(target).isEmpty(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot))
    return Failure{FailureKind::AlreadyExists, {{"path", target}}, {}};
  const QString staged = target + ".part-" + QUuid::createUuid().toString(QUuid::Id128).left(8);
  if (!QDir().mkpath(staged)) return failureFromErrno(errno ? errno : EACCES, target);
  QStringList names = QDir(folder).entryList({"*.onnx", "*.onnx.data", "*.safetensors", "preprocessing.json", "export.json"}, QDir::Files);
  // Each candidate of a language model has a folder of its own.
  for (const QString& candidate : QDir(folder).entryList(QDir::Dirs | QDir::NoDotAndDotDot))
    for (const QString& name : QDir(folder + '/' + candidate).entryList(QDir::Files)) names << candidate + '/' + name;
  Result<void> copied;
  for (const QString& name : std::as_const(names)) {
    if (!QDir(staged).mkpath(QFileInfo(name).path())) copied = failureFromErrno(errno ? errno : EACCES, target);
    else copied = copyFile(folder + '/' + name, staged + '/' + name);
    if (!copied) break;
  }
  if (copied) QDir().rmdir(target);
  if (copied && !QDir().rename(staged, target)) copied = failureFromErrno(errno ? errno : EACCES, target);
  if (!copied) QDir(staged).removeRecursively();
  return copied;
}

class Export : public Verb {
 public:
  QStringList path() const override { return {"export"}; }
  QString summary() const override {
    return tr(
        "Write a trained model as ONNX (a language model also as GGUF or Hugging Face folder), quantized as asked, and compare the "
        "candidates.");
  }
  QStringList examples() const override {
    return {"cloister-cli export --project chest --target onnx --quantize static-int8 --to out",
            "cloister-cli export --project chest --quantize none --quantize dynamic-int8 --json",
            "cloister-cli export --project letters --target onnx-genai --quantize int4"};
  }
  QList<QCommandLineOption> options() const override {
    return {
        {"run", tr("The run; otherwise the newest trained one."), "RUN"},
        {"target",
         tr("What the model is for: onnx; of language models also onnx-genai, gguf and huggingface (the model's folder, and the adapter "
            "alone)."),
         "TARGET", "onnx"},
        {"quantize",
         tr("none, fp16, dynamic-int8 or static-int8; of language models none, fp16, dynamic-int8, int8, int4, for gguf fp16, q8_0 and "
            "q4_0, for "
            "huggingface model and adapter. May be given again, all by default."),
         "KIND"},
        {"block", tr("Language models: weights that share a scale, 16 to 256."), "N"},
        {"embedding", tr("Language models in int8 and int4: blocks or float, what the tokens' vectors are kept in."), "KIND"},
        {"limit", tr("Language models: largest allowed rise of perplexity, a share."), "SHARE"},
        {"calibration", tr("How static-int8 chooses ranges: minmax, entropy or percentile."), "WAY"},
        {"maximum-accuracy-drop", tr("Layers stay in float where the accuracy would fall by more than this."), "D"},
        {"to", tr("Also copy the files into this new or empty folder."), "DIR"}};
  }
  int execute(Context& context) override {
    auto session = RunSession::open(context);
    if (!session) return context.fail(session.error());
    auto row = trainedRun(*(*session)->project, context.value("run"));
    if (!row) return context.fail(row.error());
    auto options = isLanguageModel(*row) ? languageOptions(context) : imageOptions(context);
    if (!options) return context.fail(options.error());
    QJsonObject summary;
    if (const int code = runJob(context, **session, row->id, QStringLiteral("export"), *options, &summary); code != 0) return code;
    if (const QString to = context.value("to"); !to.isEmpty()) {
      if (auto copied = copyExport(summary["dir"].toString(), to); !copied) return context.fail(copied.error(), summary);
      summary["dir"] = QDir::cleanPath(QDir::current().absoluteFilePath(to));
    }
    context.emitJson(summary);
    for (const QJsonValue& v : summary["candidates"].toArray())
      context.print(isLanguageTask(summary["task"].toString()) ? languageLine(v.toObject()) : imageLine(v.toObject()));
    context.print(tr("Recommended: %1. %2").arg(summary["recommended"].toString(), summary["why"].toString()));
    context.print(tr("Files: %1").arg(summary["dir"].toString()));
    return 0;
  }

 private:
  static QString imageLine(const QJsonObject& c) {
    return QStringLiteral("%1 %2  %3 %4  %5 %6")
        .arg(c["name"].toString().leftJustified(14), QLocale().formattedDataSize(c["bytes"].toInteger()).leftJustified(10), tr("accuracy"),
             shortNumber(c["accuracy"]["value"].toDouble()), tr("largest difference"), shortNumber(c["parity"]["maxAbs"].toDouble()));
  }
  static QString languageLine(const QJsonObject& c) {
    QString line = QStringLiteral("%1 %2").arg(c["name"].toString().leftJustified(14),
                                               QLocale().formattedDataSize(c["bytes"].toInteger()).leftJustified(10));
    if (const QJsonObject p = c["perplexity"].toObject(); !p.isEmpty())
      line +=
          "  " +
          tr("perplexity %1, %2 % above the model's").arg(shortNumber(p["exported"].toDouble()), shortNumber(100 * p["rise"].toDouble()));
    if (const QJsonObject p = c["parity"].toObject(); !p.isEmpty())
      line += "  " + tr("same token %1 of %2").arg(p["sameToken"].toInt()).arg(p["steps"].toInt());
    return line;
  }
};

VerbRegistration<Export> exportVerb;

}  // namespace

}  // namespace cloister::cli
