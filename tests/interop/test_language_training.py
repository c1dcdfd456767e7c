"""Training of language models against the same recipe in PyTorch: loss curves, resumed runs, adapters that load in peft."""
import json
import math
import shutil
import subprocess
import time

import peft
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from decoder_models import logits_by_us, random_ids, tiny

STEPS, LENGTH, BATCH = 100, 32, 4


def stream(tokens, seed=5):
    """Tokens with something to learn: a noisy cycle."""
    g = torch.Generator().manual_seed(seed)
    noise = torch.rand(tokens, generator=g) < 0.15
    return torch.where(noise, torch.randint(0, 97, (tokens,), generator=g), (torch.arange(tokens) * 7 + (torch.arange(tokens) // 50)) % 97)


def make_run(root, parameters, train, base="", validation=None, seed=1, name="r-0001"):
    data = root / "data"
    data.mkdir(parents=True, exist_ok=True)
    save_file(train, data / "train.safetensors")
    if validation:
        save_file(validation, data / "validation.safetensors")
    run = root / "runs" / name
    run.mkdir(parents=True)
    (run / "spec.json").write_text(json.dumps({
        "format": 1, "run": name, "family": "decoder_lm", "snapshot": "0" * 64, "prepared": "data", "preparedDigest": "0" * 64,
        "baseWeights": str(base), "baseWeightsSha256": "", "seed": seed, "processes": 1, "createdAt": "2026-01-01T00:00:00Z", "codeVersion": "test",
        "parameters": {"sequence_length": LENGTH, "batch_size": BATCH, "metric_seconds": 0, "threads": 1, "device": "cpu", "precision": "fp32",
                       "shuffle": False, "checkpoint_minutes": 1000, **parameters}}))
    return run


def events(run, kind, attempt=1):
    lines = (run / f"attempt-{attempt:03d}/rank-0.events.jsonl").read_text().splitlines()
    return [e for e in map(json.loads, lines) if e["type"] == kind]


def losses(run, attempt=1):
    return [e["values"]["train/loss"] for e in events(run, "metric", attempt) if "train/loss" in e["values"]]


def by_pytorch(net, ids, parameters, micro=BATCH, labels=None):
    """The recipe as anyone would write it: AdamW, linear warm-up, cosine to zero, clipping by norm, mean over the tokens of a step."""
    rate, warmup, decay = parameters["learning_rate"], parameters["warmup_steps"], parameters["weight_decay"]
    params = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW([{"params": [p for p in params if p.dim() >= 2], "weight_decay": decay},
                                   {"params": [p for p in params if p.dim() < 2], "weight_decay": 0.0}], lr=rate, betas=(0.9, 0.999), eps=1e-8)
    count, curve = (len(ids) - 1) // LENGTH, []
    per_epoch = count // BATCH
    labels = ids if labels is None else labels
    net.train()
    for step in range(STEPS):
        lr = rate * (step + 1) / warmup if step < warmup else rate * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (STEPS - warmup)))
        for group in optimizer.param_groups:
            group["lr"] = lr
        rows = [(step % per_epoch) * BATCH + i for i in range(BATCH)]
        x = torch.stack([ids[r * LENGTH:(r + 1) * LENGTH] for r in rows])
        y = torch.stack([labels[r * LENGTH + 1:(r + 1) * LENGTH + 1] for r in rows])
        learnt, total = (y != -100).sum(), 0.0
        for i in range(0, BATCH, micro):
            logits = net(x[i:i + micro]).logits.float()
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), y[i:i + micro].flatten(), reduction="sum", ignore_index=-100) / learnt
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        curve.append(total)
    return curve


def close(ours, theirs, tolerance=1e-4):
    assert len(ours) == len(theirs) == STEPS
    worst = max(abs(a - b) for a, b in zip(ours, theirs))
    assert worst < tolerance, worst
    assert theirs[-1] < theirs[0] - 0.1, "nothing was learnt"


RECIPE = {"learning_rate": 2e-3, "warmup_steps": 10, "weight_decay": 0.05, "epochs": 1000, "max_steps": STEPS}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("kind,changes", [("llama", {}), ("llama", {"tie_word_embeddings": True}), ("qwen2", {}), ("deepseek_v2", {})])
def test_full_follows_pytorch(run, kind, changes, tmp_path):
    net = tiny(kind, **changes)
    net.save_pretrained(tmp_path / "base")
    ids = stream(3000)
    attempt = make_run(tmp_path, {**RECIPE, "method": "full", "micro_batch": 2}, {"tokens": ids.to(torch.int32)}, tmp_path / "base")
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
    close(losses(attempt), by_pytorch(net, ids, RECIPE))
    # What was kept is the trained model, whole, and transformers opens it.
    trained = transformers.AutoModelForCausalLM.from_pretrained(attempt / "best", local_files_only=True)
    worst = max((a - b).abs().max().item() for a, b in zip(net.state_dict().values(), trained.state_dict().values()))
    assert worst < 1e-3, worst


