"""torchattacks 3.5.1 is the oracle of core/engine/evaluate: from the same start the same adversarial examples (1e-6)."""
import os
import pathlib
import subprocess

import numpy as np
import pytest
import torch
import torchattacks
from safetensors.torch import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("CLOISTER_BIN_DIR", ROOT / "build/release/bin"))
PROBE = BIN.parent / "tests" / "attack_probe"


def ours(tmp_path, tensors, attack, norm, epsilon, steps=10, step_size=0.0, model="linear"):
    save_file({k: v.contiguous() for k, v in tensors.items()}, tmp_path / "in.safetensors")
    subprocess.run([str(PROBE), "--model", str(model), "--input", str(tmp_path / "in.safetensors"), "--to", str(tmp_path / "out.safetensors"),
                    "--attack", attack, "--norm", norm, "--epsilon", repr(epsilon), "--steps", str(steps), "--step-size", repr(step_size)],
                   check=True, timeout=300)
    return load_file(tmp_path / "out.safetensors")["attacked"]


class Linear(torch.nn.Module):
    def __init__(self, weight, bias):
        super().__init__()
        self.weight, self.bias = torch.nn.Parameter(weight), torch.nn.Parameter(bias)

    def forward(self, x):
        return torch.nn.functional.linear(x.flatten(1), self.weight, self.bias)


def linear_case(classes=3, channels=2, side=6, n=7, seed=1):
    g = torch.Generator().manual_seed(seed)
    weight = torch.randn(classes, channels * side * side, generator=g) * 0.3
    return {"weight": weight, "bias": torch.randn(classes, generator=g) * 0.1, "image": torch.rand(n, channels, side, side, generator=g),
            "label": torch.randint(0, classes, (n,), generator=g)}


def with_start(monkeypatch, attack, start):
    """torchattacks draws its start itself; a start given instead makes the two comparable: the images it perturbs stay the clean ones."""
    attack.random_start = False
    source = type(attack).forward

    def forward(images, labels):
        real = torch.Tensor.clone

        calls = {"n": 0}

        def clone(self, *a, **k):  # third clone is adv_images = images.clone().detach()
            calls["n"] += 1
            return real(start if calls["n"] == 3 else self, *a, **k)

        monkeypatch.setattr(torch.Tensor, "clone", clone)
        try:
            return source(attack, images, labels)
        finally:
            monkeypatch.setattr(torch.Tensor, "clone", real)

    return forward


def check(a, b):
    np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=0, atol=1e-6)


def test_fgsm_linear(tmp_path):
    case = linear_case()
    theirs = torchattacks.FGSM(Linear(case["weight"], case["bias"]).eval(), eps=0.05)(case["image"], case["label"])
    check(ours(tmp_path, case, "fgsm", "linf", 0.05), theirs)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("seed", [1, 2])
def test_pgd_linear_same_start(tmp_path, monkeypatch, norm, seed):
    case = linear_case(seed=seed)
    epsilon, alpha = (0.06, 0.015) if norm == "linf" else (0.8, 0.2)
    g = torch.Generator().manual_seed(seed + 50)
    noise = torch.randn(case["image"].shape, generator=g)
    noise = noise.sign() * 0.5 * epsilon if norm == "linf" else noise / noise.flatten(1).norm(dim=1).view(-1, 1, 1, 1) * 0.5 * epsilon
    case["start"] = (case["image"] + noise).clamp(0, 1)
    model = Linear(case["weight"], case["bias"]).eval()
    cls = torchattacks.PGD if norm == "linf" else torchattacks.PGDL2
    theirs = with_start(monkeypatch, cls(model, eps=epsilon, alpha=alpha, steps=7), case["start"])(case["image"], case["label"])
    mine = ours(tmp_path, case, "pgd", norm, epsilon, 7, alpha)
    check(mine, theirs)
    assert (mine - case["image"]).abs().max() > epsilon / 40  # it did something


def export(tmp_path, architecture):
    """Weights written by our own worker, loaded by torchvision: the same network on both sides."""
    import json
    request = {"architecture": architecture, "parameters": {}, "channels": 3, "size": 32, "classes": 3, "seed": 5,
               "mean": [0.5, 0.4, 0.3], "std": [0.25, 0.2, 0.3]}
    (tmp_path / "request.json").write_text(json.dumps(request))
    subprocess.run([str(BIN / "cloister-worker"), "init", "--request", str(tmp_path / "request.json"), "--to",
                    str(tmp_path / "model.safetensors")], check=True, timeout=300)
    return tmp_path / "model.safetensors", request


@pytest.mark.parametrize("attack,norm,epsilon,steps,alpha", [("fgsm", "linf", 4 / 255, 1, 4 / 255), ("pgd", "linf", 4 / 255, 5, 1 / 255),
                                                             ("pgd", "l2", 0.5, 5, 0.125)])
def test_resnet_with_normalisation_inside(tmp_path, attack, norm, epsilon, steps, alpha):
    import torchvision
    weights, request = export(tmp_path, "resnet18")
    net = torchvision.models.resnet18(num_classes=3)
    net.load_state_dict(load_file(weights), strict=True)
    mean, std = (torch.tensor(request[k]).view(1, 3, 1, 1) for k in ("mean", "std"))

    class Whole(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x):
            return self.net((x - mean) / std)

    g = torch.Generator().manual_seed(3)
    case = {"image": torch.rand(4, 3, 32, 32, generator=g), "label": torch.tensor([0, 1, 2, 1])}
    model = Whole().eval()
    if attack == "fgsm":
        theirs = torchattacks.FGSM(model, eps=epsilon)(case["image"], case["label"])
    else:
        cls = torchattacks.PGD if norm == "linf" else torchattacks.PGDL2
        theirs = cls(model, eps=epsilon, alpha=alpha, steps=steps, random_start=False)(case["image"], case["label"])
    mine = ours(tmp_path, case, attack, norm, epsilon, steps, alpha, weights)
    if norm == "l2":
        check(mine, theirs)
        return
    # The sign of a gradient that is a rounding error away from 0 may differ between two orders of summation: at most 1 pixel in 500.
    apart = (mine - theirs).abs() > 1e-6
    assert apart.float().mean() < 0.002, apart.float().mean()
    assert not net.training and int(net.bn1.num_batches_tracked) == 0
