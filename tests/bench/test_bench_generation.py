"""Writing on from a prompt, greedy, one sequence: tokens a second of cloister-cli generate against transformers' generate and onnxruntime-genai on our own
exported folder, the same weights and float32 everywhere, in turn on the same cores. CLOISTER_BENCH_ROUNDS (3), CLOISTER_BENCH_GENERATION (llama-10m,llama-100m)."""
import json
import os
import statistics
import subprocess
import sys

import pytest
import torch
import transformers

pytestmark = pytest.mark.bench
ROUNDS = int(os.environ.get("CLOISTER_BENCH_ROUNDS", 3))
SIZES = {"llama-10m": dict(num_hidden_layers=6, hidden_size=320, intermediate_size=896, num_attention_heads=5, vocab_size=4096, max_position_embeddings=512),
         "llama-100m": dict(num_hidden_layers=12, hidden_size=768, intermediate_size=2048, num_attention_heads=12, vocab_size=16384, max_position_embeddings=1024)}
NAMES = os.environ.get("CLOISTER_BENCH_GENERATION", "llama-10m,llama-100m").split(",")
PROMPT, NEW = 16, 200

TRANSFORMERS = """
import json, sys, time, torch, transformers
folder, ids, new, threads, cache, precision = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5], sys.argv[6]
torch.set_num_threads(threads)
model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, precision), attn_implementation="sdpa").eval()
settings = dict(max_new_tokens=new, do_sample=False, eos_token_id=[], pad_token_id=0)
if cache == "static":
    settings.update(cache_implementation="static", disable_compile=True)
ids = torch.tensor([ids])
with torch.inference_mode():
    model.generate(ids, **{**settings, "max_new_tokens": 8})
    start = time.perf_counter()
    out = model.generate(ids, **settings)
    seconds = time.perf_counter() - start
print(json.dumps({"tokensPerSecond": new / seconds, "tokens": out[0, ids.shape[1]:].tolist()}))
"""
GENAI = """
import json, sys, time, numpy as np, onnxruntime_genai as og
folder, ids, new = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
model = og.Model(folder)
def write(count):
    parameters = og.GeneratorParams(model)
    parameters.set_search_options(max_length=len(ids) + count, do_sample=False)
    generator = og.Generator(model, parameters)
    start = time.perf_counter()
    generator.append_tokens(np.array([ids], np.int32))
    while len(generator.get_sequence(0)) < len(ids) + count and not generator.is_done():
        generator.generate_next_token()
    return list(generator.get_sequence(0))[len(ids):], time.perf_counter() - start
write(8)
tokens, seconds = write(new)
print(json.dumps({"tokensPerSecond": len(tokens) / seconds, "tokens": [int(t) for t in tokens]}))
"""


def script(text, *arguments):
    done = subprocess.run([sys.executable, "-c", text, *map(str, arguments)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", NAMES)
def test_generated_tokens_per_second(bin_dir, tmp_path, name):
    torch.manual_seed(3)
    # An end token must be named for genai and must not be reached: its embedding and its head row are zero, its logit never the largest.
    config = transformers.LlamaConfig(**SIZES[name], tie_word_embeddings=True, initializer_range=0.05, eos_token_id=2, bos_token_id=1)
    net = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        net.model.embed_tokens.weight[2] = 0
    folder, genai = tmp_path / "hf", tmp_path / "genai"
    net.save_pretrained(folder)
    subprocess.run([bin_dir / "cloister-cli", "model", "export", folder, "--to", genai, "--json", "--variant", "genai"], check=True, capture_output=True)
    ids = torch.randint(3, config.vocab_size, (PROMPT,)).tolist()
    (tmp_path / "ids.json").write_text(json.dumps(ids))
    threads, speeds, written = len(os.sched_getaffinity(0)), {}, {}
    for _ in range(ROUNDS):
        for precision, word in (("fp32", "float32"), ("bf16", "bfloat16")):
            done = subprocess.run([bin_dir / "cloister-cli", "generate", folder, "--ids", tmp_path / "ids.json", "--json", "--precision", precision, "--new-tokens",
                                   str(NEW), "--ignore-end"], check=True, capture_output=True, text=True)
            answer = json.loads(done.stdout.splitlines()[-1])
            speeds.setdefault(f"ours {precision}", []).append(answer["tokensPerSecond"])
            written[f"ours {precision}"] = answer["sequences"][0]["tokens"]
            for cache in ("dynamic", "static"):
                one = script(TRANSFORMERS, folder, json.dumps(ids), NEW, threads, cache, word)
                speeds.setdefault(f"transformers {precision} {cache}", []).append(one["tokensPerSecond"])
                written[f"transformers {precision} {cache}"] = one["tokens"]
        one = script(GENAI, genai, json.dumps(ids), NEW)
        speeds.setdefault("onnxruntime-genai fp32", []).append(one["tokensPerSecond"])
        written["onnxruntime-genai fp32"] = one["tokens"]
    medians = {k: statistics.median(v) for k, v in speeds.items()}
    for key, value in medians.items():
        print(f"\n{name}: {key}: {value:,.0f} tokens/s, ours / it {medians['ours ' + key.split()[1]] / value:.2f}", end="")
    for key in ("transformers fp32 dynamic", "onnxruntime-genai fp32"):
        assert written[key][:32] == written["ours fp32"][:32] and len(written[key]) == NEW
