// What the parts of the supervisor share: run_supervisor.cpp starts and stops, run_following.cpp follows. Thread of the Project.
#pragma once
#include <algorithm>
#include <map>
#include <vector>

#include <QElapsedTimer>
#include <QTimer>

#include "core/domain/failure.h"
#include "core/extension/plugin_catalogue.h"
#include "core/runs/child_watch.h"
#include "core/runs/remote_run.h"
#include "core/runs/run_checks.h"
#include "core/runs/run_supervisor.h"
#include "core/store/project.h"
#include "core/trust/audit_log.h"

namespace cloister {

inline const QString kTrainEvents = QStringLiteral("rank-0.events.jsonl");
inline const QString kJobEvents = QStringLiteral("events.jsonl");

inline QString stopFileOf(const QString& runDir) { return runDir + QStringLiteral("/stop.request"); }

struct RunSupervisor::Private {
  struct Active {  // a training run with a live worker, or one that a launcher elsewhere has
    RunRecord row;
    ChildWatch watch;
    std::unique_ptr<RemoteRun> remote = {};  ///< instead of watch
    bool terminated = false;
    QElapsedTimer sinceSaved = {}, sinceStop = {}, sinceEvent = {};
  };
  struct Job {
    QString run, verb;
    ChildWatch watch;
    bool stopping = false;
  };

  Private(Project& p, RunSupervisor* q) : project(p), supervisor(q), catalogue(PluginCatalogue::scan()) {}

  Result<void> audit(const QString& action, const QJsonObject& object);
  Result<void> launchAttempt(RunRecord& row);
  Result<void> startRow(RunRecord row);
  Result<RunSpec> makeSpec(const TrainRequest&, const CheckedRequest&);
  Result<RunRecord> writeRun(const RunSpec&, const QString& state);
  Result<RunSpec> specOf(const QString& run);
  QString trainingHere() const;
  Result<RunRecord> adopt(const QString& run);
  Result<QList<RunRecord>> allRows();
  void attachJobs(const QString& run);
  void attachRun(const RunRecord& old);
  void follow(RunRecord row, const LaunchRecord& launch);
  void poll();
  void pollRun(Active&);
  void pollRemote(Active&);
  void endRun(RunRecord row, const ChildOutcome&);
  Result<void> takeBack(Active&);
  bool restarted(RunRecord& row, const ChildOutcome&);
  void watchStop(Active&);
  void watchSilence(Active&, bool spoke);
  bool pollJob(Job&);
  void startNextQueued();
  void saveAndTell(const RunRecord&);
  QStringList queued() const;

  Project& project;
  RunSupervisor* supervisor;
  PluginCatalogue catalogue;
  std::unique_ptr<AuditLog> log;
  std::map<QString, std::unique_ptr<Active>> active;
  std::vector<std::unique_ptr<Job>> jobs;
  QTimer timer;
  int graceMs = 60'000, silenceMs = 120'000;
  std::function<bool()> stopCheck;
};

}  // namespace cloister
