// model show, import, logits: language models in Hugging Face folders. The files are opened by cloister-worker, never here.
#include <QDir>
#include <QJsonArray>
#include <QLocale>
#include <QTemporaryDir>

#include "app/cli/verb.h"
#include "core/domain/files.h"
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

class ModelShow : public FolderVerb {
 public:
  QStringList path() const override { return {"model", "show"}; }
  QString summary() const override { return tr("Check a language model in a Hugging Face folder and show what it is."); }
  QStringList examples() const override { return {"cloister-cli model show /media/stick/deepseek-llm-7b"}; }
  int execute(Context& context) override {
    return answer(context, {"model-show", "--model", absolute(context.arguments()[0])},
                  [&](const QJsonObject& m) { describeModel(context, m); });
  }
};

class ModelImport : public FolderVerb {
 public:
  QStringList path() const override { return {"model", "import"}; }
  QString summary() const override { return tr("Check a language model and copy it, with its tokenizer, into a new folder."); }
  QStringList examples() const override {
    return {"cloister-cli model import /media/stick/deepseek-llm-7b --to models/base --dtype bfloat16"};
  }
  QList<QCommandLineOption> options() const override {
    return {{"to", tr("The new folder."), "DIR"},
            {"adapter", tr("LoRA adapter in PEFT layout to merge into the copy."), "DIR"},
            {"dtype", tr("Type of the copied weights: stored, float32 or bfloat16."), "TYPE", "stored"},
            {"shard-bytes", tr("Largest size of one weights file in bytes."), "N"}};
  }
  int execute(Context& context) override {
    QStringList call{"model-import", "--model", absolute(context.arguments()[0]), "--dtype", context.value("dtype")};
    if (!context.isSet("to"))
      return context.fail({FailureKind::InvalidArgument, {{"name", "--to"}, {"value", ""}, {"allowed", tr("a new folder")}}, {}});
    call << "--to" << absolute(context.value("to"));
    if (context.isSet("adapter")) call << "--adapter" << absolute(context.value("adapter"));
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

class ModelLogits : public FolderVerb {
 public:
  QStringList path() const override { return {"model", "logits"}; }
  QString summary() const override {
    return tr("Write a language model's logits for given token numbers, to compare it with another program.");
  }
  QStringList examples() const override { return {"cloister-cli model logits models/base --ids ids.json --to logits.safetensors"}; }
  QList<QCommandLineOption> options() const override {
    return {{"ids", tr("JSON file with token numbers: a list, a list of lists, or an object with input_ids."), "FILE"},
            {"adapter", tr("LoRA adapter in PEFT layout to use with the model."), "DIR"},
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
    if (context.isSet("adapter")) call << "--adapter" << absolute(context.value("adapter"));
    auto cached = context.integer("cached", 0, 1 << 20);
    if (!cached) return context.fail(cached.error());
    call << "--cached" << QString::number(*cached);
    for (const char* name : {"precision", "path"}) call << QString("--") + name << context.value(QLatin1String(name));
    return answer(context, call, [&](const QJsonObject& m) { context.print(tr("Logits: %1").arg(m["file"].toString())); });
  }
};

class ModelExport : public FolderVerb {
 public:
  QStringList path() const override { return {"model", "export"}; }
  QString summary() const override {
    return tr("Write a language model as ONNX or GGUF, quantized if wanted; ONNX is compared with the original.");
  }
  QStringList examples() const override {
    return {"cloister-cli model export models/tuned --to deliver --quantize int4 --block 32 --texts held-out.txt",
            "cloister-cli model export models/tuned --to deliver --variant genai"};
  }
  QList<QCommandLineOption> options() const override {
    return {{"to", tr("The new folder."), "DIR"},
            {"variant", tr("standard (ONNX opset 23), genai (for onnxruntime-genai) or gguf (for llama.cpp)."), "WORD", "standard"},
            {"quantize", tr("none, fp16, dynamic-int8, int8 or int4 (weights in blocks); gguf: fp16, q8_0 or q4_0."), "KIND", "none"},
            {"block", tr("Weights that share a scale: 16, 32, 64, 128 or 256."), "N", "32"},
            {"embedding", tr("With int8 and int4: blocks or float, what the tokens' vectors are kept in."), "KIND", "blocks"},
            {"context", tr("Longest text in tokens; 0: what the model says."), "N", "0"},
            {"texts", tr("Texts the model has not seen (plain text, JSONL or token numbers): its perplexity is measured before and after."),
             "FILE"},
            {"limit", tr("Largest allowed rise of perplexity, 0.01 for one percent."), "SHARE"}};
  }
  int execute(Context& context) override {
    QStringList call{"model-export", "--model", absolute(context.arguments()[0])};
    if (!context.isSet("to"))
      return context.fail({FailureKind::InvalidArgument, {{"name", "--to"}, {"value", ""}, {"allowed", tr("a new folder")}}, {}});
    call << "--to" << absolute(context.value("to"));
    for (const char* name : {"variant", "quantize", "block", "embedding", "context", "limit"})
      if (const QString value = context.value(QLatin1String(name)); !value.isEmpty()) call << QString("--") + name << value;
    if (context.isSet("texts")) call << "--texts" << absolute(context.value("texts"));
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
    if (report["variant"].toString() == u"gguf") return context.print(tr("Nothing here runs GGUF: try it where it will be used."));
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
    if (!report.contains("passed")) context.print(tr("Not judged: give a text with --texts to measure what quantization costs."));
    else context.print(report["passed"].toBool() ? tr("Within the limit.") : tr("Outside the limit: do not hand it out."));
  }
};

class ModelEvaluate : public FolderVerb {
 public:
  QStringList path() const override { return {"model", "evaluate"}; }
  QString summary() const override {
    return tr("Judge a language model: perplexity, against its base, choices, attacks on its embeddings, memorised texts, speed.");
  }
  QStringList examples() const override {
    return {"cloister-cli model evaluate models/tuned --base models/base --texts held-out.jsonl --attacks --to report.json",
            "cloister-cli model evaluate models/tuned --texts held-out.jsonl --latency --onnx deliver --training training.jsonl",
            "cloister-cli model evaluate training --attacks"};
  }
  QList<QCommandLineOption> options() const override {
    return {{"texts",
             tr("What to judge by: plain text, JSONL with \"text\" or with \"prompt\" and \"completion\" (which alone is judged), or token "
                "numbers. Of a training's folder by default what it held back."),
             "FILE"},
            {"base", tr("The model it was made from: both read the same texts."), "DIR"},
            {"choices", tr("JSON file with questions, answers and the right one, as token numbers."), "FILE"},
            {"training", tr("Training texts, in the same forms: which does it repeat word for word?"), "FILE"},
            {"attacks", tr("Attack the vectors of the words (FGSM and PGD).")},
            {"epsilons", tr("Strengths of the attacks, in sizes of a word's vector, separated by commas."), "LIST", "0.05,0.1,0.2,0.5"},
            {"attacked-texts", tr("Attack so many texts."), "N", "50"},
            {"latency", tr("Time the first and the following tokens.")},
            {"onnx", tr("Folder made by model export, timed as well; may be given more than once."), "DIR"},
            {"resamples", tr("Bootstrap resamples for the intervals."), "N", "1000"},
            {"seed", tr("Seed of everything random."), "N", "20"},
            {"to", tr("Write the report into this JSON file."), "FILE"},
            {"html", tr("Write it as a web page of one file, in the language of --language."), "FILE"}};
  }
  int execute(Context& context) override {
    auto request = requestFrom(context);
    if (!request) return context.fail(request.error());
    QTemporaryDir work;
    const QString file = work.filePath("request.json");
    if (auto written = writeJsonAtomically(file, *request); !written) return context.fail(written.error());
    QStringList call{"model-evaluate", "--request", file};
    if (context.isSet("to")) call << "--to" << absolute(context.value("to"));
    if (context.isSet("html")) call << "--html" << absolute(context.value("html")) << "--language" << context.value("language");
    return answer(context, call, [&](const QJsonObject& report) { print(context, report); });
  }

 private:
  static Result<QJsonObject> requestFrom(Context& context) {
    QJsonObject request{{"model", absolute(context.arguments()[0])}, {"latency", context.isSet("latency")}};
    for (const char* name : {"texts", "base", "choices", "training"})
      if (context.isSet(QLatin1String(name))) request[QLatin1String(name)] = absolute(context.value(QLatin1String(name)));
    for (const auto& [name, member] :
         {std::pair{"resamples", "resamples"}, std::pair{"seed", "seed"}, std::pair{"attacked-texts", "attackedTexts"}}) {
      auto value = context.integer(QLatin1String(name), 1, 1'000'000'000);
      if (!value) return value.error();
      request[QLatin1String(member)] = *value;
    }
    QJsonArray folders;
    for (const QString& dir : context.values("onnx")) folders << absolute(dir);
    request["onnx"] = folders;
    if (!context.isSet("attacks")) return request;
    QJsonArray epsilons;
    for (const QString& word : context.value("epsilons").split(',', Qt::SkipEmptyParts)) {
      bool ok = false;
      const double e = word.toDouble(&ok);
      if (!ok || e < 0 || e > 100)
        return Failure{FailureKind::InvalidArgument, {{"name", "--epsilons"}, {"value", word}, {"allowed", "0 … 100"}}, {}};
      epsilons << e;
    }
    QJsonArray attacks;
    for (const char* kind : {"fgsm", "pgd"})
      for (const char* norm : {"linf", "l2"})
        attacks << QJsonObject{{"kind", kind}, {"norm", norm}, {"epsilons", epsilons}, {"seed", request["seed"]}};
    request["attacks"] = attacks;
    return request;
  }

  static QString withInterval(const QJsonValue& v) {
    const QString value = QString::number(v["value"].toDouble(), 'g', 5);
    if (!v.toObject().contains("low")) return value;
    return value + tr(" (95 % between %1 and %2)").arg(v["low"].toDouble(), 0, 'g', 5).arg(v["high"].toDouble(), 0, 'g', 5);
  }

  static void print(Context& context, const QJsonObject& report) {
    context.print(
        tr("Perplexity: %1, tokens judged: %2").arg(withInterval(report["perplexity"])).arg(report["perplexity"]["tokens"].toInteger()));
    if (const QJsonObject base = report["base"].toObject(); !base.isEmpty())
      context.print(tr("Base model: %1; ratio: %2, p = %3")
                        .arg(withInterval(base), withInterval(base["ratio"]))
                        .arg(base["p"].toDouble(), 0, 'g', 3));
    if (const QJsonObject c = report["choices"].toObject(); !c.isEmpty())
      context.print(tr("Right choices: %1; by mean over tokens: %2").arg(withInterval(c["accuracy"]), withInterval(c["accuracyPerToken"])));
    if (const QJsonObject m = report["memorisation"].toObject(); !m.isEmpty())
      context.print(tr("Training texts repeated word for word: %1 of %2; longest run of tokens: %3")
                        .arg(m["repeated"].toInteger())
                        .arg(m["texts"].toInteger())
                        .arg(m["longestVerbatim"].toInteger()));
    for (const QJsonValue& a : report["attacks"].toArray())
      for (const QJsonValue& e : a["epsilons"].toArray())
        context.print(tr("%1 %2, ε %3: perplexity %4, first choices lost: %5 %, words still read the same: %6 %")
                          .arg(a["kind"].toString().toUpper(), a["norm"] == QJsonValue("l2") ? "L2" : "L∞")
                          .arg(e["epsilon"].toDouble())
                          .arg(e["perplexity"].toDouble(), 0, 'g', 4)
                          .arg(100 * e["successRate"].toDouble(), 0, 'f', 1)
                          .arg(100 * e["readTheSame"].toDouble(), 0, 'f', 1));
    for (const QJsonValue& l : report["latency"].toArray())
      context.print(tr("%1 %2: first token %3 ms, then %4 ms a token (%5 tokens/s)")
                        .arg(l["runtime"].toString(), l["precision"].toString())
                        .arg(l["firstTokenMs"].toDouble(), 0, 'f', 1)
                        .arg(l["perTokenMs"].toDouble(), 0, 'f', 2)
                        .arg(l["tokensPerSecond"].toDouble(), 0, 'f', 1));
  }
};

VerbRegistration<ModelShow> show;
VerbRegistration<ModelImport> import;
VerbRegistration<ModelLogits> logits;
VerbRegistration<ModelExport> onnx;
VerbRegistration<ModelEvaluate> evaluate;

}  // namespace
}  // namespace cloister::cli
