"""The memory planner against independent counts: parameters by transformers, adapters by PEFT, what backward keeps by PyTorch's own hooks on a layer written
here, states by torch.optim.AdamW; and configs from elsewhere, good and broken."""
import contextlib
import json
import subprocess
import time
import weakref
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
import transformers
from safetensors.torch import save_file
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten
from torch.utils.checkpoint import checkpoint

PRESETS = {"deepseek-llm-7b": (transformers.LlamaConfig, dict(num_hidden_layers=30, hidden_size=4096, intermediate_size=11008, num_attention_heads=32,
                                                              num_key_value_heads=32, vocab_size=102400)),
           "deepseek-coder-33b": (transformers.LlamaConfig, dict(num_hidden_layers=62, hidden_size=7168, intermediate_size=19200, num_attention_heads=56,
                                                                 num_key_value_heads=8, vocab_size=32256)),
           "deepseek-r1-distill-qwen-7b": (transformers.Qwen2Config, dict(num_hidden_layers=28, hidden_size=3584, intermediate_size=18944, num_attention_heads=28,
                                                                          num_key_value_heads=4, vocab_size=152064)),
           "llama-175b": (transformers.LlamaConfig, dict(num_hidden_layers=96, hidden_size=12288, intermediate_size=32768, num_attention_heads=96,
                                                         num_key_value_heads=96, vocab_size=32000))}


def plan(run, model, *options, expect=0):
    return json.loads(run("cloister-cli", "model", "plan", model, "--json", *options, expect=expect).stdout)


def on_paper(kind, settings):
    with torch.device("meta"):
        return transformers.AutoModelForCausalLM.from_config(kind(tie_word_embeddings=False, **settings))


@pytest.mark.parametrize("preset", PRESETS)
def test_parameters_and_adapters_are_those_of_transformers_and_peft(preset, run):
    import peft
    model = on_paper(*PRESETS[preset])
    report = plan(run, preset, "--method", "lora", "--rank", "8")
    assert report["parameters"] == sum(p.numel() for p in model.parameters())
    with torch.device("meta"):
        adapted = peft.get_peft_model(model, peft.LoraConfig(r=8, target_modules="all-linear", task_type="CAUSAL_LM"))
    assert report["trained"] == sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    parts = report["parts"]
    assert parts["weights"] == 2 * report["parameters"] + 2 * report["trained"] and parts["optimizer"] == 12 * report["trained"]


class Norm(torch.autograd.Function):
    """A fused norm: it keeps its input and one number a token."""

    @staticmethod
    def forward(context, x):
        scale = x.float().pow(2).mean(-1, keepdim=True).add(1e-6).rsqrt()
        context.save_for_backward(x, scale)
        return (x.float() * scale).to(x.dtype)

    @staticmethod
    def backward(context, gradient):
        x, scale = context.saved_tensors
        y, g = x.float() * scale, gradient.float()
        return (scale * (g - y * (g * y).mean(-1, keepdim=True))).to(x.dtype)


class Layer(torch.nn.Module):
    def __init__(self, width, hidden, heads, shared):
        super().__init__()
        self.heads, self.shared, self.size = heads, shared, width // heads
        linear = lambda i, o: torch.nn.Linear(i, o, bias=False, dtype=torch.bfloat16)
        self.q, self.k, self.v, self.o = linear(width, width), linear(width, shared * self.size), linear(width, shared * self.size), linear(width, width)
        self.gate, self.up, self.down = linear(width, hidden), linear(width, hidden), linear(hidden, width)

    def forward(self, x):
        batch, tokens, width = x.shape
        y = Norm.apply(x)
        split = lambda t, n: t.view(batch, tokens, n, self.size).transpose(1, 2)
        attended = F.scaled_dot_product_attention(split(self.q(y), self.heads), split(self.k(y), self.shared), split(self.v(y), self.shared), is_causal=True,
                                                  enable_gqa=self.heads != self.shared)
        x = x + self.o(attended.transpose(1, 2).reshape(batch, tokens, width))
        y = Norm.apply(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


def kept_bytes(layers, x):
    """Storages that backward holds, weights aside."""
    weights = {p.untyped_storage().data_ptr() for layer in layers for p in layer.parameters()}
    kept = {}

    def note(tensor):
        if tensor.untyped_storage().data_ptr() not in weights:
            kept[tensor.untyped_storage().data_ptr()] = tensor  # held, so that no address is used twice
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda t: t):
        for layer in layers:
            x = layer(x)
    return sum(t.untyped_storage().nbytes() for t in kept.values())


