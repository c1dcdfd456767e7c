"""A project with one finished run, made without our own importer and trainer: what evaluate and export find when they start."""
import hashlib
import json
import pathlib
import subprocess

import numpy as np
import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import load_file, save_file


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def blobs(n, classes, channels, size, seed):
    """Noise with a brighter spot whose place is the class; hard enough for errors, easy enough to learn in seconds."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    images = rng.normal(95, 30, (n, channels, size, size))
    for i, c in enumerate(y):
        row, column = 4 + 12 * (c // 2) + rng.integers(0, 5), 4 + 14 * (c % 2) + rng.integers(0, 5)
        images[i, :, row:row + 7, column:column + 7] += rng.uniform(10, 60)
    return np.clip(images, 0, 255).astype(np.uint8), y.astype(np.int64)


def write_project(root, images, labels, classes, patients, splits, site=None, modality=None, window=None):
    root = pathlib.Path(root)
    snapshot = root / "snapshots/0123456789ab"
    prepared = snapshot / "prepared/ba9876543210"
    prepared.mkdir(parents=True)
    names = {i: name for name, list_ in splits.items() for i in list_}
    with open(snapshot / "samples.jsonl", "w", encoding="utf-8") as out:
        for i in range(len(labels)):
            out.write(canonical({"sha256": f"{i:064x}", "frame": 0, "key": f"{classes[labels[i]]}/image-{i:04d}.png", "label": classes[labels[i]],
                                 "classIndex": int(labels[i]), "group": patients[i], "patient": patients[i], "site": site[i] if site else "",
                                 "modality": modality[i] if modality else "", "split": names.get(i, ""), "source": "images",
                                 "windowCenter": 0, "windowWidth": window or 0, "bits": 8}) + "\n")
    half = len(labels) // 2  # two shards, so that indices cross a border
    shards = []
    for s, (a, b) in enumerate(((0, half), (half, len(labels)))):
        name = f"shard-{s:05d}.safetensors"
        save_file({"images": torch.from_numpy(images[a:b]).contiguous(), "labels": torch.from_numpy(labels[a:b]).contiguous()}, prepared / name)
        shards.append({"file": name, "count": b - a, "sha256": hashlib.sha256((prepared / name).read_bytes()).hexdigest()})
    train = images[splits["train"]] / 255.0
    json_ = {"format": 1, "snapshot": "0" * 64, "preprocessing": {}, "count": len(labels), "channels": images.shape[1], "size": images.shape[2],
             "classes": list(classes), "shards": shards, "splits": {k: [int(i) for i in v] for k, v in splits.items()},
             "mean": [round(float(m), 6) for m in train.mean((0, 2, 3))], "std": [round(float(s), 6) for s in train.std((0, 2, 3))],
             "classCounts": {k: [int((labels[v] == c).sum()) for c in range(len(classes))] for k, v in splits.items()}}
    json_["digest"] = hashlib.sha256(canonical(json_).encode()).hexdigest()
    (prepared / "prepared.json").write_text(canonical(json_), encoding="utf-8")
    run = root / "runs/r-0001"
    (run / "best").mkdir(parents=True)
    (run / "spec.json").write_text(json.dumps({
        "format": 1, "run": "r-0001", "family": "image_classifier", "snapshot": "0" * 64, "prepared": str(prepared.relative_to(root)),
        "preparedDigest": json_["digest"], "baseWeights": "", "baseWeightsSha256": "", "parameters": {"architecture": "resnet18"}, "seed": 1,
        "processes": 1, "createdAt": "2026-01-01T00:00:00Z", "codeVersion": "test"}))
    return run, json_


def resnet(channels, classes):
    net = torchvision.models.resnet18(num_classes=classes)
    if channels == 1:
        net.conv1 = torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    return net


class Normalised(torch.nn.Module):
    def __init__(self, net, mean, std):
        super().__init__()
        self.net = net
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1))

    def forward(self, x):
        return self.net((x - self.mean) / self.std)


def train_best(worker, run, prepared, images, labels, steps=40):
    """Weights by torchvision and PyTorch, saved under our names and metadata into best/. Returns the model that made them."""
    classes = prepared["classes"]
    request = run / "init.json"
    request.write_text(json.dumps({"architecture": "resnet18", "parameters": {}, "channels": prepared["channels"], "size": prepared["size"],
                                   "classes": len(classes), "classNames": classes, "seed": 7, "mean": prepared["mean"], "std": prepared["std"]}))
    target = run / "best/model.safetensors"
    subprocess.run([str(worker), "init", "--request", str(request), "--to", str(target)], check=True, timeout=300)
    with safe_open(target, "pt") as file:
        metadata = file.metadata()
    net = resnet(prepared["channels"], len(classes))
    net.load_state_dict(load_file(target), strict=True)
    model = Normalised(net, prepared["mean"], prepared["std"])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rows = torch.tensor(prepared["splits"]["train"])
    x, y = torch.from_numpy(images).float() / 255, torch.from_numpy(labels)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    generator = torch.Generator().manual_seed(0)
    model.train()
    for _ in range(steps):
        batch = rows[torch.randint(0, len(rows), (32,), generator=generator)]
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
        optimizer.step()
    model.eval()
    torch.set_num_threads(threads)
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, target, metadata)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    (run / "best/state.json").write_text(json.dumps({"format": 1, "step": steps, "files": {"model.safetensors": digest},
                                                     "sha256": {"model.safetensors": digest}}))
    return model
