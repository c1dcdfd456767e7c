// runs list|show|follow|stop|resume|import. Listing, showing, following and stopping also work while another program holds the project.
#include <QFileInfo>
#include <QJsonArray>
#include <QTimer>

#include "app/cli/project_option.h"
#include "app/cli/run_session.h"
#include "app/cli/verb.h"
#include "core/domain/files.h"
#include "core/runs/run_pack.h"
#include "core/runs/run_row.h"

namespace cloister::cli {
namespace {

QJsonObject briefly(const QJsonObject& document, const QStringList& keys) {
  QJsonObject brief;
  for (const QString& key : keys)
    if (document.contains(key)) brief[key] = document[key];
  return brief;
}

class RunsList : public Verb {
 public:
  QStringList path() const override { return {"runs", "list"}; }
  QString summary() const override { return tr("List the project's runs, newest first."); }
  QStringList examples() const override { return {"cloister-cli runs list --project chest"}; }
  int execute(Context& context) override {
    auto project = openProject(context, Project::Mode::ReadOnly);
    if (!project) return context.fail(project.error());
    auto rows = (*project)->runs();
    if (!rows) return context.fail(rows.error());
    QJsonArray all;
    for (const RunRecord& stored : *rows) {
      const RunRecord row = reconciled(stored, (*project)->runDir(stored.id));
      all << runJson(row, **project);
      context.print(runLine(row));
    }
    if (rows->isEmpty()) context.print(tr("No runs yet: cloister-cli train starts one."));
    context.emitJson({{"runs", all}});
    return 0;
  }
};

/// Verbs that name one run, by default the newest.
class OneRun : public Verb {
 public:
  QString arguments() const override { return "[RUN]"; }
  int maximumArguments() const override { return 1; }
};

class RunsShow : public OneRun {
 public:
  QStringList path() const override { return {"runs", "show"}; }
  QString summary() const override { return tr("Show a run: recipe, state, best result, evaluation and export."); }
  QStringList examples() const override { return {"cloister-cli runs show r-0001 --project chest --json"}; }
  int execute(Context& context) override {
    auto project = openProject(context, Project::Mode::ReadOnly);
    if (!project) return context.fail(project.error());
    auto row = currentRun(**project, context.arguments().value(0));
    if (!row) return context.fail(row.error());
    QJsonObject json = runJson(*row, **project);
    const QString dir = (*project)->runDir(row->id);
    if (auto spec = readJson(dir + "/spec.json")) json["spec"] = *spec;
    if (row->summary.contains("failure")) json["failure"] = row->summary["failure"];
    if (auto report = readJson(dir + "/evaluation/report.json"))
      json["evaluation"] = briefly(*report, {"split", "samples", "groups", "headline", "createdAt"});
    if (auto made = readJson(dir + "/export/export.json")) json["export"] = briefly(*made, {"recommended", "why", "candidates"});
    context.emitJson(json);
    context.print(runLine(*row));
    show(context, json);
    return 0;
  }

 private:
  static void show(Context& context, const QJsonObject& json) {
    const QJsonObject parameters = json["spec"].toObject()["parameters"].toObject();
    for (auto it = parameters.begin(); it != parameters.end(); ++it)
      context.print("  " + it.key().leftJustified(26) + (it.value().isNull() ? tr("automatic") : it.value().toVariant().toString()));
    for (const QJsonValue& v : json["evaluation"].toObject()["headline"].toArray())
      context.print(QStringLiteral("  %1 %2 (%3 … %4)")
                        .arg(v["name"].toString().leftJustified(25), shortNumber(v["value"].toDouble()), shortNumber(v["low"].toDouble()),
                             shortNumber(v["high"].toDouble())));
    if (json.contains("failure")) context.print("  " + describe(Failure::fromJson(json["failure"].toObject())));
  }
};

class RunsFollow : public OneRun {
 public:
  QStringList path() const override { return {"runs", "follow"}; }
  QString summary() const override { return tr("Watch a run until it ends; Ctrl+C leaves it running."); }
  QStringList examples() const override { return {"cloister-cli runs follow --project chest"}; }
  int execute(Context& context) override {
    auto project = openProject(context, Project::Mode::ReadOnly);
    if (!project) return context.fail(project.error());
    return watchRun(context, **project, context.arguments().value(0));
  }
};

class RunsStop : public OneRun {
 public:
  QStringList path() const override { return {"runs", "stop"}; }
  QString summary() const override { return tr("Ask a run to stop after a checkpoint, and wait for it."); }
  QStringList examples() const override { return {"cloister-cli runs stop r-0002 --project chest"}; }
  QList<QCommandLineOption> options() const override { return {{"no-wait", tr("Return at once.")}}; }
  int execute(Context& context) override {
    auto session = RunSession::open(context);
    if (!session && session.error().kind == FailureKind::DatabaseLocked) return stopByFile(context);
    if (!session) return context.fail(session.error());
    RunSession& s = **session;
    auto row = s.project->run(context.arguments().value(0));
    if (!row) return context.fail(row.error());
    if (auto asked = s.supervisor->requestStop(row->id); !asked) return context.fail(asked.error());
    if (context.isSet("no-wait")) return tell(context, *s.project, row->id);
    QObject scope;
    QObject::connect(s.supervisor.get(), &RunSupervisor::runChanged, &scope, [&] {
      if (!s.supervisor->isActive(row->id)) context.quit(0);
    });
    QObject::connect(&context, &Context::stopAsked, &scope, [&] { context.quit(130); });
    if (s.supervisor->isActive(row->id) && context.runEventLoop() == 130) return context.fail({FailureKind::Stopped, {}, {}});
    return tell(context, *s.project, row->id);
  }

