"""text prepare against the same packing, masking and splitting done in Python with the packages tokenizers, transformers and sentencepiece."""
import hashlib
import json
import re

import numpy as np
import pytest
import sentencepiece
from safetensors.numpy import load_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

import tokenizer_support as support

FAMILIES = {
    "deepseek-v3": (["<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>"],
                    "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{{ m.content }}{% elif m.role == 'user' %}<｜User｜>{{ m.content }}<｜Assistant｜>"
                    "{% else %}{% generation %}{{ m.content }}<｜end▁of▁sentence｜>{% endgeneration %}{% endif %}{% endfor %}"),
    "llama3": (["<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"],
               "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n{% if m.role == 'assistant' %}"
               "{% generation %}{{ m.content }}<|eot_id|>{% endgeneration %}{% else %}{{ m.content }}<|eot_id|>{% endif %}{% endfor %}"),
    "chatml": (["<|endoftext|>", "<|im_end|>", "<|im_start|>"],
               "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<|im_end|>{% endgeneration %}{{ '\n' }}"
               "{% else %}{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}"),
}


@pytest.fixture(scope="session")
def records(data_dir):
    folder = data_dir / "txt-instruct-demo-dev"
    return {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in ("alpaca_en_demo", "alpaca_zh_demo", "dpo_zh_demo", "identity")}


@pytest.fixture(scope="session", params=FAMILIES)
def family(request, records, tmp_path_factory):
    """A byte-level tokenizer with the special tokens of a family: (name, folder, transformers' tokenizer with the chat template)."""
    tokens, template = FAMILIES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = support.PRE_TOKENIZERS["qwen2"]()
    tokenizer.decoder = decoders.ByteLevel()
    texts = [r["instruction"] + r["output"] for name in ("alpaca_en_demo", "alpaca_zh_demo") for r in records[name][:200]]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=2000, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.add_special_tokens([AddedToken(t, normalized=False) for t in tokens])
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"bos_token": tokens[0], "eos_token": tokens[1]}
    (folder / "tokenizer_config.json").write_text(json.dumps({**names, "chat_template": template}), encoding="utf-8")
    return request.param, folder, PreTrainedTokenizerFast(tokenizer_object=tokenizer, chat_template=template, **names)


def prepare(run, to, tokenizer, kind, *inputs, expect=0, **options):
    arguments = [f"--{key}" if value is True else f"--{key}={value}" for key, value in options.items()]
    out = run("cloister-cli", "text", "prepare", "--kind", kind, *[x for i in inputs for x in ("--input", i)], "--tokenizer", tokenizer, "--to", to, "--json", *arguments,
              expect=expect).stdout
    return json.loads(out)


def rows_of(folder, part="train"):
    """[(tokens, mask, starts)] as docs/formats.md tells it."""
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    rows = []
    for shard in index["parts"][part]["shards"]:
        t = load_file(folder / shard["file"])
        assert hashlib.sha256((folder / shard["file"]).read_bytes()).hexdigest() == shard["sha256"]
        assert t["tokens"].dtype == np.int32 and t["mask"].dtype == t["starts"].dtype == np.uint8 and t["offsets"].dtype == np.int64
        rows += [tuple(t[k][a:b].tolist() for k in ("tokens", "mask", "starts")) for a, b in zip(t["offsets"][:-1], t["offsets"][1:])]
    assert len(rows) == index["parts"][part]["rows"] and sum(map(len, (r[0] for r in rows))) == index["parts"][part]["tokens"]
    assert sum(sum(r[1]) for r in rows) == index["parts"][part]["masked"]
    return rows


def held_out(seed, share, *texts):
    digest = hashlib.sha256(f"{seed}\n".encode() + "".join(texts).encode()).digest()
    return (int.from_bytes(digest[:8], "big") >> 11) / 2**53 < share


def messages(record):
    if "conversations" in record:
        return [{"role": {"human": "user", "gpt": "assistant", "system": "system"}[t["from"]], "content": t["value"]} for t in record["conversations"]]
    question = record["instruction"] + ("\n" + record["input"] if record["input"] else "")
    return [{"role": "user", "content": question}] + ([{"role": "assistant", "content": record["output"]}] if "output" in record else [])