@pytest.mark.parametrize("width, hidden, heads, shared", [(256, 688, 8, 8), (512, 1376, 8, 8), (256, 1024, 4, 4)])
@pytest.mark.parametrize("batch, tokens", [(1, 512), (3, 256)])
def test_activations_are_what_backward_keeps(width, hidden, heads, shared, batch, tokens, run, tmp_path):
    layers = 3
    config = transformers.LlamaConfig(num_hidden_layers=layers, hidden_size=width, intermediate_size=hidden, num_attention_heads=heads, num_key_value_heads=shared,
                                      vocab_size=1000, max_position_embeddings=1024)
    config.save_pretrained(tmp_path)
    planned = plan(run, str(tmp_path), "--sequence", str(tokens), "--batch", str(batch))["parts"]["activations"]
    x = torch.randn(batch, tokens, width, dtype=torch.bfloat16, requires_grad=True)
    measured = kept_bytes([Layer(width, hidden, heads, shared) for _ in range(layers)], x)
    assert planned == pytest.approx(measured, rel=0.05)


def test_states_are_those_of_adamw(run, tmp_path):
    config = transformers.LlamaConfig(num_hidden_layers=2, hidden_size=128, intermediate_size=344, num_attention_heads=4, num_key_value_heads=2, vocab_size=500,
                                      max_position_embeddings=512, tie_word_embeddings=False)
    config.save_pretrained(tmp_path)
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        model = transformers.AutoModelForCausalLM.from_config(config).to(dtype)
        optimizer = torch.optim.AdamW(model.parameters())
        model(input_ids=torch.zeros(1, 8, dtype=torch.long), labels=torch.zeros(1, 8, dtype=torch.long)).loss.backward()
        optimizer.step()
        moments = sum(t.nbytes for state in optimizer.state.values() for t in state.values() if t.numel() > 1)
        parts = plan(run, str(tmp_path), "--precision", precision)["parts"]
        assert parts["weights"] == sum(p.nbytes for p in model.parameters())
        assert parts["gradients"] == sum(p.grad.nbytes for p in model.parameters())
        assert parts["optimizer"] == moments


class Peak(TorchDispatchMode):
    """The most bytes that all storages alive ever had together."""

    def __init__(self):
        super().__init__()
        self.alive, self.now, self.most = {}, 0, 0

    def note(self, tensor):
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self.alive:
            return
        self.alive[key] = size
        self.now += size
        self.most = max(self.most, self.now)
        weakref.finalize(storage, self.drop, key, size)

    def drop(self, key, size):
        self.alive.pop(key, None)
        self.now -= size

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        result = function(*arguments, **(named or {}))
        for tensor in tree_flatten(result)[0]:
            if isinstance(tensor, torch.Tensor):
                self.note(tensor)
        return result


class Model(torch.nn.Module):
    def __init__(self, layers, width, hidden, heads, shared, vocabulary, checkpointing):
        super().__init__()
        self.embedding = torch.nn.Embedding(vocabulary, width, dtype=torch.bfloat16)
        self.layers = torch.nn.ModuleList(Layer(width, hidden, heads, shared) for _ in range(layers))
        self.head = torch.nn.Linear(width, vocabulary, bias=False, dtype=torch.bfloat16)
        self.checkpointing = checkpointing

    def chunk_loss(self, x):
        return F.cross_entropy(self.head(x).float(), torch.zeros(len(x), dtype=torch.long))

    def forward(self, ids):
        x = self.embedding(ids)
        for layer in self.layers:
            x = checkpoint(layer, x, use_reentrant=False) if self.checkpointing else layer(x)
        return sum(checkpoint(self.chunk_loss, part, use_reentrant=False) for part in Norm.apply(x).flatten(0, 1).split(1024))


