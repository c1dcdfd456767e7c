#!/usr/bin/env bash
# A real Slurm cluster of two nodes on one machine, for tests: munge and Slurm from Debian (slurm-wlm, munge), each node a slurmd of its own
# on the loopback interface. Everything lies in one folder; nothing of the system's configuration is touched. Needs root (as on CI).
#   cluster.sh start DIR    cluster.sh stop DIR    cluster.sh node DIR n1|n2    (starts a node's slurmd again)
# Afterwards: SLURM_CONF=DIR/slurm.conf
set -euo pipefail
action=$1 dir=$2
conf=$dir/slurm.conf
export SLURM_CONF=$conf

write_conf() {
  cat >"$conf" <<END
ClusterName=cloister
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmctldPort=$((base))
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool-%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=2,sched_min_interval=100000,bf_interval=2
SlurmdTimeout=10
KillWait=15
CompleteWait=0
ReturnToService=2
JobRequeue=1
SlurmdParameters=config_overrides
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
NodeName=n1 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=$((base + 1)) CPUs=4 RealMemory=1000
NodeName=n2 NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=$((base + 2)) CPUs=4 RealMemory=1000
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=20
PartitionName=urgent Nodes=n1,n2 MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
END
}

node() { slurmd -N "$1" -f "$conf"; }

case $action in
  start)
    base=${CLOISTER_SLURM_PORT:-17000}
    mkdir -p "$dir/state" "$dir/spool-n1" "$dir/spool-n2"
    chmod 755 "$dir"
    write_conf
    [ -e "$dir/munge.key" ] || { head -c 64 /dev/urandom >"$dir/munge.key"; chmod 400 "$dir/munge.key"; }
    # munged wants its files safe from others all the way up: not below a folder that everybody may write, unless told so.
    munged --force --socket="$dir/munge.socket" --key-file="$dir/munge.key" --pid-file="$dir/munged.pid" --log-file="$dir/munged.log" \
      --seed-file="$dir/munged.seed"
    slurmctld -f "$conf"
    node n1
    node n2
    for _ in $(seq 60); do
      [ "$(sinfo -h -N -p main -o '%T' 2>/dev/null | grep -c idle)" = 2 ] && exit 0
      sleep 0.5
    done
    sinfo -N >&2 || true
    exit 1
    ;;
  node)
    node "$3"
    ;;
  stop)
    scancel --quiet --state=RUNNING --user="$(id -un)" 2>/dev/null || true
    for pid in "$dir"/slurmd-n1.pid "$dir"/slurmd-n2.pid "$dir"/slurmctld.pid "$dir"/munged.pid; do
      [ ! -e "$pid" ] || kill -TERM "$(cat "$pid")" 2>/dev/null || true
    done
    ;;
esac
