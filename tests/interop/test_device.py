"""Where a training computes: the processor, an NVIDIA card, or the reason why no card can be used. The cards here are made for the test (their
tensors lie in the computer's memory), so that all that goes on around a card runs without one; the real module is opened with the real libraries."""
import json
import os
import pathlib
import subprocess

import pytest

from classifier_project import events, newest_checkpoint, random_project, result_digests, train, worker

RECIPE = dict(architecture="small_cnn", batch_size=8, micro_batch=8, epochs=2, threads=1, checkpoint_minutes=0, metric_seconds=0, dropout=0.2, precision="fp32")


@pytest.fixture
def fake(bin_dir, tmp_path, monkeypatch):
    place = bin_dir.parent / "tests" / "fake_cuda"
    assert (place / "fake_module.so").exists(), "build the target fake_cuda"
    monkeypatch.setenv("LD_LIBRARY_PATH", str(place / "driver"))
    monkeypatch.setenv("CLOISTER_CUDA_LIBS", str(place / "libs"))
    monkeypatch.setenv("CLOISTER_CUDA_MODULE", str(place / "fake_module.so"))
    monkeypatch.setenv("FAKE_CUDA_LOG", str(tmp_path / "card.log"))
    return tmp_path / "card.log"


def hardware(bin_dir):
    done = subprocess.run([worker(bin_dir), "hardware"], capture_output=True, text=True, timeout=300, check=True)
    return json.loads(done.stdout)["cuda"]


def failure(log):
    return next(e for e in log if e["type"] == "failed")["failure"]


def started(log):
    return next(e for e in log if e["type"] == "started")


def test_a_card_that_is_not_there_is_refused_with_the_reason(bin_dir, tmp_path):
    if pathlib.Path("/proc/driver/nvidia/version").exists():
        pytest.skip("this machine has an NVIDIA driver")
    project = random_project(tmp_path)
    failed = failure(train(bin_dir, project.run(device="cuda", **RECIPE), expect=20))
    assert failed["kind"] == "device_unavailable" and failed["args"]["reason"] == "no_driver" and "NVIDIA driver" in failed["message"]
    seen = hardware(bin_dir)
    assert not seen["usable"] and seen["devices"] == [] and seen["trouble"]["args"]["reason"] == "no_driver"
    assert started(train(bin_dir, project.run("r-0002", device="auto", **RECIPE)))["device"] == "cpu"


def losses(log):
    return [e["values"]["train/loss"] for e in log if e["type"] == "metric" and "train/loss" in e["values"]]


def test_the_card_is_taken_by_itself_and_computes_the_same(bin_dir, tmp_path, fake):
    project = random_project(tmp_path)
    runs = {d: project.run(f"r-{i:04}", device=d, **RECIPE) for i, d in enumerate(("auto", "cpu", "cuda"), 1)}
    logs = {d: train(bin_dir, run) for d, run in runs.items()}
    assert [started(logs[d])["device"] for d in runs] == ["cuda:0", "cpu", "cuda:0"] and started(logs["auto"])["card"] == "Fake card"
    assert result_digests(runs["auto"]) == result_digests(runs["cuda"])
    # The optimizer's kernels are others than the processor's.
    assert len(losses(logs["cpu"])) == 6 and losses(logs["cuda"]) == pytest.approx(losses(logs["cpu"]), rel=1e-3)
    assert fake.read_text().splitlines().count("use 0") == 2
    last = [e for e in logs["cuda"] if e["type"] == "metric" and "train/loss" in e["values"]][-1]
    assert last["values"]["gpu_memory_bytes"] == 123456
    assert json.loads((newest_checkpoint(runs["auto"]) / "state.json").read_text())["state"]["device"] == "cuda"


def test_a_run_goes_on_on_the_processor_with_a_warning(bin_dir, tmp_path, fake, monkeypatch):
    project = random_project(tmp_path)
    run = project.run(device="auto", **RECIPE)
    (run / "stop.request").touch()
    train(bin_dir, run, expect=10)
    (run / "stop.request").unlink()
    monkeypatch.setenv("FAKE_CUDA_CARDS", "0")
    log = train(bin_dir, run, attempt=2)
    assert started(log)["device"] == "cpu" and log[-1]["type"] == "finished"
    assert [e["kind"] for e in log if e["type"] == "warning"] == ["machine_changed"]


