"""The cost model of `model plan --gpus` against PyTorch's own counter of operations on models of transformers, and what it says of files from elsewhere."""
import json

import pytest
import torch
from decoder_models import tiny
from torch.utils.flop_counter import FlopCounterMode

SEQUENCE = 64


def plan(run, model, *options, expect=0):
    return json.loads(run("cloister-cli", "model", "plan", model, "--gpus", "8", "--json", *options, expect=expect).stdout)


def counted(model):
    """Operations of the products of one forward pass, attention over the whole square. RoPE's angles, which are a product of length one, are none."""
    ids = torch.arange(SEQUENCE)[None] % 32
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(ids, use_cache=False)
    return counter.get_total_flops()


@pytest.mark.parametrize("kind, changes", [("llama", {}), ("qwen2", {}), ("deepseek_v2", {}), ("deepseek_v3", {})])
def test_operations_are_those_that_pytorch_counts(kind, changes, tmp_path, run):
    model = tiny(kind, **changes).eval()
    if "deepseek" in kind:
        model.set_experts_implementation("eager")
    model.save_pretrained(tmp_path / "model")
    report = plan(run, str(tmp_path / "model"), "--sequence", str(SEQUENCE), "--global-batch", "8")
    assert report["forwardFlops"] == counted(model)
    assert report["parameters"] == sum(p.numel() for p in model.parameters())


def test_nodes_of_ones_own(tmp_path, run):
    usual = plan(run, "deepseek-llm-7b", "--machine", "a100-80")
    mine = usual["machine"]
    mine["name"], mine["memory"] = "ours", 24_000_000_000
    (tmp_path / "ours.json").write_text(json.dumps(mine))
    report = plan(run, "deepseek-llm-7b", "--machine", tmp_path / "ours.json")
    assert report["machine"] == mine and report["smallest"]["gpus"] > usual["smallest"]["gpus"]
    assert all(p["memory"]["total"] <= 0.95 * 24e9 for p in report["best"])
    slow = {**mine, "memory": usual["machine"]["memory"], "node": {**mine["node"], "bandwidth": mine["node"]["bandwidth"] / 100}}
    (tmp_path / "slow.json").write_text(json.dumps(slow))
    layout = ("--layout", "tp=8,micro=2")
    fast = plan(run, "deepseek-llm-7b", "--machine", "a100-80", *layout)["given"]
    assert plan(run, "deepseek-llm-7b", "--machine", tmp_path / "slow.json", *layout)["given"]["seconds"]["tensor"] > 50 * fast["seconds"]["tensor"]


@pytest.mark.parametrize("text, kind, where", [("{", "corrupt_file", None), ("[]", "corrupt_file", None), ('{"gpusPerNode": "8"}', "corrupt_file", "gpusPerNode"),
                                               ('{"gpusPerNode": 8, "memory": 1e400}', "corrupt_file", None)])
def test_broken_descriptions(text, kind, where, tmp_path, run):
    (tmp_path / "m.json").write_text(text)
    error = plan(run, "deepseek-llm-7b", "--machine", tmp_path / "m.json", expect=3)["error"]
    assert error["kind"] == kind
    if where:
        assert error["args"]["position"] == where


@pytest.mark.parametrize("options", [("--machine", "abacus"), ("--layout", "tp=zero"), ("--compute", "fp4"), ("--sequence", "1000000"), ("--gpus", "5000")])
def test_wrong_options(options, run):
    assert plan(run, "deepseek-llm-7b", *options, expect=2)["error"]["kind"] == "invalid_argument"


def test_all_that_is_assumed_is_printed(run):
    for options in ((), ("--compute", "fp8"), ("--layout", "tp=3")):
        report = plan(run, "deepseek-v3", *options)
        printed = run("cloister-cli", "model", "plan", "deepseek-v3", "--gpus", "8", *options).stdout
        assert len(report["assumptions"]) >= 15
        for assumed in report["assumptions"]:
            assert assumed["text"] in printed
