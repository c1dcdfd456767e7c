"""What trains beside the loss of the next token, against PyTorch: balance of experts (DeepSeek-V2 and V3), multi-token prediction (V3), dropout of
attention, and bases stored in float8."""
import json
import math
import shutil

import numpy
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from decoder_models import tiny
from test_language_training import BATCH, LENGTH, RECIPE, close, events, losses, make_run, one_thread, stream  # noqa: F401

F = torch.nn.functional
STEPS = 100


def rewrite_config(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


def learn(net, ids, recipe, beside=lambda x, y, learnt, share: 0.0, after=lambda: None, micro=BATCH, steps=STEPS):
    """AdamW with warm-up and cosine on the mean loss of the next token and what stands beside it; the curve is of the former."""
    params = [p for p in net.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW([{"params": [p for p in params if p.dim() >= 2], "weight_decay": recipe["weight_decay"]},
                                   {"params": [p for p in params if p.dim() < 2], "weight_decay": 0.0}], lr=0.0, betas=(0.9, 0.999), eps=1e-8)
    per_epoch, warmup, curve = (len(ids) - 1) // LENGTH // BATCH, recipe["warmup_steps"], []
    net.train()
    for step in range(steps):
        rate = recipe["learning_rate"] * ((step + 1) / warmup if step < warmup else 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))))
        for group in optimizer.param_groups:
            group["lr"] = rate
        first, total = step % per_epoch * BATCH, 0.0
        for i in range(0, BATCH, micro):
            net.first_row, net.step = first + i, step
            rows = range(first + i, first + i + micro)
            x = torch.stack([ids[r * LENGTH:(r + 1) * LENGTH] for r in rows])
            y = torch.stack([ids[r * LENGTH + 1:(r + 1) * LENGTH + 1] for r in rows])
            loss = F.cross_entropy(net(x).logits.flatten(0, 1), y.flatten(), reduction="sum") / (BATCH * LENGTH)
            (loss + beside(x, y, BATCH * LENGTH, micro / BATCH)).backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        after()
        curve.append(total)
    return curve


