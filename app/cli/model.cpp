// model show, import, logits: language models in Hugging Face folders. The files are opened by cloister-worker, never here.
#include <QDir>
#include <QJsonArray>
#include <QLocale>

#include "app/cli/verb.h"
#include "core/runs/worker_call.h"

namespace cloister::cli {
namespace {

QString absolute(const QString& path) { return QDir::current().absoluteFilePath(path); }

int answer(Context& context, const QStringList& arguments, const std::function<void(const QJsonObject&)>& print) {
  auto said = callWorker(arguments, {}, [] { return Context::stopRequested(); });
  if (!said) return context.fail(said.error());
  said->remove("type");
  context.emitJson(*said);
  print(*said);
  return 0;
}

void describeModel(Context& context, const QJsonObject& m) {
  const QLocale locale;
  context.print(tr("Model: %1, %2 layers, vocabulary %3, context %4")
                    .arg(m["modelType"].toString())
                    .arg(m["layers"].toInteger())
                    .arg(locale.toString(m["vocabulary"].toInteger()), locale.toString(m["context"].toInteger())));
  context.print(tr("Parameters: %1, used for a token: %2")
                    .arg(locale.toString(m["parameters"].toInteger()), locale.toString(m["activeParameters"].toInteger())));
  context.print(tr("Weights: %1 in %2 files; cache per token in bfloat16: %3")
                    .arg(locale.formattedDataSize(m["bytes"].toInteger()))
                    .arg(m["files"].toArray().size())
                    .arg(locale.formattedDataSize(m["cacheBytesPerToken"].toInteger())));
}

class ModelShow : public Verb {
 public:
  QStringList path() const override { return {"model", "show"}; }
  QString summary() const override { return tr("Check a language model in a Hugging Face folder and show what it is."); }
  QStringList examples() const override { return {"cloister-cli model show /media/stick/deepseek-llm-7b"}; }
  QString arguments() const override { return "DIR"; }
  int minimumArguments() const override { return 1; }
  int maximumArguments() const override { return 1; }
  bool needsProject() const override { return false; }
  int execute(Context& context) override {
    return answer(context, {"model-show", "--model", absolute(context.arguments()[0])},
                  [&](const QJsonObject& m) { describeModel(context, m); });
  }
};

class ModelImport : public Verb {
 public:
  QStringList path() const override { return {"model", "import"}; }
  QString summary() const override { return tr("Check a language model and copy it, with its tokenizer, into a new folder."); }
  QStringList examples() const override {
    return {"cloister-cli model import /media/stick/deepseek-llm-7b --to models/base --dtype bfloat16"};
  }
  QString arguments() const override { return "DIR"; }
  int minimumArguments() const override { return 1; }
  int maximumArguments() const override { return 1; }
  bool needsProject() const override { return false; }
  QList<QCommandLineOption> options() const override {
    return {{"to", tr("The new folder."), "DIR"},
            {"dtype", tr("Type of the copied weights: stored, float32 or bfloat16."), "TYPE", "stored"},
            {"shard-bytes", tr("Largest size of one weights file in bytes."), "N"}};
  }
  int execute(Context& context) override {
    QStringList call{"model-import", "--model", absolute(context.arguments()[0]), "--dtype", context.value("dtype")};
    if (!context.isSet("to"))
      return context.fail({FailureKind::InvalidArgument, {{"name", "--to"}, {"value", ""}, {"allowed", tr("a new folder")}}, {}});
    call << "--to" << absolute(context.value("to"));
    if (context.isSet("shard-bytes")) {
      auto bytes = context.integer("shard-bytes", 1 << 10, qint64(1) << 50);
      if (!bytes) return context.fail(bytes.error());
      call << "--shard-bytes" << QString::number(*bytes);
    }
    return answer(context, call, [&](const QJsonObject& m) {
      describeModel(context, m);
      context.print(tr("Copied to %1").arg(m["to"].toString()));
    });
  }
};

class ModelLogits : public Verb {
 public:
  QStringList path() const override { return {"model", "logits"}; }
  QString summary() const override {
    return tr("Write a language model's logits for given token numbers, to compare it with another program.");
  }
  QStringList examples() const override { return {"cloister-cli model logits models/base --ids ids.json --to logits.safetensors"}; }
  QString arguments() const override { return "DIR"; }
  int minimumArguments() const override { return 1; }
  int maximumArguments() const override { return 1; }
  bool needsProject() const override { return false; }
  QList<QCommandLineOption> options() const override {
    return {{"ids", tr("JSON file with token numbers: a list, a list of lists, or an object with input_ids."), "FILE"},
            {"to", tr("File for the tensor \"logits\", float32 [sequences, tokens, vocabulary]."), "FILE"},
            {"precision", tr("Type to compute in: stored, fp32 or bf16."), "TYPE", "fp32"},
            {"path", tr("Latent attention of DeepSeek models: automatic, plain or absorbed."), "WORD", "automatic"},
            {"cached", tr("Read N tokens at a time through the key/value cache; 0: all at once."), "N", "0"}};
  }
  int execute(Context& context) override {
    QStringList call{"model-logits", "--model", absolute(context.arguments()[0])};
    for (const char* name : {"ids", "to"}) {
      if (!context.isSet(QLatin1String(name)))
        return context.fail({FailureKind::InvalidArgument, {{"name", QString("--") + name}, {"value", ""}, {"allowed", tr("a file")}}, {}});
      call << QString("--") + name << absolute(context.value(QLatin1String(name)));
    }
    auto cached = context.integer("cached", 0, 1 << 20);
    if (!cached) return context.fail(cached.error());
    call << "--cached" << QString::number(*cached);
    for (const char* name : {"precision", "path"}) call << QString("--") + name << context.value(QLatin1String(name));
    return answer(context, call, [&](const QJsonObject& m) { context.print(tr("Logits: %1").arg(m["file"].toString())); });
  }
};

class ModelExport : public Verb {
 public:
  QStringList path() const override { return {"model", "export"}; }
  QString summary() const override { return tr("Write a language model as ONNX, quantized if wanted, and compare it with the original."); }
  QStringList examples() const override {
    return {"cloister-cli model export models/tuned --to deliver --quantize int4 --block 32 --ids held-out.json",
            "cloister-cli model export models/tuned --to deliver --variant genai"};
  }
  QString arguments() const override { return "DIR"; }
  int minimumArguments() const override { return 1; }
  int maximumArguments() const override { return 1; }
  bool needsProject() const override { return false; }
  QList<QCommandLineOption> options() const override {
    return {
        {"to", tr("The new folder."), "DIR"},
        {"variant", tr("standard (opset 23) or genai (GroupQueryAttention and genai_config.json, for onnxruntime-genai)."), "WORD",
         "standard"},
        {"quantize", tr("none, fp16, dynamic-int8, int8 or int4 (weights in blocks)."), "KIND", "none"},
        {"block", tr("Weights that share a scale: 16, 32, 64, 128 or 256."), "N", "32"},
        {"context", tr("Longest text in tokens; 0: what the model says."), "N", "0"},
        {"ids", tr("JSON file with token numbers of texts the model has not seen: its perplexity is measured before and after."), "FILE"},
        {"limit", tr("Largest allowed rise of perplexity, 0.01 for one percent."), "SHARE"}};
  }
  int execute(Context& context) override {
    QStringList call{"model-export", "--model", absolute(context.arguments()[0])};
    if (!context.isSet("to"))
      return context.fail({FailureKind::InvalidArgument, {{"name", "--to"}, {"value", ""}, {"allowed", tr("a new folder")}}, {}});
    call << "--to" << absolute(context.value("to"));
    for (const char* name : {"variant", "quantize", "block", "context", "limit"})
      if (const QString value = context.value(QLatin1String(name)); !value.isEmpty()) call << QString("--") + name << value;
    if (context.isSet("ids")) call << "--ids" << absolute(context.value("ids"));
    bool passed = true;
    const int code = answer(context, call, [&](const QJsonObject& report) {
      passed = report["passed"].toBool(true);
      print(context, report);
    });
    return code != 0 || passed ? code : exitCodeFor(FailureKind::PolicyRefused);
  }

