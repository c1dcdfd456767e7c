"""torchvision and PyTorch are the oracles of the engine: the same logits from our weights, the same loss and weights from the same recipe."""
import json
import subprocess

import numpy as np
import pytest
import torch
import torchvision
from classifier_project import events, newest_checkpoint, random_project, train, worker
from safetensors.torch import load_file, save_file

torch.set_num_threads(1)  # barriers between two threads spin; on a busy machine they cost more than they give


def vit_s_16(size, classes):
    return torchvision.models.VisionTransformer(size, 16, 12, 6, 384, 1536, num_classes=classes)


def theirs(architecture, size, classes):
    return vit_s_16(size, classes) if architecture == "vit_s_16" else getattr(torchvision.models, architecture)(num_classes=classes)


def initial(bin_dir, tmp_path, architecture, channels, size, classes, mean=None, std=None, base=None, dropout=0.1, seed=3):
    request = dict(architecture=architecture, parameters={"dropout": dropout}, channels=channels, size=size, classes=classes, seed=seed,
                   mean=mean or [0.0] * channels, std=std or [1.0] * channels)
    if base:
        request["baseWeights"] = str(base)
    (tmp_path / "init.json").write_text(json.dumps(request))
    done = subprocess.run([worker(bin_dir), "init", "--request", tmp_path / "init.json", "--to", tmp_path / "init.safetensors"], capture_output=True, text=True)
    return done, tmp_path / "init.safetensors"


def logits(bin_dir, tmp_path, weights, images):
    save_file({"image": images.contiguous()}, tmp_path / "in.safetensors")
    subprocess.run([worker(bin_dir), "logits", "--weights", weights, "--input", tmp_path / "in.safetensors", "--to", tmp_path / "out.safetensors"], check=True)
    return load_file(tmp_path / "out.safetensors")["logits"]


@pytest.mark.parametrize("architecture,size", [("resnet18", 96), ("resnet34", 64), ("resnet50", 96), ("vit_s_16", 64)])
def test_torchvision_takes_our_weights_and_gives_the_same_logits(bin_dir, tmp_path, architecture, size):
    mean, std = [0.48, 0.45, 0.41], [0.23, 0.22, 0.24]
    done, path = initial(bin_dir, tmp_path, architecture, 3, size, 5, mean, std)
    assert done.returncode == 0, done.stderr
    # Values other than the initial ones, so that no tensor hides behind a zero or a one.
    from safetensors import safe_open
    g = torch.Generator().manual_seed(0)
    with safe_open(path, "pt") as f:
        metadata = f.metadata()
    weights = load_file(path)
    for name, t in weights.items():
        if t.is_floating_point():
            noise = torch.randn(t.shape, generator=g)
            weights[name] = t * (1 + 0.05 * noise) + (0 if name.endswith("running_var") else 0.01 * noise)
            if name.endswith("running_var"):
                weights[name] = weights[name].abs() + 0.1
    save_file(weights, path, metadata)
    model = theirs(architecture, size, 5).eval()
    model.load_state_dict(weights, strict=True)
    images = torch.rand(3, 3, size, size, generator=g)
    with torch.no_grad():
        expected = model.double()((images.double() - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1))
    got = logits(bin_dir, tmp_path, path, images).double()
    scale = max(1.0, expected.abs().max().item())
    assert (got - expected).abs().max().item() <= 1e-5 * scale
    assert expected.std() > 1e-3


def test_torchvision_weights_start_a_grey_model_with_another_head(bin_dir, tmp_path):
    torch.manual_seed(1)
    model = torchvision.models.resnet18(num_classes=7).eval()
    save_file({k: v for k, v in model.state_dict().items()}, tmp_path / "theirs.safetensors")
    done, path = initial(bin_dir, tmp_path, "resnet18", 1, 64, 2, base=tmp_path / "theirs.safetensors")
    assert done.returncode == 0, done.stderr
    assert "summed to one grey channel" in done.stderr and "fc.weight" in done.stderr
    ours = load_file(path)
    for name, t in model.state_dict().items():
        if name == "conv1.weight":
            assert torch.allclose(ours[name], t.sum(1, keepdim=True), atol=1e-6)
        elif not name.startswith("fc."):
            assert torch.equal(ours[name], t), name
    assert ours["fc.weight"].shape == (2, 512)


@pytest.mark.parametrize("make,word", [
    (lambda: {k: v for k, v in torchvision.models.resnet34().state_dict().items() if not k.startswith("layer4")}, "is not in the file"),
    (lambda: torchvision.models.resnet50().state_dict(), "has shape"),
    (lambda: {"x": torch.zeros(3)}, "is not in the file"),
])
def test_weights_of_another_architecture_are_refused_with_the_reason(bin_dir, tmp_path, make, word):
    save_file({k: v.contiguous() for k, v in make().items()}, tmp_path / "theirs.safetensors")
    done, path = initial(bin_dir, tmp_path, "resnet18", 3, 64, 2, base=tmp_path / "theirs.safetensors")
    assert done.returncode == 20 and word in done.stderr and not path.exists()


