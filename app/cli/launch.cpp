// launch: a run for this machine, torchrun, Slurm or Kubernetes; written, handed over and followed by its folder.
#include <QDir>
#include <QFileInfo>
#include <QJsonArray>

#include "app/cli/recipe.h"
#include "app/cli/run_session.h"
#include "app/cli/verb.h"
#include "core/runs/launcher.h"
#include "core/runs/run_pack.h"

namespace cloister::cli {
namespace {

Result<int> whole(const Context& context, const QString& name, qint64 least, qint64 most) {
  auto number = context.integer(name, least, most);
  if (!number) return number.error();
  return int(*number);
}

Result<ClusterRequest> clusterFrom(const Context& context) {
  ClusterRequest r;
  r.on = context.value("on");
  const QList<std::tuple<const char*, int*, qint64, qint64>> numbers{{"nodes", &r.nodes, 1, 4096},
                                                                     {"nproc", &r.perNode, 1, 64},
                                                                     {"gpus-per-node", &r.gpusPerNode, 0, 64},
                                                                     {"cpus-per-task", &r.cpusPerTask, 0, 4096},
                                                                     {"grace", &r.grace, 5, 65535},
                                                                     {"restarts", &r.restarts, 0, 1000},
                                                                     {"at-once", &r.atOnce, 0, 1000}};
  for (const auto& [name, to, least, most] : numbers) {
    auto number = whole(context, QLatin1String(name), least, most);
    if (!number) return number.error();
    *to = *number;
  }
  r.memory = context.value("mem");
  r.time = context.value("time");
  r.partition = context.value("partition");
  r.account = context.value("account");
  r.qos = context.value("qos");
  r.constraint = context.value("constraint");
  r.options = context.values("sbatch");
  r.interface = context.value("interface");
  r.endpoint = context.value("endpoint");
  r.worker = context.value("worker");
  r.kind = context.value("kind");
  r.image = context.value("image");
  r.claim = context.value("claim");
  r.mount = context.value("mount");
  r.space = context.value("namespace");
  r.fileTemplate = context.value("template");
  return r;
}

Result<QList<SweepAxis>> sweepFrom(const Context& context) {
  QList<SweepAxis> axes;
  for (const QString& axis : context.values("sweep")) {
    const qsizetype equals = axis.indexOf('=');
    const QStringList values = axis.mid(equals + 1).split(',', Qt::SkipEmptyParts);
    if (equals < 1 || values.isEmpty())
      return Failure{FailureKind::InvalidArgument, {{"name", "--sweep"}, {"value", axis}, {"allowed", "KEY=VALUE,VALUE"}}, {}};
    axes << SweepAxis{axis.left(equals), values};
  }
  return axes;
}

class Launch : public Verb {
 public:
  QStringList path() const override { return {"launch"}; }
  QString summary() const override { return tr("Train elsewhere: under torchrun, Slurm or Kubernetes, followed by the run's folder."); }
  QStringList examples() const override {
    return {"cloister-cli launch --on slurm --project chest --nodes 2 --nproc 4 --gpus-per-node 4 --time 12:00:00 --partition gpu",
            "cloister-cli launch --on slurm --project chest --sweep learning_rate=0.1,0.01 --sweep seed=1,2 --at-once 2",
            "cloister-cli launch --on slurm --project chest --pack r.tar --worker /opt/cloister/bin/cloister-worker",
            "cloister-cli launch --on torchrun --project chest --nproc 2",
            "cloister-cli launch --on kubernetes --project chest --kind pytorchjob --nodes 2 --image registry/cloister:1 --claim chest"};
  }
  QList<QCommandLineOption> options() const override {
    return recipeOptions() +
           QList<QCommandLineOption>{
               {"on", tr("Where: machine, torchrun, slurm, kubernetes."), "WHERE", "machine"},
               {"run", tr("Instead of a recipe: a run that was composed, or ended unfinished."), "RUN"},
               {"nodes", tr("Hosts, or pods."), "N", "1"},
               {"nproc", tr("Processes on each host."), "N", "1"},
               {"gpus-per-node", tr("Graphics cards of each host."), "N", "0"},
               {"cpus-per-task", tr("Processors of each process (0: the scheduler's own)."), "N", "0"},
               {"mem", tr("Memory of a host: 64G; of a pod: 64Gi."), "SIZE"},
               {"time", tr("Slurm: the longest time of an attempt; then a checkpoint, and again into the queue."), "HH:MM:SS"},
               {"partition", tr("Slurm's partition."), "NAME"},
               {"account", tr("Slurm's account."), "NAME"},
               {"qos", tr("Slurm's quality of service."), "NAME"},
               {"constraint", tr("Features that Slurm's nodes must have."), "WORDS"},
               {"sbatch", tr("A further option for sbatch, as --exclusive; may be given again."), "OPTION"},
               {"grace", tr("Seconds for a checkpoint after a preemption or before the time is over."), "SECONDS", "120"},
               {"restarts", tr("Failed attempts after which it goes on by itself from the newest checkpoint."), "N", "0"},
               {"sweep", tr("Values of a parameter; each combination becomes a run of one job array."), "KEY=A,B"},
               {"at-once", tr("Of a sweep: runs that train at the same time (0: no limit)."), "N", "0"},
               {"interface", tr("Network interface for Gloo and NCCL."), "NAME"},
               {"endpoint", tr("torchrun on several hosts: the first one, and a free port on it."), "HOST:PORT"},
               {"worker", tr("cloister-worker as the hosts see it."), "PATH"},
               {"kind", tr("Kubernetes: job, or pytorchjob of Kubeflow."), "WORD", "job"},
               {"image", tr("Kubernetes: the image with cloister-worker."), "IMAGE", "cloister:latest"},
               {"claim", tr("Kubernetes: the claim of the volume that holds the project."), "NAME", "cloister"},
               {"mount", tr("Kubernetes: where the pods see the project."), "PATH", "/project"},
               {"namespace", tr("Kubernetes: the namespace."), "NAME", "default"},
               {"template", tr("Fill in this file instead of our own script or manifest."), "FILE"},
               {"pack", tr("Put the run and all it needs into an archive (.tar) or a folder, for a cluster that does not see the project."),
                "PATH"},
               {"no-submit", tr("Slurm: write the script only.")},
               {"detach", tr("Return once the run is handed over.")}};
  }

