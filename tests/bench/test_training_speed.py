"""Training speed against PyTorch with torchvision and its DataLoader: whole epochs, interleaved, as a ratio of medians (above 1: we are faster).

The peer gets the best of eager, channels-last, bf16 and (CLOISTER_BENCH_COMPILE=1, minutes of warm-up) torch.compile, with DataLoader workers and
torchvision transforms of the same kinds as ours. Both use all processors, the same network, batch and precision choice. Time of an epoch is
taken between two steps inside the process, so that neither side pays for its start."""
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
import torchvision
from torchvision.transforms import v2

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
from classifier_project import events, random_project, worker  # noqa: E402

SAMPLES, BATCH, SIZE = 96, 8, 224


def ours(bin_dir, project, name, architecture):
    """Samples per second between the first and the last step of the second to last epochs."""
    folder = project.run(name, architecture=architecture, epochs=3, batch_size=BATCH, metric_seconds=0, augmentation="standard", checkpoint_minutes=1000)
    subprocess.run([worker(bin_dir), "train", "--run", str(folder)], check=True)
    from datetime import datetime
    at = {e["step"]: datetime.fromisoformat(e["at"].replace("Z", "+00:00")).timestamp() for e in events(folder) if e["type"] == "metric" and "train/loss" in e["values"]}
    per_epoch = SAMPLES // BATCH
    return (2 * per_epoch - 1) * BATCH / (at[3 * per_epoch] - at[per_epoch + 1])


class Images(torch.utils.data.Dataset):
    def __init__(self, project):
        self.images, self.labels = torch.from_numpy(project.images), torch.from_numpy(project.labels)
        self.transform = v2.Compose([v2.RandomAffine(10, (0.06, 0.06), (0.9, 1.1), interpolation=v2.InterpolationMode.BILINEAR), v2.ColorJitter(0.08, 0.2),
                                     v2.ToDtype(torch.float32, scale=True), v2.GaussianNoise(sigma=0.02), v2.Normalize([0.5], [0.25])])

    def __len__(self):
        return SAMPLES

    def __getitem__(self, i):
        return self.transform(self.images[i]), self.labels[i]


def network(architecture):
    if architecture == "vit_s_16":
        model = torchvision.models.VisionTransformer(SIZE, 16, 12, 6, 384, 1536, num_classes=2, dropout=0.1)  # as our recipe
        model.conv_proj = torch.nn.Conv2d(1, 384, 16, 16)
    else:
        model = getattr(torchvision.models, architecture)(num_classes=2)
        model.conv1 = torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    return model


def theirs(project, architecture, channels_last, bf16, compiled):
    torch.manual_seed(1)
    model = network(architecture)
    if channels_last:
        model = model.to(memory_format=torch.channels_last)
    step = torch.compile(model) if compiled else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    loader = torch.utils.data.DataLoader(Images(project), BATCH, shuffle=True, drop_last=True, num_workers=1, persistent_workers=True, prefetch_factor=4)
    begin = 0.0
    for epoch in range(3):
        for i, (x, y) in enumerate(loader):
            if channels_last:
                x = x.contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                loss = torch.nn.functional.cross_entropy(step(x).float(), y)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
            optimizer.step()
            loss.item()
            if epoch == 1 and i == 0:
                begin = time.monotonic()
    return (2 * (SAMPLES // BATCH) - 1) * BATCH / (time.monotonic() - begin)


@pytest.mark.bench
@pytest.mark.parametrize("architecture", ["resnet18", "vit_s_16"])
def test_training_against_pytorch(bin_dir, tmp_path, architecture):
    project = random_project(tmp_path / "p", count=SAMPLES, size=SIZE, validation=0)
    variants = {f"{'channels-last' if cl else 'eager'} {'bf16' if bf else 'fp32'}": (cl, bf, False) for cl in (False, True) for bf in (False, True)}
    if os.environ.get("CLOISTER_BENCH_COMPILE"):
        variants["compile bf16"] = (True, True, True)
    speeds, own = {v: [] for v in variants}, []
    for i in range(int(os.environ.get("CLOISTER_BENCH_ROUNDS", "3"))):
        own.append(ours(bin_dir, project, f"r-{i:04}", architecture))
        for name, options in variants.items():
            speeds[name].append(theirs(project, architecture, *options))
    best = max(speeds, key=lambda v: statistics.median(speeds[v]))
    ratio = statistics.median(a / b for a, b in zip(own, speeds[best]))
    print(f"\n{architecture}: Cloister {statistics.median(own):.1f} samples/s, PyTorch {statistics.median(speeds[best]):.1f} ({best}): ratio {ratio:.2f}")
    assert np.isfinite(ratio)
