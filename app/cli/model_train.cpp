// model train: a language model from prepared texts, without a project. cloister-worker reads the files and trains.
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

Failure missing(const char* option, const QString& allowed) {
  return {FailureKind::InvalidArgument, {{"name", QString("--") + option}, {"value", ""}, {"allowed", allowed}}, {}};
}

/// "3e-4" is a number, "true" a truth, anything else a word; the family's schema judges.
QJsonValue valueOf(const QString& text) {
  bool ok = false;
  const qint64 whole = text.toLongLong(&ok);
  if (ok) return whole;
  const double number = text.toDouble(&ok);
  if (ok) return number;
  if (text == u"true" || text == u"false") return text == u"true";
  return text;
}

Result<QJsonObject> requestFrom(const Context& context) {
  QJsonObject parameters;
  for (const QString& setting : context.values("set")) {
    const qsizetype at = setting.indexOf('=');
    if (at < 1) return Failure{FailureKind::InvalidArgument, {{"name", "--set"}, {"value", setting}, {"allowed", "key=value"}}, {}};
    parameters[setting.left(at)] = valueOf(setting.mid(at + 1));
  }
  if (context.isSet("method")) parameters["method"] = context.value("method");
  if (context.isSet("architecture")) parameters["architecture"] = context.value("architecture");
  auto seed = context.integer("seed", 0, qint64(1) << 52);
  if (!seed) return seed.error();
  const QString base = context.value("base"), tokenizer = context.value("tokenizer");
  if (base.isEmpty() && tokenizer.isEmpty()) return missing("tokenizer", tr("the folder of the tokenizer the texts were prepared with"));
  return QJsonObject{{"data", absolute(context.arguments()[0])},
                     {"to", absolute(context.value("to"))},
                     {"base", base.isEmpty() ? QString() : absolute(base)},
                     {"tokenizer", absolute(tokenizer.isEmpty() ? base : tokenizer)},
                     {"parameters", parameters},
                     {"seed", *seed}};
}

class ModelTrain : public FolderVerb {
 public:
  QStringList path() const override { return {"model", "train"}; }
  QString summary() const override {
    return tr(
        "Train a language model on prepared texts: from scratch, all weights of a base, an adapter (LoRA, QLoRA), or on preferences "
        "(DPO).");
  }
  QStringList examples() const override {
    return {"cloister-cli model train shards --tokenizer tok --architecture llama-3m --set epochs=2 --to training",
            "cloister-cli model train shards --base models/deepseek-llm-7b --method lora --to training",
            "cloister-cli model train preferences --base tuned --method dpo --set beta=0.1 --to training"};
  }
  QList<QCommandLineOption> options() const override {
    return {{"to", tr("Folder of the training; the same command on it goes on where it was stopped."), "DIR"},
            {"base", tr("Model to start from; without it a new one is made."), "DIR"},
            {"tokenizer", tr("Tokenizer that goes along with a new model."), "DIR"},
            {"architecture", tr("Of a new model: llama-1m to llama-1b, deepseek-v3-30m."), "NAME"},
            {"method", tr("full, lora, qlora (the base in four bits), or dpo for preferences."), "WORD"},
            {"set", tr("Another setting of the family decoder_lm; may be given several times."), "KEY=VALUE"},
            {"seed", tr("Seed of everything random."), "N", "1"}};
  }
  int execute(Context& context) override {
    if (!context.isSet("to")) return context.fail(missing("to", tr("a folder")));
    auto request = requestFrom(context);
    if (!request) return context.fail(request.error());
    QTemporaryDir folder;
    const QString file = folder.filePath("request.json");
    if (auto written = writeJsonAtomically(file, *request); !written) return context.fail(written.error());
    auto said = callWorker(
        {"model-train", "--request", file}, [&](const QJsonObject& line) { return show(context, line); },
        [] { return Context::stopRequested(); });
    if (!said) return context.fail(said.error());
    said->remove("type");
    context.emitJson(*said);
    context.print(tr("Model: %1").arg((*said)["model"].toString()));
    return 0;
  }

 private:
  static bool show(Context& context, const QJsonObject& line) {
    if (line["type"].toString() == u"warning") context.note(line["message"].toString());
    const QJsonObject values = line["values"].toObject();
    if (values.contains("validation/rewards/accuracies"))
      context.note(tr("Step %1: validation loss %2, %3 % of the pairs in the right order")
                       .arg(line["step"].toInteger())
                       .arg(values["validation/loss"].toDouble(), 0, 'f', 4)
                       .arg(100 * values["validation/rewards/accuracies"].toDouble(), 0, 'f', 1));
    else if (values.contains("validation/loss"))
      context.note(tr("Step %1: validation loss %2").arg(line["step"].toInteger()).arg(values["validation/loss"].toDouble(), 0, 'f', 4));
    else if (values.contains("train/loss"))
      context.progress().show(line["step"].toInteger(), line["totalSteps"].toInteger(),
                              tr("loss %1, %2 tokens/s")
                                  .arg(values["train/loss"].toDouble(), 0, 'f', 4)
                                  .arg(values["tokens_per_second"].toDouble(), 0, 'f', 0));
    return true;
  }
};

VerbRegistration<ModelTrain> train;

}  // namespace
}  // namespace cloister::cli
