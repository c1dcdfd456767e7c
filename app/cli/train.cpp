// train and plan: a run from the newest snapshot, or what it would need.
#include <QJsonArray>
#include <QLocale>

#include "app/cli/project_option.h"
#include "app/cli/recipe.h"
#include "app/cli/run_session.h"
#include "app/cli/verb.h"

namespace cloister::cli {
namespace {

int listParameters(Context& context, const RunSupervisor& supervisor, const QString& family) {
  auto schema = supervisor.familySchema(family);
  if (!schema) return context.fail(schema.error());
  QJsonArray all;
  for (const Parameter& p : schema->parameters()) {
    all << QJsonObject{{"key", p.key}, {"default", p.defaultValue}, {"choices", QJsonArray::fromStringList(p.choices)}, {"help", p.help}};
    const QString fallback = p.defaultValue.isNull() ? tr("automatic") : p.defaultValue.toVariant().toString();
    context.print(p.key.leftJustified(28) + fallback.leftJustified(14) +
                  (p.choices.isEmpty() ? p.help : p.choices.join(" | ") + ". " + p.help));
  }
  context.emitJson({{"family", family}, {"parameters", all}});
  return 0;
}

class Train : public Verb {
 public:
  QStringList path() const override { return {"train"}; }
  QString summary() const override { return tr("Train a model on a snapshot and follow it to its end."); }
  QStringList examples() const override {
    return {"cloister-cli train --project chest --set architecture=resnet18 --set epochs=20",
            "cloister-cli train --project chest --base-weights resnet18.safetensors --nproc 2 --detach",
            "cloister-cli train --project letters --base deepseek-llm-7b --method lora"};
  }
  QList<QCommandLineOption> options() const override {
    return recipeOptions() + QList<QCommandLineOption>{
                                 {"nproc", tr("Processes that train together on this machine."), "N", "1"},
                                 {"restarts", tr("Failed attempts after which it goes on by itself from the newest checkpoint."), "N", "0"},
                                 {"queue", tr("Wait for a run that is active instead of being refused.")},
                                 {"detach", tr("Return once the worker runs; it goes on by itself.")},
                                 {"force", tr("Start although memory or disk will probably not suffice.")},
                                 {"list-parameters", tr("Show the family's parameters and their defaults.")}};
  }
  int execute(Context& context) override {
    auto request = requestFrom(context);
    if (!request) return context.fail(request.error());
    request->force = context.isSet("force");
    auto restarts = context.integer("restarts", 0, 1000);
    if (!restarts) return context.fail(restarts.error());
    request->restarts = int(*restarts);
    auto session = RunSession::open(context);
    if (!session) return context.fail(session.error());
    RunSession& s = **session;
    if (context.isSet("list-parameters"))
      return listParameters(context, *s.supervisor, request->family.isEmpty() ? s.supervisor->families().value(0) : request->family);
    auto run = s.supervisor->start(*request, context.isSet("queue"));
    context.progress().clear();
    if (!run) return context.fail(run.error());
    if (!context.isSet("detach")) return followRun(context, s, *run);
    auto row = s.project->run(*run);
    if (!row) return context.fail(row.error());
    context.emitJson(runJson(*row, *s.project));
    context.print(runLine(*row));
    return 0;
  }
};

class Plan : public Verb {
 public:
  QStringList path() const override { return {"plan"}; }
  QString summary() const override { return tr("Say what a recipe needs of memory and disk, and whether this machine has it."); }
  QStringList examples() const override { return {"cloister-cli plan --project chest --set architecture=vit_s_16 --json"}; }
  QList<QCommandLineOption> options() const override {
    return recipeOptions() + QList<QCommandLineOption>{{"nproc", tr("Processes that train together on this machine."), "N", "1"}};
  }
  int execute(Context& context) override {
    auto request = requestFrom(context);
    if (!request) return context.fail(request.error());
    auto project = openProject(context, Project::Mode::ReadOnly);
    if (!project) return context.fail(project.error());
    auto fit = RunSupervisor(**project).willItFit(*request);
    if (!fit) return context.fail(fit.error());
    context.emitJson({{"fits", fit->fits},
                      {"memoryNeeded", fit->memoryNeeded},
                      {"memoryFree", fit->memoryFree},
                      {"diskNeeded", fit->diskNeeded},
                      {"diskFree", fit->diskFree},
                      {"parts", fit->parts},
                      {"secondsEstimated", fit->secondsEstimated},
                      {"advice", fit->advice}});
    const QLocale locale;
    context.print(tr("Memory: %1 of %2 free").arg(locale.formattedDataSize(fit->memoryNeeded), locale.formattedDataSize(fit->memoryFree)));
    context.print(tr("Disk: %1 of %2 free").arg(locale.formattedDataSize(fit->diskNeeded), locale.formattedDataSize(fit->diskFree)));
    if (fit->secondsEstimated >= 0) context.print(tr("Time: about %1").arg(durationText(fit->secondsEstimated)));
    context.print(fit->fits ? tr("It fits.") : fit->advice);
    return 0;
  }
};

VerbRegistration<Train> train;
VerbRegistration<Plan> plan;

}  // namespace
}  // namespace cloister::cli
