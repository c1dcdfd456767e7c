"""Slurm for real: two nodes on this machine from Debian's packages (tests/support/slurm/cluster.sh). Submit, follow, cancel, preempt and
requeue, kill a process, kill a node's daemon, a sweep as an array, a pack without the project: each ends as docs/scale.md says, nothing is
lost. Needs root and the packages slurm-wlm and munge: pytest -m slurm."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from launch_support import answer, events, image_project, quick, resumed_from, state, wait_until  # noqa: E402

pytestmark = pytest.mark.slurm
CLUSTER = pathlib.Path(__file__).resolve().parents[1] / "support" / "slurm" / "cluster.sh"
LONG = 10_000  # epochs: until something ends it


@pytest.fixture(scope="module")
def cluster():
    if not all(shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin") for p in ("slurmctld", "slurmd", "munged")) or os.geteuid() != 0:
        pytest.skip("Slurm's packages (slurm-wlm, munge) and root are needed")
    folder = tempfile.mkdtemp(prefix="slurm-", dir="/var/tmp")
    try:
        subprocess.run([str(CLUSTER), "start", folder], check=True, timeout=120)
        os.environ["SLURM_CONF"] = folder + "/slurm.conf"
        yield folder
    finally:
        subprocess.run([str(CLUSTER), "stop", folder], timeout=60)
        os.environ.pop("SLURM_CONF", None)
        time.sleep(2)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def project(run, tmp_path_factory, cluster):
    return image_project(run, tmp_path_factory.mktemp("slurm"))


def submit(run, project, *more, epochs=2, **values):
    done = answer(run("cloister-cli", "launch", "--on", "slurm", "--project", project, "--json", "--detach", "--nodes", 2, *quick(epochs, **values), *more))
    return done["job"], [project / "runs" / name for name in done["runs"]]


def job_state(job):
    done = subprocess.run(["scontrol", "show", "job", "-o", str(job)], capture_output=True, text=True)
    return dict(word.split("=", 1) for word in done.stdout.split() if "=" in word).get("JobState", "")


def trains(folder, attempt=1):
    """A few steps and a whole checkpoint are there."""
    wait_until(lambda: any(e["type"] == "checkpoint" for e in events(folder, attempt)), 240, what=f"a checkpoint of attempt {attempt} in {folder.name}")


def now(job):
    """Slurm waits two minutes before it starts a requeued job again; tests do not."""
    wait_until(lambda: job_state(job) == "PENDING", 90, what="the job back in the queue")
    subprocess.run(["scontrol", "update", f"jobid={job}", "StartTime=now"], check=True)


def checkpoints_are_whole(folder):
    for marker in folder.glob("checkpoints/step-*/state.json"):
        for name, digest in json.loads(marker.read_text())["files"].items():
            assert subprocess.run(["sha256sum", str(marker.parent / name)], capture_output=True, text=True).stdout.split()[0] == digest
    assert list(folder.glob("checkpoints/step-*/state.json"))


def stop(run, project, folder):
    run("cloister-cli", "runs", "stop", folder.name, "--project", project, timeout=200)


def test_submit_and_follow_to_the_end(run, project):
    done = answer(run("cloister-cli", "launch", "--on", "slurm", "--project", project, "--json", "--nodes", 2, "--time", "10", *quick(2), timeout=300))
    assert (done["state"], done["attempts"]) == ("finished", 1)
    folder = pathlib.Path(done["dir"])
    nodes = {json.loads((folder / "attempt-001" / f"worker-{rank}.json").read_text())["SLURM_JOB_ID"] for rank in (0, 1)}
    assert nodes == {done["launch"]["job"]}
    assert "attempt 1 of" in next(folder.glob("slurm-*.out")).read_text()


def test_cancel_ends_with_a_checkpoint(run, project):
    job, (folder,) = submit(run, project, epochs=LONG)
    wait_until(lambda: any(e["type"] == "metric" for e in events(folder)), 240, what="a metric")
    assert state(run, project, folder.name)["state"] == "running"
    stop(run, project, folder)
    shown = state(run, project, folder.name)
    assert shown["state"] == "stopped" and shown["checkpointStep"] > 0
    assert json.loads((folder / "attempt-001" / "exit.json").read_text())["code"] == 10
    wait_until(lambda: job_state(job) in ("COMPLETED", ""), 60, what="the end of the job")


def test_a_job_that_waits_is_taken_back(run, project):
    first, (busy,) = submit(run, project, "--sbatch", "--exclusive", epochs=LONG)
    trains_first = wait_until(lambda: job_state(first) == "RUNNING", 60, what="the first job")
    assert trains_first
    second, (folder,) = submit(run, project, "--sbatch", "--exclusive", epochs=2)
    assert state(run, project, folder.name)["state"] == "submitted"
    stop(run, project, folder)
    assert state(run, project, folder.name)["state"] == "stopped"
    assert job_state(second) == "CANCELLED"
    stop(run, project, busy)


def test_preemption_requeues_and_goes_on(run, project):
    job, (folder,) = submit(run, project, "--sbatch", "--exclusive", epochs=LONG, checkpoint_minutes=0)
    trains(folder)
    urgent = subprocess.run(["sbatch", "--parsable", "--partition=urgent", "--nodes=2", "--exclusive", "--output=/dev/null", "--wrap", "sleep 2"],
                            capture_output=True, text=True, check=True).stdout.strip()
    wait_until(lambda: job_state(urgent) in ("RUNNING", "COMPLETED", "COMPLETING"), 90, what="the urgent job")
    assert json.loads((folder / "attempt-001" / "exit.json").read_text())["code"] == 10  # SIGTERM, and a checkpoint within the grace
    stopped = events(folder)[-1]
    assert stopped["type"] == "stopped"
    now(job)
    assert resumed_from(folder, 2) == stopped["step"]  # not one step is lost
    trains(folder, 2)
    shown = state(run, project, folder.name)
    assert (shown["state"], shown["attempts"]) == ("running", 2)
    stop(run, project, folder)
    checkpoints_are_whole(folder)


def test_a_killed_process_is_named_and_the_attempt_repeated(run, project):
    job, (folder,) = submit(run, project, "--restarts", 1, epochs=LONG, checkpoint_minutes=0)
    trains(folder)
    os.kill(json.loads((folder / "attempt-001" / "worker-1.json").read_text())["pid"], signal.SIGKILL)
    now(job)
    assert resumed_from(folder, 2) > 0
    trains(folder, 2)
    # The second one may not happen: no restarts are left.
    os.kill(json.loads((folder / "attempt-002" / "worker-1.json").read_text())["pid"], signal.SIGKILL)
    ended = wait_until(lambda: (s := state(run, project, folder.name))["state"] == "attempt_failed" and s, 120, 1, what="the verdict")
    assert ended["attempts"] == 2 and ended["failure"]["args"]["rank"] == 1
    checkpoints_are_whole(folder)


def test_a_lost_node_gives_the_job_back(run, project, cluster):
    job, (folder,) = submit(run, project, epochs=LONG, checkpoint_minutes=0)
    trains(folder)
    for pid in [pathlib.Path(cluster, "slurmd-n2.pid").read_text()] + subprocess.run(["pgrep", "-f", f"slurmstepd: .{job}\\."], capture_output=True, text=True).stdout.split():
        with open(f"/proc/{int(pid)}/environ", "rb") as f:
            mine = f.read()
        name = pathlib.Path(f"/proc/{int(pid)}/cmdline").read_bytes()
        if b"n2" in name or b"SLURMD_NODENAME=n2" in mine or pid.strip() == pathlib.Path(cluster, "slurmd-n2.pid").read_text().strip():
            os.kill(int(pid), signal.SIGKILL)
    os.kill(json.loads((folder / "attempt-001" / "worker-1.json").read_text())["pid"], signal.SIGKILL)  # the host is gone with all it ran
    wait_until(lambda: job_state(job) == "PENDING", 150, what="the job back in the queue")
    assert "does not answer" in next(folder.glob("slurm-*.out")).read_text()
    subprocess.run([str(CLUSTER), "node", cluster, "n2"], check=True, timeout=30)
    now(job)
    assert resumed_from(folder, 2) > 0
    stop(run, project, folder)
    assert state(run, project, folder.name)["state"] == "stopped"
    checkpoints_are_whole(folder)


def test_a_sweep_is_one_array(run, project):
    job, folders = submit(run, project, "--nodes", 1, "--sweep", "learning_rate=0.01,0.001", "--sweep", "seed=1,2", "--at-once", 2)
    assert len(folders) == 4
    specs = [json.loads((f / "spec.json").read_text()) for f in folders]
    assert [(s["parameters"]["learning_rate"], s["seed"]) for s in specs] == [(0.01, 1), (0.01, 2), (0.001, 1), (0.001, 2)]
    assert [json.loads((f / "launch.json").read_text())["job"] for f in folders] == [f"{job}_{i}" for i in range(4)]
    wait_until(lambda: all(state(run, project, f.name)["state"] == "finished" for f in folders), 300, 2, what="the end of all four")


def test_a_pack_runs_without_the_project_and_comes_back(run, project, bin_dir, tmp_path):
    done = answer(run("cloister-cli", "launch", "--on", "slurm", "--project", project, "--json", "--nodes", 2, *quick(2), "--pack", tmp_path / "r.tar"))
    name = done["runs"][0]
    subprocess.run(["tar", "-xf", str(tmp_path / "r.tar"), "-C", str(tmp_path)], check=True)
    there = tmp_path / f"cloister-{name}"
    hidden = project.with_name("hidden")
    project.rename(hidden)  # nothing of it may be needed there
    try:
        job = subprocess.run(["sh", str(there / "submit.sh"), "--parsable"], capture_output=True, text=True, check=True).stdout.strip()
        wait_until(lambda: job_state(job) == "COMPLETED", 240, 1, what="the end of the job")
    finally:
        hidden.rename(project)
    taken = answer(run("cloister-cli", "runs", "import", there, "--project", project, "--json"))["runs"][0]
    assert (taken["run"], taken["state"], taken["best"]) == (name, "finished", True)
    evaluated = answer(run("cloister-cli", "evaluate", "--run", name, "--project", project, "--json", timeout=600))
    assert evaluated["run"] == name
