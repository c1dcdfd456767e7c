// Handing runs to a launcher elsewhere, from recipe to job: composes one run or a sweep, writes the file the launcher gets, submits it
// where the launcher is Slurm and this machine has it. Thread of the Project; blocks (prepares data, asks sbatch).
#pragma once
#include <QList>
#include <QString>

#include "core/runs/cluster_script.h"
#include "core/runs/run_supervisor.h"

namespace cloister {

/// One value of each swept parameter; the product of all makes the runs.
struct SweepAxis {
  QString key;
  QStringList values;
};

struct LaunchOrder {
  ClusterRequest cluster;
  TrainRequest recipe;
  QList<SweepAxis> sweep;
  QString run;         ///< instead of recipe and sweep: a composed run, or one that ended unfinished
  bool submit = true;  ///< Slurm: false writes the script only
};

struct Launched {
  QStringList runs;
  QString file;     ///< absolute path of what was written
  QByteArray text;  ///< its content
  QString command;  ///< what starts it: the torchrun line, sbatch …, kubectl apply …
  QString job;      ///< Slurm's number
};

/// All recipes of a sweep, in the order of the axes; the recipe itself without one. InvalidArgument beyond 1,000.
Result<QList<TrainRequest>> sweepOf(const TrainRequest&, const QList<SweepAxis>&);
/// A refused submission leaves composed runs behind ("submitted", without a launcher): the order may be given again with each run's name.
Result<Launched> launch(Project&, RunSupervisor&, const LaunchOrder&);

}  // namespace cloister
