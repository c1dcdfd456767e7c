// The row of a run (RunRecord) from its files: what events change, and what a folder says when nobody watched. Pure but for reading the
// folder; any thread.
#pragma once
#include <QList>
#include <QString>

#include "core/domain/run_event.h"
#include "core/domain/run_spec.h"
#include "core/runs/child_watch.h"
#include "core/store/project.h"

namespace cloister {

/// step, steps and summary {"values","best","seconds","device","phase","progress","warnings","failure","silentSeconds","lastEventAt"}.
void applyEvents(RunRecord&, const QList<RunEvent>&);
void applyOutcome(RunRecord&, const ChildOutcome&);
bool isFinal(const QString& state);  ///< stopped, attempt_failed, failed, finished

QString attemptFolder(const QString& runDir, int attempt);  ///< attempt-001
/// Highest attempt number that has a folder; 0 without one.
int attemptsIn(const QString& runDir);
/// The step of the newest whole checkpoint (state.json is there); -1 without one.
qint64 newestCheckpoint(const QString& runDir);
bool hasBestWeights(const QString& runDir);

/// A row for a folder that has none (the index was lost, or this program ended before it wrote the row).
RunRecord rowOf(const RunSpec&);
/// The row as the files have it now: replays the last attempt when the row says it still runs. Writes nothing.
RunRecord reconciled(RunRecord, const QString& runDir);

}  // namespace cloister
