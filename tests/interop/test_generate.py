"""Generation: the same tokens as transformers' generate, greedy and with beams, batches with left padding included; logits filters equal to
transformers' own; draws that follow the filtered distribution and repeat with the seed."""
import json
import shutil

import pytest
import sentencepiece
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers.generation import logits_process

from decoder_models import tiny

KINDS = ["llama", "qwen2", "deepseek_v2", "deepseek_v3"]
PROMPTS = [[5, 17, 80, 3, 44, 12, 9, 61, 33], [7, 7, 90], [11, 2, 34, 56, 78, 90]]


@pytest.fixture(scope="module", params=KINDS)
def model(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    net = tiny(request.param, initializer_range=0.3)
    net.generation_config.eos_token_id = [2, 9]
    net.generation_config.pad_token_id = 0
    net.save_pretrained(folder)
    return net, folder


def ours(run, folder, prompts, work, *options):
    (work / "ids.json").write_text(json.dumps(prompts))
    return json.loads(run("cloister-cli", "generate", folder, "--ids", work / "ids.json", "--json", "--precision", "fp32", *options).stdout)


def theirs(net, prompts, **settings):
    """New tokens of each prompt, cut after the end token."""
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(p)) + p for p in prompts])
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
    with torch.no_grad():
        out = net.generate(ids, attention_mask=mask, do_sample=False, **settings)[:, longest:].tolist()
    ends = settings.get("eos_token_id", [2, 9])
    cut = []
    for row in out:
        first = next((i for i, t in enumerate(row) if t in ends), len(row) - 1)
        cut.append(row[:first + 1])
    return cut


def test_greedy_64_tokens(run, model, tmp_path):
    net, folder = model
    for prompt in PROMPTS:
        got = ours(run, folder, prompt, tmp_path, "--new-tokens", 64, "--ignore-end")["sequences"][0]
        assert got["tokens"] == theirs(net, [prompt], max_new_tokens=64, eos_token_id=[])[0]
        assert len(got["tokens"]) == 64 and got["reason"] == "length"


def test_batch_with_left_padding(run, model, tmp_path):
    net, folder = model
    got = ours(run, folder, PROMPTS, tmp_path, "--new-tokens", 40)
    assert [s["tokens"] for s in got["sequences"]] == theirs(net, PROMPTS, max_new_tokens=40)
    alone = [ours(run, folder, p, tmp_path, "--new-tokens", 40)["sequences"][0] for p in PROMPTS]
    assert got["sequences"] == alone
    assert got["newTokens"] == sum(len(s["tokens"]) for s in alone)


@pytest.mark.parametrize("beams,more,settings", [
    (4, [], {}), (3, ["--length-penalty", 2], {"length_penalty": 2.0}), (5, ["--early-stopping"], {"early_stopping": True}),
    (2, ["--length-penalty", -0.5, "--repetition-penalty", 1.3], {"length_penalty": -0.5, "repetition_penalty": 1.3})])
def test_beams(run, model, beams, more, settings, tmp_path):
    net, folder = model
    for prompt in PROMPTS[:2]:
        got = ours(run, folder, prompt, tmp_path, "--new-tokens", 64, "--beams", beams, *more)["sequences"][0]["tokens"]
        assert got == theirs(net, [prompt], max_new_tokens=64, num_beams=beams, **settings)[0]
    if "repetition_penalty" not in settings:  # transformers would penalise the padding too
        got = [s["tokens"] for s in ours(run, folder, PROMPTS, tmp_path, "--new-tokens", 24, "--beams", beams, *more)["sequences"]]
        assert got == theirs(net, PROMPTS, max_new_tokens=24, num_beams=beams, **settings)


def test_beams_without_end(run, model, tmp_path):
    net, folder = model
    got = ours(run, folder, PROMPTS[0], tmp_path, "--new-tokens", 64, "--beams", 4, "--ignore-end")["sequences"][0]
    assert got["tokens"] == theirs(net, [PROMPTS[0]], max_new_tokens=64, num_beams=4, eos_token_id=[1000])[0]


def test_repetition_penalty_and_stops(run, model, tmp_path):
    net, folder = model
    got = ours(run, folder, PROMPTS[0], tmp_path, "--new-tokens", 50, "--repetition-penalty", 1.5, "--ignore-end")["sequences"][0]["tokens"]
    assert got == theirs(net, [PROMPTS[0]], max_new_tokens=50, repetition_penalty=1.5, eos_token_id=[])[0]
    stop = got[20:22]
    ended = ours(run, folder, PROMPTS[0], tmp_path, "--new-tokens", 50, "--repetition-penalty", 1.5, "--ignore-end", "--stop-ids",
                 ",".join(map(str, stop)), "--stop-ids", "96,96,96,96")["sequences"][0]
    first = next(i for i in range(len(got)) if got[i:i + 2] == stop)
    assert ended == {"tokens": got[:first + 2], "reason": "stop"}


