"""Runs of a project on a base model (LoRA, QLoRA, DPO) leave the house: judged, exported merged and as adapters, put into signed bundles. And a run
whose base, tokenizer or texts are no longer those it began with does not go on."""
import json
import shutil

import numpy as np
import onnxruntime
import peft
import pytest
import torch
import transformers
from test_signing import reference_accepts

SMALL = ["--set", "sequence_length=64", "--set", "threads=1", "--set", "precision=fp32", "--set", "learning_rate=0.01", "--set", "device=cpu", "--set", "metric_seconds=0"]
WORDS = "red green blue black white grey brown pink gold plum lime teal".split()


@pytest.fixture(scope="module")
def house(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("house")
    environment = {"CLOISTER_KEYS": str(folder / "keys")}

    def cli(project, *arguments, expect=0):
        return json.loads(run("cloister-cli", *arguments, "--project", folder / project, "--json", expect=expect, env=environment).stdout)

    pairs = [(a, b) for a in WORDS for b in WORDS]
    (folder / "tasks.json").write_text(json.dumps([{"instruction": f"Mix {a} with {b}", "input": "", "output": f"{b} and {a}"} for a, b in pairs]))
    (folder / "choice.json").write_text(json.dumps([{"conversations": [{"from": "human", "value": f"Mix {a} with {b}"}], "chosen": {"from": "gpt", "value": f"{b} {a}"},
                                                     "rejected": {"from": "gpt", "value": f"never {a}"}} for a, b in pairs]))
    for project, file in (("words", "tasks.json"), ("tastes", "choice.json")):
        cli(project, "project", "create", "--task", "language-model")
        cli(project, "data", "import", folder / file)
        cli(project, "data", "snapshot", "--split", "70/15/15")
    cli("words", "tokenizer", "add", "--name", "pieces", "--vocab-size", "300")
    cli("words", "train", "--set", "architecture=llama-1m", "--set", "max_steps=6", *SMALL)
    cli("tastes", "model", "add", folder / "words/models/pieces", "--name", "pieces")
    for project in ("words", "tastes"):
        cli(project, "model", "add", folder / "words/runs/r-0001/best", "--name", "base")
    (folder / "pass").write_text("a long passphrase\n")
    run("cloister-cli", "keys", "create", "--name", "lab", "--passphrase-file", folder / "pass", env=environment)
    return folder, cli


def logits(model, ids):
    with torch.no_grad():
        return model(torch.tensor(ids)).logits.numpy()


def load(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()


def bundle(run, house, project, name, candidate, to):
    folder, cli = house
    made = cli(project, "bundle", "create", "--run", name, "--candidate", candidate, "--passphrase-file", folder / "pass", "--to", to)
    verified = json.loads(run("cloister-cli", "bundle", "verify", to, "--json", env={"CLOISTER_KEYS": str(folder / "keys")}).stdout)
    assert verified["valid"] and verified["bundle"]["run"] == name and made["manifest"]["model"]["candidate"] == candidate
    (key,) = (folder / "keys").rglob("public.pem")
    assert reference_accepts(to, to / "model.sig", public_key=key)
    for path in to.rglob("*"):  # where things lay in the house is nobody's business
        assert not path.is_file() or str(folder).encode() not in path.read_bytes(), path
    return to


@pytest.mark.parametrize("project, method", [("words", "lora"), ("words", "qlora"), ("tastes", "dpo")])
def test_an_adapted_run_leaves_merged_and_as_an_adapter(run, house, tmp_path, project, method):
    folder, cli = house
    name = cli(project, "train", "--base", "base", "--tokenizer", "pieces", "--method", method, "--set", "max_steps=4", *SMALL)["run"]
    report = cli(project, "evaluate", "--run", name, "--answers", "3", "--new-tokens", "6", "--no-attacks", "--no-latency")
    assert report["part"] == "test" and report["base"]["value"] > 0 and report["perplexity"]["value"] != report["base"]["value"]
    best = folder / project / "runs" / name / "best"
    base = load(folder / project / "models/base")
    ids = np.random.default_rng(0).integers(3, 290, (1, 24))
    tuned = peft.PeftModel.from_pretrained(base, best)
    want = logits(tuned, ids)
    exported = cli(project, "export", "--run", name, "--quantize", "none,int8", "--to", tmp_path / "out")
    assert {c["name"]: c["passed"] for c in exported["candidates"]} == {"fp32": True, "int8": True}
    session = onnxruntime.InferenceSession(str(tmp_path / "out/fp32/model.onnx"))
    feed = {i.name: np.zeros((1, i.shape[1], 0, i.shape[3]), np.float32) for i in session.get_inputs() if i.name.startswith("past")}
    feed |= {"input_ids": ids, "attention_mask": np.ones_like(ids), "position_ids": np.arange(24)[None]}
    assert np.abs(session.run(["logits"], feed)[0] - want).max() < 1e-4
    left = bundle(run, house, project, name, "int8", tmp_path / "bundle")
    card, kept = (left / "model_card.md").read_text(), json.loads((left / "evaluation/report.json").read_text())
    assert report["snapshot"] in card and all(s["signature"] in card for s in kept["scores"]) and len(kept["scores"]) >= 7
    assert len(kept["curve"]["train"]) == 4 and "worst" not in kept and "best" not in kept
    for page in ("report.html", "report.zh_CN.html"):  # answers stay in the house
        text = (left / "evaluation" / page).read_text(encoding="utf-8")
        assert "<polyline" in text and "BLEU" in text and "Mix" not in text

    handed = cli(project, "export", "--run", name, "--target", "huggingface", "--to", tmp_path / "hf")
    assert [c["name"] for c in handed["candidates"]] == ["model", "adapter"] and handed["recommended"] == "model"
    assert np.abs(logits(load(tmp_path / "hf/model"), ids) - want).max() < 1e-4
    again = peft.PeftModel.from_pretrained(load(folder / project / "models/base"), tmp_path / "hf/adapter")
    assert np.array_equal(logits(again, ids), want)
    whole = bundle(run, house, project, name, "model", tmp_path / "merged")
    alone = bundle(run, house, project, name, "adapter", tmp_path / "adapter")
    assert np.abs(logits(load(whole), ids) - want).max() < 1e-4 and (whole / "tokenizer.model").exists()
    assert np.array_equal(logits(peft.PeftModel.from_pretrained(load(folder / project / "models/base"), alone), ids), want)
    assert "adapter" in (alone / "model_card.md").read_text()


def interrupted(house, tmp_path, project):
    """A copy of the project with a run of LoRA that was stopped before its end."""
    folder, _ = house
    copy = tmp_path / project
    shutil.copytree(folder / project, copy)
    return copy


@pytest.mark.parametrize("changed, what", [("base", "base weights"), ("tokenizer", "tokenizer"), ("shard", "prepared data"), ("index", "prepared data"), ("snapshot", "snapshot")])
def test_a_run_does_not_go_on_with_something_else(run, house, tmp_path, changed, what):
    folder, cli = house
    copy = interrupted(house, tmp_path, "words")
    here = lambda *a, **k: json.loads(run("cloister-cli", *a, "--project", copy, "--json", **k).stdout)
    name = here("train", "--base", "base", "--tokenizer", "pieces", "--method", "lora", "--set", "max_steps=100000", "--set", "checkpoint_minutes=0.001", *SMALL, "--detach")["run"]
    here("runs", "stop", name)
    assert here("runs", "show", name)["state"] == "stopped"
    spec = json.loads((copy / "runs" / name / "spec.json").read_text())
    prepared = copy / spec["prepared"]
    if changed == "base":
        path = copy / "models/base/model.safetensors"
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
    elif changed == "tokenizer":
        here("tokenizer", "add", "--name", "other", "--vocab-size", "290")
        shutil.copy(copy / "models/other/tokenizer.model", copy / "models/pieces/tokenizer.model")
    elif changed == "shard":
        path = next(prepared.glob("train*.safetensors"))
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
    elif changed == "index":
        path = prepared / "index.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"fingerprint": "0" * 64}))
    else:
        path = copy / "snapshots" / spec["snapshot"][:12] / "samples.jsonl"
        path.write_text(path.read_text().replace("tasks", "tasky"))
    refused = run("cloister-cli", "runs", "resume", name, "--project", copy, "--json", expect=4)
    error = json.loads(refused.stdout)["error"]
    assert error["kind"] == "identity_changed" and f"its {what} changed" in error["message"]
    # The worker by itself, as a scheduler would start it, ends with 60 and says the same.
    if changed == "snapshot":
        return  # it never opens the list
    run("cloister-worker", "train", "--run", copy / "runs" / name, "--attempt", "9", expect=60)
    events = [json.loads(line) for line in (copy / "runs" / name / "attempt-009/rank-0.events.jsonl").read_text().splitlines()]
    assert events[-1]["type"] == "failed" and f"its {what} changed" in events[-1]["failure"]["message"]
