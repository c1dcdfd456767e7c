// Runs and their child processes: composes specs, starts workers that outlive the GUI, follows event logs, asks them to stop, resumes.
// Lives on the thread of the Project; signals fire there. State of the truth: the run folder.
#pragma once
#include <functional>
#include <memory>

#include <QJsonObject>
#include <QObject>
#include <QStringList>

#include "core/domain/parameter_schema.h"
#include "core/domain/result.h"
#include "core/domain/run_event.h"
#include "core/domain/run_spec.h"

namespace cloister {
class Project;
struct RunRecord;
struct LaunchRecord;

struct TrainRequest {
  QString family;          ///< empty: the one for the project's task
  QString snapshot;        ///< digest or prefix, empty: the newest
  QString baseWeights;     ///< safetensors file; of a language model a name in the project's models or a folder; or empty
  QString tokenizer;       ///< language models: as baseWeights; empty: that of the base, else the only one there is
  QJsonObject parameters;  ///< what differs from the schema's defaults
  qint64 seed = 1;
  int processes = 1;
  int restarts = 0;    ///< after an attempt that failed and may be resumed: that many times another one begins by itself
  bool force = false;  ///< start although the plan says that it will not fit
};

/// What a family needs for a recipe, from `cloister-worker plan` (memory by part, disk, time) against what is free.
struct FitReport {
  bool fits = false;
  qint64 memoryNeeded = 0, memoryFree = 0;  ///< bytes
  qint64 diskNeeded = 0, diskFree = 0;
  QJsonObject parts;  ///< weights, gradients, optimizer, activations, data … in bytes
  QJsonObject card;   ///< {"name","memoryNeeded","memoryFree"} of the graphics card that would train; empty: the processor
  double secondsEstimated = -1;
  QString advice;  ///< one sentence, empty when it fits
};

class RunSupervisor : public QObject {
  Q_OBJECT
 public:
  explicit RunSupervisor(Project& project, QObject* parent = nullptr);
  ~RunSupervisor() override;

  Result<ParameterSchema> familySchema(const QString& family) const;
  QStringList families() const;
  Result<FitReport> willItFit(const TrainRequest&) const;

  /// Prepares the data when needed (preparing() fires meanwhile), checks memory and disk, writes spec.json, the row and the audit entry,
  /// starts the worker(s) detached. One run at a time: queue waits until no other is active, otherwise PolicyRefused. Returns the run id.
  Result<QString> start(const TrainRequest&, bool queue = false);
  /// As start(), for a launcher elsewhere: data prepared, spec.json, row (state "submitted") and audit entry written, nothing started and
  /// this machine's memory not asked. Any number at a time. launch.json comes from handOver.
  Result<QString> compose(const TrainRequest&);
  /// Gives a composed run, or one that ended unfinished, to a launcher: checks its identity, writes launch.json and follows its folder.
  Result<void> handOver(const QString& run, const LaunchRecord&);
  /// Writes stop.request; the worker checkpoints and ends with 10. After the grace it is terminated, then killed. A queued run is taken
  /// out of the queue.
  Result<void> requestStop(const QString& run);
  /// A new attempt from the newest whole checkpoint. IdentityChanged when data or base weights are no longer those of the spec.
  Result<void> resume(const QString& run);
  /// worker verbs on a run with best weights: "evaluate" (folder evaluation/), "export" (folder export/). options are written to
  /// request.json there. run empty: the newest with weights. Returns the job's folder.
  Result<QString> startJob(const QString& run, const QString& verb, const QJsonObject& options);
  Result<void> stopJob(const QString& run, const QString& verb);

  /// Finds what is still running (pid and start time) after a restart of this program, reads what was missed, gives rows to run folders
  /// that have none, and goes on with the queue.
  Result<void> attach();
  bool isActive(const QString& run) const;
  bool isQueued(const QString& run) const;

  /// Asked while start() prepares data: true gives up with Stopped.
  void setStopCheck(std::function<bool()> check);
  /// How long a worker may take to stop by itself (60 s).
  void setStopGrace(int milliseconds);
  /// After this long without an event from a living worker summary["silentSeconds"] says so (120 s); the run is not ended for it.
  void setSilenceLimit(int milliseconds);

 Q_SIGNALS:
  void preparing(qint64 done, qint64 total);                          ///< samples, from inside start()
  void runChanged(QString run);                                       ///< the row changed; read it from the project
  void eventsArrived(QString run, QList<cloister::RunEvent> events);  ///< at most four times a second
  void jobEvents(QString run, QString verb, QList<cloister::RunEvent> events);
  void jobFinished(QString run, QString verb, int exitCode, QJsonObject result);

 private:
  struct Private;
  std::unique_ptr<Private> d;
};

/// Asks a run to stop by its folder alone: for a program that may not write the project because another holds it. That one sees the file.
Result<void> writeStopRequest(const QString& runDir);
/// evaluation or export: where the worker verb writes.
QString jobFolder(const QString& runDir, const QString& verb);

/// All attempts' events of a run in order, for curves after a restart and for overlays. Blocking read; any thread.
Result<QList<RunEvent>> readRunEvents(const QString& runDir);

}  // namespace cloister
