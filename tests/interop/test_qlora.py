"""QLoRA: the four-bit base against an implementation of the published algorithm in NumPy, the training against PyTorch on that base; and activation
checkpointing, which may change nothing but memory."""
import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import peft
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from decoder_models import tiny
from preference_data import preference_run, random_pairs
from test_language_training import RECIPE, by_pytorch, close, events, losses, make_run, one_thread, stream  # noqa: F401

# Dettmers et al. 2023, appendix E.
LEVELS = np.array([-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334, -0.09105003625154495,
                   0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
                   0.7229568362236023, 1.0], np.float32)


def dynamic_code():
    """Dettmers et al. 2022: 7 decades, 2^i fractions in decade i, both signs, zero and one."""
    values = [0.0, 1.0]
    for i in range(7):
        borders = np.linspace(0.1, 1, 2 ** i + 1, dtype=np.float32)
        middles = (borders[:-1] + borders[1:]) / np.float32(2) * np.float32(10.0 ** (i - 6))
        values += [*middles, *-middles]
    return np.sort(np.array(values, np.float32))


def nearest(code, x):
    return np.abs(x[..., None].astype(np.float64) - code.astype(np.float64)).argmin(-1)


def blocks(x, size):
    padded = np.zeros(-(-len(x) // size) * size, np.float32)
    padded[:len(x)] = x
    return padded.reshape(-1, size)


def packed(weight):
    """(levels of the weights [blocks, 64], codes of the magnitudes, their scales, their mean)."""
    flat = weight.numpy().astype(np.float32).ravel()
    cut = blocks(flat, 64)
    most = np.abs(cut).max(1)
    codes = nearest(LEVELS, cut / np.where(most > 0, most, 1)[:, None])
    mean = np.float32(most.mean())
    groups = blocks(most - mean, 256)
    scale = np.abs(groups).max(1)
    return codes, nearest(dynamic_code(), groups / np.where(scale > 0, scale, 1)[:, None]), scale, mean


def nf4(weight):
    """The weight as QLoRA's base gives it back: NF4 in blocks of 64, their magnitudes in 8 bits in blocks of 256 around their mean."""
    codes, statistics, scale, mean = packed(weight)
    kept = (dynamic_code()[statistics] * scale[:, None]).ravel()[:len(codes)] + mean
    return torch.from_numpy((LEVELS[codes] * kept[:, None]).ravel()[:weight.numel()].reshape(weight.shape).astype(np.float32))


def is_linear(name, tensor):
    return tensor.dim() == 2 and name.endswith("_proj.weight") or "_proj_with_mqa" in name or "_a_proj.weight" in name or "_b_proj.weight" in name


def on_packed_base(net):
    """The same model with its linear layers as the four bits give them back."""
    with torch.no_grad():
        for name, p in net.named_parameters():
            if is_linear(name, p):
                assert (nf4(p) - p).abs().max() > 1e-3
                p.copy_(nf4(p))
    return net


def test_the_code_is_the_published_one():
    """What bitsandbytes 0.50.2 gives: create_dynamic_map() and quantize_4bit(blocksize=64, compress_statistics=True) on the processor."""
    code = dynamic_code()
    assert len(set(code.tolist())) == 256
    assert np.allclose(code[[0, 1, 126, 127, 128, 254, 255]], [-0.99296874, -0.97890627, -5.5e-07, 0.0, 5.5e-07, 0.99296874, 1], rtol=1e-6)
    i = torch.arange(64 * 300, dtype=torch.float64)
    codes, statistics, scale, mean = packed((torch.sin(i * 0.7) * (1 + (i // 64) % 7) * 0.01).float().view(300, 64))
    bytes_ = (codes[:, 0::2] << 4 | codes[:, 1::2]).astype(np.uint8).tobytes()
    assert bytes_[:16].hex() == "7effb30017efeb30017efeb30028efea"
    assert hashlib.sha256(bytes_).hexdigest() == "dc6527b31d0a2d97481492226435cf5b073ff83197819abb1e3eddcc55c1c99c"
    assert statistics.ravel()[:14].tolist() == [0, 24, 47, 147, 207, 231, 255, 0, 24, 47, 151, 207, 231, 255]
    assert np.allclose([*scale, mean], [0.030171331018209457, 0.030171211808919907, 0.039828669279813766], rtol=1e-6)


def qlora_run(root, parameters, base, name="r-0001"):
    return make_run(root, {**RECIPE, "learning_rate": 1e-2, "weight_decay": 0.0, "method": "qlora", "lora_rank": 4, "lora_alpha": 12, **parameters},
                    {"tokens": stream(3000).to(torch.int32)}, base, name=name)


@pytest.mark.parametrize("kind", ["llama", "qwen2", "deepseek_v2"])
def test_qlora_follows_pytorch_on_the_packed_base(run, kind, tmp_path):
    tiny(kind).save_pretrained(tmp_path / "base")
    # peft takes the names of experts for its own way of adapting them all at once.
    targets = {"lora_targets": "q_a_proj, q_b_proj, kv_b_proj, o_proj", "learning_rate": 4e-3} if kind == "deepseek_v2" else {}
    start = qlora_run(tmp_path / "start", {**targets, "learning_rate": 0, "max_steps": 1}, tmp_path / "base")
    run("cloister-worker", "train", "--run", start, "--attempt", 1)
    attempt = qlora_run(tmp_path / "run", targets, tmp_path / "base")
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
    base = tiny(kind)
    if kind == "deepseek_v2":  # transformers holds experts in one tensor; files have them one by one
        base.save_pretrained(tmp_path / "packed")
        state = load_file(tmp_path / "packed/model.safetensors")
        save_file({n: nf4(t) if is_linear(n, t) else t for n, t in state.items()}, tmp_path / "packed/model.safetensors", {"format": "pt"})
        base = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "packed", local_files_only=True, attn_implementation="eager")
    else:
        on_packed_base(base)
    theirs = peft.PeftModel.from_pretrained(base, start / "best", is_trainable=True)
    close(losses(attempt), by_pytorch(theirs, stream(3000), {**RECIPE, "weight_decay": 0.0, "learning_rate": targets.get("learning_rate", 1e-2)}))
    # The adapter is one of PEFT's and of the base as it is, not of its four bits.
    tuned = peft.PeftModel.from_pretrained(tiny(kind), attempt / "best")
    assert max(p.abs().max().item() for n, p in tuned.named_parameters() if "lora_B" in n) > 0.01
    assert json.loads((attempt / "best/adapter_config.json").read_text())["base_model_name_or_path"] == str(tmp_path / "base")


def test_qlora_needs_a_fraction_of_the_memory(run, tmp_path):
    """A base of 60 M weights in 4 bits beside the same in float32: the planned and the measured difference."""
    config = transformers.LlamaConfig(vocab_size=512, hidden_size=768, intermediate_size=2048, num_hidden_layers=9, num_attention_heads=12, num_key_value_heads=12,
                                      max_position_embeddings=128)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "base")
    linear = 9 * (4 * 768 * 768 + 3 * 768 * 2048)
    used, planned = {}, {}
    for method in ("lora", "qlora"):
        attempt = qlora_run(tmp_path / method, {"method": method, "max_steps": 2, "batch_size": 1}, tmp_path / "base")
        run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
        used[method] = [e["values"]["memory_bytes"] for e in events(attempt, "metric") if "memory_bytes" in e["values"]][-1]
        (tmp_path / "plan.json").write_text(json.dumps({"family": "decoder_lm", "parameters": {"method": method, "precision": "fp32", "batch_size": 1,
                                                        "device": "cpu", "sequence_length": 32}, "baseWeights": str(tmp_path / "base"), "trainTokens": 1000, "processes": 1}))
        done = run("cloister-worker", "plan", "--request", tmp_path / "plan.json")
        planned[method] = json.loads(done.stdout.strip().splitlines()[-1])["parts"]["weights"]
    saved = used["lora"] - used["qlora"]
    print({"weights": linear, "used": used, "planned": planned, "bytes a weight": 4 - saved / linear})
    assert abs((planned["lora"] - planned["qlora"]) / linear - (4 - 0.5 - 1 / 64)) < 0.01
    # The float32 base is a mapping, of which the system may have taken pages back; a base kept in bfloat16 would save 2 bytes a weight at most.
    assert saved > 2.2 * linear, saved / linear


@pytest.mark.parametrize("kind,parameters", [("llama", {"method": "full"}), ("deepseek_v3", {"method": "full", "bias_update": 0.01}),
                                             ("llama", {"method": "lora", "lora_rank": 4}), ("llama", {"method": "qlora", "lora_rank": 4}),
                                             ("llama", {"method": "full", "precision": "bf16"})])
def test_checkpointing_changes_nothing(run, kind, parameters, tmp_path):
    tiny(kind, **({"aux_loss_alpha": 0.01} if kind == "deepseek_v3" else {})).save_pretrained(tmp_path / "base")
    curves, files = [], []
    for setting in ("off", "on"):
        attempt = make_run(tmp_path / setting, {**RECIPE, "max_steps": 20, "micro_batch": 2, "activation_checkpointing": setting, **parameters},
                           {"tokens": stream(3000)}, tmp_path / "base")
        run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
        assert events(attempt, "started")[0]["activationCheckpointing"] == (setting == "on")
        curves.append(losses(attempt))
        files.append((attempt / "checkpoints/step-00000020/model.safetensors").read_bytes())
    assert curves[0][-1] < curves[0][0] and curves[0] == curves[1] and files[0] == files[1]


def test_checkpointing_of_preferences_changes_nothing(run, tmp_path):
    tiny("llama").save_pretrained(tmp_path / "base")
    curves = []
    for setting in ("off", "on"):
        attempt = preference_run(tmp_path / setting, {**RECIPE, "method": "dpo", "dpo_weights": "qlora", "max_steps": 10, "learning_rate": 1e-2,
                                                      "activation_checkpointing": setting}, random_pairs(20), tmp_path / "base")
        run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
        curves.append(losses(attempt))
    assert curves[0][-1] < curves[0][0] and curves[0] == curves[1]


def test_checkpointing_needs_less_memory(run, tmp_path):
    """Long sequences through many layers: what is kept for backward is most of the memory."""
    config = transformers.LlamaConfig(vocab_size=128, hidden_size=128, intermediate_size=512, num_hidden_layers=16, num_attention_heads=4, num_key_value_heads=4,
                                      max_position_embeddings=2048)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "base")
    used = {}
    for setting in ("off", "on"):
        attempt = make_run(tmp_path / setting, {**RECIPE, "max_steps": 2, "sequence_length": 1024, "batch_size": 4, "activation_checkpointing": setting},
                           {"tokens": stream(9000)}, tmp_path / "base")
        code = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
                "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)")
        worker = os.path.join(os.environ["CLOISTER_BIN_DIR"], "cloister-worker")
        done = subprocess.run([sys.executable, "-c", code, worker, "train", "--run", str(attempt), "--attempt", "1"], capture_output=True, text=True, check=True)
        used[setting] = int(done.stdout.split()[-1])
    print(used)
    assert used["off"] - used["on"] > 400 << 20, used
