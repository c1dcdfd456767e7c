"""Texts of one part that stand in another: planted copies are found, and on real texts what is found is what a plain Jaccard in Python finds."""
import hashlib
import json
import random
import re
import unicodedata

import pytest


@pytest.fixture
def cli(run):
    return lambda *arguments, expect=0: json.loads(run("cloister-cli", *arguments, "--json", expect=expect).stdout)


def part_of(texts, seed=1, validation=0.15, test=0.15):
    digest = hashlib.sha256(f"{seed}\n".encode() + "".join(texts).encode()).digest()
    place = (int.from_bytes(digest[:8], "big") >> 11) * 2.0**-53
    return "validation" if place < validation else "test" if place < validation + test else "train"


def compared(text):
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in text.lower())
    return re.sub(" +", " ", kept).strip()


def shingles(text):
    text = compared(text)
    return {text[i:i + 5] for i in range(max(1, len(text) - 4))}


def brute(records):
    """Held-out texts with the same, and those with a near text in another part; texts are what is compared."""
    order = ["train", "validation", "test"]
    parts = [order.index(part_of(r)) for r in records]
    words = [compared("\n".join(r)) for r in records]
    sets = [shingles("\n".join(r)) for r in records]
    seen = {}
    for w, p in zip(words, parts):
        seen.setdefault(w, set()).add(p)
    equal = sum(any(q < p for q in seen[w]) for w, p in zip(words, parts))
    near = set()
    for i in range(len(records)):
        for j in range(len(records)):
            if parts[j] < parts[i] and words[i] != words[j] and min(len(sets[i]), len(sets[j])) >= 20 and min(len(sets[i]), len(sets[j])) >= 0.8 * max(len(sets[i]), len(sets[j])):
                common = len(sets[i] & sets[j])
                if common / (len(sets[i]) + len(sets[j]) - common) >= 0.8:
                    near.add((words[i], parts[i]))
    return equal, len(near)


def found(cli, tmp_path, files):
    cli("project", "create", "--project", tmp_path / "p", "--task", "language-model")
    cli("data", "import", "--project", tmp_path / "p", *files)
    findings = {f["kind"]: f for f in cli("data", "check", "--project", tmp_path / "p", "--split", "70/15/15")["findings"]}
    return [findings.get(kind, {"args": {"count": 0, "pairs": []}})["args"] for kind in ("same_text_across_parts", "near_text_across_parts")]


def changed(rng, text):
    """A few words others: still near."""
    words = text.split(" ")
    words[rng.randrange(len(words))] = "another"
    return " ".join(words)


def test_planted_copies(cli, data_dir, tmp_path):
    records = json.loads((data_dir / "txt-instruct-demo-dev" / "alpaca_en_demo.json").read_text(encoding="utf-8"))
    rng = random.Random(5)
    texts = [(r["instruction"] + ("\n" + r["input"] if r["input"] else ""), r["output"]) for r in records if r["output"].strip() and r["instruction"].strip()][:600]
    long = [t for t in texts if len("".join(t)) > 300]
    planted = [(q.upper() + " !", a) for q, a in long[:40]] + [(q, changed(rng, a)) for q, a in long[40:120]]
    everything = texts + planted
    rng.shuffle(everything)
    (tmp_path / "all.jsonl").write_text("".join(json.dumps({"instruction": q, "output": a}) + "\n" for q, a in everything))
    equal, near = found(cli, tmp_path, [tmp_path / "all.jsonl"])
    assert (equal["count"], near["count"]) == brute(everything)
    assert equal["count"] > 5 and near["count"] > 15
    for pair in equal["pairs"] + near["pairs"]:
        a, b = everything[pair["line"] - 1], everything[pair["otherLine"] - 1]
        x, y = shingles("\n".join(a)), shingles("\n".join(b))
        assert abs(pair["similarity"] - len(x & y) / len(x | y)) < 1e-12
        assert (pair["part"], pair["otherPart"]) == (part_of(a), part_of(b))


@pytest.mark.parametrize("name", ["alpaca_zh_demo", "alpaca_en_demo"])
def test_real_texts(cli, data_dir, tmp_path, name):
    records = json.loads((data_dir / "txt-instruct-demo-dev" / f"{name}.json").read_text(encoding="utf-8"))
    texts = [(r["instruction"] + ("\n" + r["input"] if r["input"] else ""), r["output"]) for r in records if r["output"].strip() and (r["instruction"] + r["input"]).strip()]
    equal, near = found(cli, tmp_path, [data_dir / "txt-instruct-demo-dev" / f"{name}.json"])
    assert (equal["count"], near["count"]) == brute(texts)


def test_lines_of_a_corpus(cli, data_dir, tmp_path):
    """Running text, a line a document: what is repeated on both sides is told."""
    lines = [line for line in (data_dir / "txt-shakespeare-dev" / "input.txt").read_text(encoding="utf-8").split("\n") if line.strip()][:1500]
    (tmp_path / "lines.jsonl").write_text("".join(json.dumps({"text": line}) + "\n" for line in lines))
    equal, near = found(cli, tmp_path, [tmp_path / "lines.jsonl"])
    assert (equal["count"], near["count"]) == brute([(line,) for line in lines])
