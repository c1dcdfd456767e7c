// Runs and their child processes: composes specs, starts workers that outlive the GUI, follows event logs, asks them to stop, resumes.
// Lives on the thread of the Project; signals fire there. State of the truth: the run folder.
#pragma once
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

struct TrainRequest {
  QString family = QStringLiteral("image_classifier");
  QString snapshot;        ///< digest or prefix, empty: the newest
  QString baseWeights;     ///< safetensors file or empty
  QJsonObject parameters;  ///< what differs from the schema's defaults
  qint64 seed = 1;
  int processes = 1;
};

/// What a family needs for a recipe, from `cloister-worker plan` (memory by part, disk, time) against what is free.
struct FitReport {
  bool fits = false;
  qint64 memoryNeeded = 0, memoryFree = 0;  ///< bytes
  qint64 diskNeeded = 0, diskFree = 0;
  QJsonObject parts;  ///< weights, gradients, optimizer, activations, data … in bytes
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

  /// Prepares the data when needed, checks memory and disk, writes spec.json, the row and the audit entry, starts the worker(s) detached.
  /// queue: waits until no other run is active. Returns the run id.
  Result<QString> start(const TrainRequest&, bool queue = false);
  Result<void> requestStop(const QString& run);  ///< writes stop.request; checkpoint, then exit 10; killed after the grace
  Result<void> resume(const QString& run);       ///< a new attempt from the newest whole checkpoint
  /// worker verbs on a finished run: "evaluate", "export". options are written to <run>/<verb>/request.json. Returns the job's folder.
  Result<QString> startJob(const QString& run, const QString& verb, const QJsonObject& options);

  /// Finds what is still running (pid and start time) after a restart of this program, and reads what was missed.
  Result<void> attach();
  bool isActive(const QString& run) const;

 Q_SIGNALS:
  void runChanged(QString run);                                       ///< the row changed; read it from the project
  void eventsArrived(QString run, QList<cloister::RunEvent> events);  ///< at most four times a second
  void jobEvents(QString run, QString verb, QList<cloister::RunEvent> events);
  void jobFinished(QString run, QString verb, int exitCode, QJsonObject result);

 private:
  struct Private;
  std::unique_ptr<Private> d;
};

/// All attempts' events of a run in order, for curves after a restart and for overlays. Blocking read; any thread.
Result<QList<RunEvent>> readRunEvents(const QString& runDir);

}  // namespace cloister
