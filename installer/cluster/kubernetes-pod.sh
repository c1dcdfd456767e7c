# The processes of this pod: numbered, each with a log in the run's folder; SIGTERM to all; the worst exit code is the pod's.
node=${NODE:-${RANK:-0}}
unset RANK
folder=$(printf '%s/attempt-%03d' '@POD_RUN@' @ATTEMPT@)
mkdir -p "$folder" || exit 1
pids=
local=0
while [ "$local" -lt @PER_NODE@ ]; do
  rank=$((node * @PER_NODE@ + local))
  log=$folder/worker.log
  [ "$rank" = 0 ] || log=$folder/worker-$rank.log
  RANK=$rank LOCAL_RANK=$local WORLD_SIZE=@PROCESSES@ LOCAL_WORLD_SIZE=@PER_NODE@ GROUP_RANK=$node \
    cloister-worker train --run '@POD_RUN@' --attempt @ATTEMPT@ --stop-code 0 >>"$log" 2>&1 &
  pids="$pids $!"
  local=$((local + 1))
done
trap 'kill -TERM $pids 2>/dev/null' TERM
worst=0
for pid in $pids; do
  while :; do
    wait "$pid"
    code=$?
    kill -0 "$pid" 2>/dev/null || break
  done
  [ "$code" = 0 ] || worst=$code
done
exit "$worst"
