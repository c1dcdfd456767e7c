#include "core/runs/launcher.h"

#include <QDateTime>
#include <QDir>
#include <QFile>

#include "core/domain/files.h"
#include "core/domain/run_spec.h"
#include "core/runs/remote_run.h"
#include "core/runs/run_row.h"
#include "core/store/project.h"

namespace cloister {
namespace {

constexpr qsizetype kMostRuns = 1000;  // Slurm's own default limit of an array (MaxArraySize)

Result<QStringList> composeAll(RunSupervisor& supervisor, const LaunchOrder& order) {
  if (!order.run.isEmpty()) return QStringList{order.run};
  TrainRequest recipe = order.recipe;
  recipe.processes = order.cluster.processes();
  recipe.restarts = order.cluster.restarts;
  auto all = sweepOf(recipe, order.sweep);
  if (!all) return all.error();
  QStringList runs;
  for (const TrainRequest& one : *all) {
    auto run = supervisor.compose(one);
    if (!run) return run.error();
    runs << *run;
  }
  return runs;
}

/// A base model outside the project is found by this machine only.
Result<void> checkReach(const RunSpec& spec, const QString& on) {
  for (const QString& path : {spec.baseWeights, spec.tokenizer})
    if (on == u"kubernetes" && QDir::isAbsolutePath(path))
      return Failure{
          FailureKind::PolicyRefused,
          {{"rule", QStringLiteral("pods see the project's folder only, and %1 lies outside it; add it to the project first").arg(path)}},
          {}};
  return {};
}

QString commandFor(const ClusterRequest& r, const QString& file, const QString& root, const ClusterRun& run) {
  if (r.on == u"torchrun") return torchrunLine(r, root, run);
  return (r.on == u"slurm" ? QStringLiteral("sbatch ") : QStringLiteral("kubectl apply -f ")) + shellQuoted(file);
}

}  // namespace

Result<QList<TrainRequest>> sweepOf(const TrainRequest& recipe, const QList<SweepAxis>& axes) {
  QList<TrainRequest> all{recipe};
  for (const SweepAxis& axis : axes) {
    QList<TrainRequest> more;
    for (const TrainRequest& one : all)
      for (const QString& value : axis.values) {
        more << one;
        if (axis.key == u"seed") more.last().seed = value.toLongLong();
        else more.last().parameters[axis.key] = value;
      }
    all = more;
    if (all.isEmpty() || all.size() > kMostRuns)
      return Failure{FailureKind::InvalidArgument,
                     {{"name", "--sweep"}, {"value", QString::number(all.size())}, {"allowed", QStringLiteral("1 … %1").arg(kMostRuns)}},
                     {}};
  }
  return all;
}

Result<Launched> launch(Project& project, RunSupervisor& supervisor, const LaunchOrder& order) {
  ClusterRequest cluster = order.cluster;
  if (auto good = checkCluster(cluster); !good) return good.error();
  if (order.sweep.size() > 0 && cluster.on != u"slurm")
    return Failure{FailureKind::InvalidArgument, {{"name", "--sweep"}, {"value", cluster.on}, {"allowed", "slurm"}}, {}};
  auto names = composeAll(supervisor, order);
  if (!names) return names.error();
  QList<ClusterRun> runs;
  for (const QString& name : *names) {
    auto row = project.run(name);
    if (!row) return row.error();
    auto json = readJson(project.runDir(row->id) + "/spec.json");
    if (!json) return json.error();
    auto spec = RunSpec::fromJson(*json);
    if (!spec) return spec.error();
    if (auto reach = checkReach(*spec, cluster.on); !reach) return reach.error();
    // A run that exists has its number of processes, and the hosts must offer just as many.
    if (spec->processes != cluster.processes())
      return Failure{FailureKind::InvalidArgument,
                     {{"name", "--nodes × --nproc"}, {"value", cluster.processes()}, {"allowed", QString::number(spec->processes)}},
                     {}};
    if (!order.run.isEmpty() && cluster.restarts == 0) cluster.restarts = spec->restarts;
    runs << ClusterRun{row->id, attemptsIn(project.runDir(row->id)) + 1};
  }
  auto text = clusterFile(cluster, project.dir(), runs);
  if (!text) return text.error();
  Launched launched;
  launched.text = *text;
  launched.file = project.runDir(runs.first().run) + '/' + clusterFileName(cluster);
  if (auto written = writeFileAtomically(launched.file, *text); !written) return written.error();
  if (cluster.on != u"kubernetes")
    QFile::setPermissions(launched.file, QFile::permissions(launched.file) | QFile::ExeOwner | QFile::ExeGroup);
  launched.command = commandFor(cluster, launched.file, project.dir(), runs.first());
  if (cluster.on == u"slurm" && order.submit) {
    auto job = submitToSlurm(launched.file, project.dir());
    if (!job) return job.error();
    launched.job = *job;
  }
  LaunchRecord record{cluster.on,
                      {},
                      clusterFileName(cluster),
                      cluster.nodes,
                      cluster.perNode,
                      cluster.restarts,
                      QDateTime::currentDateTimeUtc().toString(Qt::ISODateWithMs)};
  for (qsizetype i = 0; i < runs.size(); ++i) {
    if (!launched.job.isEmpty()) record.job = runs.size() > 1 ? QStringLiteral("%1_%2").arg(launched.job).arg(i) : launched.job;
    launched.runs << runs[i].run;
    if (auto handed = supervisor.handOver(runs[i].run, record); !handed) return handed.error();
  }
  return launched;
}

}  // namespace cloister
