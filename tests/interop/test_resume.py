"""Runs that are killed, stopped, starved or given other data: the end is bit-identical or the refusal names what changed."""
import json
import os
import random
import signal
import subprocess
import time

import pytest
from classifier_project import events, newest_checkpoint, random_project, result_digests, sha256, train, worker

SMALL = dict(epochs=6, augmentation="strong", checkpoint_minutes=0, batch_size=8, dropout=0.3)


@pytest.fixture(scope="module")
def reference(bin_dir, tmp_path_factory):
    project = random_project(tmp_path_factory.mktemp("resume") / "p")
    folder = project.run("r-9999", **SMALL)
    begin = time.monotonic()
    train(bin_dir, folder)
    return project, result_digests(folder), time.monotonic() - begin


def killed_run(bin_dir, folder, seconds, rng):
    """Starts again and again, each attempt killed at a random moment, until one gets through. Returns the number of kills."""
    for attempt in range(1, 400):
        process = subprocess.Popen([worker(bin_dir), "train", "--run", str(folder), "--attempt", str(attempt)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            code = process.wait(rng.uniform(0.2, 1.3) * seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            code = process.wait()
        assert code in (0, -signal.SIGKILL), code
        if code == 0:
            return attempt - 1
        for checkpoint in (folder / "checkpoints").glob("step-*"):  # whole or absent
            state = json.loads((checkpoint / "state.json").read_text()) if (checkpoint / "state.json").exists() else None
            assert state is None or all(sha256(checkpoint / f) == d for f, d in state["files"].items())
        if (folder / "best").exists():
            best = json.loads((folder / "best" / "state.json").read_text())
            assert sha256(folder / "best" / "model.safetensors") == best["files"]["model.safetensors"]
    pytest.fail("never finished")


def kills_wanted(bin_dir, reference, tmp_path_factory, runs, seed):
    project, digests, seconds = reference
    rng, kills = random.Random(seed), 0
    for i in range(runs):
        folder = project.run(f"r-{seed}-{i:04}", **SMALL)
        kills += killed_run(bin_dir, folder, seconds, rng)
        assert result_digests(folder) == digests, f"run {i} after {kills} kills"
        subprocess.run(["rm", "-rf", str(folder)], check=True)
    assert kills > 0
    print(f"{runs} runs, {kills} kills, all bit-identical")


def test_two_killed_runs_end_bit_identical(bin_dir, reference, tmp_path_factory):
    kills_wanted(bin_dir, reference, tmp_path_factory, 2, 1)


@pytest.mark.soak
def test_two_hundred_killed_runs_end_bit_identical(bin_dir, reference, tmp_path_factory):
    kills_wanted(bin_dir, reference, tmp_path_factory, int(os.environ.get("CLOISTER_SOAK_RUNS", "200")), 2)


def test_the_same_run_twice_is_bit_identical(bin_dir, reference):
    project, digests, _ = reference
    folder = project.run("r-twice", **SMALL)
    train(bin_dir, folder)
    assert result_digests(folder) == digests


def test_stop_request_checkpoints_exits_10_and_goes_on_to_the_same_end(bin_dir, reference):
    project, digests, _ = reference
    folder = project.run("r-stop", **SMALL)
    process = subprocess.Popen([worker(bin_dir), "train", "--run", str(folder), "--attempt", "1"], stderr=subprocess.DEVNULL)
    while not list((folder / "checkpoints").glob("step-*/state.json")):
        assert process.poll() is None
        time.sleep(0.02)
    (folder / "stop.request").touch()
    assert process.wait(120) == 10
    log = events(folder)
    assert log[-1]["type"] == "stopped" and newest_checkpoint(folder).name == f"step-{log[-1]['step']:08}"
    assert json.loads((folder / "attempt-001" / "exit.json").read_text())["code"] == 10
    (folder / "stop.request").unlink()
    again = train(bin_dir, folder, 2)
    assert [e for e in again if e["type"] == "started"][0]["resumedFrom"] == log[-1]["step"]
    assert result_digests(folder) == digests


def test_resume_of_a_finished_run_changes_nothing(bin_dir, reference):
    project, digests, _ = reference
    folder = project.run("r-again", **SMALL)
    train(bin_dir, folder)
    train(bin_dir, folder, 2)
    assert result_digests(folder) == digests


def ranks(bin_dir, folder, attempt, port):
    """Two ranks by the torchrun contract, as the supervisor starts them."""
    return [subprocess.Popen([worker(bin_dir), "train", "--run", str(folder), "--attempt", str(attempt)], stderr=subprocess.DEVNULL,
                             env=dict(os.environ, RANK=str(r), LOCAL_RANK=str(r), WORLD_SIZE="2", LOCAL_WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)))
            for r in range(2)]


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_two_ranks_train_one_model_and_follow_a_single_process(bin_dir, tmp_path):
    """A transformer has no batch statistics: two ranks with half the batch each compute what one process computes."""
    project = random_project(tmp_path / "p", count=16)
    common = dict(architecture="vit_s_16", epochs=3, batch_size=8, learning_rate=1e-4, augmentation="light", dropout=0, ema_decay=0, precision="fp32", metric_seconds=0, threads=1,
                  warmup_epochs=0)
    alone = [e["values"]["train/loss"] for e in train(bin_dir, project.run("r-0001", **common)) if e["type"] == "metric" and "train/loss" in e["values"]]
    folder = project.run("r-0002", processes=2, **common)
    assert [p.wait(300) for p in ranks(bin_dir, folder, 1, free_port())] == [0, 0]
    for rank in range(2):
        together = [e["values"]["train/loss"] for e in events(folder, 1, rank) if e["type"] == "metric" and "train/loss" in e["values"]]
        assert len(together) == len(alone) == 6 and max(abs(a - b) for a, b in zip(alone, together)) < 1e-4
    assert json.loads((folder / "attempt-001" / "exit-1.json").read_text())["code"] == 0


def test_a_dead_rank_ends_the_attempt_and_the_resume_ends_bit_identical(bin_dir, tmp_path):
    project = random_project(tmp_path / "p")
    whole = project.run("r-0001", processes=2, **SMALL)
    assert [p.wait(300) for p in ranks(bin_dir, whole, 1, free_port())] == [0, 0]
    broken = project.run("r-0002", processes=2, **SMALL)
    both = ranks(bin_dir, broken, 1, free_port())
    while not list((broken / "checkpoints").glob("step-*/state.json")):
        time.sleep(0.02)
    both[1].kill()
    assert both[0].wait(120) not in (0, 10)
    assert [p.wait(300) for p in ranks(bin_dir, broken, 2, free_port())] == [0, 0]
    assert result_digests(broken) == result_digests(whole)


@pytest.mark.parametrize("change,what", [
    (lambda spec: spec.update(seed=99), "seed"),
    (lambda spec: spec.update(snapshot="another"), "snapshot"),
    (lambda spec: spec["parameters"].update(learning_rate=0.5), "parameters"),
    (lambda spec: spec.update(preparedDigest="0" * 64), "prepared data"),
    (lambda spec: spec.update(baseWeightsSha256="0" * 64), "base weights"),
])
def test_resume_with_something_else_is_refused_and_says_what(bin_dir, tmp_path, change, what):
    project = random_project(tmp_path / "p")
    folder = project.run(epochs=1)
    train(bin_dir, folder)
    before = result_digests(folder)
    spec = json.loads((folder / "spec.json").read_text())
    change(spec)
    (folder / "spec.json").write_text(json.dumps(spec))
    log = train(bin_dir, folder, 2, expect=60)
    assert log[-1]["type"] == "failed" and log[-1]["failure"]["kind"] == "identity_changed" and log[-1]["failure"]["args"]["what"] == what
    assert result_digests(folder) == before


def test_changed_pixels_are_refused(bin_dir, tmp_path):
    project = random_project(tmp_path / "p")
    folder = project.run(epochs=1)
    shard = project.prepared / "shard-00000.safetensors"
    raw = bytearray(shard.read_bytes())
    raw[-5000] ^= 1
    shard.write_bytes(raw)
    log = train(bin_dir, folder, 1, expect=60)
    assert log[-1]["failure"]["args"]["what"] == "shard-00000.safetensors"


def test_exploding_gradient_stops_before_the_weights_and_names_the_batch(bin_dir, tmp_path):
    project = random_project(tmp_path / "p")
    folder = project.run(epochs=2, gradient_limit=1e-6)
    log = train(bin_dir, folder, 1, expect=40)
    failure = log[-1]["failure"]
    assert failure["kind"] == "non_finite" and failure["args"]["step"] == 1
    assert len(failure["args"]["keys"]) == 8 and all(k.startswith("folder/image-") for k in failure["args"]["keys"])
    assert not list((folder / "checkpoints").glob("step-*"))


def test_a_loss_that_is_not_finite_keeps_the_last_good_checkpoint(bin_dir, tmp_path):
    project = random_project(tmp_path / "p")
    folder = project.run(epochs=40, optimizer="sgd", learning_rate=10, momentum=0.99, warmup_epochs=20, clip_norm=0, gradient_limit=1e30, checkpoint_minutes=0,
                         precision="fp32", weight_decay=10)
    log = train(bin_dir, folder, 1, expect=40)
    failed = log[-1]["failure"]["args"]["step"]
    state = json.loads((newest_checkpoint(folder) / "state.json").read_text())
    assert state["state"]["step"] == failed - 1 > 0


@pytest.mark.parametrize("spec,code", [({}, 20), ({"parameters": {"architecture": "alexnet"}}, 20), ({"family": "no_such"}, 20), ({"parameters": {"learning_rat": 1}}, 20)])
def test_impossible_specs_exit_20(bin_dir, tmp_path, spec, code):
    project = random_project(tmp_path / "p")
    folder = project.run(epochs=1)
    full = json.loads((folder / "spec.json").read_text())
    (folder / "spec.json").write_text(json.dumps({**full, **spec} if spec else {}))
    log = train(bin_dir, folder, 1, expect=code)
    assert log[-1]["type"] == "failed" and log[-1]["failure"]["message"]


def test_early_stop_ends_after_the_patience(bin_dir, tmp_path):
    project = random_project(tmp_path / "p")
    folder = project.run(epochs=60, early_stopping=3, learning_rate=1e-9, ema_decay=0, best_metric="accuracy")
    log = train(bin_dir, folder)
    assert log[-1]["type"] == "finished" and log[-1]["step"] < 180


def test_plan_states_memory_disk_and_time(bin_dir, tmp_path):
    request = {"format": 1, "family": "image_classifier", "parameters": {"architecture": "resnet18", "epochs": 3}, "channels": 1, "size": 64, "classes": 2,
               "trainSamples": 100, "validationSamples": 20, "preparedBytes": 500000, "processes": 1}
    (tmp_path / "q.json").write_text(json.dumps(request))
    done = subprocess.run([worker(bin_dir), "plan", "--request", tmp_path / "q.json"], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert report["parameters"] == 11689512 - 1000 * 513 + 2 * 513 - 2 * 64 * 49
    assert report["parts"]["weights"] == 4 * report["parameters"]
    assert report["parts"].get("copies", 0) in (0, 2 * report["parameters"])  # bfloat16 beside float32
    assert report["memoryNeeded"] == sum(report["parts"].values()) and report["secondsEstimated"] > 0 and report["diskNeeded"] > 3 * 4 * report["parameters"]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("architecture", ["small_cnn", "resnet18", "vit_s_16"])
def test_planned_memory_is_what_training_takes(bin_dir, tmp_path, architecture, precision):
    project = random_project(tmp_path / "p", count=16, size=128)
    folder = project.run(architecture=architecture, epochs=2, batch_size=8, precision=precision, checkpoint_minutes=1000)
    request = {"format": 1, "parameters": json.loads((folder / "spec.json").read_text())["parameters"], "channels": 1, "size": 128, "classes": 2,
               "trainSamples": 0, "validationSamples": 8, "processes": 1}
    (tmp_path / "q.json").write_text(json.dumps(request))
    planned = json.loads(subprocess.run([worker(bin_dir), "plan", "--request", tmp_path / "q.json"], capture_output=True, check=True).stdout)["memoryNeeded"]
    process = subprocess.Popen([worker(bin_dir), "train", "--run", str(folder)])
    peak = 0  # not wait4's: that one begins with what this Python held when it forked
    while process.poll() is None:
        try:
            status = dict(line.split(":", 1) for line in open(f"/proc/{process.pid}/status") if ":" in line)
            peak = max(peak, int(status.get("VmHWM", "0 kB").split()[0]) * 1024)
        except (FileNotFoundError, ProcessLookupError):
            pass
        time.sleep(0.005)
    assert process.returncode == 0
    assert 0.9 * peak < planned < 1.8 * peak, (planned / peak, planned, peak)