@pytest.mark.parametrize("settings", [
    {"temperature": 0.7}, {"top_k": 5}, {"top_k": 1000}, {"top_p": 0.6}, {"top_p": 0.001}, {"temperature": 1.7, "top_k": 20, "top_p": 0.9},
    {"repetition_penalty": 1.4}, {"repetition_penalty": 0.8, "temperature": 0.5, "top_p": 0.95}])
def test_filters_equal_transformers(run, settings, tmp_path):
    g = torch.Generator().manual_seed(1)
    logits = torch.randn(6, 300, generator=g) * 3
    history = torch.randint(0, 300, (6, 40), generator=g)
    wanted = logits.clone()
    if "repetition_penalty" in settings:
        wanted = logits_process.RepetitionPenaltyLogitsProcessor(settings["repetition_penalty"])(history, wanted)
    if "temperature" in settings:
        wanted = logits_process.TemperatureLogitsWarper(settings["temperature"])(history, wanted)
    if "top_k" in settings:
        wanted = logits_process.TopKLogitsWarper(settings["top_k"])(history, wanted)
    if "top_p" in settings:
        wanted = logits_process.TopPLogitsWarper(settings["top_p"])(history, wanted)
    save_file({"logits": logits, "history": history}, tmp_path / "in.safetensors")
    run("cloister-worker", "filter-logits", "--input", tmp_path / "in.safetensors", "--settings", json.dumps(settings | {"sample": True}), "--to",
        tmp_path / "out.safetensors")
    got = load_file(tmp_path / "out.safetensors")["logits"]
    assert torch.equal(got.isinf(), wanted.isinf())
    assert torch.allclose(got[~got.isinf()], wanted[~wanted.isinf()], rtol=1e-6, atol=1e-6)


def test_draws_follow_the_distribution(run, tmp_path):
    logits = torch.tensor([[1.0, 0.0, -1.0, 2.0, -8.0]] * 4)
    save_file({"logits": logits, "history": torch.zeros(4, 1, dtype=torch.int64)}, tmp_path / "in.safetensors")

    def draws(seed):
        run("cloister-worker", "filter-logits", "--input", tmp_path / "in.safetensors", "--settings",
            json.dumps({"sample": True, "top_k": 4, "seed": seed, "draws": 5000}), "--to", tmp_path / "out.safetensors")
        return load_file(tmp_path / "out.safetensors")["drawn"]

    drawn = draws(7)
    expected = torch.softmax(torch.tensor([1.0, 0.0, -1.0, 2.0]), 0)
    found = torch.bincount(drawn, minlength=5).double() / len(drawn)
    assert found[4] == 0
    # Five standard deviations of a multinomial share.
    assert torch.all((found[:4] - expected).abs() < 5 * (expected * (1 - expected) / len(drawn)).sqrt())
    assert torch.equal(drawn, draws(7)) and not torch.equal(drawn, draws(8))


def test_sampling_repeats_and_varies(run, model, tmp_path):
    _, folder = model
    options = ["--new-tokens", 30, "--sample", "--temperature", 0.9, "--top-p", 0.95, "--ignore-end"]
    once = ours(run, folder, PROMPTS, tmp_path, *options, "--seed", 3)["sequences"]
    assert once == ours(run, folder, PROMPTS, tmp_path, *options, "--seed", 3)["sequences"]
    assert once != ours(run, folder, PROMPTS, tmp_path, *options, "--seed", 4)["sequences"]


def test_tokens_stream(run, model, bin_dir, tmp_path):
    _, folder = model
    (tmp_path / "ids.json").write_text(json.dumps(PROMPTS[:2]))
    (tmp_path / "r.json").write_text(json.dumps({"model": str(folder), "ids": str(tmp_path / "ids.json"), "new_tokens": 5, "ignore_end": True}))
    lines = [json.loads(x) for x in run("cloister-worker", "generate", "--request", tmp_path / "r.json").stdout.splitlines()]
    assert [x["type"] for x in lines] == ["ready"] + ["token"] * 10 + ["finished"]
    assert lines[0]["promptTokens"] == [len(p) for p in PROMPTS[:2]]
    seconds = [x["seconds"] for x in lines[1:-1]]
    assert seconds == sorted(seconds) and seconds[0] > 0
    for i, s in enumerate(lines[-1]["sequences"]):
        assert [x["token"] for x in lines[1:-1] if x["sequence"] == i] == s["tokens"]


@pytest.mark.parametrize("options,name", [(["--temperature", "0", "--sample"], "temperature"), (["--top-p", "1.5"], "top_p"), (["--beams", "300"], "--beams"),
                                          (["--beams", "2", "--sample"], "beams"), (["--stop-ids", "a"], "--stop-ids")])
def test_refused_settings(run, model, options, name, tmp_path):
    (tmp_path / "ids.json").write_text("[1,2]")
    done = run("cloister-cli", "generate", model[1], "--ids", tmp_path / "ids.json", "--json", *options, expect=2)
    assert json.loads(done.stdout)["error"]["args"]["name"] == name


