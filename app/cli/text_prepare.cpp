// text prepare: files of texts into token shards for training. Needs no project; files are read in cloister-ingest.
#include <limits>

#include <QJsonArray>

#include "app/cli/ingest_job.h"
#include "app/cli/verb.h"

namespace cloister::cli {
namespace {

constexpr int kShown = 20;

Failure badOption(const QString& name, const QString& value, const QString& allowed) {
  return {FailureKind::InvalidArgument, {{"name", name}, {"value", value}, {"allowed", allowed}}, {}};
}

class TextPrepare : public Verb {
 public:
  QStringList path() const override { return {"text", "prepare"}; }
  QString summary() const override { return tr("Turns texts into token shards for training a language model."); }
  QStringList examples() const override {
    return {
        "cloister-cli text prepare --kind plain --input corpus.txt --tokenizer DIR --to shards --length 512 --validation 0.1",
        "cloister-cli text prepare --kind instructions --input alpaca.json --tokenizer models/deepseek --to shards --json",
        "cloister-cli text prepare --kind pairs --input en-zh.tsv --prompt \"Translate to Chinese: {source}\" --tokenizer DIR --to shards"};
  }
  bool needsProject() const override { return false; }
  QList<QCommandLineOption> options() const override {
    return {
        {"kind", tr("plain, instructions (Alpaca, ShareGPT, messages), pairs (TSV or JSON lines) or preferences."), "KIND", "plain"},
        {"input", tr("A text file; may be repeated."), "FILE"},
        {"tokenizer", tr("Folder or file of the tokenizer."), "DIR|FILE"},
        {"to", tr("Folder to make; one made before from the same data, tokenizer and settings is used again."), "DIR"},
        {"length", tr("Tokens of a sequence; longer ones are cut."), "N", "512"},
        {"validation", tr("Share that is kept for validation."), "SHARE", "0"},
        {"seed", tr("Chooses what is kept."), "N", "1"},
        {"template",
         tr("Chat template: auto (the folder's where it states one), folder, deepseek-v3, deepseek-llm, deepseek-coder, llama3, chatml, "
            "alpaca."),
         "NAME", "auto"},
        {"date", tr("The day, for a chat template that asks for it."), "YYYY-MM-DD"},
        {"each", tr("Plain text files: what one document is: file, line or paragraph."), "WHAT", "file"},
        {"prompt", tr("Pairs: what the model is given; {source} is replaced."), "TEXT"},
        {"columns", tr("Pairs in TSV: source and target column."), "N,M", "1,2"},
        {"pad", tr("Fill every sequence up to the length.")}};
  }
  int execute(Context& context) override {
    auto request = requestFrom(context);
    if (!request) return context.fail(request.error());
    auto made = runIngestJob(context, "tokenizer", *request);
    if (!made) return context.fail(made.error());
    context.emitJson(*made);
    print(context, *made);
    return 0;
  }

 private:
  static Result<void> columns(const Context& context, QJsonObject& request) {
    const QStringList parts = context.value("columns").split(',');
    const int source = parts.value(0).toInt(), target = parts.value(1).toInt();
    if (parts.size() != 2 || source < 1 || target < 1 || source == target) return badOption("--columns", context.value("columns"), "N,M");
    request["sourceColumn"] = source - 1;
    request["targetColumn"] = target - 1;
    return {};
  }

  static Result<QJsonObject> requestFrom(const Context& context) {
    for (const char* needed : {"input", "tokenizer", "to"})
      if (context.value(needed).isEmpty()) return badOption(QStringLiteral("--") + needed, "", tr("a path"));
    auto length = context.integer("length", 8, 1 << 20);
    if (!length) return length.error();
    auto seed = context.integer("seed", 0, std::numeric_limits<qint64>::max());
    if (!seed) return seed.error();
    bool number = false;
    const double validation = context.value("validation").toDouble(&number);
    if (!number || !(validation >= 0) || validation > 0.9) return badOption("--validation", context.value("validation"), "0 … 0.9");
    static const QStringList documents{"file", "line", "paragraph"};
    if (!documents.contains(context.value("each"))) return badOption("--each", context.value("each"), documents.join(", "));
    if (context.isSet("prompt") && !context.value("prompt").contains("{source}"))
      return badOption("--prompt", context.value("prompt"), "… {source} …");
    QJsonObject request{{"action", "prepare"},
                        {"kind", context.value("kind")},
                        {"inputs", QJsonArray::fromStringList(context.values("input"))},
                        {"tokenizer", context.value("tokenizer")},
                        {"to", context.value("to")},
                        {"length", *length},
                        {"validation", validation},
                        {"seed", *seed},
                        {"template", context.value("template")},
                        {"date", context.value("date")},
                        {"each", context.value("each")},
                        {"prompt", context.value("prompt")},
                        {"pad", context.isSet("pad")}};
    if (auto read = columns(context, request); !read) return read.error();
    return request;
  }

  static void printList(Context& context, const QJsonObject& report, const QString& list, const QString& key) {
    const QJsonArray entries = report[list].toArray();
    for (int i = 0; i < entries.size() && i < kShown; ++i)
      context.print(QStringLiteral("  %1:%2: %3")
                        .arg(entries[i]["file"].toString())
                        .arg(entries[i]["line"].toInteger())
                        .arg(entries[i][key].toString()));
    if (const qint64 more = report[list + "Count"].toInteger() - kShown; more > 0) context.print(tr("  … and %1 more").arg(more));
  }

  static void print(Context& context, const QJsonObject& index) {
    const QJsonObject report = index["report"].toObject(), parts = index["parts"].toObject();
    if (index["reused"].toBool()) context.print(tr("The same data was prepared before; nothing was done."));
    for (const QString& part : parts.keys()) {
      const QJsonObject p = parts[part].toObject();
      context.print(tr("%1: %2 sequences, %3 tokens, %4 of them in the loss")
                        .arg(part)
                        .arg(p["rows"].toInteger())
                        .arg(p["tokens"].toInteger())
                        .arg(p["masked"].toInteger()));
    }
    context.print(tr("Accepted %1, refused %2, changed %3")
                      .arg(report["accepted"].toInteger())
                      .arg(report["refusedCount"].toInteger())
                      .arg(report["changedCount"].toInteger()));
    printList(context, report, "refused", "why");
    printList(context, report, "changed", "what");
  }
};
VerbRegistration<TextPrepare> registration;

}  // namespace
}  // namespace cloister::cli
