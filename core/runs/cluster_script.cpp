#include "core/runs/cluster_script.h"

#include <algorithm>

#include <QFile>
#include <QMap>
#include <QRegularExpression>

#include "core/domain/files.h"
#include "core/runs/worker_launch.h"

// Outside the namespace, as Qt demands: a static library's resources are linked only when something asks for them.
static void initTemplates() { Q_INIT_RESOURCE(cluster); }

namespace cloister {
namespace {

using Words = QMap<QString, QString>;

Failure refused(const QString& name, const QString& value, const QString& allowed) {
  return {FailureKind::InvalidArgument, {{"name", name}, {"value", value}, {"allowed", allowed}}, {}};
}

bool isWord(const QString& text, const char* pattern) {
  return QRegularExpression(QRegularExpression::anchoredPattern(QLatin1String(pattern))).match(text).hasMatch();
}

Result<QString> templateText(const ClusterRequest& r, const QString& name) {
  if (!r.fileTemplate.isEmpty()) {
    auto own = readFile(r.fileTemplate, 1 << 20);
    if (!own) return own.error();
    return QString::fromUtf8(*own);
  }
  initTemplates();
  QFile ours(QStringLiteral(":/cluster/") + name);
  if (!ours.open(QIODevice::ReadOnly)) return Failure{FailureKind::Internal, {}, ours.fileName()};
  return QString::fromUtf8(ours.readAll());
}

/// Every @WORD@ of the text; a line that holds nothing but an empty word disappears.
Result<QByteArray> filled(QString text, const Words& words) {
  for (auto it = words.begin(); it != words.end(); ++it) {
    const QString word = '@' + it.key() + '@';
    if (it->isEmpty()) text.remove(QRegularExpression("^[ \\t]*" + word + "[ \\t]*\\n", QRegularExpression::MultilineOption));
    text.replace(word, *it);
  }
  static const QRegularExpression kLeft("@[A-Z_]{3,}@");
  if (const auto left = kLeft.match(text); left.hasMatch())
    return Failure{FailureKind::InvalidTextLine,
                   {{"path", "template"}, {"line", text.left(left.capturedStart()).count('\n') + 1}, {"why", left.captured(0)}},
                   QStringLiteral("known: ") + QStringList(words.keys()).join(", ")};
  return text.toUtf8();
}

QString indented(const QString& text, int spaces) {
  QStringList lines = text.split('\n');
  while (!lines.isEmpty() && lines.last().isEmpty()) lines.removeLast();
  for (QString& line : lines)
    if (!line.isEmpty()) line.prepend(QString(spaces, ' '));
  return lines.join('\n');
}

/// A YAML double-quoted scalar; our values hold no control characters (checkCluster).
QString yamlQuoted(QString text) { return '"' + text.replace('\\', "\\\\").replace('"', "\\\"") + '"'; }

QList<std::pair<QString, QString>> environmentOf(const ClusterRequest& r) {
  if (r.interface.isEmpty()) return {};
  return {{"GLOO_SOCKET_IFNAME", r.interface}, {"NCCL_SOCKET_IFNAME", r.interface}};
}

QString shellEnvironment(const ClusterRequest& r) {
  QStringList lines;
  for (const auto& [name, value] : environmentOf(r)) lines << "export " + name + '=' + shellQuoted(value);
  return lines.join('\n');
}

QString jobName(const ClusterRequest& r, const QList<ClusterRun>& runs) {
  QString name = QStringLiteral("cloister-") + runs.first().run;
  if (runs.size() > 1) name += QStringLiteral("-sweep");
  // A Job of Kubernetes cannot be applied twice under one name.
  if (r.on == u"kubernetes") name += QStringLiteral("-%1").arg(runs.first().attempt);
  return name;
}

QString workerOf(const ClusterRequest& r) { return r.worker.isEmpty() ? workerProgram() : r.worker; }

// ---- Slurm

QStringList sbatchOptions(const ClusterRequest& r, const QList<ClusterRun>& runs) {
  QStringList lines;
  const auto add = [&lines](const char* name, const QString& value) {
    if (!value.isEmpty()) lines << QStringLiteral("#SBATCH --%1=%2").arg(QLatin1String(name), value);
  };
  const auto number = [](int n) { return n > 0 ? QString::number(n) : QString(); };
  add("gpus-per-node", number(r.gpusPerNode));
  add("cpus-per-task", number(r.cpusPerTask));
  add("mem", r.memory);
  add("time", r.time);
  add("partition", r.partition);
  add("account", r.account);
  add("qos", r.qos);
  add("constraint", r.constraint);
  if (runs.size() > 1)
    add("array", QStringLiteral("0-%1").arg(runs.size() - 1) + (r.atOnce > 0 ? QStringLiteral("%%1").arg(r.atOnce) : QString()));
  for (const QString& option : r.options) lines << "#SBATCH " + option;
  return lines;
}

Result<QByteArray> slurmFile(const ClusterRequest& r, const QString& root, const QList<ClusterRun>& runs) {
  QStringList folders;
  for (const ClusterRun& run : runs) folders << shellQuoted("runs/" + run.run);
  // sbatch reads its options before any shell does; it knows quotes, not escapes.
  const QString quotedRoot = root.contains(' ') ? '"' + root + '"' : root;
  const QString output = runs.size() > 1 ? QStringLiteral("runs/%1/slurm-%A_%a.out").arg(runs.first().run)
                                         : QStringLiteral("runs/%1/slurm-%j.out").arg(runs.first().run);
  auto text = templateText(r, "slurm.sbatch");
  if (!text) return text.error();
  return filled(*text, {{"JOB_NAME", jobName(r, runs)},
                        {"NODES", QString::number(r.nodes)},
                        {"PER_NODE", QString::number(r.perNode)},
                        {"ROOT_OPTION", quotedRoot},
                        {"OUTPUT", output},
                        {"GRACE", QString::number(r.grace)},
                        {"SBATCH_LINES", sbatchOptions(r, runs).join('\n')},
                        {"RUNS", folders.join(' ')},
                        {"ROOT", shellQuoted(root)},
                        {"WORKER", shellQuoted(workerOf(r))},
                        {"RESTARTS", QString::number(r.restarts)},
                        {"ENVIRONMENT", shellEnvironment(r)}});
}

// ---- Kubernetes

QString resourcesOf(const ClusterRequest& r) {
  QStringList lines;
  if (r.cpusPerTask > 0) lines << QStringLiteral("cpu: \"%1\"").arg(r.cpusPerTask * r.perNode);
  if (!r.memory.isEmpty()) lines << QStringLiteral("memory: ") + yamlQuoted(r.memory);
  if (r.gpusPerNode > 0) lines << QStringLiteral("nvidia.com/gpu: \"%1\"").arg(r.gpusPerNode);
  return lines.isEmpty() ? QStringLiteral("cpu: \"1\"") : lines.join('\n');
}

/// The pods of a PyTorchJob are a master and workers of one template; with one node there are no workers.
QString workersOf(const ClusterRequest& r) {
  return r.nodes < 2
             ? QString()
             : QStringLiteral("    Worker:\n      replicas: %1\n      restartPolicy: Never\n      template: *pod\n").arg(r.nodes - 1);
}

Result<QByteArray> kubernetesFile(const ClusterRequest& r, const ClusterRun& run) {
  const bool operatorsJob = r.kind == u"pytorchjob";
  auto text = templateText(r, operatorsJob ? "kubernetes-pytorchjob.yaml" : "kubernetes-job.yaml");
  if (!text) return text.error();
  ClusterRequest script = r;
  script.fileTemplate.clear();
  auto pod = templateText(script, "kubernetes-pod.sh");
  if (!pod) return pod.error();
  QString environment;
  for (const auto& [name, value] : environmentOf(r))
    environment += QStringLiteral("- name: %1\n  value: %2\n").arg(name, yamlQuoted(value));
  environment += QStringLiteral("- name: OMP_NUM_THREADS\n  value: \"%1\"\n").arg(std::max(1, r.cpusPerTask));
  Words words{{"JOB_NAME", jobName(r, {run})},
              {"NAMESPACE", r.space},
              {"RUN", run.run},
              {"POD_RUN", r.mount + "/runs/" + run.run},
              {"ATTEMPT", QString::number(run.attempt)},
              {"NODES", QString::number(r.nodes)},
              {"PER_NODE", QString::number(r.perNode)},
              {"PROCESSES", QString::number(r.processes())},
              {"GRACE", QString::number(r.grace)},
              {"USER", "10001"},
              {"GROUP", "10001"},
              {"IMAGE", r.image},
              {"MOUNT", r.mount},
              {"CLAIM", r.claim}};
  auto podText = filled(*pod, words);
  if (!podText) return podText.error();
  words["POD_SCRIPT"] = indented(QString::fromUtf8(*podText), 14);
  words["POD_SCRIPT_DEEP"] = indented(QString::fromUtf8(*podText), 18);
  words["ENVIRONMENT_YAML"] = indented(environment, 12);
  words["ENVIRONMENT_YAML_DEEP"] = indented(environment, 16);
  words["RESOURCES"] = indented(resourcesOf(r), 14);
  words["RESOURCES_DEEP"] = indented(resourcesOf(r), 18);
  auto manifest = filled(*text, words);
  if (!manifest || !operatorsJob) return manifest;
  return *manifest + workersOf(r).toUtf8();
}

}  // namespace

QString shellQuoted(const QString& text) {
  static const QRegularExpression kPlain("[A-Za-z0-9_@%+=:,./-]+");
  if (QRegularExpression(QRegularExpression::anchoredPattern(kPlain.pattern())).match(text).hasMatch()) return text;
  return '\'' + QString(text).replace('\'', "'\\''") + '\'';
}

Result<void> checkCluster(const ClusterRequest& r) {
  if (r.on != u"torchrun" && r.on != u"slurm" && r.on != u"kubernetes")
    return refused("--on", r.on, "machine, torchrun, slurm, kubernetes");
  if (r.nodes < 1 || r.nodes > 4096) return refused("--nodes", QString::number(r.nodes), "1 … 4096");
  if (r.perNode < 1 || r.perNode > 64) return refused("--nproc", QString::number(r.perNode), "1 … 64");
  if (r.grace < 5 || r.grace > 65535) return refused("--grace", QString::number(r.grace), "5 … 65535");
  const QList<std::pair<const char*, QString>> words{{"--partition", r.partition},
                                                     {"--account", r.account},
                                                     {"--qos", r.qos},
                                                     {"--interface", r.interface},
                                                     {"--constraint", r.constraint}};
  for (const auto& [name, value] : words)
    if (!value.isEmpty() && !isWord(value, "[A-Za-z0-9_.,:&|*()\\[\\]^=-]+")) return refused(QLatin1String(name), value, "a name");
  if (!r.memory.isEmpty() && !isWord(r.memory, "[0-9]+([KMGT]i?B?)?")) return refused("--mem", r.memory, "64G, 64Gi");
  if (!r.time.isEmpty() && !isWord(r.time, "([0-9]+-)?[0-9]+(:[0-9]{1,2}){0,2}"))
    return refused("--time", r.time, "90, 12:00:00, 2-12:00:00");
  for (const QString& option : r.options)
    if (!isWord(option, "--[a-z][a-z0-9-]*(=[^\\x00-\\x1f]*)?")) return refused("--sbatch", option, "--name, --name=value");
  if (!r.endpoint.isEmpty() && !isWord(r.endpoint, "[A-Za-z0-9._\\[\\]:-]+:[0-9]{1,5}"))
    return refused("--endpoint", r.endpoint, "HOST:PORT");
  if (r.on == u"torchrun" && r.nodes > 1 && r.endpoint.isEmpty()) return refused("--endpoint", {}, "HOST:PORT");
  if (r.on != u"kubernetes") return {};
  if (r.kind != u"job" && r.kind != u"pytorchjob") return refused("--kind", r.kind, "job, pytorchjob");
  for (const auto& [name, value] : {std::pair{"--claim", r.claim}, {"--namespace", r.space}})
    if (!isWord(value, "[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")) return refused(QLatin1String(name), value, "a-z 0-9 -");
  if (!isWord(r.image, "[A-Za-z0-9._:/@-]+")) return refused("--image", r.image, "registry/name:tag");
  if (!isWord(r.mount, "/[A-Za-z0-9._/-]+")) return refused("--mount", r.mount, "/project");
  return {};
}

QString torchrunLine(const ClusterRequest& r, const QString& root, const ClusterRun& run) {
  QStringList words{"torchrun", "--no-python", QStringLiteral("--nnodes=%1").arg(r.nodes),
                    QStringLiteral("--nproc-per-node=%1").arg(r.perNode)};
  if (r.nodes == 1) words << "--standalone";
  else
    words << "--rdzv-backend=c10d"
          << "--rdzv-endpoint=" + r.endpoint << QStringLiteral("--rdzv-id=%1-%2").arg(run.run).arg(run.attempt);
  // Without the two dashes torchrun takes our --run for a shortened option of its own.
  words << QStringLiteral("--max-restarts=%1").arg(r.restarts) << "--" << shellQuoted(workerOf(r)) << "train"
        << "--run" << shellQuoted(root + "/runs/" + run.run) << "--attempt" << QString::number(run.attempt) << "--stop-code"
        << "0";
  return words.join(' ');
}

QString clusterFileName(const ClusterRequest& r) {
  return r.on == u"slurm"      ? QStringLiteral("launch.sbatch")
         : r.on == u"torchrun" ? QStringLiteral("launch.sh")
                               : QStringLiteral("launch.yaml");
}

Result<QByteArray> clusterFile(const ClusterRequest& r, const QString& root, const QList<ClusterRun>& runs) {
  if (runs.isEmpty()) return Failure{FailureKind::NothingToDo, {{"what", "run"}, {"next", "Name a run, or a recipe."}}, {}};
  if (r.on == u"slurm") return slurmFile(r, root, runs);
  if (runs.size() > 1) return refused("--sweep", r.on, "slurm");
  if (r.on == u"kubernetes") return kubernetesFile(r, runs.first());
  auto text = templateText(r, "torchrun.sh");
  if (!text) return text.error();
  return filled(*text, {{"ENVIRONMENT", shellEnvironment(r)}, {"LINE", torchrunLine(r, root, runs.first())}});
}

}  // namespace cloister