def test_position_table_is_resized_for_another_image_size(bin_dir, tmp_path):
    torch.manual_seed(1)
    save_file(vit_s_16(64, 3).state_dict(), tmp_path / "theirs.safetensors")
    done, path = initial(bin_dir, tmp_path, "vit_s_16", 3, 96, 3, base=tmp_path / "theirs.safetensors")
    assert done.returncode == 0 and "position table resized" in done.stderr
    given, ours = load_file(tmp_path / "theirs.safetensors")["encoder.pos_embedding"], load_file(path)["encoder.pos_embedding"]
    grid = torch.nn.functional.interpolate(given[:, 1:].reshape(1, 4, 4, 384).permute(0, 3, 1, 2), size=(6, 6), mode="bicubic", align_corners=False)
    assert torch.allclose(ours[:, 1:], grid.permute(0, 2, 3, 1).reshape(1, 36, 384), atol=1e-6)
    assert torch.equal(ours[:, :1], given[:, :1])


# ---- the same recipe in PyTorch -------------------------------------------------------------------------------------------------

MASK = (1 << 64) - 1


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def key_of(a, b, c):
    golden = 0x9E3779B97F4A7C15
    z = mix((a + golden) & MASK)
    z = mix(z ^ ((b + 2 * golden) & MASK))
    return mix(z ^ ((c + 3 * golden) & MASK))


def permutation(n, key):
    """The sampler's order as core/engine/data/counter_rng.h states it: SplitMix64 and Fisher–Yates."""
    order, counter = list(range(n)), 0
    for i in range(n - 1, 0, -1):
        counter += 1
        j = mix((key + 0x9E3779B97F4A7C15 * counter) & MASK) * (i + 1) >> 64
        order[i], order[j] = order[j], order[i]
    return order


class SmallCnn(torch.nn.Module):
    """The reader's own version of small_cnn, from the list of tensors."""

    def __init__(self, weights, stem_stride):
        super().__init__()
        self.p = torch.nn.ParameterDict()
        self.stem_stride = stem_stride
        self.b = {}
        for name, t in weights.items():
            if "running" in name or "tracked" in name:
                self.b[name] = t.clone()
            else:
                self.p[name.replace(".", "/")] = torch.nn.Parameter(t.clone())

    def bn(self, x, name):
        return torch.nn.functional.batch_norm(x, self.b[name + ".running_mean"], self.b[name + ".running_var"], self.w(name + ".weight"), self.w(name + ".bias"), True)

    def w(self, name):
        return self.p[name.replace(".", "/")]

    def forward(self, x):
        F = torch.nn.functional
        x = F.max_pool2d(F.relu(self.bn(F.conv2d(x, self.w("stem.conv.weight"), stride=self.stem_stride, padding=2), "stem.bn")), 3, 2, 1)
        for s in range(1, 5):
            stride = 1 if s == 1 else 2
            y = F.relu(self.bn(F.conv2d(x, self.w(f"stage{s}.conv1.weight"), stride=stride, padding=1), f"stage{s}.bn1"))
            y = self.bn(F.conv2d(y, self.w(f"stage{s}.conv2.weight"), padding=1), f"stage{s}.bn2")
            if s > 1:
                x = self.bn(F.conv2d(x, self.w(f"stage{s}.shortcut.conv.weight"), stride=stride), f"stage{s}.shortcut.bn")
            x = F.relu(x + y)
        return F.linear(x.mean((2, 3)), self.w("head.weight"), self.w("head.bias"))


