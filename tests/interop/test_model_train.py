"""From texts to a model that transformers loads, by the command line alone: tokenizer, prepared texts, training, adapter; killed and gone on with."""
import json
import subprocess
import time

import numpy as np
import peft
import pytest
import torch
import transformers
from safetensors.numpy import load_file

SMALL = ["--set", "batch_size=4", "--set", "threads=1", "--set", "precision=fp32", "--set", "metric_seconds=0", "--set", "device=cpu"]


@pytest.fixture(scope="module")
def world(run, tmp_path_factory, data_dir):
    folder = tmp_path_factory.mktemp("train")
    text = next((data_dir / "txt-shakespeare-dev").rglob("*.txt")).read_text()[:60_000]
    (folder / "corpus.txt").write_text(text)
    (folder / "tasks.json").write_text(json.dumps([{"instruction": f"Say {w}", "input": "", "output": f"{w} and {w}"} for w in text.split()[:80]]))
    run("cloister-cli", "tokenizer", "train", "--input", folder / "corpus.txt", "--kind", "bpe", "--vocab-size", "400", "--to", folder / "tok")
    run("cloister-cli", "text", "prepare", "--kind", "plain", "--input", folder / "corpus.txt", "--tokenizer", folder / "tok", "--to", folder / "plain", "--length", "64",
        "--validation", "0.1")
    run("cloister-cli", "text", "prepare", "--kind", "instructions", "--input", folder / "tasks.json", "--tokenizer", folder / "tok", "--to", folder / "tasks", "--length", "96",
        "--validation", "0.2")
    return folder


def train(run, world, shards, to, *options, **kwargs):
    return run("cloister-cli", "model", "train", world / shards, "--to", to, "--json", *SMALL, *options, **kwargs)


@pytest.fixture(scope="module")
def base(run, world):
    done = train(run, world, "plain", world / "base", "--tokenizer", world / "tok", "--architecture", "llama-1m", "--set", "max_steps=30", "--set", "learning_rate=0.002")
    return json.loads(done.stdout)["model"]


def test_from_scratch(run, world, base):
    model = transformers.AutoModelForCausalLM.from_pretrained(base, local_files_only=True)
    assert model.config.vocab_size == json.loads((world / "plain" / "index.json").read_text())["vocabularySize"]
    (world / "held.txt").write_text((world / "corpus.txt").read_text()[-3000:])
    before = len(json.loads(run("cloister-cli", "tokenizer", "encode", "--tokenizer", base, "--file", world / "held.txt", "--json").stdout)["ids"])
    judged = json.loads(run("cloister-cli", "model", "evaluate", base, "--texts", world / "held.txt", "--json").stdout)["perplexity"]
    assert before and judged["value"] < 250  # 400 tokens: chance would be 400
    text = json.loads(run("cloister-cli", "generate", base, "--prompt", "First", "--new-tokens", "8", "--json").stdout)["sequences"][0]
    assert len(text["tokens"]) == 8 and text["text"]
    again = train(run, world, "plain", world / "base", "--tokenizer", world / "tok", expect=None)
    assert again.returncode != 0 and json.loads(again.stdout)["error"]["kind"] == "already_exists"


@pytest.mark.parametrize("shards", ["plain", "tasks"])
def test_the_stream_is_the_rows(run, world, base, shards, tmp_path):
    train(run, world, shards, tmp_path / "t", "--base", base, "--set", "max_steps=1")
    index = json.loads((world / shards / "index.json").read_text())
    stream, length = load_file(tmp_path / "t" / "data" / "train.safetensors"), index["length"]
    tokens, loss, starts = stream["tokens"], stream["loss"], stream["starts"]
    document = np.searchsorted(starts, np.arange(len(tokens)), side="right")
    at, learnt = 0, 0
    for shard in index["parts"]["train"]["shards"]:
        rows = load_file(world / shards / shard["file"])
        for a, b in zip(rows["offsets"][:-1], rows["offsets"][1:]):
            n = b - a
            if at % length + n > length:  # never cut by the end of a sequence: filled up, unlearnt, unseen
                end = at + length - at % length
                assert loss[at:end].sum() == 0 and at in starts and len(set(document[at:end])) == 1
                at = end
            assert np.array_equal(tokens[at:at + n], rows["tokens"][a:b])
            assert np.array_equal(loss[at + 1:at + n], rows["mask"][a + 1:b]) and loss[at] == 0
            assert np.array_equal(np.flatnonzero(rows["starts"][a:b]) + at, starts[(starts >= at) & (starts < at + n)])
            learnt += int(rows["mask"][a + 1:b].sum())
            at += n
    assert loss.sum() == learnt and len(tokens) % length == 1


def test_adapter(run, world, base, tmp_path):
    done = train(run, world, "tasks", tmp_path / "t", "--base", base, "--method", "lora", "--set", "max_steps=20", "--set", "learning_rate=0.01", "--set", "lora_rank=4")
    adapter = json.loads(done.stdout)["model"]
    assert adapter.endswith("/adapter")
    model = peft.PeftModel.from_pretrained(transformers.AutoModelForCausalLM.from_pretrained(base, local_files_only=True), adapter)
    run("cloister-cli", "model", "import", base, "--adapter", adapter, "--to", tmp_path / "merged", "--dtype", "float32")
    merged = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "merged", local_files_only=True)
    ids = torch.arange(5, 45)[None]
    with torch.no_grad():
        assert torch.allclose(model(ids).logits, merged(ids).logits, atol=1e-4)


