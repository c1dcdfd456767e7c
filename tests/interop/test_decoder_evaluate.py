"""What `model evaluate` says about a language model, computed again with transformers and PyTorch from the definitions."""
import json
import math

import numpy as np
import pytest
import torch
from decoder_models import tiny
from torch.nn.functional import cross_entropy


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A model trained on a few texts until it knows them by heart, its untrained base, texts to judge by."""
    folder = tmp_path_factory.mktemp("evaluate")
    model = tiny("llama", initializer_range=0.05)
    model.save_pretrained(folder / "base")
    base = tiny("llama", initializer_range=0.05)
    generator = torch.Generator().manual_seed(11)
    known = torch.randint(3, 97, (6, 40), generator=generator)
    optimizer = torch.optim.AdamW(model.train().parameters(), 3e-3)
    for _ in range(150):
        model(known, labels=known).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval().save_pretrained(folder / "tuned")
    unseen = torch.randint(3, 97, (4, 40), generator=generator)
    half = torch.cat([known[:4, :20], unseen[:, :20]], 1)  # a known beginning and a strange end
    return {"folder": folder, "model": model, "base": base, "known": known, "half": half, "unseen": unseen}


def evaluate(run, world, tmp_path, ids, *options, starts=None):
    content = {"input_ids": [list(map(int, row)) for row in ids]}
    if starts:
        content["answer_start"] = starts
    (tmp_path / "ids.json").write_text(json.dumps(content))
    done = run("cloister-cli", "model", "evaluate", world["folder"] / "tuned", "--texts", tmp_path / "ids.json", "--to", tmp_path / "report.json", "--json", *options)
    report = json.loads(done.stdout)
    assert json.loads((tmp_path / "report.json").read_text())["perplexity"] == report["perplexity"]
    return report


def losses(model, ids, start):
    with torch.no_grad():
        logits = model(ids).logits[:, start - 1:-1]
    each = cross_entropy(logits.flatten(0, 1), ids[:, start:].flatten(), reduction="none").view(len(ids), -1)
    return each.double(), (logits.argmax(-1) == ids[:, start:])


def test_perplexity_and_base(run, world, tmp_path):
    ids = torch.cat([world["known"], world["half"]])
    report = evaluate(run, world, tmp_path, ids, "--base", world["folder"] / "base", starts=[5] * 10)
    ours, right = losses(world["model"], ids, 5)
    theirs, _ = losses(world["base"], ids, 5)
    p = report["perplexity"]
    assert p["value"] == pytest.approx(math.exp(ours.mean()), rel=1e-5) and p["tokens"] == ours.numel() and p["nats"] == pytest.approx(float(ours.sum()), rel=1e-5)
    assert p["nextTokenAccuracy"]["value"] == pytest.approx(float(right.double().mean()), abs=1e-9)
    assert report["base"]["value"] == pytest.approx(math.exp(theirs.mean()), rel=1e-5)
    assert report["base"]["ratio"]["value"] == pytest.approx(math.exp(ours.mean() - theirs.mean()), rel=1e-5)
    # The interval against numpy's own resampling of whole texts.
    rng = np.random.default_rng(0)
    draws = rng.integers(0, 10, (4000, 10))
    sums = ours.sum(1).numpy()
    values = np.exp(sums[draws].sum(1) / (10 * ours.shape[1]))
    low, high = np.percentile(values, [2.5, 97.5])
    assert p["low"] == pytest.approx(low, rel=0.1) and p["high"] == pytest.approx(high, rel=0.1)
    difference = sums[draws].sum(1) - theirs.sum(1).numpy()[draws].sum(1)
    assert report["base"]["p"] == pytest.approx((difference >= 0).mean(), abs=0.03)


def test_a_better_model_is_significant(run, world, tmp_path):
    report = evaluate(run, world, tmp_path, world["known"], "--base", world["folder"] / "base")
    assert report["base"]["p"] < 0.01 and report["base"]["ratio"]["high"] < 0.2


def test_choices(run, world, tmp_path):
    known, unseen = world["known"].tolist(), world["unseen"].tolist()
    items = [{"question": known[i][:20], "answers": [unseen[i % 4][:6], known[i][20:28], known[(i + 1) % 6][20:22]], "right": 1} for i in range(6)]
    (tmp_path / "choices.json").write_text(json.dumps({"choices": items}))
    report = evaluate(run, world, tmp_path, world["known"], "--choices", tmp_path / "choices.json")
    whole = mean = 0
    for item in items:
        scores = []
        for answer in item["answers"]:
            each, _ = losses(world["model"], torch.tensor([item["question"] + answer]), 20)
            scores.append((-float(each.sum()), -float(each.mean())))
        whole += np.argmax([s for s, _ in scores]) == item["right"]
        mean += np.argmax([m for _, m in scores]) == item["right"]
    assert report["choices"]["n"] == 6
    assert report["choices"]["accuracy"]["value"] == pytest.approx(whole / 6) and report["choices"]["accuracyPerToken"]["value"] == pytest.approx(mean / 6)
    assert mean > 0


def test_memorised_texts_are_found(run, world, tmp_path):
    rows = torch.cat([world["known"], world["half"], world["unseen"]])
    (tmp_path / "training.json").write_text(json.dumps(rows.tolist() + [[5, 6, 7]]))
    report = evaluate(run, world, tmp_path, world["known"], "--training", tmp_path / "training.json")
    expected, longest = [], 0
    for i, row in enumerate(rows):
        said = world["model"].generate(row[None, :32], max_new_tokens=8, min_new_tokens=8, do_sample=False, pad_token_id=0)[0, 32:]
        same = (said == row[32:]).long().cumprod(0).sum().item()
        longest = max(longest, same)
        expected += [i] if same == 8 else []
    found = report["memorisation"]
    assert [f["text"] for f in found["found"]] == expected == list(range(6)) and found["repeated"] == 6 and found["longestVerbatim"] == longest == 8
    assert found["texts"] == 14 and found["tooShort"] == 1


def attacked(model, ids, start, kind, norm, epsilon, steps=10):
    """FGSM and PGD from their papers on the vectors of the tokens before `start`, without a random start."""
    table = model.get_input_embeddings().weight.detach()
    unit = table.square().mean().sqrt() if norm == "linf" else table.norm(dim=-1).mean()
    radius, step = epsilon * unit, 2.5 * epsilon / steps * unit
    clean = table[ids[:-1]][None]
    may = (torch.arange(len(ids) - 1) < start).float()[None, :, None]

    def loss(delta):
        logits = model(inputs_embeds=clean + delta).logits[0, start - 1:]
        return cross_entropy(logits, ids[start:]), logits

    def direction(delta):
        delta = delta.detach().requires_grad_(True)
        gradient, = torch.autograd.grad(loss(delta)[0], delta)
        gradient = gradient * may
        return gradient.sign() if norm == "linf" else gradient / (gradient.norm(dim=-1, keepdim=True) + 1e-10)

    delta = torch.zeros_like(clean)
    if kind == "fgsm":
        delta = radius * direction(delta)
    else:
        for _ in range(steps):
            delta = delta + step * direction(delta)
            delta = delta.clamp(-radius, radius) if norm == "linf" else delta * (radius / delta.norm(dim=-1, keepdim=True).clamp_min(1e-30)).clamp(max=1)
    with torch.no_grad():
        value, logits = loss(delta)
        right = loss(torch.zeros_like(delta))[1].argmax(-1) == ids[start:]
        moved = (clean + delta)[0, :start]
        same = (torch.cdist(moved, table).argmin(-1) == ids[:start]).sum()
    return float(value) * (len(ids) - start), int((right & (logits.argmax(-1) != ids[start:])).sum()), int(right.sum()), int(same)


def test_attacks(run, world, tmp_path):
    ids = world["known"]
    # The command line asks for a random start; the comparison needs none: the request as the worker reads it.
    (tmp_path / "ids.json").write_text(json.dumps({"input_ids": ids.tolist(), "answer_start": [24] * 6}))
    epsilons = [0.0, 0.05, 0.2]
    attacks = [{"kind": k, "norm": n, "steps": 5, "epsilons": epsilons, "randomStart": False} for k in ("fgsm", "pgd") for n in ("linf", "l2")]
    (tmp_path / "request.json").write_text(json.dumps({"model": str(world["folder"] / "tuned"), "texts": str(tmp_path / "ids.json"), "attacks": attacks}))
    run("cloister-worker", "model-evaluate", "--request", tmp_path / "request.json", "--to", tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())
    hurt = []
    for attack in report["attacks"]:
        for point in attack["epsilons"]:
            rows = [attacked(world["model"], row, 24, attack["kind"], attack["norm"], point["epsilon"], 5) for row in ids]
            nats, flipped, right, same = (sum(r[i] for r in rows) for i in range(4))
            assert math.log(point["perplexity"]) == pytest.approx(nats / (6 * 16), rel=2e-3, abs=1e-5), (attack["kind"], attack["norm"], point)
            assert abs(point["flipped"] - flipped) <= 1 and point["rightBefore"] == right  # one near tie at most
            assert point["readTheSame"] == pytest.approx(same / (6 * 24), abs=0.01)
            hurt.append(point["successRate"])
    assert hurt[0] == 0 and max(hurt) > 0.2  # no change, no harm; and an attack that does something


def test_attacks_by_the_command_line(run, world, tmp_path):
    report = evaluate(run, world, tmp_path, world["known"], "--attacks", "--epsilons", "0.1", "--attacked-texts", "3")
    assert [(a["kind"], a["norm"]) for a in report["attacks"]] == [("fgsm", "linf"), ("fgsm", "l2"), ("pgd", "linf"), ("pgd", "l2")]
    again = evaluate(run, world, tmp_path, world["known"], "--attacks", "--epsilons", "0.1", "--attacked-texts", "3")
    assert report["attacks"] == again["attacks"] and all(a["texts"] == 3 for a in report["attacks"])


def test_latency(run, world, tmp_path):
    run("cloister-cli", "model", "export", world["folder"] / "tuned", "--to", tmp_path / "int8", "--quantize", "int8")
    report = evaluate(run, world, tmp_path, world["known"], "--latency", "--onnx", tmp_path / "int8")
    assert [(l["runtime"], l["precision"]) for l in report["latency"]] == [("libtorch", "fp32"), ("libtorch", "bf16"), ("onnxruntime", "int8")]
    assert all(l["firstTokenMs"] > 0 and l["tokensPerSecond"] == pytest.approx(1000 / l["perTokenMs"]) for l in report["latency"])


@pytest.mark.parametrize("content, word", [
    ({"input_ids": [[1, 2, 3]], "answer_start": [4]}, "answer_start"),
    ({"input_ids": [[1, 2, 3]], "answer_start": [1, 1]}, "answer_start"),
    ({"input_ids": [[1, 2, 97]]}, "97"),
    ({"input_ids": [[1] * 600]}, "512"),
])
def test_bad_texts_are_named(run, world, tmp_path, content, word):
    (tmp_path / "ids.json").write_text(json.dumps(content))
    done = run("cloister-cli", "model", "evaluate", world["folder"] / "tuned", "--texts", tmp_path / "ids.json", "--json", expect=None)
    assert done.returncode in (2, 3) and word in json.dumps(json.loads(done.stdout)["error"])