def chat_row(tokenizer, turns, length):
    made = tokenizer.apply_chat_template(turns, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
    tokens, mask = made["input_ids"], made["assistant_masks"]
    return tokens[:length], mask[:length], [1] + [0] * (min(len(tokens), length) - 1)


def test_instructions(family, run, data_dir, records, tmp_path):
    name, folder, tokenizer = family
    files = [data_dir / "txt-instruct-demo-dev" / f"{f}.json" for f in ("alpaca_en_demo", "alpaca_zh_demo")]
    system = [{"conversations": [{"from": "system", "value": "Be short."}, {"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello."},
                                 {"from": "human", "value": "Bye <b>\n"}, {"from": "gpt", "value": "再见"}]},
              {"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}]
    (tmp_path / "chat.jsonl").write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in system), encoding="utf-8")
    index = prepare(run, tmp_path / "out", folder, "instructions", *files, tmp_path / "chat.jsonl", length=384, validation=0.2, seed=7)
    assert index["template"] == "folder"
    built_in = prepare(run, tmp_path / "built-in", folder, "instructions", *files, tmp_path / "chat.jsonl", length=384, validation=0.2, seed=7, template=name)
    assert built_in["template"] == name and built_in["fingerprint"] != index["fingerprint"]
    expected, refused, cut = {"train": [], "validation": []}, 0, 0
    everything = records["alpaca_en_demo"] + records["alpaca_zh_demo"] + [
        {"conversations": system[0]["conversations"]}, {"conversations": [{"from": "human", "value": "x"}, {"from": "gpt", "value": "y"}]}]
    for record in everything:
        turns = messages(record)
        if not all(t["content"] for t in turns):
            refused += 1
            continue
        whole = chat_row(tokenizer, turns, 10**9)
        row = tuple(x[:384] for x in whole)
        if not any(row[1]):
            refused += 1
            continue
        cut += len(whole[0]) > 384
        expected["validation" if held_out(7, 0.2, *[t["content"] for t in turns]) else "train"].append(row)
    assert rows_of(tmp_path / "out") == rows_of(tmp_path / "built-in") == expected["train"]
    assert rows_of(tmp_path / "out", "validation") == expected["validation"] and len(expected["validation"]) > 100
    report = index["report"]
    assert (report["accepted"], report["refusedCount"], report["changedCount"]) == (len(expected["train"]) + len(expected["validation"]), refused, cut)


def test_preferences(family, run, data_dir, records, tmp_path):
    name, folder, tokenizer = family
    index = prepare(run, tmp_path / "out", folder, "preferences", data_dir / "txt-instruct-demo-dev" / "dpo_zh_demo.json", length=1024)
    expected, refused = [], 0
    for record in records["dpo_zh_demo"]:
        pair = [chat_row(tokenizer, messages(record) + [{"role": "assistant", "content": record[k]["value"]}], 1024) for k in ("chosen", "rejected")]
        if all(any(mask) for _, mask, _ in pair):
            expected += pair
        else:
            refused += 1
    assert rows_of(tmp_path / "out") == expected and len(expected) > 100
    assert index["report"]["refusedCount"] == refused


@pytest.mark.parametrize("each", ["file", "line", "paragraph"])
def test_plain(each, run, data_dir, tmp_path):
    source = data_dir / "txt-shakespeare-dev" / "input.txt"
    model = data_dir / "mdl-tiny-llama-dev"
    prepare(run, tmp_path / "out", model, "plain", source, length=100, validation=0.1, seed=3, each=each)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model / "tokenizer.model"))
    text = source.read_text(encoding="utf-8")
    if each == "file":
        at = text.index("\n", int(len(text.encode()) * (1 - 0.1))) + 1
        documents = [("train", text[:at]), ("validation", text[at:])]
    else:
        parts = text.split("\n") if each == "line" else [p + "\n" for p in re.split(r"\n(?:\n)+", text.rstrip("\n"))]
        documents = [("validation" if held_out(3, 0.1, d) else "train", d) for d in parts if d.strip()]
    for part in ("train", "validation"):
        stream, starts = [], []
        for which, document in documents:
            if which == part:
                tokens = [processor.bos_id(), *processor.encode(document), processor.eos_id()]
                stream += tokens
                starts += [1] + [0] * (len(tokens) - 1)
        rows = []
        for i in range(0, len(stream), 100):
            start = [1] + starts[i + 1:i + 100]
            rows.append((stream[i:i + 100], [1 - s for s in start], start))
        assert rows_of(tmp_path / "out", part) == rows, part


