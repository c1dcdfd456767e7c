"""The main job by cloister-cli alone: a folder of files becomes a verified bundle, and what the issue promises of it is checked from
outside: one JSON object a verb, stated exit codes, no patient on two sides, a bundle that notices one changed byte."""
import collections
import csv
import dataclasses
import json
import os
import pathlib
import shutil

import onnxruntime
import pytest


@dataclasses.dataclass
class Job:
    """What to import, and how long to train."""
    source: str
    files: pathlib.Path
    table: pathlib.Path
    label: str
    size: int
    epochs: int
    minimum_auc: float
    evaluate: tuple = ()  # further options


class Cli:
    """cloister-cli with --json: the one object it printed, and nothing else on stdout."""

    def __init__(self, run, project, keys):
        self.run, self.project, self.environment = run, project, {"CLOISTER_KEYS": str(keys)}

    def __call__(self, *words, expect=0, on_project=True, timeout=1500):
        arguments = [*words, *(["--project", self.project] if on_project else []), "--json"]
        done = self.run("cloister-cli", *arguments, expect=expect, timeout=timeout, env=self.environment)
        assert done.stdout.count("\n") == 1, f"more than one line on stdout: {done.stdout[:400]}"
        answer = json.loads(done.stdout)
        assert isinstance(answer, dict)
        assert ("error" in answer) == (expect != 0 and expect != 4) or expect == 4
        return answer


def patients_of(job):
    with open(job.table, encoding="utf-8", newline="") as file:
        return {row["file"]: row["patient_id"] for row in csv.DictReader(file)}


def check_split(job, snapshot_dir):
    """Patients of each split from the table the job came with, not from what Cloister wrote about them."""
    patients = patients_of(job)
    sides = collections.defaultdict(set)
    lines = [json.loads(line) for line in open(snapshot_dir / "samples.jsonl", encoding="utf-8")]
    for line in lines:
        name = next(file for file in patients if line["key"].split("#")[0].endswith(file))
        sides[line["split"]].add(patients[name])
    assert set(sides) == {"train", "validation", "test"}
    for one in sides:
        for other in sides:
            assert one == other or not sides[one] & sides[other], f"patients in {one} and {other}"
    return len(lines)


def snapshot_dir(project):
    folders = [f for f in (project / "snapshots").iterdir() if (f / "snapshot.json").exists()]
    assert len(folders) == 1
    return folders[0]


def whole_way(job, cli, tmp_path):
    project = cli.project
    cli("project", "create", "--task", "image-classification")
    again = cli("project", "create", "--task", "image-classification", expect=3)
    assert again["error"]["kind"] == "already_exists"
    imported = cli("data", "import", "--source", job.source, "--labels", job.table, "--key", "file", "--label", job.label, "--group",
                   "patient_id", job.files)
    assert isinstance(imported["refused"], list) and all({"file", "kind", "message"} <= set(r) for r in imported["refused"])
    # Non-images in the folder (the table itself, a note) may be refused, images never.
    images = {file for file in patients_of(job)}
    assert not [r for r in imported["refused"] if any(r["file"].endswith(file) for file in images)]
    assert imported["accepted"] + (imported["duplicates"] if isinstance(imported["duplicates"], int) else len(imported["duplicates"])) == len(images)
    cli("data", "check")
    snapshot = cli("data", "snapshot", "--split", "70/15/15", "--group", "patient", "--seed", "1", "--size", job.size)
    assert check_split(job, snapshot_dir(project)) == snapshot["samples"]
    same = cli("data", "snapshot", "--split", "70/15/15", "--group", "patient", "--seed", "1", "--size", job.size)
    assert same["digest"] == snapshot["digest"]

    assert cli("evaluate", expect=3)["error"]["kind"] == "nothing_to_do"
    trained = cli("train", "--family", "image_classifier", "--set", "architecture=small_cnn", "--set", f"epochs={job.epochs}", "--seed", "1")
    assert trained["state"] == "finished" and trained["step"] == trained["steps"] > 0
    assert [r["run"] for r in cli("runs", "list")["runs"]] == [trained["run"]]
    evaluated = cli("evaluate", "--attack-samples", "16", "--steps", "4", *job.evaluate)
    headline = {h["name"]: h for h in evaluated["headline"]}
    for figure in headline.values():
        assert figure["low"] <= figure["value"] <= figure["high"], figure
    assert headline["auc_macro"]["value"] >= job.minimum_auc, headline
    assert pathlib.Path(evaluated["html"]).stat().st_size > 1000

    exported = cli("export", "--target", "onnx", "--quantize", "none", "--quantize", "static-int8", "--to", tmp_path / "out")
    names = {c["name"] for c in exported["candidates"]}
    assert names == {"fp32", "int8-static"} and all(c["parity"]["passed"] for c in exported["candidates"])
    for name in names:
        onnxruntime.InferenceSession(str(tmp_path / "out" / f"{name}.onnx"), providers=["CPUExecutionProvider"])
    bundle_and_verify(cli, tmp_path)


def bundle_and_verify(cli, tmp_path):
    secret, public, bundle = tmp_path / "passphrase.txt", tmp_path / "key.pem", tmp_path / "bundle"
    secret.write_text("a long phrase for this test\n")
    cli("keys", "create", "--name", "receiver-test", "--curve", "P-256", "--passphrase-file", secret, on_project=False)
    cli("keys", "export-public", "--name", "receiver-test", "--to", public, on_project=False)
    cli("bundle", "create", "--key", "receiver-test", "--passphrase-file", secret, "--to", bundle)
    verified = cli("bundle", "verify", bundle, "--public-key", public, on_project=False)
    assert verified["valid"] is True
    stranger = tmp_path / "changed"
    shutil.copytree(bundle, stranger)
    model = stranger / "model.onnx"
    bytes_ = bytearray(model.read_bytes())
    bytes_[len(bytes_) // 2] ^= 1
    os.chmod(model, 0o644)
    model.write_bytes(bytes_)
    assert cli("bundle", "verify", stranger, "--public-key", public, on_project=False, expect=4)["valid"] is False


@pytest.fixture
def cli(run, tmp_path):
    return Cli(run, tmp_path / "project", tmp_path / "keys")


def test_synthetic_phantoms(run, cli, tmp_path):
    files = tmp_path / "files"
    run("cloister-ingest", "synthesize", "--to", files, "--patients", "24", "--seed", "1")
    # Four patients are in the test split: figures are only asked to be there.
    whole_way(Job("dicom", files, files / "labels.csv", "label", 64, 6, 0.0, ("--no-latency",)), cli, tmp_path)


@pytest.mark.acceptance
def test_dicom_radiographs(data_dir, cli, tmp_path):
    files = data_dir / "dicom-cxr-derived-dev"
    if not files.is_dir():  # 24 images in the test split: no bar either
        pytest.skip("no dicom-cxr-derived-dev")
    whole_way(Job("dicom", files, files / "labels.csv", "label", 64, 6, 0.0), cli, tmp_path)


@pytest.mark.acceptance
def test_image_radiographs(data_dir, cli, tmp_path):
    files = data_dir / "img-cxr-kermany-dev"
    if not files.is_dir():
        pytest.skip("no img-cxr-kermany-dev")
    whole_way(Job("images", files, files / "metadata.csv", "label", 64, 5, 0.9), cli, tmp_path)