def close_but_for_ties(ours, theirs):
    """Two experts of one token may be as good as each other to the last bit: then one step's loss differs, and hardly what follows."""
    apart = sorted(abs(a - b) for a, b in zip(ours, theirs, strict=True))
    assert apart[len(apart) // 2] < 1e-5 and apart[-10] < 1e-4 and apart[-1] < 1e-2, apart[-12:]
    assert theirs[-1] < theirs[0] - 0.1, "nothing was learnt"


class Routers:
    """What the routers of a transformers model chose in each forward pass."""

    def __init__(self, net, v3):
        self.v3, self.seen, self.routers = v3, [], []
        for module in net.modules():
            if type(module).__name__ in ("DeepseekV2TopkRouter", "DeepseekV3TopkRouter"):
                self.routers.append(module)
                module.register_forward_hook(lambda m, given, out: self.seen.append((m, out[0], out[2])))

    def loss(self, alpha, sequences):
        """V2 equations 12 to 14, V3 17 to 20: of each sequence, V3 by the largest affinities without bias."""
        total = 0.0
        for m, logits, chosen in self.seen:
            affinity = logits.sigmoid() if self.v3 else logits.softmax(-1)
            picked = affinity.topk(m.top_k, dim=-1).indices if self.v3 else chosen
            experts = affinity.shape[1]
            hits = F.one_hot(picked, experts).sum(1).float().view(sequences, -1, experts)
            share = (affinity / affinity.sum(-1, keepdim=True)).view(sequences, -1, experts)
            total = total + (hits.mean(1) * experts / m.top_k * share.mean(1)).sum(-1).mean()
        return alpha * total

    def loads(self):
        counts = {}
        for m, _, chosen in self.seen:
            counts[m] = counts.get(m, 0) + torch.bincount(chosen.flatten(), minlength=m.num_experts)
        return counts


@pytest.mark.parametrize("kind,alpha,update,micro", [("deepseek_v2", 0.05, 0, 2), ("deepseek_v3", 0.05, 0.002, 2), ("deepseek_v3", 0, 0.01, 4)])
def test_experts_are_balanced_as_published(run, kind, alpha, update, micro, tmp_path):
    net = tiny(kind)
    net.save_pretrained(tmp_path / "base")
    rewrite_config(tmp_path / "base", aux_loss_alpha=alpha)
    recipe = {**RECIPE, "bias_update": update, "micro_batch": micro}
    attempt = make_run(tmp_path, recipe, {"tokens": stream(3000)}, tmp_path / "base")
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
    routers, counted = Routers(net, kind == "deepseek_v3"), {}

    def beside(x, y, learnt, share):
        extra = routers.loss(alpha, len(x)) * share if alpha else 0.0
        for m, n in routers.loads().items():
            counted[m] = counted.get(m, 0) + n
        routers.seen.clear()
        return extra

    def after():
        for m, load in counted.items():
            if update:
                m.e_score_correction_bias += update * torch.sign(load.float().mean() - load.float())
        counted.clear()

    close_but_for_ties(losses(attempt), learn(net, stream(3000), recipe, beside, after, micro))
    if update:
        saved = load_file(attempt / "checkpoints/step-00000100/model.safetensors")
        for i, m in enumerate(routers.routers, start=1):
            assert (saved[f"model.layers.{i}.mlp.gate.e_score_correction_bias"] - m.e_score_correction_bias).abs().max() < 2.5 * update, i


class Ahead(torch.nn.Module):
    """A prediction layer as the report draws it, around transformers' decoder layer."""

    def __init__(self, net, depth):
        super().__init__()
        from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3DecoderLayer, DeepseekV3RMSNorm
        c = net.config
        self.enorm, self.hnorm, self.norm = (DeepseekV3RMSNorm(c.hidden_size, eps=c.rms_norm_eps) for _ in range(3))
        self.eh_proj = torch.nn.Linear(2 * c.hidden_size, c.hidden_size, bias=False)
        self.layer = DeepseekV3DecoderLayer(c, c.num_hidden_layers + depth - 1)
        self.layer.load_state_dict(net.model.layers[-1].state_dict())
        with torch.no_grad():
            for p in self.parameters():
                p.add_(torch.randn_like(p) * 0.05)

    def forward(self, net, before, following):
        h = self.eh_proj(torch.cat([self.enorm(net.model.embed_tokens(following)), self.hnorm(before)], -1))
        t = h.shape[1]
        positions = torch.arange(t)[None]
        mask = torch.full((t, t), float("-inf")).triu(1)[None, None]
        h = self.layer(h, attention_mask=mask, position_ids=positions, position_embeddings=net.model.rotary_emb(h, positions))
        return net.lm_head(self.norm(h)), h

    def stored(self, net, prefix):
        tensors = {prefix + k: v for k, v in (("enorm.weight", self.enorm.weight), ("hnorm.weight", self.hnorm.weight),
                                              ("shared_head.norm.weight", self.norm.weight), ("eh_proj.weight", self.eh_proj.weight),
                                              ("embed_tokens.weight", net.model.embed_tokens.weight), ("shared_head.head.weight", net.lm_head.weight))}
        for name, w in self.layer.state_dict().items():
            if name == "mlp.experts.gate_up_proj":
                for e, both in enumerate(w):
                    tensors[f"{prefix}mlp.experts.{e}.gate_proj.weight"], tensors[f"{prefix}mlp.experts.{e}.up_proj.weight"] = both.chunk(2)
            elif name == "mlp.experts.down_proj":
                tensors |= {f"{prefix}mlp.experts.{e}.down_proj.weight": down for e, down in enumerate(w)}
            else:
                tensors[prefix + name] = w
        return {k: v.detach().clone().contiguous() for k, v in tensors.items()}


@pytest.mark.parametrize("depths,micro", [(1, 2), (2, 4)])
def test_multi_token_prediction(run, depths, micro, tmp_path):
    net, weight = tiny("deepseek_v3"), 0.3
    net.save_pretrained(tmp_path / "base")
    net.ahead = torch.nn.ModuleList(Ahead(net, depth) for depth in range(1, depths + 1))
    tensors = load_file(tmp_path / "base/model.safetensors")
    for i, layer in enumerate(net.ahead):
        tensors |= layer.stored(net, f"model.layers.{3 + i}.")
    save_file(tensors, tmp_path / "base/model.safetensors", {"format": "pt"})
    rewrite_config(tmp_path / "base", num_nextn_predict_layers=depths, aux_loss_alpha=0)
    recipe = {**RECIPE, "bias_update": 0, "mtp_loss": weight, "micro_batch": micro}
    attempt = make_run(tmp_path, recipe, {"tokens": stream(3000)}, tmp_path / "base")
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
    kept, seen, ahead = [], [], []
    net.model.register_forward_hook(lambda m, given, out: kept.append(out.last_hidden_state))

    def beside(x, y, learnt, share):
        before, total = kept.pop(), 0.0
        for k, layer in enumerate(net.ahead, start=1):
            logits, before = layer(net, before[:, :LENGTH - k] if k == 1 else before[:, :-1], x[:, k:])
            total = total + F.cross_entropy(logits.flatten(0, 1), y[:, k:].flatten(), reduction="sum") / (BATCH * (LENGTH - k)) / depths
        seen.append(total.item())
        return weight * total

    def after():
        ahead.append(sum(seen))
        seen.clear()

    curve = learn(net, stream(3000), recipe, beside, after, micro)
    close_but_for_ties(losses(attempt), curve)
    close_but_for_ties([e["values"]["train/mtp_loss"] for e in events(attempt, "metric") if "train/mtp_loss" in e["values"]], ahead)
    # What was kept holds the prediction layers too, with the embedding and head they share; transformers opens it as before.
    saved, wanted = load_file(attempt / "best/model.safetensors"), {}
    for i, layer in enumerate(net.ahead):
        wanted |= layer.stored(net, f"model.layers.{3 + i}.")
    assert set(wanted) <= set(saved) and max((saved[k] - v).abs().max().item() for k, v in wanted.items()) < 1e-3
    transformers.AutoModelForCausalLM.from_pretrained(attempt / "best", local_files_only=True)
    shown = json.loads(run("cloister-cli", "model", "show", attempt / "best", "--json").stdout)
    own = sum(p.numel() for p in net.ahead.parameters())
    assert shown["predictionLayers"] == depths and shown["predictionParameters"] == own
    planned = json.loads(run("cloister-cli", "model", "plan", attempt / "best", "--json").stdout)
    assert planned["predictionParameters"] == own and planned["parameters"] == sum(p.numel() for p in net.parameters()) - own


def test_prediction_layers_are_new_where_the_base_has_none_and_resume(run, tmp_path):
    attempt = make_run(tmp_path, {**RECIPE, "architecture": "deepseek-v3-30m", "vocabulary": 97, "max_steps": 3, "mtp_loss": 0.1, "precision": "bf16"},
                       {"tokens": stream(3000)})
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
    said = [e["values"]["train/mtp_loss"] for e in events(attempt, "metric") if "train/mtp_loss" in e["values"]]
    assert len(said) == 3 and abs(said[0] - math.log(97)) < 0.5
    saved = load_file(attempt / "best/model.safetensors")
    assert "model.layers.8.eh_proj.weight" in saved and torch.equal(saved["model.layers.8.embed_tokens.weight"], saved["model.embed_tokens.weight"])
    assert json.loads((attempt / "best/config.json").read_text())["num_nextn_predict_layers"] == 1


@pytest.mark.parametrize("parameters", [{"mtp_loss": 0.3}, {"mtp_loss": 0.3, "method": "lora"}, {"attention_dropout": -0.5}])
def test_refused(run, parameters, tmp_path):
    tiny("llama").save_pretrained(tmp_path / "base")
    attempt = make_run(tmp_path, {**RECIPE, "max_steps": 1, **parameters}, {"tokens": stream(300)}, tmp_path / "base")
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1, expect=20)
    failure = events(attempt, "failed")[0]["failure"]
    assert failure["kind"] == "invalid_argument" and failure["args"]["name"] == next(iter(parameters))


