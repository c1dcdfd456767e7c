#include "core/runs/run_row.h"

#include <algorithm>

#include <QDateTime>
#include <QDir>
#include <QFileInfo>
#include <QJsonArray>

#include "core/domain/files.h"
#include "core/runs/remote_run.h"
#include "core/runs/run_supervisor.h"

namespace cloister {
namespace {

constexpr int kWarningsKept = 20;

void mergeValues(QJsonObject& summary, const QJsonObject& values) {
  QJsonObject merged = summary["values"].toObject();
  for (auto it = values.begin(); it != values.end(); ++it) merged[it.key()] = it.value();
  summary["values"] = merged;
}

void applyEvent(RunRecord& row, const RunEvent& e) {
  QJsonObject& s = row.summary;
  if (e.body.contains("step")) row.step = std::max<qint64>(0, e.body["step"].toInteger());
  if (e.type == u"started") {
    row.steps = e.body["steps"].toInteger(row.steps);
    row.step = e.body["resumedFrom"].toInteger();
    for (const char* key : {"device", "parameters", "trainSamples", "stepsPerEpoch", "threads", "precision", "commit", "version"})
      if (e.body.contains(QLatin1String(key))) s[QLatin1String(key)] = e.body[QLatin1String(key)];
    s.remove("failure");
  } else if (e.type == u"phase") {
    s["phase"] = e.body["name"];
  } else if (e.type == u"progress") {
    s["progress"] = QJsonObject{{"done", e.body["done"]}, {"total", e.body["total"]}, {"secondsLeft", e.body["secondsLeft"]}};
  } else if (e.type == u"metric" || e.type == u"evaluation") {
    mergeValues(s, e.body["values"].toObject());
  } else if (e.type == u"checkpoint") {
    s["checkpointStep"] = e.body["step"];
  } else if (e.type == u"warning") {
    QJsonArray warnings = s["warnings"].toArray();
    warnings << QJsonObject{{"kind", e.body["kind"]}, {"message", e.body["message"]}};
    while (warnings.size() > kWarningsKept) warnings.removeFirst();
    s["warnings"] = warnings;
  } else if (e.type == u"failed") {
    s["failure"] = e.body["failure"];
  } else if (e.type == u"finished") {
    s["best"] = e.body["best"];
    s["seconds"] = e.body["seconds"];
  }
  if (!e.at.isEmpty()) s["lastEventAt"] = e.at;
}

}  // namespace

void applyEvents(RunRecord& row, const QList<RunEvent>& events) {
  for (const RunEvent& e : events)
    if (e.type != u"garbled") applyEvent(row, e);
}

void applyOutcome(RunRecord& row, const ChildOutcome& outcome) {
  row.state = outcome.state;
  row.summary["exitCode"] = outcome.exitCode;
  row.summary.remove("progress");
  row.summary.remove("phase");
  row.summary.remove("silentSeconds");
  row.summary.remove("offset");  // of the log's reader, which is done
  if (outcome.failure) row.summary["failure"] = outcome.failure->toJson();
  else row.summary.remove("failure");
  // The time of its last word, not of our look: an index rebuilt from the files says the same.
  row.finishedAt = row.summary["lastEventAt"].toString(QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs));
}

bool isFinal(const QString& state) {
  return state == u"stopped" || state == u"attempt_failed" || state == u"failed" || state == u"finished";
}

QString attemptFolder(const QString& runDir, int attempt) {
  return runDir + QStringLiteral("/attempt-%1").arg(attempt, 3, 10, QLatin1Char('0'));
}

int attemptsIn(const QString& runDir) {
  int most = 0;
  for (const QString& name : QDir(runDir).entryList({"attempt-*"}, QDir::Dirs)) most = std::max(most, name.mid(8).toInt());
  return most;
}

qint64 newestCheckpoint(const QString& runDir) {
  qint64 newest = -1;
  const QDir checkpoints(runDir + "/checkpoints");
  for (const QString& name : checkpoints.entryList({"step-*"}, QDir::Dirs)) {
    bool ok = false;
    const qint64 step = name.mid(5).toLongLong(&ok);
    if (ok && QFileInfo::exists(checkpoints.filePath(name + "/state.json"))) newest = std::max(newest, step);
  }
  return newest;
}

bool hasBestWeights(const QString& runDir) { return QFileInfo::exists(runDir + "/best/state.json"); }

RunRecord rowOf(const RunSpec& spec) {
  RunRecord row;
  row.id = spec.run;
  row.family = spec.family;
  row.snapshot = spec.snapshot;
  row.createdAt = spec.createdAt;
  // With a base model a language model's run has that one's architecture, and people know it by its name.
  const bool tuned = !spec.tokenizer.isEmpty() && !spec.baseWeights.isEmpty();
  row.summary["architecture"] = tuned ? QJsonValue(QFileInfo(spec.baseWeights).fileName()) : spec.parameters["architecture"];
  row.state = QStringLiteral("running");
  return row;
}

RunRecord reconciled(RunRecord row, const QString& runDir) {
  if (isFinal(row.state) || row.state == u"queued") return row;
  const auto launch = readLaunch(runDir);
  row.attempts = attemptsIn(runDir);
  if (row.attempts == 0 && (launch || row.state == u"submitted")) return row;
  if (row.attempts == 0) {
    applyOutcome(row, {QStringLiteral("attempt_failed"), 1,
                       Failure{FailureKind::Crashed, {{"program", "cloister"}, {"signal", "before the worker started"}}, {}}});
    return row;
  }
  for (int attempt = 1; attempt < row.attempts; ++attempt)
    applyEvents(row, ChildWatch(attemptFolder(runDir, attempt), QStringLiteral("rank-0.events.jsonl")).readEvents());
  ChildWatch watch(attemptFolder(runDir, row.attempts), QStringLiteral("rank-0.events.jsonl"));
  const bool alive = watch.isAlive();
  applyEvents(row, watch.readEvents());
  // Between two attempts of a job that waits once more; who follows the run asks its launcher.
  if (!alive && launch && row.state == u"submitted" && (!watch.hasEnded() || mayGoOn(*launch, runDir, row.attempts, watch.outcome())))
    return row;
  if (alive && row.state == u"submitted") row.state = QStringLiteral("running");
  if (!alive) applyOutcome(row, watch.outcome());
  else if (QFileInfo::exists(runDir + "/stop.request")) row.state = QStringLiteral("stopping");
  return row;
}

QString jobFolder(const QString& runDir, const QString& verb) {
  return runDir + (verb == u"evaluate" ? QStringLiteral("/evaluation") : QStringLiteral("/export"));
}

Result<void> writeStopRequest(const QString& runDir) {
  return writeJsonAtomically(runDir + QStringLiteral("/stop.request"),
                             {{"at", QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs)}});
}

Result<QList<RunEvent>> readRunEvents(const QString& runDir) {
  if (!QFileInfo(runDir).isDir()) return Failure{FailureKind::NotFound, {{"path", runDir}}, {}};
  QList<RunEvent> all;
  const int attempts = attemptsIn(runDir);
  for (int attempt = 1; attempt <= attempts; ++attempt) {
    EventReader reader(attemptFolder(runDir, attempt) + "/rank-0.events.jsonl");
    for (;;) {
      auto some = reader.readNew();
      if (!some) return some.error();
      if (some->isEmpty()) break;
      all += *some;
    }
  }
  return all;
}

}  // namespace cloister
