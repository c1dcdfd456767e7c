"""Training a language model: tokens a second of cloister-worker against PyTorch with the same model, batch and recipe at its best setting (float32 or
bfloat16 autocast, fused AdamW, SDPA; eager, and torch.compile in bfloat16), in turn on the same cores. CLOISTER_BENCH_ROUNDS (3), CLOISTER_BENCH_LANGUAGE (architectures, llama-10m)."""
import json
import os
import statistics
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

pytestmark = pytest.mark.bench
ROUNDS = int(os.environ.get("CLOISTER_BENCH_ROUNDS", 3))
ARCHITECTURES = os.environ.get("CLOISTER_BENCH_LANGUAGE", "llama-10m").split(",")
BATCH, LENGTH, STEPS, SKIP = 8, 256, 10, 3

PEER = """
import json, sys, time, torch, transformers
folder, precision, way, threads, batch, length, steps, skip = *sys.argv[1:4], *map(int, sys.argv[4:])
torch.set_num_threads(threads)
torch.manual_seed(1)
config = transformers.AutoConfig.from_pretrained(folder)
config._attn_implementation = "sdpa"
model = transformers.AutoModelForCausalLM.from_config(config).train()
optimizer = torch.optim.AdamW(model.parameters(), 1e-3, fused=True)
ids = torch.randint(0, config.vocab_size, (steps, batch, length + 1))
def loss_of(given, wanted):
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        logits = model(given, use_cache=False).logits
    return torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), wanted.flatten())
if way == "compile":
    loss_of = torch.compile(loss_of)
times = []
for i in range(steps):
    start = time.perf_counter()
    loss = loss_of(ids[i, :, :-1], ids[i, :, 1:])
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    times.append(time.perf_counter() - start)
times = sorted(times[skip:])
print(json.dumps({"tokensPerSecond": batch * length / times[len(times) // 2], "loss": loss.item()}))
"""


def ours(bin_dir, root, number, architecture, precision, threads):
    run = root / "runs" / f"r-{number:04d}"
    run.mkdir(parents=True)
    (run / "spec.json").write_text(json.dumps({
        "format": 1, "run": run.name, "family": "decoder_lm", "snapshot": "0" * 64, "prepared": "data", "preparedDigest": "0" * 64, "baseWeights": "",
        "baseWeightsSha256": "", "seed": 1, "processes": 1, "createdAt": "2026-01-01T00:00:00Z", "codeVersion": "bench",
        "parameters": {"architecture": architecture, "sequence_length": LENGTH, "batch_size": BATCH, "max_steps": STEPS, "metric_seconds": 0, "threads": threads,
                       "device": "cpu", "precision": precision, "checkpoint_minutes": 1000, "separate_documents": False}}))
    subprocess.run([bin_dir / "cloister-worker", "train", "--run", run, "--attempt", "1"], check=True, capture_output=True)
    events = [json.loads(l) for l in (run / "attempt-001" / "rank-0.events.jsonl").read_text().splitlines()]
    speeds = [e["values"]["tokens_per_second"] for e in events if e["type"] == "metric" and "tokens_per_second" in e.get("values", {})]
    return statistics.median(speeds[SKIP:]), run / "best"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_tokens_per_second(bin_dir, tmp_path, architecture):
    threads = len(os.sched_getaffinity(0))
    (tmp_path / "data").mkdir()
    save_file({"tokens": torch.randint(0, 2000, (BATCH * LENGTH * STEPS + 1,), dtype=torch.int32)}, tmp_path / "data" / "train.safetensors")
    rows = {}
    for r in range(ROUNDS):
        for precision in ("fp32", "bf16"):
            speed, folder = ours(bin_dir, tmp_path, 10 * r + (precision == "bf16") + 1, architecture, precision, threads)
            rows.setdefault(f"ours {precision}", []).append(speed)
            for way in ("eager", "compile") if precision == "bf16" else ("eager",):
                done = subprocess.run([sys.executable, "-c", PEER, str(folder), precision, way, *map(str, (threads, BATCH, LENGTH, STEPS, SKIP))], check=True,
                                      capture_output=True, text=True)
                rows.setdefault(f"PyTorch {way} {precision}", []).append(json.loads(done.stdout.splitlines()[-1])["tokensPerSecond"])
    medians = {k: statistics.median(v) for k, v in rows.items()}
    best = max(v for k, v in medians.items() if k.startswith("PyTorch eager"))
    for name, value in medians.items():
        print(f"\n{architecture}: {name}: {value:,.0f} tokens/s, {value / best:.2f} of PyTorch's best eager")