def test_lora_follows_pytorch_and_loads_in_peft(run, tmp_path):
    net = tiny("llama")
    net.save_pretrained(tmp_path / "base")
    ids = stream(3000)
    recipe = {**RECIPE, "learning_rate": 1e-2, "weight_decay": 0.0}
    parameters = {**recipe, "method": "lora", "lora_rank": 4, "lora_alpha": 12, "lora_targets": "q_proj, v_proj, down_proj", "micro_batch": 4}
    # One step at rate 0 hands out the adapters as they start: the script goes on from the same ones.
    start = make_run(tmp_path / "start", {**parameters, "learning_rate": 0, "max_steps": 1}, {"tokens": ids.to(torch.int32)}, tmp_path / "base")
    run("cloister-worker", "train", "--run", start, "--attempt", 1)
    first = load_file(start / "best/adapter_model.safetensors")
    a = first["base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"]
    assert a.abs().max() <= 1 / math.sqrt(48) and a.std() > 0.5 / math.sqrt(48)
    assert all(v.abs().max() == 0 for k, v in first.items() if "lora_B" in k)
    attempt = make_run(tmp_path / "run", parameters, {"tokens": ids.to(torch.int32)}, tmp_path / "base")
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
    theirs = peft.PeftModel.from_pretrained(net, start / "best", is_trainable=True)
    assert sum(p.numel() for p in theirs.parameters() if p.requires_grad) == sum(v.numel() for v in first.values())
    close(losses(attempt), by_pytorch(theirs, ids, recipe))
    # The trained adapter gives the same logits in peft, by us, and merged into a folder of its own.
    tuned = peft.PeftModel.from_pretrained(tiny("llama"), attempt / "best").eval()
    x = random_ids(2, 40)
    with torch.no_grad():
        wanted, plain = tuned(torch.tensor(x)).logits, tiny("llama")(torch.tensor(x)).logits
    assert (wanted - plain).abs().max() > 0.05
    assert (logits_by_us(run, tmp_path / "base", x, tmp_path, "--adapter", attempt / "best") - wanted).abs().max() < 1e-5
    run("cloister-cli", "model", "import", tmp_path / "base", "--adapter", attempt / "best", "--to", tmp_path / "merged")
    merged = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "merged", local_files_only=True).eval()
    with torch.no_grad():
        assert (merged(torch.tensor(x)).logits - wanted).abs().max() < 1e-5


def test_peft_adapter_loads_here(run, tmp_path):
    net = tiny("deepseek_v3")
    net.save_pretrained(tmp_path / "base")
    tuned = peft.get_peft_model(net, peft.LoraConfig(r=3, lora_alpha=9, target_modules=["q_a_proj", "kv_b_proj", "o_proj"], init_lora_weights=False))
    tuned.save_pretrained(tmp_path / "adapter")
    x = random_ids(1, 60)
    with torch.no_grad():
        wanted = tuned.eval()(torch.tensor(x)).logits
    for more in ([], ["--path", "absorbed", "--cached", 7]):
        assert (logits_by_us(run, tmp_path / "base", x, tmp_path, "--adapter", tmp_path / "adapter", *more) - wanted).abs().max() < 1e-5
    config = json.loads((tmp_path / "adapter/adapter_config.json").read_text())
    for change, kind in (({"use_dora": True}, "unsupported_format"), ({"r": 0}, "corrupt_file"), ({"r": 4}, "corrupt_file"),
                         ({"peft_type": "IA3"}, "unsupported_format")):
        (tmp_path / "adapter/adapter_config.json").write_text(json.dumps({**config, **change}))
        assert logits_by_us(run, tmp_path / "base", x, tmp_path, "--adapter", tmp_path / "adapter", expect=3)["kind"] == kind


