"""Texts a language model is judged by, as files: cut by the tokenizer of its folder, the same figures as transformers gives."""
import json

import pytest
import torch
import transformers
from decoder_models import tiny
from test_decoder_gguf import with_byte_bpe


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    model = tiny("llama", vocab_size=300, hidden_size=64, bos_token_id=0, eos_token_id=None)
    model.save_pretrained(folder)
    with_byte_bpe(folder, 300)
    return folder, model, transformers.PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))


def nats(model, ids, start):
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0, start - 1:-1]
    return float(torch.nn.functional.cross_entropy(logits.double(), torch.tensor(ids[start:]), reduction="sum"))


def judged(run, world, path):
    return json.loads(run("cloister-cli", "model", "evaluate", world[0], "--texts", path, "--json").stdout)["perplexity"]


def test_texts_are_judged_through_the_tokenizer(run, world, tmp_path):
    _, model, tokenizer = world
    long = "the patient has no fever, CT 肺部 clear\n" * 60
    (tmp_path / "plain.txt").write_text(long)
    ids = tokenizer(long)["input_ids"]
    pieces = [ids[i:i + 512] for i in range(0, len(ids), 512)]
    assert len(pieces) > 1
    got = judged(run, world, tmp_path / "plain.txt")
    assert got["tokens"] == sum(len(p) - 1 for p in pieces) and got["nats"] == pytest.approx(sum(nats(model, p, 1) for p in pieces), rel=1e-5)
    (tmp_path / "pairs.jsonl").write_text('{"prompt": "the lung", "completion": " is clear"}\n\n{"text": "no fever"}\n')
    prompt, completion, text = (tokenizer(t)["input_ids"] for t in ("the lung", " is clear", "no fever"))
    got = judged(run, world, tmp_path / "pairs.jsonl")
    assert got["tokens"] == len(completion) + len(text) - 1
    assert got["nats"] == pytest.approx(nats(model, prompt + completion, len(prompt)) + nats(model, text, 1), rel=1e-5)


@pytest.mark.parametrize("name, content, word", [
    ("a.jsonl", '{"text": "the"}\n{"tex": 1}\n', "line 2"),
    ("a.jsonl", '{"text": "the\n', "line 1"),
    ("a.txt", "", "no text"),
    ("a.jsonl", json.dumps({"text": "the patient " * 400}), "512"),
])
def test_bad_texts_are_named(run, world, tmp_path, name, content, word):
    (tmp_path / name).write_text(content)
    done = run("cloister-cli", "model", "evaluate", world[0], "--texts", tmp_path / name, "--json", expect=3)
    assert word in json.loads(done.stdout)["error"]["detail"]