  int execute(Context& context) override {
    auto cluster = clusterFrom(context);
    if (!cluster) return context.fail(cluster.error());
    auto recipe = requestFrom(context);
    if (!recipe) return context.fail(recipe.error());
    auto sweep = sweepFrom(context);
    if (!sweep) return context.fail(sweep.error());
    auto session = RunSession::open(context);
    if (!session) return context.fail(session.error());
    RunSession& s = **session;
    if (cluster->on == u"machine") return onThisMachine(context, s, *recipe, cluster->restarts);
    LaunchOrder order{*cluster, *recipe, *sweep, context.value("run"), !context.isSet("no-submit") && !context.isSet("pack")};
    auto launched = launch(*s.project, *s.supervisor, order);
    context.progress().clear();
    if (!launched) return context.fail(launched.error());
    QJsonObject json{{"runs", QJsonArray::fromStringList(launched->runs)},
                     {"on", cluster->on},
                     {"file", launched->file},
                     {"command", launched->command}};
    if (!launched->job.isEmpty()) json["job"] = launched->job;
    if (context.isSet("pack")) {
      auto packed = packRuns(*s.project, launched->runs, launched->file, QFileInfo(context.value("pack")).absoluteFilePath());
      if (!packed) return context.fail(packed.error(), json);
      json["pack"] = *packed;
    }
    // Only Slurm says when to stop waiting; what people start by hand may begin tomorrow.
    if (!launched->job.isEmpty() && launched->runs.size() == 1 && !context.isSet("detach"))
      return followRun(context, s, launched->runs.first());
    context.emitJson(json);
    for (const QString& run : launched->runs) context.print(tr("%1 is handed over.").arg(run));
    if (!launched->job.isEmpty()) context.print(tr("Slurm's job %1; runs follow and runs stop work on it.").arg(launched->job));
    else if (context.isSet("pack"))
      context.print(tr("Packed into %1; its README says how to go on there.").arg(json["pack"].toObject()["path"].toString()));
    else context.print(launched->command);
    return 0;
  }

 private:
  static int onThisMachine(Context& context, RunSession& s, TrainRequest recipe, int restarts) {
    recipe.restarts = restarts;
    auto run = s.supervisor->start(recipe);
    context.progress().clear();
    if (!run) return context.fail(run.error());
    if (!context.isSet("detach")) return followRun(context, s, *run);
    context.emitJson({{"runs", QJsonArray{*run}}, {"on", "machine"}});
    context.print(tr("%1 is handed over.").arg(*run));
    return 0;
  }
};

VerbRegistration<Launch> launchVerb;

}  // namespace
}  // namespace cloister::cli
