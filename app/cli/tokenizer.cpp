// tokenizer train|inspect|encode|decode: texts into token ids and back. Needs no project; files are read in cloister-ingest.
#include <QJsonArray>

#include "app/cli/ingest_job.h"
#include "app/cli/verb.h"

namespace cloister::cli {
namespace {

Failure badOption(const QString& name, const QString& value, const QString& allowed) {
  return {FailureKind::InvalidArgument, {{"name", name}, {"value", value}, {"allowed", allowed}}, {}};
}

/// The option, which must be one of these words.
Result<QString> oneOf(const Context& context, const QString& option, const QStringList& words) {
  const QString value = context.value(option);
  if (!words.contains(value)) return badOption("--" + option, value, words.join(QStringLiteral(", ")));
  return value;
}

/// "a b\n" → a·b↵, so that a piece shows its white space.
QString visible(QString text) { return text.replace(' ', QChar(0xB7)).replace('\n', QChar(0x21B5)).replace('\t', QChar(0x21E5)); }

class TokenizerTrain : public Verb {
 public:
  QStringList path() const override { return {"tokenizer", "train"}; }
  QString summary() const override { return tr("Learns a SentencePiece tokenizer from text files."); }
  QStringList examples() const override {
    return {"cloister-cli tokenizer train --input corpus.txt --kind bpe --vocab-size 4096 --to my-tokenizer",
            "cloister-cli tokenizer train --input a.txt --input b.txt --kind unigram --vocab-size 8000 --to DIR --json"};
  }
  bool needsProject() const override { return false; }
  QList<QCommandLineOption> options() const override {
    return {{"input", tr("A text file; may be repeated."), "FILE"},
            {"kind", tr("bpe or unigram."), "KIND", "bpe"},
            {"vocab-size", tr("Pieces of the vocabulary, with 3 special ones and 256 bytes."), "N", "4096"},
            {"character-coverage", tr("Share of the characters that get a piece; the rest is spelled in bytes."), "SHARE", "0.9995"},
            {"normalizer", tr("identity (the text as it is) or nfkc (forms unified, white space cleaned)."), "NAME", "identity"},
            {"no-byte-fallback", tr("What has no piece becomes <unk> instead of bytes.")},
            {"to", tr("Folder to make."), "DIR"}};
  }
  int execute(Context& context) override {
    auto request = requestFrom(context);
    if (!request) return context.fail(request.error());
    auto made = runIngestJob(context, "tokenizer", *request);
    if (!made) return context.fail(made.error());
    context.emitJson(*made);
    context.print(tr("Tokenizer: %1 (%2 pieces from %3 lines)")
                      .arg((*made)["dir"].toString())
                      .arg((*made)["vocabularySize"].toInt())
                      .arg((*made)["lines"].toInteger()));
    return 0;
  }

 private:
  static Result<QJsonObject> requestFrom(const Context& context) {
    if (context.values("input").isEmpty()) return badOption("--input", "", tr("at least one text file"));
    if (context.value("to").isEmpty()) return badOption("--to", "", tr("a folder to make"));
    auto kind = oneOf(context, "kind", {"bpe", "unigram"});
    if (!kind) return kind.error();
    auto normalizer = oneOf(context, "normalizer", {"identity", "nfkc"});
    if (!normalizer) return normalizer.error();
    auto size = context.integer("vocab-size", 8, 1'000'000);
    if (!size) return size.error();
    bool number = false;
    const double coverage = context.value("character-coverage").toDouble(&number);
    if (!number || !(coverage > 0.5) || coverage > 1)
      return badOption("--character-coverage", context.value("character-coverage"), "0.5 … 1");
    return QJsonObject{{"action", "train"},
                       {"inputs", QJsonArray::fromStringList(context.values("input"))},
                       {"kind", *kind},
                       {"normalizer", *normalizer},
                       {"vocabularySize", *size},
                       {"characterCoverage", coverage},
                       {"byteFallback", !context.isSet("no-byte-fallback")},
                       {"to", context.value("to")}};
  }
};
VerbRegistration<TokenizerTrain> trainRegistration;

class TokenizerInspect : public Verb {
 public:
  QStringList path() const override { return {"tokenizer", "inspect"}; }
  QString summary() const override { return tr("Shows what a tokenizer is and how it cuts a text."); }
  QStringList examples() const override {
    return {"cloister-cli tokenizer inspect models/deepseek",
            "cloister-cli tokenizer inspect tokenizer.model --text \"Hello, world\" --json"};
  }
  QString arguments() const override { return QStringLiteral("DIR|FILE"); }
  int minimumArguments() const override { return 1; }
  int maximumArguments() const override { return 1; }
  bool needsProject() const override { return false; }
  QList<QCommandLineOption> options() const override {
    return {{"text", tr("A text to cut."), "TEXT"},
            {"file", tr("A text file to cut (its first MiB)."), "FILE"},
            {"no-special", tr("Without the begin and end tokens.")}};
  }
  int execute(Context& context) override {
    QJsonObject request{{"action", "inspect"}, {"tokenizer", context.arguments().value(0)}, {"special", !context.isSet("no-special")}};
    if (context.isSet("text")) request["text"] = context.value("text");
    if (context.isSet("file")) request["file"] = context.value("file");
    auto answer = runIngestJob(context, "tokenizer", request);
    if (!answer) return context.fail(answer.error());
    context.emitJson(*answer);
    print(context, *answer);
    return 0;
  }