MASK64 = (1 << 64) - 1


def mixed(z):
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9 & MASK64
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb & MASK64
    return z ^ (z >> 31)


def key_of(a, b, c=0):
    golden = 0x9e3779b97f4a7c15
    return mixed(mixed(mixed((a + golden) & MASK64) ^ ((b + 2 * golden) & MASK64)) ^ ((c + 3 * golden) & MASK64))


def falls(count, key, probability):
    """Which places fall: a hash of place and key below the probability (core/engine/kernels/row_kernels.inl, written again in NumPy)."""
    with numpy.errstate(over="ignore"):
        v = numpy.arange(count, dtype=numpy.uint32) * numpy.uint32(0x9e3779b9) + numpy.uint32(key & 0xffffffff)
        for shift, factor in ((16, 0x7feb352d), (15, 0x846ca68b)):
            v = (v ^ (v >> numpy.uint32(shift))) * numpy.uint32(factor)
        v = (v ^ (v >> numpy.uint32(16))) + numpy.uint32(key >> 32)
        for shift, factor in ((16, 0x7feb352d), (15, 0x846ca68b)):
            v = (v ^ (v >> numpy.uint32(shift))) * numpy.uint32(factor)
        return (v ^ (v >> numpy.uint32(16))) < numpy.uint32(int(probability * 2**32))