def test_too_little_memory_on_the_card_is_said_before_the_start(bin_dir, tmp_path, fake, monkeypatch):
    monkeypatch.setenv("FAKE_CUDA_FREE", str(1 << 20))
    project = random_project(tmp_path)
    failed = failure(train(bin_dir, project.run(device="cuda", **RECIPE), expect=30))
    assert failed["kind"] == "out_of_memory" and failed["args"]["free"] == 1 << 20


def test_the_plan_counts_the_cards_memory(bin_dir, tmp_path, fake):
    request = tmp_path / "request.json"
    request.write_text(json.dumps({"format": 1, "family": "image_classifier", "parameters": {"device": "cuda"}, "channels": 1, "size": 64, "classes": 2,
                                   "trainSamples": 100, "validationSamples": 20, "processes": 1}))
    plan = json.loads(subprocess.run([worker(bin_dir), "plan", "--request", str(request)], capture_output=True, text=True, check=True).stdout)
    assert plan["device"] == "cuda:0" and plan["secondsEstimated"] > 0
    assert plan["card"]["name"] == "Fake card" and plan["card"]["memoryNeeded"] > 700 << 20 and plan["card"]["memoryFree"] == 8 << 30
    assert set(plan["parts"]) == {"data", "runtime"} and plan["memoryNeeded"] == sum(plan["parts"].values())
    assert "synchronise 0" in fake.read_text()


def two_ranks(bin_dir, run, port):
    ranks = []
    for rank in range(2):
        env = dict(os.environ, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", LOCAL_WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        ranks.append(subprocess.Popen([worker(bin_dir), "train", "--run", str(run)], env=env, stderr=subprocess.PIPE, text=True))
    return [r.communicate(timeout=300) and r.returncode for r in ranks]


def free_port():
    import socket

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def test_each_rank_takes_its_card_and_they_form_a_group(bin_dir, tmp_path, fake, monkeypatch):
    project = random_project(tmp_path)
    recipe = dict(RECIPE, micro_batch=4, epochs=1)
    run = project.run(processes=2, device="cuda", **recipe)
    monkeypatch.setenv("FAKE_CUDA_CARDS", "2")
    assert two_ranks(bin_dir, run, free_port()) == [0, 0]
    assert sorted(set(fake.read_text().split("\n"))) == ["", "group 0", "group 1", "use 0", "use 1"]
    monkeypatch.setenv("FAKE_CUDA_CARDS", "1")
    assert two_ranks(bin_dir, project.run("r-0002", processes=2, device="cuda", **recipe), free_port()) == [20, 20]
    auto = project.run("r-0003", processes=2, device="auto", **recipe)
    assert two_ranks(bin_dir, auto, free_port()) == [0, 0]
    assert started(events(auto))["device"] == "cpu" and started(events(run, rank=1))["device"] == "cuda:1"
    assert losses(events(run)) == pytest.approx(losses(events(auto)), rel=1e-3)


def test_the_real_module_opens_with_the_real_libraries(bin_dir, fake, monkeypatch):
    module = bin_dir.parent / "lib" / "libcloister_cuda.so"
    libraries = os.environ.get("CLOISTER_TEST_CUDA_LIBS", "")
    if not module.exists() or not pathlib.Path(libraries, "torch/lib/libtorch_cuda.so").exists():
        pytest.skip("built without CLOISTER_CUDA, or no CUDA libraries in CLOISTER_TEST_CUDA_LIBS")
    monkeypatch.setenv("CLOISTER_CUDA_MODULE", str(module))
    monkeypatch.setenv("CLOISTER_CUDA_LIBS", libraries)
    seen = hardware(bin_dir)
    # The driver is the made one: everything before it has been opened with every symbol bound, then CUDA itself finds no card.
    assert seen["libraries"] == libraries
    assert not seen["usable"] and seen["trouble"]["args"]["reason"] == "no_device" and "CUDA" in seen["trouble"]["detail"], seen