@pytest.mark.parametrize("shards, method", [("plain", "full"), ("tasks", "full"), ("tasks", "lora"), ("tasks", "qlora")])
def test_the_folder_of_a_training_is_judged_and_exported(run, world, base, tmp_path, shards, method):
    """The weights, adapters added in, with the tokenizer and the texts that the training held back, whatever form is asked for."""
    folder, options = tmp_path / "t", ["--method", method, "--set", "max_steps=4", "--set", "learning_rate=0.003"]
    made = json.loads(train(run, world, shards, folder, "--base", base, *options).stdout)["model"]
    if method == "full":
        whole = transformers.AutoModelForCausalLM.from_pretrained(made, local_files_only=True)
    else:
        whole = peft.PeftModel.from_pretrained(transformers.AutoModelForCausalLM.from_pretrained(base, local_files_only=True), made).merge_and_unload()
    stream = load_file(folder / "data" / "validation.safetensors")
    starts = [*stream["starts"], len(stream["tokens"])]
    loss, count = 0.0, 0
    for a, b in zip(starts[:-1], starts[1:]):
        wanted = np.flatnonzero(stream["loss"][a:b])
        if len(wanted):
            ids = torch.from_numpy(stream["tokens"][a:b].astype(np.int64))
            with torch.no_grad():
                said = whole(ids[None]).logits[0].double().log_softmax(-1)
            loss -= said[wanted - 1, ids[wanted]].sum().item()
            count += len(wanted)
    report = json.loads(run("cloister-cli", "model", "evaluate", folder, "--json", "--resamples", "50").stdout)
    assert report["perplexity"]["tokens"] == count
    assert report["perplexity"]["value"] == pytest.approx(np.exp(loss / count), rel=1e-4)
    assert report["base"]["value"] > 0
    exported = json.loads(run("cloister-cli", "model", "export", folder, "--to", tmp_path / "onnx", "--json").stdout)
    assert exported["passed"] and exported["parity"]["sameToken"] == exported["parity"]["steps"]
    assert exported["perplexity"]["original"] == pytest.approx(report["perplexity"]["value"], rel=1e-4)
    assert (tmp_path / "onnx" / "tokenizer.model").exists() or (tmp_path / "onnx" / "tokenizer.json").exists()
    # The run's own verbs of the worker take it as well.
    (folder / "runs/r-0001/evaluation").mkdir()
    (folder / "runs/r-0001/evaluation/request.json").write_text(json.dumps({"attacks": False, "latency": False, "answers": 3, "newTokens": 4, "resamples": 20}))
    run("cloister-worker", "evaluate", "--run", folder / "runs/r-0001")
    judged = json.loads((folder / "runs/r-0001/evaluation/report.json").read_text())
    assert judged["kind"] == ("plain" if shards == "plain" else "instructions")
    assert judged["perplexity"]["value"] == pytest.approx(report["perplexity"]["value"], rel=1e-5)


def test_killed_and_gone_on_with(world, bin_dir, run, tmp_path):
    options = ["--tokenizer", world / "tok", "--architecture", "llama-1m", "--set", "max_steps=40", "--set", "checkpoint_minutes=0.001"]
    whole = json.loads(train(run, world, "plain", tmp_path / "whole", *options).stdout)
    command = [bin_dir / "cloister-cli", "model", "train", world / "plain", "--to", tmp_path / "killed", "--json", *SMALL, *options]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not list((tmp_path / "killed").glob("runs/r-0001/checkpoints/*/state.json")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    gone_on = json.loads(train(run, world, "plain", tmp_path / "killed", *options).stdout)
    assert gone_on["attempt"] == 2
    a, b = (load_file(f"{r['model']}/model.safetensors") for r in (whole, gone_on))
    assert a.keys() == b.keys() and all(np.array_equal(a[k].view(np.uint8), b[k].view(np.uint8)) for k in a)


def test_other_settings_on_the_same_folder(run, world, tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "request.json").write_text('{"data": "elsewhere"}')
    done = train(run, world, "plain", tmp_path / "t", "--tokenizer", world / "tok", expect=None)
    assert done.returncode != 0 and json.loads(done.stdout)["error"]["kind"] == "identity_changed"


def test_another_tokenizer_than_cut_the_texts(run, world, tmp_path):
    run("cloister-cli", "tokenizer", "train", "--input", world / "corpus.txt", "--kind", "bpe", "--vocab-size", "380", "--to", tmp_path / "other")
    done = train(run, world, "plain", tmp_path / "t", "--tokenizer", tmp_path / "other", "--architecture", "llama-1m", expect=None)
    assert done.returncode != 0 and json.loads(done.stdout)["error"]["kind"] == "identity_changed"
    assert not (tmp_path / "t" / "model").exists() and not (tmp_path / "t" / "request.json").exists()
