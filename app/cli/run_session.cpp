#include "app/cli/run_session.h"

#include <cmath>

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QTimer>

#include "app/cli/project_option.h"
#include "app/cli/run_progress.h"
#include "core/domain/task.h"
#include "core/extension/plugin_catalogue.h"
#include "core/runs/child_watch.h"
#include "core/runs/remote_run.h"
#include "core/runs/run_row.h"

namespace cloister::cli {
namespace {

/// First readable of the row's failure, else what its state means.
Failure failureOf(const RunRecord& row) {
  if (row.summary.contains("failure")) return Failure::fromJson(row.summary["failure"].toObject());
  if (row.state == u"stopped") return {FailureKind::Stopped, {}, {}};
  return {FailureKind::WorkerFailed, {{"program", "cloister-worker"}, {"code", row.summary["exitCode"]}}, {}};
}

/// Runs the event loop until the job has ended.
int followJob(Context& context, RunSession& session, const QString& run, const QString& verb, QJsonObject* result) {
  RunProgress progress(context);
  QObject scope;
  RunSupervisor& supervisor = *session.supervisor;
  bool ended = false;
  QObject::connect(&supervisor, &RunSupervisor::jobEvents, &scope, [&](const QString& id, const QString& v, const QList<RunEvent>& events) {
    if (id == run && v == verb) progress.take(events);
  });
  QObject::connect(&supervisor, &RunSupervisor::jobFinished, &scope, [&](const QString& id, const QString& v, int, const QJsonObject& r) {
    if (id != run || v != verb) return;
    *result = r;
    ended = true;
    context.quit(0);
  });
  QObject::connect(&context, &Context::stopAsked, &scope, [&] {
    if (auto stopped = supervisor.stopJob(run, verb); !stopped) context.quit(0);
  });
  context.runEventLoop();
  context.progress().clear();
  if (!ended) return context.fail({FailureKind::Stopped, {}, {}});
  if (result->contains("failure")) return context.fail(Failure::fromJson((*result)["failure"].toObject()), {{"run", run}});
  return 0;
}

/// What a scheduler says about a job that waits, once each time it says something else.
void sayWhereItWaits(Context& context, const RunRecord& row, QString* before) {
  const QJsonObject launch = row.summary["launch"].toObject();
  QString now;
  if (row.state == u"submitted" && launch.contains("state"))
    now = tr("%1 waits: job %2 is %3 %4")
              .arg(row.id, launch["job"].toString(), launch["state"].toString(), launch["reason"].toString())
              .trimmed();
  if (now == *before) return;
  *before = now;
  if (!now.isEmpty()) context.note(now);
}

}  // namespace

Result<std::unique_ptr<RunSession>> RunSession::open(Context& context) {
  auto project = openProject(context);
  if (!project) return project.error();
  auto session = std::make_unique<RunSession>();
  session->project = std::move(*project);
  session->supervisor = std::make_unique<RunSupervisor>(*session->project);
  if (auto attached = session->supervisor->attach(); !attached) return attached.error();
  session->supervisor->setStopCheck([] { return Context::stopRequested(); });
  QObject::connect(session->supervisor.get(), &RunSupervisor::preparing, &context,
                   [&context](qint64 done, qint64 total) { context.progress().show(done, total, tr("preparing samples")); });
  return session;
}

QString shortNumber(double value) { return QString::number(value, 'g', 4); }

Result<RunRecord> currentRun(const Project& project, const QString& run) {
  auto row = project.run(run);
  if (!row) return row.error();
  return reconciled(*row, project.runDir(row->id));
}

Result<RunRecord> trainedRun(const Project& project, const QString& run) {
  if (!run.isEmpty()) return currentRun(project, run);
  auto rows = project.runs();
  if (!rows) return rows.error();
  for (const RunRecord& row : *rows)
    if (hasBestWeights(project.runDir(row.id))) return currentRun(project, row.id);
  return Failure{FailureKind::NothingToDo, {{"what", "trained run"}, {"next", "Train a model first: cloister-cli train."}}, {}};
}

bool isLanguageModel(const RunRecord& row) {
  const auto family = PluginCatalogue::scan().find(QStringLiteral("family"), row.family);
  return family && isLanguageTask(family->json["task"].toString());
}

QJsonObject runJson(const RunRecord& row, const Project& project) {
  const QString dir = project.runDir(row.id);
  return {{"run", row.id},
          {"state", row.state},
          {"family", row.family},
          {"snapshot", row.snapshot},
          {"createdAt", row.createdAt},
          {"finishedAt", row.finishedAt},
          {"step", row.step},
          {"steps", row.steps},
          {"attempts", row.attempts},
          {"checkpointStep", newestCheckpoint(dir)},
          {"best", row.summary["best"]},
          {"seconds", row.summary["seconds"]},
          {"values", row.summary["values"].toObject()},
          {"warnings", row.summary["warnings"].toArray()},
          {"evaluated", QFileInfo::exists(dir + "/evaluation/report.json")},
          {"exported", QFileInfo::exists(dir + "/export/export.json")},
          {"launch", row.summary["launch"].toObject()},
          {"dir", dir}};
}

QString runLine(const RunRecord& row) {
  const QJsonObject best = row.summary["best"].toObject();
  QString line = QStringLiteral("%1  %2  %3  %4/%5").arg(row.id, row.state.leftJustified(14), row.family).arg(row.step).arg(row.steps);
  if (best["value"].isDouble()) line += QStringLiteral("  %1 %2").arg(best["metric"].toString(), shortNumber(best["value"].toDouble()));
  return line;
}

int reportRun(Context& context, const RunRecord& row, const Project& project) {
  QJsonObject json = runJson(row, project);
  if (row.state != u"finished") return context.fail(failureOf(row), json);
  context.emitJson(json);
  context.print(runLine(row));
  return 0;
}

int followRun(Context& context, RunSession& session, const QString& run) {
  RunProgress progress(context);
  QString waits;
  QObject scope;
  RunSupervisor& supervisor = *session.supervisor;
  const auto endWhenFinal = [&] {
    if (!supervisor.isActive(run) && !supervisor.isQueued(run)) context.quit(0);
  };
  QObject::connect(&supervisor, &RunSupervisor::eventsArrived, &scope, [&](const QString& id, const QList<RunEvent>& events) {
    if (id == run) progress.take(events);
  });
  QObject::connect(&supervisor, &RunSupervisor::runChanged, &scope, [&](const QString& id) {
    if (id != run) return;
    const auto row = session.project->run(run);
    if (row) sayWhereItWaits(context, *row, &waits);
    if (row && row->summary.contains("silentSeconds"))
      context.note(tr("%1 has said nothing for %2; it may hang. cloister-cli runs stop ends it.")
                       .arg(run, durationText(row->summary["silentSeconds"].toDouble())));
    endWhenFinal();
  });
  const auto stop = [&] {
    context.note(tr("Stopping %1 after a checkpoint; once more ends this program at once, the run goes on stopping.").arg(run));
    if (auto asked = supervisor.requestStop(run); !asked && asked.error().kind != FailureKind::NothingToDo)
      context.quit(context.fail(asked.error()));
  };
  QObject::connect(&context, &Context::stopAsked, &scope, stop);
  if (supervisor.isQueued(run)) context.note(tr("%1 waits for the run before it.").arg(run));
  QTimer::singleShot(0, &scope, endWhenFinal);
  if (const int code = context.runEventLoop(); code != 0) return code;
  auto row = currentRun(*session.project, run);
  if (!row) return context.fail(row.error());
  return reportRun(context, *row, *session.project);
}

int watchRun(Context& context, const Project& project, const QString& run) {
  auto row = currentRun(project, run);
  if (!row) return context.fail(row.error());
  const QString dir = project.runDir(row->id);
  RunProgress progress(context);
  QObject scope;
  QTimer timer;
  std::unique_ptr<ChildWatch> watch;
  std::unique_ptr<RemoteRun> remote;
  if (const auto launch = readLaunch(dir); launch && !isFinal(row->state)) remote = std::make_unique<RemoteRun>(dir, *launch);
  int attempt = 0;
  const auto look = [&] {
    if (remote) {
      const bool ended = remote->phase() == RemoteRun::Phase::Ended;
      const QList<RunEvent> events = remote->read();
      progress.take(events);
      applyEvents(*row, events);
      if (!ended) return;
      row->attempts = remote->attempt();
      applyOutcome(*row, remote->outcome());
      return context.quit(0);
    }
    if (const int newest = attemptsIn(dir); newest != attempt) {
      attempt = newest;
      watch = std::make_unique<ChildWatch>(attemptFolder(dir, attempt), QStringLiteral("rank-0.events.jsonl"));
    }
    const bool alive = watch && watch->isAlive();
    if (watch) progress.take(watch->readEvents());
    if (alive) return;
    row = currentRun(project, row->id);
    if (!row || isFinal(row->state)) context.quit(0);
  };
  QObject::connect(&timer, &QTimer::timeout, &scope, look);
  QObject::connect(&context, &Context::stopAsked, &scope, [&] { context.quit(130); });
  timer.start(250);
  QTimer::singleShot(0, &scope, look);
  if (const int code = context.runEventLoop(); code != 0) return context.fail({FailureKind::Stopped, {}, {}});
  if (!row) return context.fail(row.error());
  return reportRun(context, *row, project);
}

void printHeadline(Context& context, const QJsonArray& headline) {
  for (const QJsonValue& v : headline)
    context.print(QStringLiteral("%1 %2  (%3 … %4)")
                      .arg(v["name"].toString().leftJustified(20), shortNumber(v["value"].toDouble()), shortNumber(v["low"].toDouble()),
                           shortNumber(v["high"].toDouble())));
}

int runJob(Context& context, RunSession& session, const QString& run, const QString& verb, const QJsonObject& options,
           QJsonObject* result) {
  auto row = trainedRun(*session.project, run);
  if (!row) return context.fail(row.error());
  auto folder = session.supervisor->startJob(row->id, verb, options);
  if (!folder) return context.fail(folder.error());
  if (const int code = followJob(context, session, row->id, verb, result); code != 0) return code;
  (*result)["run"] = row->id;
  (*result)["dir"] = *folder;
  return 0;
}

}  // namespace cloister::cli
