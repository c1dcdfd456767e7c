"""Language models: logits equal to transformers' both ways (ours loads theirs, theirs loads what we saved), and folders that must be refused."""
import json
import pathlib
import pickle
import shutil
import struct

import pytest
import torch
from safetensors.torch import load_file, save_file

from decoder_models import logits_by_them, logits_by_us, random_ids, tiny

YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 128, "beta_fast": 32, "beta_slow": 1}
LLAMA3 = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 64}
KINDS = {
    "llama": ("llama", {}),
    "llama-tied-bias": ("llama", {"tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True, "num_key_value_heads": 4}),
    "llama-linear": ("llama", {"rope_parameters": {"rope_type": "linear", "rope_theta": 1e5, "factor": 4.0}, "head_dim": 16}),
    "llama-llama3": ("llama", {"rope_parameters": LLAMA3, "num_key_value_heads": 1}),
    "llama-yarn": ("llama", {"rope_parameters": YARN}),
    "qwen2": ("qwen2", {}),
    "qwen2-tied": ("qwen2", {"tie_word_embeddings": True, "rms_norm_eps": 1e-5}),
    "v2": ("deepseek_v2", {}),
    "v2-lite": ("deepseek_v2", {"q_lora_rank": None, "topk_method": "greedy", "n_group": 1, "topk_group": 1,
                                "rope_parameters": {**YARN, "mscale": 0.707, "mscale_all_dim": 0.707}}),
    "v3": ("deepseek_v3", {}),
    "v3-yarn-bias": ("deepseek_v3", {"attention_bias": True, "rope_parameters": {**YARN, "mscale": 1.0, "mscale_all_dim": 0.5}}),
    "v3-halves": ("deepseek_v3", {"rope_interleave": False, "q_lora_rank": None, "norm_topk_prob": False}),
}


@pytest.fixture(scope="module", params=KINDS, ids=list(KINDS))
def model(request, tmp_path_factory):
    kind, changes = KINDS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    net = tiny(kind, **changes)
    net.save_pretrained(folder / "theirs")
    ids = random_ids(2, 150)
    with torch.no_grad():
        return {"net": net, "folder": folder / "theirs", "ids": ids, "wanted": net(torch.tensor(ids)).logits, "deepseek": kind.startswith("deep")}


def near(a, b, tolerance=1e-5):
    assert a.shape == b.shape
    worst = (a - b).abs().max().item()
    assert worst <= tolerance, worst


def test_stored_reference(run, data_dir, tmp_path):
    expected = json.loads((data_dir / "mdl-tiny-llama-dev/expected_logits.json").read_text())
    ours = logits_by_us(run, data_dir / "mdl-tiny-llama-dev", [expected["input_ids"]], tmp_path)
    near(ours[0, -1, :32], torch.tensor(expected["last_token_logits_first32"]))


def test_logits_equal(run, model, tmp_path):
    near(logits_by_us(run, model["folder"], model["ids"], tmp_path), model["wanted"])


def test_cached_equals_uncached(run, model, tmp_path):
    for step in (1, 7) if model["deepseek"] else (1,):
        near(logits_by_us(run, model["folder"], model["ids"], tmp_path, "--cached", step), model["wanted"])


def test_absorbed_equals_plain(run, model, tmp_path):
    if not model["deepseek"]:  # the options are there, and change nothing
        near(logits_by_us(run, model["folder"], model["ids"], tmp_path, "--path", "absorbed"), model["wanted"])
        return
    for path in ("absorbed", "plain"):
        for step in (0, 40):
            near(logits_by_us(run, model["folder"], model["ids"], tmp_path, "--path", path, "--cached", step), model["wanted"])


def test_saved_folder_loads_in_transformers(run, model, tmp_path):
    run("cloister-cli", "model", "import", model["folder"], "--to", tmp_path / "ours", "--shard-bytes", 40000)
    assert len(list((tmp_path / "ours").glob("model-*.safetensors"))) > 2
    near(logits_by_them(tmp_path / "ours", model["ids"]), model["wanted"])
    near(logits_by_us(run, tmp_path / "ours", model["ids"], tmp_path), model["wanted"])
    # Every tensor is the same bytes, and the generation settings came along.
    theirs = load_file(model["folder"] / "model.safetensors")
    ours = {k: v for shard in (tmp_path / "ours").glob("*.safetensors") for k, v in load_file(shard).items()}
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[k], theirs[k]) for k in ours)
    assert json.loads((tmp_path / "ours/generation_config.json").read_text()) == json.loads((model["folder"] / "generation_config.json").read_text())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", ["llama", "deepseek_v3"])
