// model add, model list, tokenizer add: the models and tokenizers of a project for a language model.
#include <QJsonArray>
#include <QLocale>

#include "app/cli/project_option.h"
#include "app/cli/verb.h"
#include "core/curation/text_dataset.h"
#include "core/runs/base_models.h"

namespace cloister::cli {
namespace {

QJsonObject jsonOf(const BaseModel& m) {
  return {{"name", m.name}, {"dir", m.dir}, {"hasWeights", m.hasWeights}, {"hasTokenizer", m.hasTokenizer}, {"about", m.about}};
}

QString lineOf(const BaseModel& m) {
  const QLocale locale;
  QStringList parts{m.name};
  if (const QJsonObject model = m.about["model"].toObject(); !model.isEmpty())
    parts << tr("%1, parameters: %2").arg(model["modelType"].toString(), locale.toString(model["parameters"].toInteger()));
  if (const QJsonObject tokenizer = m.about["tokenizer"].toObject(); !tokenizer.isEmpty())
    parts << tr("tokenizer, vocabulary %1").arg(locale.toString(tokenizer["vocabularySize"].toInteger()));
  return parts.join(QStringLiteral("  "));
}

class ModelAdd : public Verb {
 public:
  QStringList path() const override { return {"model", "add"}; }
  QString summary() const override { return tr("Check a language model or a tokenizer and copy it into a project."); }
  QStringList examples() const override {
    return {"cloister-cli model add /media/stick/deepseek-llm-7b --project letters --dtype bfloat16",
            "cloister-cli model add tuned-base --project letters --adapter adapter --name merged"};
  }
  QString arguments() const override { return "DIR"; }
  int minimumArguments() const override { return 1; }
  int maximumArguments() const override { return 1; }
  QList<QCommandLineOption> options() const override {
    return {{"name", tr("What the project calls it (default: the folder's name)."), "NAME"},
            {"adapter", tr("LoRA adapter in PEFT layout to merge into the copy."), "DIR"},
            {"dtype", tr("Type of the copied weights: stored, float32 or bfloat16."), "TYPE", "stored"}};
  }
  int execute(Context& context) override {
    auto project = openProject(context);
    if (!project) return context.fail(project.error());
    auto model = importBaseModel((*project)->dir(),
                                 {context.arguments()[0], context.value("name"), context.value("adapter"), context.value("dtype")},
                                 [&](ModelStep, qint64 done, qint64 total) {
                                   if (total > 0) context.progress().show(done, total);
                                   return !Context::stopRequested();
                                 });
    context.progress().clear();
    if (!model) return context.fail(model.error());
    context.emitJson(jsonOf(*model));
    context.print(lineOf(*model));
    return 0;
  }
};

class ModelList : public Verb {
 public:
  QStringList path() const override { return {"model", "list"}; }
  QString summary() const override { return tr("Lists the models and tokenizers of a project."); }
  QStringList examples() const override { return {"cloister-cli model list --project letters --json"}; }
  int execute(Context& context) override {
    auto project = openProject(context, Project::Mode::ReadOnly);
    if (!project) return context.fail(project.error());
    QJsonArray all;
    for (const BaseModel& m : baseModels((*project)->dir())) {
      all.append(jsonOf(m));
      context.print(lineOf(m));
    }
    context.emitJson({{"models", all}});
    if (all.isEmpty()) context.print(tr("No model and no tokenizer yet: cloister-cli model add, tokenizer add."));
    return 0;
  }
};

class TokenizerAdd : public Verb {
 public:
  QStringList path() const override { return {"tokenizer", "add"}; }
  QString summary() const override { return tr("Learns a tokenizer from the training texts of a project's snapshot."); }
  QStringList examples() const override { return {"cloister-cli tokenizer add --project letters --name bpe-4096 --vocab-size 4096"}; }
  QList<QCommandLineOption> options() const override {
    return {{"name", tr("What the project calls it."), "NAME", "tokenizer"},
            {"kind", tr("bpe or unigram."), "KIND", "bpe"},
            {"vocab-size", tr("Pieces of the vocabulary, with 3 special ones and 256 bytes."), "N", "4096"},
            {"snapshot", tr("Digest, or its beginning; otherwise the newest snapshot."), "DIGEST"}};
  }
  int execute(Context& context) override {
    const QString kind = context.value("kind"), name = context.value("name");
    if (kind != u"bpe" && kind != u"unigram")
      return context.fail({FailureKind::InvalidArgument, {{"name", "--kind"}, {"value", kind}, {"allowed", "bpe, unigram"}}, {}});
    auto size = context.integer("vocab-size", 8, 1'000'000);
    if (!size) return context.fail(size.error());
    auto project = openProject(context);
    if (!project) return context.fail(project.error());
    auto to = newModelDir((*project)->dir(), name);
    if (!to) return context.fail(to.error());
    auto made = trainTokenizer(**project, {context.value("snapshot"), *to, kind, int(*size)}, [&](qint64 done, qint64 total) {
      if (total > 0) context.progress().show(done, total);
      return !Context::stopRequested();
    });
    context.progress().clear();
    if (!made) return context.fail(made.error());
    const BaseModel model = newTokenizer(*to);
    context.emitJson(jsonOf(model));
    context.print(lineOf(model));
    return 0;
  }
};

VerbRegistration<ModelAdd> add;
VerbRegistration<ModelList> list;
VerbRegistration<TokenizerAdd> learn;

}  // namespace
}  // namespace cloister::cli
