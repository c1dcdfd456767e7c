// What the verbs about runs share: the project with its supervisor, following a run on the event loop, and a run as JSON and as text.
// Main thread.
#pragma once
#include <memory>

#include "app/cli/context.h"
#include "core/runs/run_supervisor.h"
#include "core/store/project.h"

namespace cloister::cli {

struct RunSession {
  /// Opens for writing and attaches to what still runs. DatabaseLocked while the desktop has the project open.
  static Result<std::unique_ptr<RunSession>> open(Context&);
  std::unique_ptr<Project> project;
  std::unique_ptr<RunSupervisor> supervisor;
};

/// Runs the event loop until the run has ended, progress on stderr; SIGINT asks it to stop. Prints the result; the exit code.
int followRun(Context&, RunSession&, const QString& run);
/// The same from the files alone, for a project that another program holds. SIGINT stops the following, not the run.
int watchRun(Context&, const Project&, const QString& run);
/// Starts the job ("evaluate", "export") on the run, the newest trained one for an empty id, and runs the event loop until it has ended.
/// Result is what jobFinished gave, with the members run and dir. The exit code; failures are printed.
int runJob(Context&, RunSession&, const QString& run, const QString& verb, const QJsonObject& options, QJsonObject* result);

/// The newest run for an empty id, its row as the files have it now.
Result<RunRecord> currentRun(const Project&, const QString& run);
/// The newest run that has weights to evaluate and export, for an empty id.
Result<RunRecord> trainedRun(const Project&, const QString& run);
/// Whether the run's family makes language models.
bool isLanguageModel(const RunRecord&);
QJsonObject runJson(const RunRecord&, const Project&);
QString runLine(const RunRecord&);
/// Prints a run that ended and returns the exit code of its state.
int reportRun(Context&, const RunRecord&, const Project&);

/// One number for people: four significant digits, percent never.
QString shortNumber(double);
/// A report's headline for people: a line a figure, with its interval.
void printHeadline(Context&, const QJsonArray& headline);

}  // namespace cloister::cli