def test_half_precision_files(run, kind, dtype, tmp_path):
    net = tiny(kind).to(dtype)
    net.save_pretrained(tmp_path / "half")
    ids = random_ids(1, 60)
    wanted = logits_by_them(tmp_path / "half", ids, dtype=torch.float32)
    near(logits_by_us(run, tmp_path / "half", ids, tmp_path), wanted)
    if dtype == torch.bfloat16:  # computed in bfloat16: as far from the exact logits as transformers is, give or take
        theirs = (logits_by_them(tmp_path / "half", ids, dtype=dtype) - wanted).abs().mean()
        ours = (logits_by_us(run, tmp_path / "half", ids, tmp_path, "--precision", "stored") - wanted).abs().mean()
        assert ours < 1.5 * theirs + 1e-3, (ours, theirs)
    shown = json.loads(run("cloister-cli", "model", "show", tmp_path / "half", "--json").stdout)
    assert shown["parameters"] == sum(p.numel() for p in net.parameters())
    assert shown["config"]["torch_dtype"] == str(dtype).removeprefix("torch.")


def test_fp8_blocks(run, tmp_path):
    """V3's published layout: e4m3 weights with one inverse scale a block, at the edges a partial one."""
    net = tiny("deepseek_v3")
    net.save_pretrained(tmp_path / "full")
    tensors, quantised, exact = load_file(tmp_path / "full/model.safetensors"), {}, {}
    for name, w in tensors.items():
        plain = w.dim() != 2 or "embed" in name or "lm_head" in name or name.endswith("mlp.gate.weight")
        if plain:
            quantised[name] = exact[name] = w.clone() if "gate" in name else w.bfloat16()
            continue
        rows, columns = -(-w.shape[0] // 16), -(-w.shape[1] // 32)
        scale = torch.empty(rows, columns)
        stored, back = torch.empty_like(w, dtype=torch.float8_e4m3fn), torch.empty_like(w)
        for r in range(rows):
            for c in range(columns):
                block = (slice(16 * r, 16 * r + 16), slice(32 * c, 32 * c + 32))
                scale[r, c] = w[block].abs().max() / 448
                stored[block] = (w[block] / scale[r, c]).to(torch.float8_e4m3fn)
                back[block] = stored[block].float() * scale[r, c]
        quantised[name], quantised[name + "_scale_inv"], exact[name] = stored, scale, back
    config = json.loads((tmp_path / "full/config.json").read_text())
    for folder, content in (("fp8", quantised), ("exact", {k: v.float() for k, v in exact.items()})):
        shutil.copytree(tmp_path / "full", tmp_path / folder)
        save_file({k: v.contiguous() for k, v in content.items()}, tmp_path / folder / "model.safetensors", {"format": "pt"})
    config["quantization_config"] = {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [16, 32], "activation_scheme": "dynamic"}
    (tmp_path / "fp8/config.json").write_text(json.dumps(config))
    ids = random_ids(1, 50)
    near(logits_by_us(run, tmp_path / "fp8", ids, tmp_path), logits_by_them(tmp_path / "exact", ids))
    run("cloister-cli", "model", "import", tmp_path / "fp8", "--to", tmp_path / "plain", "--dtype", "float32")
    near(logits_by_them(tmp_path / "plain", ids), logits_by_them(tmp_path / "exact", ids))
    del quantised["model.layers.0.mlp.up_proj.weight_scale_inv"]
    save_file({k: v.contiguous() for k, v in quantised.items()}, tmp_path / "fp8/model.safetensors", {"format": "pt"})
    assert logits_by_us(run, tmp_path / "fp8", ids, tmp_path, expect=3)["kind"] == "corrupt_file"


def test_prediction_layer_is_kept_and_not_used(run, tmp_path):
    """V3's multi-token prediction layer lies after the last layer; transformers leaves it out of the logits, and so do we."""
    net = tiny("deepseek_v3")
    net.save_pretrained(tmp_path / "a")
    tensors = load_file(tmp_path / "a/model.safetensors")
    extra = {k.replace("layers.2.", "layers.3."): v.clone() for k, v in tensors.items() if ".layers.2." in k}
    d = 48
    extra |= {f"model.layers.3.{k}": torch.randn(*s) for k, s in {"enorm.weight": (d,), "hnorm.weight": (d,), "eh_proj.weight": (d, 2 * d),
                                                                "shared_head.norm.weight": (d,)}.items()}
    extra["model.layers.3.embed_tokens.weight"] = tensors["model.embed_tokens.weight"].clone()
    extra["model.layers.3.shared_head.head.weight"] = tensors["lm_head.weight"].clone()
    save_file(tensors | extra, tmp_path / "a/model.safetensors", {"format": "pt"})
    config = json.loads((tmp_path / "a/config.json").read_text())
    config["num_nextn_predict_layers"] = 1
    (tmp_path / "a/config.json").write_text(json.dumps(config))
    ids = random_ids(1, 40)
    with torch.no_grad():
        near(logits_by_us(run, tmp_path / "a", ids, tmp_path), net(torch.tensor(ids)).logits)
    run("cloister-cli", "model", "import", tmp_path / "a", "--to", tmp_path / "b")
    saved = load_file(tmp_path / "b/model.safetensors")
    assert all(torch.equal(saved[k], v) for k, v in extra.items())
    del extra["model.layers.3.enorm.weight"]
    save_file(tensors | extra, tmp_path / "a/model.safetensors", {"format": "pt"})
    assert "enorm" in logits_by_us(run, tmp_path / "a", ids, tmp_path, expect=3)["detail"]


# --- what must be refused ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    tiny("llama").save_pretrained(folder / "m", max_shard_size="60KB")
    return folder / "m"


def edit_config(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    for k, v in changes.items():
        if v is None:
            config.pop(k, None)
        else:
            config[k] = v
    (folder / "config.json").write_text(json.dumps(config))


def edit_tensors(folder, change):
    shards = sorted(folder.glob("model-*.safetensors"))
    tensors = {k: v for s in shards for k, v in load_file(s).items()}
    for s in shards + [folder / "model.safetensors.index.json"]:
        s.unlink()
    change(tensors)
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder / "model.safetensors", {"format": "pt"})


def rename(tensors, a, b):
    tensors[b] = tensors.pop(a)


Q = "model.layers.0.self_attn.q_proj.weight"
BAD = {
    "no config": (lambda f: (f / "config.json").unlink(), "not_found", "config.json"),
    "config cut": (lambda f: (f / "config.json").write_text((f / "config.json").read_text()[:40]), "corrupt_file", "config.json"),
    "config empty": (lambda f: (f / "config.json").write_bytes(b""), "corrupt_file", "config.json"),
    "config not utf-8": (lambda f: (f / "config.json").write_bytes(b'{"model_type": "\xff\xfe"}'), ("corrupt_file", "unsupported_format"), "config.json"),
    "config a list": (lambda f: (f / "config.json").write_text("[1]"), "corrupt_file", "config.json"),
    "config too large": (lambda f: (f / "config.json").write_text('{"a":"' + "x" * (17 << 20) + '"}'), "too_large", "config.json"),
    "negative size": (lambda f: edit_config(f, hidden_size=-48), "corrupt_file", "hidden_size"),
    "giant vocabulary": (lambda f: edit_config(f, vocab_size=10**12), "corrupt_file", "vocab_size"),
    "giant model": (lambda f: edit_config(f, num_hidden_layers=9999, hidden_size=1 << 20, intermediate_size=1 << 20, num_attention_heads=4,
                                          num_key_value_heads=4, head_dim=64), "too_large", ""),
    "size as text": (lambda f: edit_config(f, hidden_size="48"), "corrupt_file", "hidden_size"),
    "heads do not divide": (lambda f: edit_config(f, num_key_value_heads=3), "corrupt_file", "num_key_value_heads"),
    "other family": (lambda f: edit_config(f, model_type="mamba"), "unsupported_format", "model_type"),
    "other activation": (lambda f: edit_config(f, hidden_act="gelu"), "unsupported_format", "hidden_act"),
    "other rope": (lambda f: edit_config(f, rope_parameters={"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}), "unsupported_format", "rope"),
    "gptq": (lambda f: edit_config(f, quantization_config={"quant_method": "gptq", "bits": 4}), "unsupported_format", "quant"),
    "more layers than weights": (lambda f: edit_config(f, num_hidden_layers=4), "corrupt_file", "model.layers.3"),
    "fewer layers than weights": (lambda f: edit_config(f, num_hidden_layers=2), "corrupt_file", "model.layers.2"),
    "other hidden size": (lambda f: edit_config(f, vocab_size=98), "corrupt_file", "embed_tokens"),
    "missing shard": (lambda f: sorted(f.glob("model-*.safetensors"))[1].unlink(), "not_found", "model-00002"),
    "shard cut": (lambda f: sorted(f.glob("model-*.safetensors"))[1].write_bytes(sorted(f.glob("model-*.safetensors"))[1].read_bytes()[:-5]),
                  "truncated_file", "model-00002"),
    "shard twice": (lambda f: shutil.copy(sorted(f.glob("model-*.safetensors"))[0], sorted(f.glob("model-*.safetensors"))[1]), "corrupt_file", ""),
    "index cut": (lambda f: (f / "model.safetensors.index.json").write_text("{"), "corrupt_file", "index"),
    "index without map": (lambda f: (f / "model.safetensors.index.json").write_text("{}"), "corrupt_file", "weight_map"),
    "index climbs out": (lambda f: (f / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {Q: "../secret.safetensors"}})),
                         "corrupt_file", "secret"),
    "no weights": (lambda f: [p.unlink() for p in f.glob("model*")], "not_found", "model.safetensors"),
    "only a pickle": (lambda f: ([p.unlink() for p in f.glob("model*")], (f / "pytorch_model.bin").write_bytes(pickle.dumps({}))),
                      "unsupported_format", "pytorch_model.bin"),
    "tensor missing": (lambda f: edit_tensors(f, lambda t: t.pop(Q)), "corrupt_file", Q),
    "tensor renamed": (lambda f: edit_tensors(f, lambda t: rename(t, Q, Q + "x")), "corrupt_file", Q),
    "tensor too many": (lambda f: edit_tensors(f, lambda t: t.update(extra=torch.zeros(3))), "corrupt_file", "extra"),
    "wrong shape": (lambda f: edit_tensors(f, lambda t: t.update({Q: t[Q][:, :-1]})), "corrupt_file", Q),
    "transposed": (lambda f: edit_tensors(f, lambda t: t.update({"model.layers.1.mlp.up_proj.weight": t["model.layers.1.mlp.up_proj.weight"].T})),
                   "corrupt_file", "up_proj"),
    "integers": (lambda f: edit_tensors(f, lambda t: t.update({Q: t[Q].to(torch.int8)})), "unsupported_format", Q),
    "doubles": (lambda f: edit_tensors(f, lambda t: t.update({Q: t[Q].double()})), "unsupported_format", Q),
    "fp8 without blocks": (lambda f: edit_tensors(f, lambda t: t.update({Q: t[Q].to(torch.float8_e4m3fn)})), "corrupt_file", "FP8"),
    "header of 200 MB": (lambda f: (edit_tensors(f, lambda t: None),
                                    (f / "model.safetensors").write_bytes(struct.pack("<Q", 200_000_000) + b"{" * 100)), "too_large", ""),
}


@pytest.mark.parametrize("what", BAD, ids=[k.replace(" ", "-") for k in BAD])
def test_bad_folders(run, good, what, tmp_path):
    damage, kinds, named = BAD[what]
    shutil.copytree(good, tmp_path / "m")
    damage(tmp_path / "m")
    for verb in (["show", tmp_path / "m"], ["import", tmp_path / "m", "--to", tmp_path / "out"]):
        done = run("cloister-cli", "model", *verb, "--json", expect=3)
        error = json.loads(done.stdout)["error"]
        assert error["kind"] in ((kinds,) if isinstance(kinds, str) else kinds), error
        assert named in json.dumps(error), error
        assert len(error["message"]) > 20
    assert not (tmp_path / "out").exists() and not list(tmp_path.glob(".out*"))


def test_crafted_safetensors(run, good, data_dir, tmp_path):
    """The hostile files of the test data in the place of weights."""
    files = sorted(pathlib.Path(data_dir / "bad-crafted-dev/safetensors").glob("*.safetensors"))
    assert len(files) >= 7
    for file in files:
        folder = tmp_path / file.stem
        folder.mkdir()
        shutil.copy(good / "config.json", folder)
        shutil.copy(file, folder / "model.safetensors")
        error = json.loads(run("cloister-cli", "model", "show", folder, "--json", expect=3).stdout)["error"]
        assert error["kind"] in ("corrupt_file", "truncated_file", "too_large"), (file.name, error)


@pytest.mark.parametrize("ids,kind", [([[1, 2, 97]], "invalid_argument"), ([[-1]], "invalid_argument"), ([], "corrupt_file"), ([[]], "corrupt_file"),
                                      ([[1.5]], "corrupt_file"), ([[1, 2], [3]], "corrupt_file"), ({"ids": [1]}, "corrupt_file")])
def test_bad_ids(run, good, ids, kind, tmp_path):
    (tmp_path / "ids.json").write_text(json.dumps(ids))
    done = run("cloister-cli", "model", "logits", good, "--ids", tmp_path / "ids.json", "--to", tmp_path / "l.safetensors", "--json", expect=None)
    assert done.returncode in (2, 3)
    assert json.loads(done.stdout)["error"]["kind"] == kind
    assert not (tmp_path / "l.safetensors").exists()


def test_existing_target_is_left_alone(run, good, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    done = run("cloister-cli", "model", "import", good, "--to", tmp_path / "out", "--json", expect=3)
    assert json.loads(done.stdout)["error"]["kind"] == "already_exists"
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["mine.txt"]