def test_only_marked_tokens_are_learnt(run, tmp_path):
    net = tiny("llama")
    net.save_pretrained(tmp_path / "base")
    ids = stream(3000)
    marks = (torch.arange(3000) // 11) % 2
    attempt = make_run(tmp_path, {**RECIPE, "micro_batch": 1}, {"tokens": ids.to(torch.uint16), "loss": marks.to(torch.uint8)}, tmp_path / "base")
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
    close(losses(attempt), by_pytorch(net, ids, RECIPE, labels=torch.where(marks == 1, ids, -100)))


def test_documents_do_not_see_each_other(run, tmp_path):
    """A packed sequence has the loss of its documents taken alone."""
    net = tiny("llama")
    net.save_pretrained(tmp_path / "base")
    ids, starts = stream(129), [0, 20, 29, 64, 100]
    attempt = make_run(tmp_path, {**RECIPE, "learning_rate": 0, "max_steps": 1}, {"tokens": ids, "starts": torch.tensor(starts)}, tmp_path / "base")
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
    total, count = 0.0, 0
    for row in range(4):  # documents are cut again where a sequence ends
        borders = sorted({row * LENGTH, (row + 1) * LENGTH} | {s for s in starts if row * LENGTH < s < (row + 1) * LENGTH})
        for a, b in zip(borders, borders[1:]):
            targets = b if b in starts else b + 1
            x, y = ids[a:b], ids[a + 1:targets]
            with torch.no_grad():
                logits = net(x[None]).logits[0][:len(y)]
            total += torch.nn.functional.cross_entropy(logits, y, reduction="sum").item()
            count += len(y)
    assert abs(losses(attempt)[0] - total / count) < 1e-5


def test_from_scratch_learns_and_saves(run, tmp_path):
    ids = stream(20000)
    attempt = make_run(tmp_path, {"architecture": "llama-1m", "vocabulary": 97, "learning_rate": 3e-3, "max_steps": 60, "epochs": 50, "precision": "bf16",
                                  "evaluate_every": 30, "shuffle": True},
                       {"tokens": ids}, validation={"tokens": stream(2000, seed=6)})
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
    curve = losses(attempt)
    assert abs(curve[0] - math.log(97)) < 0.3 and curve[-1] < 3.3, curve[::10]
    evaluations = events(attempt, "evaluation")
    assert [e["step"] for e in evaluations] == [30, 60]
    values = evaluations[-1]["values"]
    assert abs(math.exp(values["validation/loss"]) - values["validation/perplexity"]) < 1e-6
    trained = transformers.AutoModelForCausalLM.from_pretrained(attempt / "best", local_files_only=True).eval()
    v = stream(2000, seed=6)
    x = torch.stack([v[i * LENGTH:(i + 1) * LENGTH] for i in range(1999 // LENGTH)])
    y = torch.stack([v[i * LENGTH + 1:(i + 1) * LENGTH + 1] for i in range(1999 // LENGTH)])
    with torch.no_grad():
        loss = torch.nn.functional.cross_entropy(trained(x).logits.flatten(0, 1), y.flatten()).item()
    assert abs(loss - values["validation/loss"]) < 0.02  # bfloat16 there, float32 here


def test_experts_are_balanced(run, tmp_path):
    """The correction bias of V3 moves against the load, and a step without it leaves it alone."""
    net = tiny("deepseek_v3")
    net.save_pretrained(tmp_path / "base")
    before = load_file(tmp_path / "base/model.safetensors")
    name = "model.layers.1.mlp.gate.e_score_correction_bias"
    for rate in (0, 0.01):
        attempt = make_run(tmp_path / str(rate), {**RECIPE, "learning_rate": 0, "max_steps": 3, "bias_update": rate}, {"tokens": stream(3000)},
                           tmp_path / "base")
        run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
        step = next((attempt / "checkpoints").glob("step-*"))
        moved = load_file(step / "model.safetensors")[name] - before[name]
        if rate == 0:
            assert moved.abs().max() == 0
        else:
            assert torch.allclose((moved / rate).round(), moved / rate, atol=1e-3) and moved.abs().max() > 0
            assert set((moved / rate).round().abs().int().tolist()) <= {0, 1, 2, 3}


@pytest.mark.parametrize("method,weights", [("full", "full"), ("lora", "lora"), ("qlora", "qlora"), ("dpo", "full"), ("dpo", "lora")])
def test_killed_and_resumed_is_bit_identical(run, bin_dir, method, weights, tmp_path):
    from preference_data import preference_run, random_pairs
    tiny("llama").save_pretrained(tmp_path / "base")
    parameters = {**RECIPE, "method": method, "dpo_weights": weights, "max_steps": 40, "shuffle": True, "checkpoint_minutes": 0, "evaluate_every": 15}

    def begun(root):
        if method == "dpo":
            return preference_run(root, parameters, random_pairs(30), tmp_path / "base", validation=random_pairs(9, seed=8))
        return make_run(root, parameters, {"tokens": stream(3000)}, tmp_path / "base", validation={"tokens": stream(300, 8)})

    straight = begun(tmp_path / "a")
    run("cloister-worker", "train", "--run", straight, "--attempt", 1)
    broken = begun(tmp_path / "b")
    process = subprocess.Popen([str(bin_dir / "cloister-worker"), "train", "--run", str(broken), "--attempt", "1"])
    log = broken / "attempt-001/rank-0.events.jsonl"
    deadline = time.time() + 120
    while time.time() < deadline and not (log.exists() and '"step":12' in log.read_text()):
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert len(losses(broken)) < 40, "it was too fast to be killed"
    run("cloister-worker", "train", "--run", broken, "--attempt", 2)
    resumed = events(broken, "started", 2)[0]["resumedFrom"]
    assert 0 < resumed < 40
    assert losses(broken, 2) == losses(straight)[resumed:]
    for file in ("checkpoints/step-00000040/model.safetensors", "checkpoints/step-00000040/optimizer.safetensors",
                 "best/adapter_model.safetensors" if weights != "full" else "best/model.safetensors",
                 *(["reference.safetensors"] if (method, weights) == ("dpo", "full") else [])):
        assert (straight / file).read_bytes() == (broken / file).read_bytes(), file


def test_stop_request(run, tmp_path):
    attempt = make_run(tmp_path, {"architecture": "llama-1m", "vocabulary": 97, "max_steps": 1000, "epochs": 1000}, {"tokens": stream(3000)})
    (attempt / "stop.request").write_text("")
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1, expect=10)
    assert events(attempt, "stopped") and (attempt / "checkpoints/step-00000000/state.json").exists()


@pytest.mark.parametrize("parameters,data,kind", [
    ({"method": "lora"}, {"tokens": torch.arange(90)}, "invalid_argument"),
    ({}, {"tokens": torch.arange(90) + 10}, "corrupt_file"),
    ({}, {"tokens": torch.arange(90) - 1}, "corrupt_file"),
    ({}, {"tokens": torch.zeros(0, dtype=torch.int64)}, "nothing_to_do"),
    ({}, {"tokens": torch.zeros(1, dtype=torch.int64)}, "nothing_to_do"),
    ({}, {"tokens": torch.zeros(20, dtype=torch.int64)}, "nothing_to_do"),
    ({}, {"tokens": torch.zeros(90)}, "corrupt_file"),
    ({}, {"words": torch.arange(90)}, "corrupt_file"),
    ({}, {"tokens": torch.arange(90), "starts": torch.tensor([3, 5])}, "corrupt_file"),
    ({}, {"tokens": torch.arange(90), "starts": torch.tensor([0, 90])}, "corrupt_file"),
    ({}, {"tokens": torch.arange(90), "loss": torch.zeros(89, dtype=torch.uint8)}, "corrupt_file")])
def test_refused_before_training(run, parameters, data, kind, tmp_path):
    attempt = make_run(tmp_path, {"architecture": "llama-1m", "vocabulary": 97, "max_steps": 2, **parameters}, data)
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1, expect=20)
    assert events(attempt, "failed")[0]["failure"]["kind"] == kind


def test_changed_base_is_noticed(run, tmp_path):
    tiny("llama").save_pretrained(tmp_path / "base")
    attempt = make_run(tmp_path, {**RECIPE, "max_steps": 2}, {"tokens": stream(3000)}, tmp_path / "base")
    spec = json.loads((attempt / "spec.json").read_text())
    (attempt / "spec.json").write_text(json.dumps({**spec, "baseWeightsSha256": "1" * 64}))
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1, expect=60)
    assert events(attempt, "failed")[0]["failure"]["kind"] == "identity_changed"


def prepared_rows(folder, rows):
    """A folder as docs/formats.md, Prepared texts, tells it. rows: [(tokens, mask, starts)]."""
    folder.mkdir(parents=True)
    cut = len(rows) // 3  # two shards
    shards = []
    for i, part in enumerate((rows[:cut], rows[cut:])):
        lengths = torch.tensor([len(t) for t, _, _ in part])
        name = f"train-{i:05d}.safetensors"
        save_file({"tokens": torch.cat([t for t, _, _ in part]).int(), "mask": torch.cat([m for _, m, _ in part]).byte(),
                   "starts": torch.cat([s for _, _, s in part]).byte(), "offsets": torch.cat([torch.zeros(1), lengths.cumsum(0)]).long()}, folder / name)
        shards.append({"file": name, "rows": len(part), "tokens": int(lengths.sum())})
    (folder / "index.json").write_text(json.dumps({"format": 1, "kind": "instructions", "fingerprint": "f" * 64, "length": LENGTH, "vocabularySize": 90,
                                                   "parts": {"train": {"rows": len(rows), "shards": shards}}}))


def test_prepared_rows_follow_pytorch(run, tmp_path):
    """Rows of different lengths, some with two documents, masked: each document alone in PyTorch gives the same curve."""
    net = tiny("llama")
    net.save_pretrained(tmp_path / "base")
    g = torch.Generator().manual_seed(2)
    rows = []
    for i in range(20):
        n = int(torch.randint(6, LENGTH + 1, (1,), generator=g))
        starts = torch.zeros(n, dtype=torch.long)
        starts[0] = 1
        if i % 3 == 0:
            starts[n // 2] = 1
        mask = (torch.rand(n, generator=g) < 0.6).long() * (1 - starts)
        mask[-1] = 1
        rows.append((stream(n, seed=i) % 90, mask, starts))
    prepared_rows(tmp_path / "data", rows)
    attempt = make_run(tmp_path, {**RECIPE, "micro_batch": 2}, {"tokens": stream(99)}, tmp_path / "base")
    (tmp_path / "data/train.safetensors").unlink()
    spec = json.loads((attempt / "spec.json").read_text())
    (attempt / "spec.json").write_text(json.dumps({**spec, "preparedDigest": "f" * 64}))
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1)

    params = list(net.parameters())
    optimizer = torch.optim.AdamW([{"params": [p for p in params if p.dim() >= 2], "weight_decay": RECIPE["weight_decay"]},
                                   {"params": [p for p in params if p.dim() < 2], "weight_decay": 0.0}], lr=1.0, betas=(0.9, 0.999), eps=1e-8)
    curve = []
    for step in range(STEPS):
        rate, warm = RECIPE["learning_rate"], RECIPE["warmup_steps"]
        for group in optimizer.param_groups:
            group["lr"] = rate * (step + 1) / warm if step < warm else rate * 0.5 * (1 + math.cos(math.pi * (step - warm) / (STEPS - warm)))
        batch = [rows[(step % (len(rows) // BATCH)) * BATCH + i] for i in range(BATCH)]
        learnt = sum(int(m[1:].sum()) for _, m, _ in batch)
        loss = 0
        for tokens, mask, starts in batch:
            borders = starts.nonzero().flatten().tolist() + [len(tokens)]
            for a, b in zip(borders, borders[1:]):
                if b - a < 2:
                    continue
                logits = net(tokens[None, a:b]).logits[0, :-1]
                nll = torch.nn.functional.cross_entropy(logits, tokens[a + 1:b], reduction="none")
                loss = loss + (nll * mask[a + 1:b]).sum() / learnt
        loss.backward()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        curve.append(loss.item())
    close(losses(attempt), curve)

    again = make_run(tmp_path / "again", RECIPE, {"tokens": stream(99)}, tmp_path / "base")
    shutil.rmtree(tmp_path / "again/data")
    shutil.copytree(tmp_path / "data", tmp_path / "again/data")
    run("cloister-worker", "train", "--run", again, "--attempt", 1, expect=60)
    assert events(again, "failed")[0]["failure"]["args"]["what"] == "prepared data"


def test_prepared_book_from_scratch(run, data_dir, tmp_path):
    """From a text file to a model that transformers opens: our tokenizer, our shards, our training."""
    data = tmp_path / "data"
    prepared = json.loads(run("cloister-cli", "text", "prepare", "--kind", "plain", "--input", data_dir / "txt-botchan-dev/botchan.txt", "--tokenizer",
                              data_dir / "mdl-tiny-llama-dev", "--to", data, "--length", 64, "--validation", 0.05, "--json").stdout)
    attempt = make_run(tmp_path, {"architecture": "llama-1m", "learning_rate": 3e-3, "max_steps": 40, "epochs": 5, "evaluate_every": 40, "shuffle": True},
                       {"tokens": stream(9)})
    (data / "train.safetensors").unlink()
    spec = json.loads((attempt / "spec.json").read_text())
    (attempt / "spec.json").write_text(json.dumps({**spec, "preparedDigest": prepared["fingerprint"]}))
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
    curve = losses(attempt)
    vocabulary = prepared["vocabularySize"]
    assert abs(curve[0] - math.log(vocabulary)) < 0.3 and sum(curve[-5:]) / 5 < curve[0] - 1, curve[::10]
    assert events(attempt, "evaluation")[0]["values"]["validation/loss"] < curve[0] - 1
    trained = transformers.AutoModelForCausalLM.from_pretrained(attempt / "best", local_files_only=True)
    assert trained.config.vocab_size == vocabulary