def test_pairs(run, data_dir, tmp_path):
    model = data_dir / "mdl-tiny-llama-dev"
    processor = sentencepiece.SentencePieceProcessor(model_file=str(model / "tokenizer.model"))
    source = data_dir / "txt-tatoeba-enzh-dev" / "cmn.txt"
    prepare(run, tmp_path / "out", model, "pairs", source, length=64, prompt="Say in Chinese: {source} =", pad=True)
    pad, begin, end = processor.eos_id(), [processor.bos_id()], [processor.eos_id()]

    def row(prompt, target, length=64, behind=" ="):
        room = len(prompt) + len(target) + 2 - length
        keep = len(processor.encode(behind))
        if room > 0 and len(prompt) > keep + length // 8:
            gone = min(room, len(prompt) - keep - length // 8)
            prompt = prompt[:len(prompt) - keep - gone] + prompt[len(prompt) - keep:]
        tokens = (begin + prompt + target + end)[:length]
        mask = ([0] * (1 + len(prompt)) + [1] * (len(target) + 1))[:length]
        return tokens, mask, [1] + [0] * (len(tokens) - 1)

    expected = []
    for line in source.read_text(encoding="utf-8").split("\n"):
        if line:
            english, chinese = line.split("\t")[:2]
            tokens, mask, starts = row(processor.encode(f"Say in Chinese: {english} ="), processor.encode(chinese))
            fill = 64 - len(tokens)
            expected.append((tokens + [pad] * fill, mask + [0] * fill, starts + [0] * fill))
    assert rows_of(tmp_path / "out") == expected
    # Summaries: lists of sentences, the first of several references; long sources are shortened, their summaries stay.
    papers = data_dir / "txt-scitldr-dev" / "SciTLDR-A" / "dev.jsonl"
    index = prepare(run, tmp_path / "summaries", model, "pairs", papers, length=200)
    records = [json.loads(line) for line in papers.read_text(encoding="utf-8").split("\n") if line]
    expected = [row(processor.encode(" ".join(r["source"]) + "\n"), processor.encode(r["target"][0]), 200, "\n") for r in records]
    assert rows_of(tmp_path / "summaries") == [r for r in expected if any(r[1])]
    assert index["report"]["changedCount"] > 100


def test_nothing_is_prepared_twice(run, data_dir, tmp_path):
    source, model = data_dir / "txt-botchan-dev" / "botchan.txt", data_dir / "mdl-tiny-llama-dev"
    first = prepare(run, tmp_path / "a", model, "plain", source, length=128)
    before = {f.name: (f.read_bytes(), f.stat().st_mtime_ns) for f in (tmp_path / "a").iterdir()}
    again = prepare(run, tmp_path / "a", model, "plain", source, length=128)
    assert again["reused"] and again["fingerprint"] == first["fingerprint"]
    assert before == {f.name: (f.read_bytes(), f.stat().st_mtime_ns) for f in (tmp_path / "a").iterdir()}
    prepare(run, tmp_path / "b", model, "plain", source, length=128)
    assert {f.name: f.read_bytes() for f in (tmp_path / "b").iterdir()} == {name: content for name, (content, _) in before.items()}
    assert prepare(run, tmp_path / "a", model, "plain", source, length=129, expect=3)["error"]["kind"] == "already_exists"
    shard = tmp_path / "b" / "train-00000.safetensors"
    shard.write_bytes(shard.read_bytes()[:-4])
    assert prepare(run, tmp_path / "b", model, "plain", source, length=128, expect=3)["error"]["kind"] == "already_exists"


def test_records_that_make_no_sample(run, data_dir, tmp_path):
    model = data_dir / "mdl-tiny-llama-dev"
    good = '{"instruction": "a", "output": "b"}'
    lines = [good, "{cut", "[1]", '{"instruction": "a"}', '{"instruction": "", "output": "b"}', '{"instruction": "a", "output": ""}', "", good,
             '{"conversations": [{"from": "gpt", "value": "b"}]}', '{"conversations": [{"from": "alien", "value": "b"}]}', '{"messages": [{"role": "user"}]}',
             json.dumps({"instruction": "word " * 500, "output": "late"}), '{"instruction": "nul \\u0000", "output": "\\ufeffb"}']
    (tmp_path / "t.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "t.jsonl").open("ab").write(b'\n{"instruction": "\xff", "output": "b"}')
    report = prepare(run, tmp_path / "out", model, "instructions", tmp_path / "t.jsonl")["report"]
    assert report["accepted"] == 3 and [r["line"] for r in report["refused"]] == [2, 3, 4, 5, 6, 9, 10, 11, 12, 14]
    assert all(r["why"] and r["file"] == "t.jsonl" for r in report["refused"])
    for name, content, kind, expected in (("empty.txt", b"", "plain", "nothing_to_do"), ("blank.txt", b"\n \n", "plain", "nothing_to_do"), ("bad.jsonl", b"{\n{\n", "pairs", "nothing_to_do"),
                                          ("cut.json", b'[{"instruction": "a"', "instructions", "corrupt_file"), ("x.txt", b"hello", "instructions", "unsupported_format")):
        (tmp_path / name).write_bytes(content)
        error = prepare(run, tmp_path / "none", model, kind, tmp_path / name, expect=3)["error"]
        assert error["kind"] == expected, (name, error)
    crafted = data_dir / "bad-crafted-dev" / "json"
    prepare(run, tmp_path / "none", model, "instructions", crafted / "badutf8.json", expect=3)
    assert prepare(run, tmp_path / "row", model, "instructions", crafted / "not_list.json")["report"]["accepted"] == 1
    assert [r["line"] for r in prepare(run, tmp_path / "cut", model, "instructions", crafted / "cut.jsonl")["report"]["refused"]] == [2]
    assert not (tmp_path / "none").exists() and not list(tmp_path.glob(".part*"))
    (tmp_path / "one.txt").write_bytes(b"one \xff line")
    report = prepare(run, tmp_path / "one", model, "plain", tmp_path / "one.txt")["report"]
    assert report["accepted"] == report["changedCount"] == 1
    assert prepare(run, tmp_path / "none", model, "plain", tmp_path / "one.txt", template="nobody", expect=2)["error"]["kind"] == "invalid_argument"