@pytest.mark.parametrize("batch, tokens, checkpointing", [(2, 1024, False), (2, 1024, True), (8, 512, False), (1, 2048, True)])
def test_the_peak_of_training_is_planned_within_a_tenth(batch, tokens, checkpointing, run, tmp_path):
    """A whole step in PyTorch, the second micro-batch of an accumulation, when gradients and states are there and activations come on top. The plan's
    overhead (driver, fragmentation) is no tensor and is left out."""
    sizes = dict(layers=12, width=256, hidden=688, heads=4, shared=4, vocabulary=8000)
    transformers.LlamaConfig(num_hidden_layers=12, hidden_size=256, intermediate_size=688, num_attention_heads=4, num_key_value_heads=4, vocab_size=8000,
                             max_position_embeddings=4096, tie_word_embeddings=False).save_pretrained(tmp_path)
    options = ["--checkpointing"] if checkpointing else []
    parts = plan(run, str(tmp_path), "--precision", "bf16", "--sequence", str(tokens), "--batch", str(batch), *options)["parts"]
    ids = torch.zeros(batch, tokens, dtype=torch.long)
    with Peak() as memory:
        model = Model(**sizes, checkpointing=checkpointing)
        optimizer = torch.optim.AdamW(model.parameters(), foreach=False)
        for parameter in model.parameters():
            memory.note(parameter)
        model(ids).backward()
        optimizer.step()
        memory.most = memory.now
        model(ids).backward()
    assert parts["total"] - parts["overhead"] == pytest.approx(memory.most, rel=0.1)


def test_a_card_size_of_ones_own(run):
    report = plan(run, "llama-1b", "--card", "12", "--card", "24", "--method", "lora")
    assert [c["bytes"] for c in report["cards"]] == [12e9, 24e9] and all(c["fits"] and c["sentence"] for c in report["cards"])


@pytest.mark.parametrize("config, kind", [("{", "corrupt_file"), ("[]", "corrupt_file"), ('{"model_type":"llama"}', "corrupt_file"),
                                          ('{"model_type":"gpt2","n_layer":2}', "unsupported_format"), (None, "not_found")])
def test_broken_configs_are_refused(config, kind, run, tmp_path):
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    error = plan(run, str(tmp_path), expect=3)["error"]
    assert error["kind"] == kind and "config.json" in json.dumps(error)


@pytest.mark.parametrize("change", [{"num_hidden_layers": 10**12}, {"hidden_size": -1}, {"vocab_size": 2**62}, {"num_attention_heads": 0},
                                    {"intermediate_size": "big"}])
def test_absurd_numbers_are_refused_at_once(change, run, tmp_path):
    transformers.LlamaConfig(num_hidden_layers=2, hidden_size=128, intermediate_size=344, num_attention_heads=4, vocab_size=500).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, **change}))
    error = plan(run, str(tmp_path), expect=3)["error"]
    assert error["kind"] in ("corrupt_file", "unsupported_format", "too_large")


def test_wrong_options_are_refused_by_name(run):
    for options, name in ((["--method", "prefix"], "method"), (["--zero", "4"], "zero"), (["--sequence", "999999"], "sequence"), (["--batch", "0"], "batch")):
        error = plan(run, "deepseek-llm-7b", *options, expect=2)["error"]
        assert error["kind"] == "invalid_argument" and error["args"]["name"] == name


