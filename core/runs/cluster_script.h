// What a launcher elsewhere is given: the torchrun line, the sbatch script, the Kubernetes manifests, filled in from the templates of
// installer/cluster (or an administrator's own). Pure but for reading a template; any thread.
#pragma once
#include <QByteArray>
#include <QList>
#include <QString>
#include <QStringList>

#include "core/domain/result.h"

namespace cloister {

struct ClusterRequest {
  QString on;                  ///< torchrun, slurm, kubernetes
  int nodes = 1, perNode = 1;  ///< hosts (pods), and processes on each
  int gpusPerNode = 0;         ///< asked of the scheduler; 0: none
  int cpusPerTask = 0;         ///< processors of a process; 0: the scheduler's default
  QString memory;              ///< of a node: 64G; Kubernetes: 64Gi
  QString time;                ///< Slurm's: minutes, HH:MM:SS, D-HH:MM:SS
  QString partition, account, qos, constraint;
  QStringList options;   ///< further #SBATCH lines: "--exclusive"
  int grace = 120;       ///< seconds for a checkpoint after SIGTERM
  int restarts = 0;      ///< failed attempts after which another one begins
  int atOnce = 0;        ///< of an array: tasks that run at the same time; 0: no limit
  QString interface;     ///< network interface for Gloo and NCCL; empty: chosen by them
  QString endpoint;      ///< torchrun on several hosts: HOST:PORT of the first
  QString worker;        ///< path of cloister-worker there; empty: this machine's
  QString kind = "job";  ///< Kubernetes: job, pytorchjob
  QString image = "cloister:latest", claim = "cloister", mount = "/project", space = "default";  ///< Kubernetes; space: namespace
  QString fileTemplate;  ///< a template file to fill in instead of ours
  int processes() const { return nodes * perNode; }
};

/// A run to be launched: its number and where, relative to root.
struct ClusterRun {
  QString run;
  int attempt = 1;  ///< the next free number
};

/// InvalidArgument for what would not survive a script: control characters, a time that is none, a name Kubernetes does not take.
Result<void> checkCluster(const ClusterRequest&);
/// The exact line. root: the project's folder as the hosts see it.
QString torchrunLine(const ClusterRequest&, const QString& root, const ClusterRun&);
/// The file for a scheduler (slurm.sbatch, torchrun.sh, a manifest). runs: several make a job array (Slurm only).
Result<QByteArray> clusterFile(const ClusterRequest&, const QString& root, const QList<ClusterRun>& runs);
/// launch.sbatch, launch.sh, launch.yaml
QString clusterFileName(const ClusterRequest&);

/// As a word of a POSIX shell.
QString shellQuoted(const QString&);

}  // namespace cloister