def test_context_is_the_limit(run, tmp_path):
    net = tiny("llama", max_position_embeddings=32)
    net.save_pretrained(tmp_path / "m")
    got = ours(run, tmp_path / "m", list(range(3, 25)), tmp_path, "--new-tokens", 64, "--ignore-end")["sequences"][0]
    assert len(got["tokens"]) == 10 and got["reason"] == "context"
    (tmp_path / "ids.json").write_text(json.dumps(list(range(3, 40))))
    done = run("cloister-cli", "generate", tmp_path / "m", "--ids", tmp_path / "ids.json", "--json", expect=2)
    assert json.loads(done.stdout)["error"]["args"]["name"] == "prompt"


def test_texts_in_and_out(run, data_dir, tmp_path):
    """Prompts by the folder's tokenizer: the same tokens as from its ids, the text is what sentencepiece makes of them, stop strings cut it."""
    folder = data_dir / "mdl-tiny-llama-dev"
    sp = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    prompts = ["I saw the cat on the table.", "The"]
    ids = [[1] + sp.encode(p) for p in prompts]

    def texts(*options):
        call = [x for p in prompts for x in ("--prompt", p)]
        return json.loads(run("cloister-cli", "generate", folder, *call, "--json", "--new-tokens", 30, *options).stdout)["sequences"]

    by_ids = ours(run, folder, ids, tmp_path, "--new-tokens", 30)["sequences"]
    by_text = texts()
    for i, (a, b) in enumerate(zip(by_text, by_ids)):
        assert a["tokens"] == b["tokens"] and a["reason"] == b["reason"]
        shown = [t for t in a["tokens"] if t != 2]
        whole, before = sp.decode(ids[i][1:] + shown), sp.decode(ids[i][1:])
        assert whole == before + a["text"]
    stop = by_text[0]["text"][10:13]
    stopped = texts("--stop", stop)[0]
    assert stopped["text"] == by_text[0]["text"].split(stop)[0] and stopped["reason"] == "stop"
    assert len(stopped["tokens"]) < len(by_text[0]["tokens"])
    request = {"model": str(folder), "prompts": prompts, "new_tokens": 30}
    (tmp_path / "r.json").write_text(json.dumps(request))
    lines = [json.loads(x) for x in run("cloister-worker", "generate", "--request", tmp_path / "r.json").stdout.splitlines()]
    for i, s in enumerate(by_text):
        streamed = "".join(x["text"] for x in lines[1:-1] if x["sequence"] == i)
        assert streamed and s["text"].startswith(streamed)


def test_messages_take_the_form_of_training(run, data_dir, tmp_path):
    """A conversation becomes the tokens of the template, each stretch encoded by itself (DeepSeek LLM's README), whatever folder the
    tokenizer lies in."""
    folder = data_dir / "mdl-tiny-llama-dev"
    sp = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
    shutil.copytree(folder, tmp_path / "bare", ignore=shutil.ignore_patterns("tokenizer*"))
    (tmp_path / "tok").mkdir()
    shutil.copy(folder / "tokenizer.model", tmp_path / "tok")
    messages = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Where is the cat?"},
                {"role": "assistant", "content": "On the table."}, {"role": "user", "content": "And the dog?"}]
    ids = [1] + sp.encode("Be short.\n\nUser: Where is the cat?\n\nAssistant:") + sp.encode(" On the table.") + [2] + sp.encode("User: And the dog?\n\nAssistant:")
    (tmp_path / "r.json").write_text(json.dumps({"model": str(tmp_path / "bare"), "tokenizer": str(tmp_path / "tok"), "messages": messages,
                                                 "template": "deepseek-llm", "new_tokens": 12}))
    lines = [json.loads(x) for x in run("cloister-worker", "generate", "--request", tmp_path / "r.json").stdout.splitlines()]
    assert lines[0]["template"] == "deepseek-llm" and lines[0]["promptTokens"] == [len(ids)]
    assert lines[-1]["sequences"][0]["tokens"] == ours(run, folder, [ids], tmp_path, "--new-tokens", 12, "--precision", "stored")["sequences"][0]["tokens"]


def test_tokenizer_that_does_not_fit(run, model, data_dir, tmp_path):
    shutil.copytree(model[1], tmp_path / "m")
    shutil.copy(data_dir / "mdl-tiny-llama-dev/tokenizer.model", tmp_path / "m")
    done = run("cloister-cli", "generate", tmp_path / "m", "--prompt", "x", "--json", expect=None)
    assert done.returncode in (2, 3) and "error" in json.loads(done.stdout)
    (tmp_path / "m/tokenizer.model").unlink()
    done = run("cloister-cli", "generate", tmp_path / "m", "--prompt", "x", "--json", expect=None)
    assert done.returncode in (2, 3) and "error" in json.loads(done.stdout)