def test_preferences_cost_two_sequences_and_no_second_model(run):
    """DPO keeps activations of both answers; its reference is the base under the adapters, or two numbers a pair."""
    for weights in ("lora", "qlora", "full"):
        plain = plan(run, "deepseek-llm-7b", "--method", weights, "--batch", "2")["parts"]
        pairs = plan(run, "deepseek-llm-7b", "--method", "dpo", "--dpo-weights", weights, "--batch", "2")
        assert pairs["options"]["method"] == weights and pairs["options"]["pairs"] is True
        assert all(pairs["parts"][name] == plain[name] for name in ("weights", "gradients", "optimizer"))
        assert pairs["parts"]["activations"] == 2 * plain["activations"]
    error = plan(run, "deepseek-llm-7b", "--method", "dpo", "--dpo-weights", "generate", expect=2)["error"]
    assert error["args"]["name"] == "dpoWeights"


@pytest.mark.parametrize("settings, base", [
    ({"architecture": "llama-3m", "batch_size": 8}, False), ({"architecture": "llama-10m", "batch_size": 8}, False),
    ({"architecture": "llama-10m", "batch_size": 8, "micro_batch": 2}, False), ({"architecture": "llama-10m", "batch_size": 4, "precision": "fp32"}, False),
    ({"architecture": "llama-10m", "batch_size": 8, "method": "lora"}, True)])
def test_the_worker_needs_what_its_plan_says(settings, base, bin_dir, tmp_path):
    """Our own trainer on the processor: the most memory that the process ever had (VmHWM), against what it asks for before a run."""
    length, vocabulary = 256, {"llama-3m": 2048, "llama-10m": 4096}[settings["architecture"]]
    parameters = {"sequence_length": length, "max_steps": 3, "metric_seconds": 0, "threads": 2, "device": "cpu", "precision": "bf16", "checkpoint_minutes": 1000,
                  "separate_documents": False, **settings}
    folder = ""
    if base:
        folder = str(tmp_path / "base")
        config = transformers.LlamaConfig(num_hidden_layers=6, hidden_size=320, intermediate_size=896, num_attention_heads=5, num_key_value_heads=5,
                                          vocab_size=vocabulary, max_position_embeddings=512, tie_word_embeddings=True)
        transformers.AutoModelForCausalLM.from_config(config).to(torch.bfloat16).save_pretrained(folder)
    (tmp_path / "q.json").write_text(json.dumps({"format": 1, "family": "decoder_lm", "parameters": parameters, "baseWeights": folder, "trainTokens": 1000}))
    asked = subprocess.run([bin_dir / "cloister-worker", "plan", "--request", tmp_path / "q.json"], capture_output=True, text=True, check=True)
    needed = json.loads(asked.stdout)["memoryNeeded"]
    (tmp_path / "data").mkdir()
    save_file({"tokens": torch.randint(0, vocabulary, (8 * length * 3 + 1,), dtype=torch.int32)}, tmp_path / "data/train.safetensors")
    run = tmp_path / "runs/r-0001"
    run.mkdir(parents=True)
    (run / "spec.json").write_text(json.dumps({
        "format": 1, "run": run.name, "family": "decoder_lm", "snapshot": "0" * 64, "prepared": "data", "preparedDigest": "0" * 64, "baseWeights": folder,
        "baseWeightsSha256": "", "seed": 1, "processes": 1, "createdAt": "2026-01-01T00:00:00Z", "codeVersion": "test", "parameters": parameters}))
    process, held = subprocess.Popen([bin_dir / "cloister-worker", "train", "--run", run, "--attempt", "1"], stdout=subprocess.DEVNULL), 0
    while process.poll() is None:  # the mark only rises; not ru_maxrss, which begins with what the parent holds
        with contextlib.suppress(OSError, IndexError):
            held = max(held, 1024 * int(Path(f"/proc/{process.pid}/status").read_text().split("VmHWM:")[1].split()[0]))
        time.sleep(0.01)
    assert process.returncode == 0
    print(f"\n{settings}: planned {needed / 2**20:.0f} MiB, held {held / 2**20:.0f} MiB")
    assert held == pytest.approx(needed, rel=0.1)
