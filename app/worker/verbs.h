// The verbs of cloister-worker: each parses its own arguments and returns an exit code. Main thread. They may throw; main words it.
// To add one: a file <name>_verb.cpp, a declaration here, a row in main.cpp.
#pragma once
#include <functional>

#include <QJsonObject>
#include <QString>
#include <QStringList>

#include "core/domain/run_event.h"
#include "core/domain/run_spec.h"

namespace cloister {

int trainVerb(const QStringList& arguments);
int planVerb(const QStringList& arguments);
int exportVerb(const QStringList& arguments);
int exportGraphVerb(const QStringList& arguments);
int runVerb(const QStringList& arguments);
int evaluateVerb(const QStringList& arguments);
int initVerb(const QStringList& arguments);
int logitsVerb(const QStringList& arguments);
int hardwareVerb(const QStringList& arguments);
int modelShowVerb(const QStringList& arguments);
int modelImportVerb(const QStringList& arguments);
int modelLogitsVerb(const QStringList& arguments);
int modelExportVerb(const QStringList& arguments);
int generateVerb(const QStringList& arguments);
int filterLogitsVerb(const QStringList& arguments);
int modelPlanVerb(const QStringList& arguments);
int modelEvaluateVerb(const QStringList& arguments);
int modelTrainVerb(const QStringList& arguments);

/// Value of "--name VALUE"; InvalidArgument thrown when it is required and missing.
QString option(const QStringList& arguments, const QString& name, bool required = true, const QString& fallback = {});

/// Runs a job that reports by events: opens the log, writes a `failed` event and the code for whatever the job throws, and at the end
/// exit.json {"code"} (or the given name) beside the log. Returns the exit code.
int runJob(const QString& eventsPath, const std::function<WorkerExit(EventWriter&)>& job, const QString& exitName = "exit.json");

/// Runs a job that answers on standard output, one JSON object a line: what it says, and {"type":"failed","failure":{…}} for whatever it
/// throws. Returns the exit code.
using Say = std::function<void(const QJsonObject&)>;
int runSpoken(const std::function<void(const Say&)>& job);

/// The exit code a failure stands for.
WorkerExit exitFor(const Failure&);

}  // namespace cloister
