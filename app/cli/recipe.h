// The options of verbs that take a recipe (train, plan, launch), and the request they make. Main thread.
#pragma once
#include <QCommandLineOption>

#include "app/cli/context.h"
#include "core/runs/run_supervisor.h"

namespace cloister::cli {

QList<QCommandLineOption> recipeOptions();
/// With --nproc, which each of these verbs explains in its own words.
Result<TrainRequest> requestFrom(const Context&);

}  // namespace cloister::cli