 private:
  /// Another program follows the run: it sees the file, and its grace applies.
  static int stopByFile(Context& context) {
    auto project = openProject(context, Project::Mode::ReadOnly);
    if (!project) return context.fail(project.error());
    auto row = currentRun(**project, context.arguments().value(0));
    if (!row) return context.fail(row.error());
    if (isFinal(row->state))
      return context.fail(
          {FailureKind::NothingToDo, {{"what", "running worker of " + row->id}, {"next", "The run has already ended."}}, {}});
    if (auto asked = writeStopRequest((*project)->runDir(row->id)); !asked) return context.fail(asked.error());
    if (context.isSet("no-wait")) return tell(context, **project, row->id);
    QObject scope;
    QTimer timer;
    QObject::connect(&timer, &QTimer::timeout, &scope, [&] {
      const auto now = currentRun(**project, row->id);
      if (!now || isFinal(now->state)) context.quit(0);
    });
    QObject::connect(&context, &Context::stopAsked, &scope, [&] { context.quit(130); });
    timer.start(250);
    if (context.runEventLoop() == 130) return context.fail({FailureKind::Stopped, {}, {}});
    return tell(context, **project, row->id);
  }

  static int tell(Context& context, const Project& project, const QString& run) {
    auto row = currentRun(project, run);
    if (!row) return context.fail(row.error());
    context.emitJson(runJson(*row, project));
    context.print(runLine(*row));
    return 0;
  }
};

class RunsResume : public OneRun {
 public:
  QStringList path() const override { return {"runs", "resume"}; }
  QString summary() const override { return tr("Go on with a stopped or failed run from its newest checkpoint."); }
  QStringList examples() const override { return {"cloister-cli runs resume r-0002 --project chest"}; }
  QList<QCommandLineOption> options() const override { return {{"detach", tr("Return once the worker runs; it goes on by itself.")}}; }
  int execute(Context& context) override {
    auto session = RunSession::open(context);
    if (!session) return context.fail(session.error());
    RunSession& s = **session;
    auto row = s.project->run(context.arguments().value(0));
    if (!row) return context.fail(row.error());
    if (auto resumed = s.supervisor->resume(row->id); !resumed) return context.fail(resumed.error());
    if (!context.isSet("detach")) return followRun(context, s, row->id);
    row = s.project->run(row->id);
    if (!row) return context.fail(row.error());
    context.emitJson(runJson(*row, *s.project));
    context.print(runLine(*row));
    return 0;
  }
};

class RunsImport : public Verb {
 public:
  QStringList path() const override { return {"runs", "import"}; }
  QString summary() const override {
    return tr("Take back what a run did on a cluster: the unpacked folder of launch --pack, after it ran.");
  }
  QStringList examples() const override { return {"cloister-cli runs import /media/usb/cloister-r-0003 --project chest"}; }
  QString arguments() const override { return "FOLDER"; }
  int minimumArguments() const override { return 1; }
  int maximumArguments() const override { return 1; }
  int execute(Context& context) override {
    auto project = openProject(context);
    if (!project) return context.fail(project.error());
    auto imported = importRuns(**project, QFileInfo(context.arguments().value(0)).absoluteFilePath());
    if (!imported) return context.fail(imported.error());
    context.emitJson(*imported);
    for (const QJsonValue& v : (*imported)["runs"].toArray())
      context.print(tr("%1: %2 attempts and %3 checkpoints taken in; it is %4.")
                        .arg(v["run"].toString())
                        .arg(v["attempts"].toInt())
                        .arg(v["checkpoints"].toInt())
                        .arg(v["state"].toString()));
    return 0;
  }
};

VerbRegistration<RunsImport> import;
VerbRegistration<RunsList> list;
VerbRegistration<RunsShow> show;
VerbRegistration<RunsFollow> follow;
VerbRegistration<RunsStop> stop;
VerbRegistration<RunsResume> resume;

}  // namespace
}  // namespace cloister::cli
