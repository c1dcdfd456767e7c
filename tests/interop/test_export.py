"""`cloister-worker export` from a run folder to export.json: every candidate is what it says it is."""
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import time

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from safetensors.torch import load_file

import run_folder

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORKER = pathlib.Path(os.environ.get("CLOISTER_BIN_DIR", ROOT / "build/release/bin")) / "cloister-worker"
CLASSES = ["a", "b", "c", "d"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("export")
    images, labels = run_folder.blobs(300, 4, 1, 32, seed=4)
    patients = [f"P{i // 3:03d}" for i in range(300)]
    splits = {"train": list(range(120)), "validation": list(range(120, 180)), "test": list(range(180, 300))}
    run, prepared = run_folder.write_project(root, images, labels, CLASSES, patients, splits)
    return run, run_folder.train_best(WORKER, run, prepared, images, labels, 30), images, labels, splits["test"], root


def export(run, expect=0, **options):
    (run / "export").mkdir(exist_ok=True)
    (run / "export/request.json").write_text(json.dumps({"format": 1, "latencyIterations": 3, **options}))
    done = subprocess.run([str(WORKER), "export", "--run", str(run)], capture_output=True, text=True, timeout=900)
    assert done.returncode == expect, done.stderr
    return done


def events(run):
    return [json.loads(line) for line in (run / "export/events.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def exported(project):
    run, model, images, labels, test, root = project
    export(run, toDir=str(root / "copy"))
    return run, model, images, labels, test, json.loads((run / "export/export.json").read_text()), root / "copy"


def logits_of(path, x):
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(path), options).run(["logits"], {"image": x})[0]


def test_candidates_are_what_the_description_says(exported):
    run, model, images, labels, test, report, _ = exported
    x = images[test].astype(np.float32) / 255
    with torch.no_grad():
        want = model(torch.from_numpy(x)).numpy()
    assert [c["name"] for c in report["candidates"]] == ["fp32", "fp16", "int8-dynamic", "int8-static"]
    for c in report["candidates"]:
        path = run / "export" / c["file"]
        onnx.checker.check_model(str(path), full_check=True)
        assert hashlib.sha256(path.read_bytes()).hexdigest() == c["sha256"] and path.stat().st_size == c["bytes"]
        got = logits_of(path, x)
        # Two builds of the runtime may round a value to the other side of a half: a flip of one borderline image is no lie.
        assert c["accuracy"]["value"] == pytest.approx((got.argmax(1) == labels[test]).mean(), abs=1.5 / len(test)), c["name"]
        assert c["accuracy"]["low"] <= c["accuracy"]["value"] <= c["accuracy"]["high"]
        parity, share = c["parity"], {"fp32": 1e-4, "fp16": 2e-2}.get(c["name"], 0.25)
        assert parity["passed"] and parity["maxAbs"] <= parity["tolerance"]
        # Judged on some of these real images, not on the stored vectors.
        assert 0.5 < parity["tolerance"] / (share * max(1, want.max() - want.min())) < 1.001
        if c["name"].startswith("int8"):
            assert 0 < parity["maxAbs"] < 1.05 * np.abs(got - want).max() + 1e-3
        assert np.abs(got - want).max() <= {"fp32": 1e-4, "fp16": 2e-2}.get(c["name"], 0.3) * max(1, want.max() - want.min()), c["name"]
        assert [t["batch"] for t in c["latency"]] == [1, 8] and all(0 < t["p50"] <= t["p95"] <= t["p99"] for t in c["latency"])
    bytes_ = {c["name"]: c["bytes"] for c in report["candidates"]}
    assert bytes_["fp16"] < 0.51 * bytes_["fp32"] and bytes_["int8-static"] < 0.27 * bytes_["fp32"] and bytes_["int8-dynamic"] < 0.27 * bytes_["fp32"]
    assert report["recommended"] in bytes_ and report["why"]
    assert report["candidates"][3]["calibration"] in ("minmax", "percentile", "entropy")


def test_stored_vectors_are_the_trained_models_and_nobodys(exported):
    run, model, images, _, _, report, _ = exported
    vectors = load_file(run / "export/test_vectors.safetensors")
    with torch.no_grad():
        want = model(vectors["input"])
    np.testing.assert_allclose(vectors["logits"].numpy(), want.numpy(), atol=1e-4)
    for c in report["candidates"]:
        np.testing.assert_allclose(vectors["logits." + c["name"]].numpy(), logits_of(run / "export" / c["file"], vectors["input"].numpy()),
                                   atol=2e-2 if c["name"].startswith("int8") else 1e-3)
    seen = {image.tobytes() for image in images}
    assert not any(np.rint(v.numpy() * 255).astype(np.uint8).tobytes() in seen for v in vectors["input"])


def test_events_tell_the_way(exported):
    log = events(exported[0])
    assert log[0]["type"] == "started" and log[-1]["type"] == "finished" and log[-1]["recommended"]
    phases = [e["name"] for e in log if e["type"] == "phase"]
    assert phases[0] == "loading" and "calibrating" in phases and "timing" in phases
    progress = [e for e in log if e["type"] == "progress"]
    assert len(progress) > 5 and progress[-1]["done"] == progress[-1]["total"]
    assert all(a["done"] <= b["done"] <= b["total"] for a, b in zip(progress, progress[1:]))
    assert json.loads((exported[0] / "export/exit.json").read_text()) == {"code": 0}


def test_the_copy_is_whole(exported):
    run, copy = exported[0], exported[6]
    names = {p.name for p in copy.iterdir()}
    assert names == {"fp32.onnx", "fp16.onnx", "int8-dynamic.onnx", "int8-static.onnx", "preprocessing.json", "test_vectors.safetensors", "export.json"}
    assert all((copy / n).read_bytes() == (run / "export" / n).read_bytes() for n in names)


def test_preprocessing_is_spelled_out(exported):
    pre = json.loads((exported[0] / "export/preprocessing.json").read_text())
    prepared = json.loads(next(exported[0].parents[1].glob("snapshots/*/prepared/*/prepared.json")).read_text())
    assert pre["classes"] == CLASSES and pre["input"]["shape"] == ["N", 1, 32, 32]
    np.testing.assert_allclose(pre["insideGraph"]["subtract"], prepared["mean"])
    np.testing.assert_allclose(pre["insideGraph"]["divide"], prepared["std"])


@pytest.mark.parametrize("options, word", [({"quantize": ["int4"]}, "quantize"), ({"calibration": "magic"}, "calibration"),
                                           ({"maximumAccuracyDrop": 2}, "maximumAccuracyDrop"), ({"target": "floppy"}, "floppy")])
def test_wrong_requests_are_refused(project, tmp_path, options, word):
    run = tmp_path / "p/runs/r-0001"
    (run / "export").mkdir(parents=True)
    for name in ("spec.json", "best"):
        os.symlink(project[0] / name, run / name)
    os.symlink(project[5] / "snapshots", tmp_path / "p/snapshots")
    done = export(run, expect=20, **options)
    assert word in done.stderr and not (run / "export/export.json").exists()
    assert events(run)[-1]["type"] == "failed"


def test_stopping_leaves_no_marker(project, tmp_path):
    run = tmp_path / "p/runs/r-0001"
    (run / "export").mkdir(parents=True)
    for name in ("spec.json", "best"):
        os.symlink(project[0] / name, run / name)
    os.symlink(project[5] / "snapshots", tmp_path / "p/snapshots")
    (run / "export/request.json").write_text(json.dumps({"format": 1, "latencyIterations": 100000}))
    process = subprocess.Popen([str(WORKER), "export", "--run", str(run)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        if (run / "export/events.jsonl").exists() and any(e.get("name") == "timing" for e in events(run)):
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 10
    assert events(run)[-1]["type"] == "stopped" and not (run / "export/export.json").exists()