 private:
  static void print(Context& context, const QJsonObject& report) {
    const QJsonObject parity = report["parity"].toObject(), perplexity = report["perplexity"].toObject();
    context.print(tr("Written: %1").arg(QLocale().formattedDataSize(report["bytes"].toInteger())));
    context.print(tr("Next tokens that agree with the original: %1 of %2; largest difference of a logit: %3")
                      .arg(parity["sameToken"].toInt())
                      .arg(parity["steps"].toInt())
                      .arg(parity["maxAbs"].toDouble(), 0, 'g', 3));
    if (!perplexity.isEmpty())
      context.print(tr("Perplexity: %1, original %2 (rise %3 %, limit %4 %)")
                        .arg(perplexity["exported"].toDouble(), 0, 'g', 5)
                        .arg(perplexity["original"].toDouble(), 0, 'g', 5)
                        .arg(perplexity["rise"].toDouble() * 100, 0, 'f', 2)
                        .arg(perplexity["limit"].toDouble() * 100, 0, 'f', 2));
    if (!report.contains("passed")) context.print(tr("Not judged: give a text with --ids to measure what quantization costs."));
    else context.print(report["passed"].toBool() ? tr("Within the limit.") : tr("Outside the limit: do not hand it out."));
  }
};

VerbRegistration<ModelShow> show;
VerbRegistration<ModelImport> import;
VerbRegistration<ModelLogits> logits;
VerbRegistration<ModelExport> onnx;

}  // namespace
}  // namespace cloister::cli
