"""Runs handed to others: torchrun itself starts two of our processes; the manifests for Kubernetes against the schemas of its API; the
scripts as a person finds them. Slurm for real: tests/acceptance/test_slurm.py."""
import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest
import yaml

from launch_support import answer, events, image_project, quick, resumed_from, state, wait_until

TORCHRUN = pathlib.Path(sys.executable).with_name("torchrun")


@pytest.fixture(scope="module")
def project(run, tmp_path_factory):
    return image_project(run, tmp_path_factory.mktemp("launch"))


def composed(run, project, *more, epochs=2, **values):
    done = answer(run("cloister-cli", "launch", "--project", project, "--json", *quick(epochs, **values), *more))
    return done, project / "runs" / done["runs"][0]


def torchrun(file, **environment):
    return subprocess.Popen([str(file)], env=dict(os.environ, PATH=f"{TORCHRUN.parent}:{os.environ['PATH']}", OMP_NUM_THREADS="1", **environment),
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_torchrun_trains_with_two_processes(run, project):
    done, folder = composed(run, project, "--on", "torchrun", "--nproc", "2")
    assert done["command"].startswith("torchrun --no-python --nnodes=1 --nproc-per-node=2 --standalone")
    assert done["command"] in pathlib.Path(done["file"]).read_text()
    assert state(run, project, folder.name)["state"] == "submitted"
    process = torchrun(done["file"])
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, out[-3000:]
    shown = state(run, project, folder.name)
    assert (shown["state"], shown["attempts"]) == ("finished", 1)
    # Both processes named themselves, and each said how it ended.
    hosts = [json.loads((folder / "attempt-001" / f"worker-{rank}.json").read_text()) for rank in (0, 1)]
    assert len({h["pid"] for h in hosts}) == 2
    assert [json.loads((folder / "attempt-001" / name).read_text())["code"] for name in ("exit.json", "exit-1.json")] == [0, 0]
    assert events(folder)[-1]["type"] == "finished"


def test_torchrun_stops_with_a_checkpoint_and_goes_on(run, project):
    done, folder = composed(run, project, "--on", "torchrun", "--nproc", "2", "--restarts", "1", epochs=400)
    process = torchrun(done["file"])
    wait_until(lambda: any(e["type"] == "metric" for e in events(folder)), 200, what="a first metric")
    # The run's folder is all that is needed: no process is named here.
    run("cloister-cli", "runs", "stop", folder.name, "--project", project)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0, out[-3000:]
    shown = state(run, project, folder.name)
    assert shown["state"] == "stopped" and shown["checkpointStep"] > 0
    assert not (folder / "attempt-002").exists()  # a stop as asked is no failure to torchrun
    again = answer(run("cloister-cli", "launch", "--project", project, "--json", "--on", "torchrun", "--nproc", "2", "--run", folder.name))
    assert "--attempt 2" in again["command"]
    process = torchrun(again["file"])
    wait_until(lambda: any(e["type"] == "metric" for e in events(folder, 2)), 200, what="a metric of the second attempt")
    assert resumed_from(folder, 2) == shown["checkpointStep"]
    process.send_signal(signal.SIGTERM)  # torchrun hands it on
    process.communicate(timeout=120)
    wait_until(lambda: (folder / "attempt-002" / "exit.json").exists(), 30, what="the exit code")
    assert json.loads((folder / "attempt-002" / "exit.json").read_text())["code"] == 10
    assert events(folder, 2)[-1]["type"] == "stopped"


def test_torchrun_restarts_after_a_killed_process(run, project):
    done, folder = composed(run, project, "--on", "torchrun", "--nproc", "2", "--restarts", "1", epochs=12, checkpoint_minutes=0)
    process = torchrun(done["file"])
    wait_until(lambda: any(e["type"] == "checkpoint" for e in events(folder)), 200, what="a checkpoint")
    victim = json.loads((folder / "attempt-001" / "worker-1.json").read_text())["pid"]
    os.kill(victim, signal.SIGKILL)
    out, _ = process.communicate(timeout=400)
    assert process.returncode == 0, out[-3000:]
    assert resumed_from(folder, 2) > 0
    shown = state(run, project, folder.name)
    assert (shown["state"], shown["attempts"]) == ("finished", 2)


@pytest.mark.parametrize("nodes,per_node,gpus", [(1, 1, 0), (2, 1, 1), (2, 4, 4)])
def test_a_job_of_kubernetes_is_valid(run, project, nodes, per_node, gpus):
    validate = pytest.importorskip("kubernetes_validate")
    done, folder = composed(run, project, "--on", "kubernetes", "--nodes", nodes, "--nproc", per_node, "--gpus-per-node", gpus, "--mem", "8Gi",
                            "--cpus-per-task", 2, "--claim", "data", "--image", "registry.local:5000/cloister:1", "--interface", "eth0")
    service, job = yaml.safe_load_all(pathlib.Path(done["file"]).read_text())
    for document in (service, job):
        validate.validate(document, "1.30", strict=True)
    spec = job["spec"]
    assert (spec["completions"], spec["parallelism"], spec["completionMode"]) == (nodes, nodes, "Indexed")
    container = spec["template"]["spec"]["containers"][0]
    environment = {e["name"]: e.get("value") for e in container["env"]}
    assert environment["MASTER_ADDR"] == f"{job['metadata']['name']}-0.{service['metadata']['name']}.default.svc"
    assert environment["GLOO_SOCKET_IFNAME"] == "eth0"
    assert container["resources"]["limits"].get("nvidia.com/gpu") == (str(gpus) if gpus else None)
    # Kubernetes finds the pods by the label that its Job controller sets, and names them by the subdomain.
    assert spec["template"]["spec"]["subdomain"] == service["metadata"]["name"] and service["spec"]["selector"] == {"job-name": job["metadata"]["name"]}


@pytest.mark.parametrize("nodes", [1, 3])
def test_a_pytorchjob_is_valid(run, project, nodes):
    validate = pytest.importorskip("kubernetes_validate")
    training = pytest.importorskip("kubeflow.training")
    done, folder = composed(run, project, "--on", "kubernetes", "--kind", "pytorchjob", "--nodes", nodes, "--nproc", 2, "--claim", "data")
    job = yaml.safe_load(pathlib.Path(done["file"]).read_text())

    class Response:
        data = json.dumps(job)

    model = training.ApiClient().deserialize(Response, "KubeflowOrgV1PyTorchJob")
    replicas = model.spec.pytorch_replica_specs
    assert {name: spec.replicas for name, spec in replicas.items()} == ({"Master": 1} if nodes == 1 else {"Master": 1, "Worker": nodes - 1})
    # Nothing of what was written got lost on the way through the operator's own types.
    kept = training.ApiClient().sanitize_for_serialization(model)
    assert kept["spec"]["pytorchReplicaSpecs"].keys() == job["spec"]["pytorchReplicaSpecs"].keys()
    assert kept["spec"]["runPolicy"] == job["spec"]["runPolicy"]
    for replica in job["spec"]["pytorchReplicaSpecs"].values():
        validate.validate({"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "x"}, "template": replica["template"]}, "1.30", strict=True)
        assert replica["template"]["spec"]["containers"][0]["name"] == "pytorch"


def test_the_pods_own_script_trains(run, project, bin_dir, tmp_path):
    """What a pod runs, run here as two pods of one process each: the numbers come from the pod's index."""
    done, folder = composed(run, project, "--on", "kubernetes", "--nodes", 2, "--mount", "/project", epochs=1)
    job = list(yaml.safe_load_all(pathlib.Path(done["file"]).read_text()))[1]
    script = job["spec"]["template"]["spec"]["containers"][0]["args"][0].replace("/project", str(project))
    environment = dict(os.environ, PATH=f"{bin_dir}:{os.environ['PATH']}", MASTER_ADDR="127.0.0.1", MASTER_PORT="29533", OMP_NUM_THREADS="1")
    pods = [subprocess.Popen(["/bin/sh", "-c", script], env=dict(environment, NODE=str(node))) for node in (0, 1)]
    assert [pod.wait(timeout=300) for pod in pods] == [0, 0]
    assert state(run, project, folder.name)["state"] == "finished"


def test_words_that_do_not_fit_are_refused(run, project):
    for more in (["--on", "condor"], ["--on", "slurm", "--time", "soon"], ["--on", "torchrun", "--nodes", "2"], ["--on", "torchrun", "--sweep", "seed=1,2"],
                 ["--on", "slurm", "--sweep", "seed"], ["--on", "kubernetes", "--claim", "A B"]):
        done = run("cloister-cli", "launch", "--project", project, "--json", *quick(), *more, expect=None)
        assert done.returncode in (2, 3) and answer(done)["error"]["kind"] == "invalid_argument", (more, done.stdout)