 private:
  static void print(Context& context, const QJsonObject& o) {
    context.print(tr("Kind: %1 (%2), %3 pieces").arg(o["kind"].toString(), o["model"].toString()).arg(o["vocabularySize"].toInt()));
    for (const QJsonValue& t : o["specialTokens"].toArray())
      context.print(QStringLiteral("  %1  %2").arg(t["id"].toInt(), 7).arg(t["piece"].toString()));
    if (!o.contains("pieces")) return;
    context.print(tr("%1 tokens for %2 bytes").arg(o["tokens"].toInteger()).arg(o["bytes"].toInteger()));
    for (const QJsonValue& p : o["pieces"].toArray())
      context.print(
          QStringLiteral("  %1  %2  %3").arg(p["id"].toInt(), 7).arg(p["from"].toInteger(), 7).arg(visible(p["text"].toString())));
  }
};
VerbRegistration<TokenizerInspect> inspectRegistration;

class TokenizerEncode : public Verb {
 public:
  QStringList path() const override { return {"tokenizer", "encode"}; }
  QString summary() const override { return tr("Turns texts into token ids."); }
  QStringList examples() const override {
    return {"cloister-cli tokenizer encode --tokenizer DIR --file corpus.txt --each line --to ids.safetensors",
            "cloister-cli tokenizer encode --tokenizer DIR --file prompt.txt --json"};
  }
  bool needsProject() const override { return false; }
  QList<QCommandLineOption> options() const override {
    return {{"tokenizer", tr("Folder or file of the tokenizer."), "DIR|FILE"},
            {"file", tr("The text file."), "FILE"},
            {"each", tr("What one text is: file, line, or json-line (a JSON text a line)."), "WHAT", "file"},
            {"no-special", tr("Without the begin and end tokens.")},
            {"to", tr("A safetensors file to write: ids (I32) and offsets (I64)."), "FILE"}};
  }
  int execute(Context& context) override {
    auto each = oneOf(context, "each", {"file", "line", "json-line"});
    if (!each) return context.fail(each.error());
    for (const char* needed : {"tokenizer", "file"})
      if (context.value(needed).isEmpty()) return context.fail(badOption(QStringLiteral("--") + needed, "", tr("a path")));
    QJsonObject request{{"action", "encode"},
                        {"tokenizer", context.value("tokenizer")},
                        {"file", context.value("file")},
                        {"each", *each},
                        {"special", !context.isSet("no-special")}};
    if (context.isSet("to")) request["to"] = context.value("to");
    auto answer = runIngestJob(context, "tokenizer", request);
    if (!answer) return context.fail(answer.error());
    context.emitJson(*answer);
    context.print(tr("%1 texts, %2 tokens").arg((*answer)["texts"].toInteger()).arg((*answer)["tokens"].toInteger()));
    for (const QJsonValue& list : (*answer)["ids"].toArray()) {
      QStringList ids;
      for (const QJsonValue& id : list.toArray()) ids << QString::number(id.toInt());
      context.print(ids.join(' '));
    }
    return 0;
  }
};
VerbRegistration<TokenizerEncode> encodeRegistration;

class TokenizerDecode : public Verb {
 public:
  QStringList path() const override { return {"tokenizer", "decode"}; }
  QString summary() const override { return tr("Turns token ids back into texts."); }
  QStringList examples() const override {
    return {"cloister-cli tokenizer decode --tokenizer DIR --ids ids.safetensors --to texts.jsonl",
            "cloister-cli tokenizer decode --tokenizer DIR --ids ids.json --keep-special"};
  }
  bool needsProject() const override { return false; }
  QList<QCommandLineOption> options() const override {
    return {{"tokenizer", tr("Folder or file of the tokenizer."), "DIR|FILE"},
            {"ids", tr("A file that encode wrote, or JSON {\"ids\": [[…]]}."), "FILE"},
            {"keep-special", tr("Special tokens stay in the text.")},
            {"to", tr("A file to write: a JSON text a line."), "FILE"}};
  }
  int execute(Context& context) override {
    for (const char* needed : {"tokenizer", "ids"})
      if (context.value(needed).isEmpty()) return context.fail(badOption(QStringLiteral("--") + needed, "", tr("a path")));
    QJsonObject request{{"action", "decode"},
                        {"tokenizer", context.value("tokenizer")},
                        {"file", context.value("ids")},
                        {"skipSpecial", !context.isSet("keep-special")}};
    if (context.isSet("to")) request["to"] = context.value("to");
    auto answer = runIngestJob(context, "tokenizer", request);
    if (!answer) return context.fail(answer.error());
    context.emitJson(*answer);
    for (const QJsonValue& text : (*answer)["texts"].toArray()) context.print(text.toString());
    return 0;
  }
};
VerbRegistration<TokenizerDecode> decodeRegistration;

class TokenizerChat : public Verb {
 public:
  QStringList path() const override { return {"tokenizer", "chat"}; }
  QString summary() const override { return tr("Shows how conversations are written for a model, and which tokens are answers."); }
  QStringList examples() const override {
    return {"cloister-cli tokenizer chat --tokenizer models/deepseek --file conversations.jsonl",
            "cloister-cli tokenizer chat --tokenizer DIR --file conversations.jsonl --template chatml --open --json"};
  }
  bool needsProject() const override { return false; }
  QList<QCommandLineOption> options() const override {
    return {{"tokenizer", tr("Folder of the tokenizer or the model."), "DIR"},
            {"file", tr("Conversations, one a line: {\"messages\": [{\"role\": …, \"content\": …}]}."), "FILE"},
            {"template", tr("Chat template: auto, folder (the one of the folder) or a built-in name."), "NAME", "auto"},
            {"date", tr("The day, for a template that asks for it."), "YYYY-MM-DD"},
            {"open", tr("As for generation: up to where the next answer begins, or a last answer goes on.")}};
  }
  int execute(Context& context) override {
    for (const char* needed : {"tokenizer", "file"})
      if (context.value(needed).isEmpty()) return context.fail(badOption(QStringLiteral("--") + needed, "", tr("a path")));
    auto answer = runIngestJob(context, "tokenizer",
                               {{"action", "chat"},
                                {"tokenizer", context.value("tokenizer")},
                                {"file", context.value("file")},
                                {"template", context.value("template")},
                                {"date", context.value("date")},
                                {"open", context.isSet("open")}});
    if (!answer) return context.fail(answer.error());
    context.emitJson(*answer);
    context.print(tr("Chat template: %1").arg((*answer)["template"].toString()));
    for (const QJsonValue& one : (*answer)["conversations"].toArray()) {
      const QJsonObject failure = one["failure"].toObject();
      context.print(failure.isEmpty() ? one["text"].toString() : describe(Failure::fromJson(failure)));
    }
    return 0;
  }
};
VerbRegistration<TokenizerChat> chatRegistration;

}  // namespace
}  // namespace cloister::cli