@pytest.mark.parametrize("kind,checkpointing", [("llama", "off"), ("llama", "on"), ("deepseek_v3", "off")])
def test_attention_dropout_follows_eager_attention(run, kind, checkpointing, tmp_path, monkeypatch):
    """attention_dropout of the configuration, with the mask of each step worked out again in NumPy; validation drops nothing."""
    probability, seed = 0.25, 7
    net = tiny(kind, attention_dropout=probability)
    net.save_pretrained(tmp_path / "base")
    recipe = {**RECIPE, "bias_update": 0, "micro_batch": 2, "activation_checkpointing": checkpointing, "evaluate_every": 100}
    attempt = make_run(tmp_path, recipe, {"tokens": stream(3000)}, tmp_path / "base", validation={"tokens": stream(300, 8)}, seed=seed)
    run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
    fallen, layer = [], [0]

    def dropout(x, p=0.5, training=True, inplace=False):
        if not training:
            return x
        assert p == probability
        gone = torch.from_numpy(falls(x.numel(), key_of(key_of(seed, net.step, net.first_row), layer[0]), p)).view(x.shape)
        layer[0] = (layer[0] + 1) % 3
        fallen.append(gone.float().mean().item())
        return x.masked_fill(gone, 0) / (1 - p)

    monkeypatch.setattr(torch.nn.functional, "dropout", dropout)
    close(losses(attempt), learn(net, stream(3000), recipe, micro=2))
    assert len(fallen) == STEPS * 2 * 3 and abs(sum(fallen) / len(fallen) - probability) < 0.005
    net.eval()
    v = stream(300, 8)
    rows = range(299 // LENGTH)
    with torch.no_grad():
        logits = net(torch.stack([v[i * LENGTH:(i + 1) * LENGTH] for i in rows])).logits
    wanted = F.cross_entropy(logits.flatten(0, 1), torch.stack([v[i * LENGTH + 1:(i + 1) * LENGTH + 1] for i in rows]).flatten()).item()
    assert abs(events(attempt, "evaluation")[0]["values"]["validation/loss"] - wanted) < 1e-3


def in_float8(tensors, rows=16, columns=32):
    """(as stored, what it stands for): e4m3 with one inverse scale a block."""
    stored, exact = {}, {}
    for name, w in tensors.items():
        if w.dim() != 2 or "embed" in name or "lm_head" in name or name.endswith("mlp.gate.weight"):
            stored[name] = exact[name] = w.clone()
            continue
        up = F.pad(w, (0, -w.shape[1] % columns, 0, -w.shape[0] % rows))
        blocks = up.view(up.shape[0] // rows, rows, up.shape[1] // columns, columns)
        scale = blocks.abs().amax((1, 3)) / 448
        small = (blocks / scale[:, None, :, None]).to(torch.float8_e4m3fn)
        cut = (slice(w.shape[0]), slice(w.shape[1]))
        stored[name], stored[name + "_scale_inv"] = small.view(up.shape)[cut].contiguous(), scale
        exact[name] = (small.float() * scale[:, None, :, None]).view(up.shape)[cut].contiguous()
    return stored, exact


@pytest.mark.parametrize("method,precision", [("lora", "bf16"), ("qlora", "bf16"), ("qlora", "fp32")])
def test_float8_base_is_unpacked_layer_by_layer(run, method, precision, tmp_path):
    """Adapters on a float8 base learn what they learn on the same values in float32, and merging gives those values with the adapter."""
    tiny("deepseek_v3").save_pretrained(tmp_path / "exact")
    shutil.copytree(tmp_path / "exact", tmp_path / "fp8")
    stored, exact = in_float8(load_file(tmp_path / "exact/model.safetensors"))
    save_file(exact, tmp_path / "exact/model.safetensors", {"format": "pt"})
    save_file(stored, tmp_path / "fp8/model.safetensors", {"format": "pt"})
    rewrite_config(tmp_path / "fp8", quantization_config={"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [16, 32]})
    curves = []
    for base in ("exact", "fp8"):
        attempt = make_run(tmp_path / ("run-" + base), {**RECIPE, "method": method, "max_steps": 20, "precision": precision, "lora_rank": 4, "learning_rate": 1e-2},
                           {"tokens": stream(3000)}, tmp_path / base)
        run("cloister-worker", "train", "--run", attempt, "--attempt", 1)
        curves.append(losses(attempt))
    assert curves[0][-1] < curves[0][0] - 0.1
    assert max(abs(a - b) for a, b in zip(*curves)) < (1e-6 if precision == "fp32" else 2e-3)
