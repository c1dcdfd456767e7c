"""A project folder with prepared shards and runs, written from docs/formats.md alone: what the worker's tests start from."""
import hashlib
import json
import os
import pathlib
import subprocess

import numpy as np
from safetensors.numpy import save_file


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


class Project:
    def __init__(self, root, images, labels, train, validation=(), classes=("a", "b")):
        """images: uint8 [n, C, S, S]"""
        self.root = pathlib.Path(root)
        self.prepared = self.root / "snapshots" / "abc" / "prepared" / "one"
        self.prepared.mkdir(parents=True)
        self.images, self.labels, self.train, self.validation = images, labels, list(train), list(validation)
        save_file({"images": images, "labels": labels.astype(np.int64)}, self.prepared / "shard-00000.safetensors")
        (self.root / "snapshots" / "abc" / "samples.jsonl").write_text(
            "".join(json.dumps({"key": f"folder/image-{i:03}.png"}) + "\n" for i in range(len(images))))
        pixels = images[self.train] / 255.0
        self.json = {"format": 1, "snapshot": "abc", "preprocessing": {}, "count": len(images), "channels": images.shape[1], "size": images.shape[2],
                     "classes": list(classes), "shards": [{"file": "shard-00000.safetensors", "count": len(images), "sha256": sha256(self.prepared / "shard-00000.safetensors")}],
                     "splits": {"train": self.train, "validation": self.validation, "test": []},
                     "mean": [float(m) for m in pixels.mean((0, 2, 3))], "std": [float(s) for s in pixels.std((0, 2, 3))], "classCounts": {}}
        self.json["digest"] = hashlib.sha256(canonical(self.json)).hexdigest()
        (self.prepared / "prepared.json").write_text(json.dumps(self.json))

    def run(self, name="r-0001", seed=1, base="", processes=1, **parameters):
        folder = self.root / "runs" / name
        folder.mkdir(parents=True)
        spec = {"format": 1, "run": name, "family": "image_classifier", "snapshot": "abc", "prepared": "snapshots/abc/prepared/one",
                "preparedDigest": self.json["digest"], "baseWeights": str(base), "baseWeightsSha256": sha256(base) if base else "",
                "parameters": parameters, "seed": seed, "processes": processes, "createdAt": "2026-01-01T00:00:00Z", "codeVersion": "test"}
        (folder / "spec.json").write_text(json.dumps(spec))
        return folder


def random_project(root, count=24, size=32, channels=1, classes=2, seed=0, validation=8):
    """Images whose class shows as a brighter half, so that a few steps already learn something."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count + validation) % classes
    images = rng.integers(0, 160, (count + validation, channels, size, size)).astype(np.uint8)
    for i, label in enumerate(labels):
        images[i, :, :, : size * (label + 1) // (classes + 1)] += 80
    return Project(root, images, labels, range(count), range(count, count + validation), [f"class {c}" for c in range(classes)])


def worker(bin_dir):
    return os.environ.get("CLOISTER_WORKER", str(bin_dir / "cloister-worker"))


def train(bin_dir, folder, attempt=1, expect=0, timeout=600):
    done = subprocess.run([worker(bin_dir), "train", "--run", str(folder), "--attempt", str(attempt)], capture_output=True, text=True, timeout=timeout)
    assert done.returncode == expect, f"{done.returncode} instead of {expect}: {done.stderr[-3000:]}"
    return events(folder, attempt)


def events(folder, attempt=1, rank=0):
    lines = (folder / f"attempt-{attempt:03}" / f"rank-{rank}.events.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def newest_checkpoint(folder):
    return sorted((folder / "checkpoints").glob("step-*"))[-1]


def result_digests(folder):
    """What must not depend on interruptions."""
    checkpoint = newest_checkpoint(folder)
    files = [checkpoint / n for n in ("model.safetensors", "ema.safetensors", "optimizer.safetensors")] + [folder / "best" / "model.safetensors"]
    return {"step": checkpoint.name, **{f.parent.name[:4] + "/" + f.name: sha256(f) for f in files}}
