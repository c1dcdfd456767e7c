// generate: a language model writes on. The model is opened by cloister-worker, never here.
#include <QDir>
#include <QJsonArray>
#include <QTemporaryDir>

#include "app/cli/verb.h"
#include "core/domain/files.h"
#include "core/runs/worker_call.h"

namespace cloister::cli {
namespace {

QString numbers(const QJsonArray& tokens) {
  QStringList words;
  for (const QJsonValue& t : tokens) words << QString::number(t.toInteger());
  return words.join(' ');
}

Failure badOption(const QString& name, const QString& value, const QString& allowed) {
  return {FailureKind::InvalidArgument, {{"name", name}, {"value", value}, {"allowed", allowed}}, {}};
}

Result<QJsonObject> requestOf(const Context& context) {
  QJsonObject request{{"model", QDir::current().absoluteFilePath(context.arguments()[0])},
                      {"prompts", QJsonArray::fromStringList(context.values("prompt"))},
                      {"stop", QJsonArray::fromStringList(context.values("stop"))},
                      {"precision", context.value("precision")},
                      {"ignore_end", context.isSet("ignore-end")},
                      {"early_stopping", context.isSet("early-stopping")},
                      {"sample", context.isSet("sample")}};
  if (context.isSet("adapter")) request["adapter"] = QDir::current().absoluteFilePath(context.value("adapter"));
  if (context.isSet("ids") == context.isSet("prompt"))
    return badOption("--prompt", context.value("prompt"), tr("a text, or token numbers with --ids"));
  if (context.isSet("ids")) request["ids"] = QDir::current().absoluteFilePath(context.value("ids"));
  constexpr struct {
    const char *option, *member;
    qint64 minimum, maximum;
  } kWhole[] = {{"new-tokens", "new_tokens", 1, 1 << 24},
                {"top-k", "top_k", 0, 1 << 24},
                {"beams", "beams", 1, 256},
                {"seed", "seed", 0, qint64(1) << 52}};
  for (const auto& o : kWhole) {
    if (!context.isSet(QLatin1String(o.option))) continue;
    auto value = context.integer(QLatin1String(o.option), o.minimum, o.maximum);
    if (!value) return value.error();
    request[QLatin1String(o.member)] = *value;
  }
  for (const auto& [option, member] :
       {std::pair{"temperature", "temperature"}, std::pair{"top-p", "top_p"}, std::pair{"repetition-penalty", "repetition_penalty"},
        std::pair{"length-penalty", "length_penalty"}}) {
    if (!context.isSet(QLatin1String(option))) continue;
    bool ok = false;
    request[QLatin1String(member)] = context.value(QLatin1String(option)).toDouble(&ok);
    if (!ok) return badOption(QString("--") + option, context.value(QLatin1String(option)), tr("a number"));
  }
  QJsonArray stops;
  for (const QString& word : context.values("stop-ids")) {
    QJsonArray stop;
    for (const QString& part : word.split(',', Qt::SkipEmptyParts)) {
      bool ok = false;
      stop.append(part.toLongLong(&ok));
      if (!ok) return badOption("--stop-ids", word, tr("token numbers with commas"));
    }
    stops.append(stop);
  }
  request["stop_ids"] = stops;
  return request;
}

class Generate : public FolderVerb {
 public:
  QStringList path() const override { return {"generate"}; }
  QString summary() const override { return tr("Let a language model write on: greedy, sampled or by beam search."); }
  QStringList examples() const override {
    return {"cloister-cli generate models/base --prompt \"Once upon a time\" --new-tokens 64",
            "cloister-cli generate models/base --ids prompt.json --sample --temperature 0.7 --top-p 0.9 --seed 1 --json"};
  }
  QList<QCommandLineOption> options() const override {
    return {{"prompt", tr("The text to go on from; may be given several times."), "TEXT"},
            {"stop", tr("End before this text; may be given several times."), "TEXT"},
            {"ids", tr("JSON file with token numbers: a list, a list of lists, or an object with input_ids."), "FILE"},
            {"adapter", tr("LoRA adapter in PEFT layout to use with the model."), "DIR"},
            {"new-tokens", tr("How many tokens at most."), "N"},
            {"sample", tr("Draw the tokens instead of taking the most likely ones.")},
            {"temperature", tr("With --sample: above 1 more daring, below 1 more careful."), "T"},
            {"top-k", tr("With --sample: only the K most likely tokens."), "K"},
            {"top-p", tr("With --sample: only the most likely tokens that reach the probability P together."), "P"},
            {"repetition-penalty", tr("Make tokens less likely that were there before; 1: off."), "R"},
            {"seed", tr("The same seed draws the same tokens."), "N"},
            {"beams", tr("Beam search with N beams."), "N"},
            {"length-penalty", tr("With --beams: above 0 favours longer texts."), "L"},
            {"early-stopping", tr("With --beams: end as soon as N texts are complete.")},
            {"stop-ids", tr("End where these token numbers (with commas) come; may be given several times."), "LIST"},
            {"ignore-end", tr("Write on after the model's end tokens.")},
            {"precision", tr("Type to compute in: stored, fp32 or bf16."), "TYPE", "stored"}};
  }
  int execute(Context& context) override {
    auto request = requestOf(context);
    if (!request) return context.fail(request.error());
    QTemporaryDir folder;
    const QString file = folder.filePath("request.json");
    if (auto written = writeJsonAtomically(file, *request); !written) return context.fail(written.error());
    qint64 tokens = 0;
    auto said = callWorker(
        {"generate", "--request", file},
        [&](const QJsonObject& line) {
          if (line["type"].toString() == u"token") context.progress().show(++tokens, 0, tr("Tokens: %1").arg(tokens));
          return true;
        },
        [] { return Context::stopRequested(); });
    if (!said) return context.fail(said.error());
    said->remove("type");
    context.emitJson(*said);
    for (const QJsonValue& v : (*said)["sequences"].toArray()) {
      const QJsonObject sequence = v.toObject();
      context.print(sequence.contains("text") ? sequence["text"].toString() : numbers(sequence["tokens"].toArray()));
    }
    return 0;
  }
};

VerbRegistration<Generate> generate;

}  // namespace
}  // namespace cloister::cli