@pytest.mark.parametrize("architecture,optimizer", [("small_cnn", "adamw"), ("small_cnn", "sgd"), ("resnet18", "adamw"), ("resnet18", "sgd")])
def test_fifty_steps_follow_pytorch(bin_dir, tmp_path, architecture, optimizer):
    """Equal to rounding for the first steps; small rates, because beyond them a flipped ReLU makes any two float32 programs part."""
    epochs, batch, lr, smoothing, clip = 17, 8, (1e-5 if optimizer == "adamw" else 2e-4), 0.1, 1.0
    if architecture == "resnet18":
        lr /= 5  # deeper, so rounding grows faster
    decay = 0.05 if optimizer == "adamw" else 1e-3
    project = random_project(tmp_path / "p", count=27, size=64 if architecture == "resnet18" else 48, classes=3)
    done, start = initial(bin_dir, tmp_path, architecture, 1, project.images.shape[2], 3, project.json["mean"], project.json["std"], dropout=0.0, seed=11)
    assert done.returncode == 0, done.stderr
    folder = project.run(seed=5, base=start, architecture=architecture, epochs=epochs, batch_size=batch, micro_batch=batch, optimizer=optimizer, learning_rate=lr,
                         weight_decay=decay, momentum=0.9, warmup_epochs=2, augmentation="none", dropout=0, label_smoothing=smoothing, class_weights="balanced",
                         clip_norm=clip, ema_decay=0, precision="fp32", metric_seconds=0, threads=1)
    log = train(bin_dir, folder)
    losses = {e["step"]: e["values"]["train/loss"] for e in log if e["type"] == "metric" and "train/loss" in e["values"]}
    norms = {e["step"]: e["values"]["gradient_norm"] for e in log if e["type"] == "metric" and "train/loss" in e["values"]}

    weights = load_file(start)
    if architecture == "small_cnn":
        model = SmallCnn(weights, 1)
        names = {n.replace("/", "."): p for n, p in model.p.items()}
    else:
        model = torchvision.models.resnet18(num_classes=3)
        model.conv1 = torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False)
        model.load_state_dict(weights)
        model.train()
        names = dict(model.named_parameters())
    groups = [{"params": [p for p in names.values() if p.dim() >= 2], "weight_decay": decay}, {"params": [p for p in names.values() if p.dim() < 2], "weight_decay": 0.0}]
    opt = torch.optim.AdamW(groups, lr=lr) if optimizer == "adamw" else torch.optim.SGD(groups, lr=lr, momentum=0.9, nesterov=True)
    per_epoch = 27 // batch
    warmup, total = 2 * per_epoch, epochs * per_epoch
    schedule = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: (s + 1) / warmup if s < warmup else 0.5 * (1 + np.cos(np.pi * (s - warmup) / (total - warmup))))
    counts = np.bincount(project.labels[:27], minlength=3)
    criterion = torch.nn.CrossEntropyLoss(torch.tensor(27 / (3 * counts), dtype=torch.float32), label_smoothing=smoothing)
    mean, std = project.json["mean"][0], project.json["std"][0]
    for step in range(total):
        order = permutation(27, key_of(5, step // per_epoch, 0x5A3B1E))
        index = [project.train[i] for i in order[(step % per_epoch) * batch:(step % per_epoch + 1) * batch]]
        x = torch.from_numpy(project.images[index]).float() / 255
        loss = criterion(model((x - mean) / std), torch.from_numpy(project.labels[index]))
        opt.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(list(names.values()), clip)
        opt.step()
        schedule.step()
        assert abs(losses[step + 1] - loss.item()) <= 1e-4, f"step {step + 1}"
        assert abs(norms[step + 1] - norm.item()) <= 2e-2 * max(1.0, norm.item()), f"step {step + 1}"
    assert total >= 50 and max((weights[n] - p.detach()).abs().max().item() for n, p in names.items()) > 1e-5  # it did train
    ours = load_file(newest_checkpoint(folder) / "model.safetensors")
    for name, p in names.items():
        assert (ours[name] - p.detach()).abs().max().item() <= 1e-4, name


def test_micro_batches_of_a_transformer_add_up_to_the_whole_batch(bin_dir, tmp_path):
    """Without batch norm, gradient accumulation and threads side by side change the sums by rounding only."""
    project = random_project(tmp_path / "p", count=16, size=32)
    common = dict(architecture="vit_s_16", epochs=4, batch_size=8, learning_rate=1e-4, augmentation="light", dropout=0, ema_decay=0, precision="fp32", metric_seconds=0)
    curves = []
    for name, extra in {"r-0001": dict(micro_batch=8, threads=1), "r-0002": dict(micro_batch=4, threads=2), "r-0003": dict(micro_batch=3, threads=1)}.items():
        log = train(bin_dir, project.run(name, **common, **extra))
        curves.append([e["values"]["train/loss"] for e in log if e["type"] == "metric" and "train/loss" in e["values"]])
    assert len(curves[0]) == 8 and curves[0][0] != curves[0][-1]
    assert np.allclose(curves[0], curves[1], atol=1e-4) and np.allclose(curves[0], curves[2], atol=1e-4)


def test_bf16_learns_what_fp32_learns(bin_dir, tmp_path):
    project = random_project(tmp_path / "p")
    finals = {}
    for i, precision in enumerate(("fp32", "bf16")):
        log = train(bin_dir, project.run(f"r-000{i + 1}", epochs=20, precision=precision, augmentation="light"))
        assert [e for e in log if e["type"] == "started"][0]["precision"] == precision
        finals[precision] = [e for e in log if e["type"] == "evaluation"][-1]["values"]
    assert all(v["validation/auc"] == 1.0 for v in finals.values()), finals
