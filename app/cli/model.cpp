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

VerbRegistration<ModelShow> show;
VerbRegistration<ModelImport> import;
VerbRegistration<ModelLogits> logits;

}  // namespace
}  // namespace cloister::cli
