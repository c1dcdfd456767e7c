"""A project for a language model by command line: texts in, frozen, cut into tokens, trained from scratch and on a base. The parts are judged
by the rule of docs/formats.md written in Python, the tokens by sentencepiece."""
import hashlib
import json
import shutil

import numpy as np
import pytest
import sentencepiece
from safetensors.numpy import load_file

SEED, VALIDATION, TEST = 1, 0.05, 0.05
SMALL = ["--set", "architecture=llama-1m", "--set", "sequence_length=96", "--set", "max_steps=4", "--set", "evaluate_every=2", "--set", "threads=1",
         "--set", "precision=fp32"]


@pytest.fixture(scope="module")
def cli(run):
    def call(*arguments, expect=0):
        done = run("cloister-cli", *arguments, "--json", expect=expect)
        return json.loads(done.stdout)

    return call


@pytest.fixture(scope="module")
def project(cli, data_dir, tmp_path_factory):
    """Instructions in two languages from real files; one file beside them is no data, one is of another kind."""
    folder = tmp_path_factory.mktemp("letters") / "project"
    cli("project", "create", "--project", folder, "--task", "language-model")
    demo = data_dir / "txt-instruct-demo-dev"
    made = cli("data", "import", "--project", folder, *sorted(demo.glob("*.json")))
    refused = cli("data", "snapshot", "--project", folder, expect=4)
    cli("data", "label", "--project", folder, "--exclude", "dpo_zh_demo.json")
    snapshot = cli("data", "snapshot", "--project", folder)
    tokenizer = cli("tokenizer", "add", "--project", folder, "--name", "pieces", "--vocab-size", "3200")
    return {"dir": folder, "import": made, "mixed": refused, "snapshot": snapshot, "tokenizer": tokenizer, "demo": demo}


def part_of(texts):
    digest = hashlib.sha256(str(SEED).encode() + b"\n" + "".join(texts).encode()).digest()
    place = (int.from_bytes(digest[:8], "big") >> 11) * 2.0**-53
    return "validation" if place < VALIDATION else "test" if place < VALIDATION + TEST else "train"


def records(demo):
    """(question, answer) of all records that can be used."""
    for name in ("alpaca_en_demo", "alpaca_zh_demo", "identity"):
        for r in json.loads((demo / f"{name}.json").read_text(encoding="utf-8")):
            question = r["instruction"] + ("\n" if r["instruction"] and r.get("input") else "") + (r.get("input") or "")
            system = [r["system"]] if r.get("system") else []
            if question.strip() and r["output"].strip():
                yield system + [question, r["output"]]


def test_import_tells_kinds_and_refuses_the_rest(project):
    made = project["import"]
    assert made["accepted"] == 4 and [r["file"].rsplit("/", 1)[1] for r in made["refused"]] == ["dataset_info.json"]
    assert "no record with members that say what it is" in made["refused"][0]["message"]
    assert project["mixed"]["error"]["kind"] == "policy_refused" and "instructions 3, preferences 1" in project["mixed"]["error"]["message"]


def test_the_parts_are_those_of_the_rule(project):
    counts = {"train": 0, "validation": 0, "test": 0}
    for texts in records(project["demo"]):
        counts[part_of(texts)] += 1
    snapshot = project["snapshot"]
    assert snapshot["splitCounts"] == counts and min(counts.values()) > 10
    assert snapshot["samples"] == sum(counts.values()) and snapshot["groups"] == 3


def test_freezing_again_gives_the_same_snapshot(project, cli):
    again = cli("data", "snapshot", "--project", project["dir"])
    assert again["digest"] == project["snapshot"]["digest"]
    other = cli("data", "check", "--project", project["dir"], "--split", "80/10/10", "--seed", "2")
    assert other["division"]["parts"]["test"]["records"] > 1.5 * again["splitCounts"]["test"]


def test_the_tokenizer_learns_from_training_texts_only(cli, run, tmp_path):
    folder = tmp_path / "p"
    cli("project", "create", "--project", folder, "--task", "language-model")
    (tmp_path / "lines.txt").write_text("".join(f"alpha beta gamma {i}\n" for i in range(400)) + "ξξξξ ΩΩΩΩ\n" * 60, encoding="utf-8")
    cli("data", "import", "--project", folder, tmp_path / "lines.txt")
    snapshot = cli("data", "snapshot", "--project", folder, "--split", "60/10/30")
    assert set(snapshot["splitCounts"]) == {"train", "validation", "test"}
    cli("tokenizer", "add", "--project", folder, "--name", "t", "--vocab-size", "300")
    model = sentencepiece.SentencePieceProcessor(model_file=str(folder / "models/t/tokenizer.model"))
    pieces = {model.id_to_piece(i) for i in range(model.get_piece_size())}
    assert any("alpha" in p for p in pieces) and not any("ξ" in p or "Ω" in p for p in pieces)  # they stand in the end: the test part


@pytest.fixture(scope="module")
def trained(project, cli):
    return cli("train", "--project", project["dir"], *SMALL)


def test_trained_from_scratch_on_tokens_as_sentencepiece_cuts_them(project, trained, cli):
    assert trained["state"] == "finished" and trained["step"] == 4 and trained["best"]["metric"] == "loss"
    spec = json.loads((project["dir"] / "runs/r-0001/spec.json").read_text())
    assert spec["tokenizer"] == "models/pieces" and spec["baseWeights"] == ""
    prepared = project["dir"] / spec["prepared"]
    index = json.loads((prepared / "index.json").read_text())
    assert index["fingerprint"] == spec["preparedDigest"] and {p for p in index["parts"] if index["parts"][p]["rows"]} == {"train", "validation", "test"}
    # The test part holds the answers of those records, cut by sentencepiece, in the order of the files' digests.
    model = sentencepiece.SentencePieceProcessor(model_file=str(project["dir"] / "models/pieces/tokenizer.model"))
    shard = load_file(prepared / index["parts"]["test"]["shards"][0]["file"])
    rows = [(shard["tokens"][a:b], shard["mask"][a:b]) for a, b in zip(shard["offsets"][:-1], shard["offsets"][1:])]
    # In the loss: the answer and the token that ends it.
    answers = sorted(model.decode([int(t) for t, m in zip(tokens, mask) if m and t != model.eos_id()]) for tokens, mask in rows if len(tokens) < 96)
    expected = {model.decode(model.encode(texts[-1])) for texts in records(project["demo"]) if part_of(texts) == "test"}
    assert len(answers) > 20 and all(a.strip() in {e.strip() for e in expected} for a in answers)


def test_what_the_model_writes_is_told_at_each_validation(project, trained, data_dir):
    events = [json.loads(line) for line in (project["dir"] / "runs/r-0001/attempt-001/rank-0.events.jsonl").read_text().splitlines()]
    samples = [e for e in events if e["type"] == "sample"]
    assert [e["step"] for e in samples] == [2, 4] and all(e["text"] for e in samples)
    # The prompt is the question of the first validation row, as sentencepiece reads it.
    spec = json.loads((project["dir"] / "runs/r-0001/spec.json").read_text())
    prepared = project["dir"] / spec["prepared"]
    shard = load_file(prepared / json.loads((prepared / "index.json").read_text())["parts"]["validation"]["shards"][0]["file"])
    asked = shard["tokens"][: int(np.argmax(shard["mask"]))]
    model = sentencepiece.SentencePieceProcessor(model_file=str(project["dir"] / "models/pieces/tokenizer.model"))
    assert {e["prompt"].strip() for e in samples} == {model.decode([int(t) for t in asked]).strip()}


def test_a_base_of_the_project_is_tuned_and_nothing_is_cut_twice(project, trained, cli):
    folder = project["dir"]
    base = cli("model", "add", folder / "runs/r-0001/best", "--project", folder, "--name", "base")
    assert base["hasWeights"] and not base["hasTokenizer"]
    assert [m["name"] for m in cli("model", "list", "--project", folder)["models"]] == ["base", "pieces"]
    run = cli("train", "--project", folder, "--base", "base", "--tokenizer", "pieces", "--method", "lora", *SMALL[2:])
    assert run["state"] == "finished"
    spec = json.loads((folder / "runs" / run["run"] / "spec.json").read_text())
    assert spec["baseWeights"] == "models/base" and (folder / "runs" / run["run"] / "best/adapter_config.json").is_file()
    assert len(list((folder / "snapshots" / project["snapshot"]["digest"][:12] / "prepared").glob("*/index.json"))) == 1
    refused = cli("train", "--project", folder, "--base", "base", "--tokenizer", "missing", expect=3)
    assert refused["error"]["kind"] == "not_found"


def test_preferences_of_a_project_are_learnt(project, trained, cli, tmp_path):
    """A second project of pairs on the model of the first; another method than dpo says so."""
    folder = tmp_path / "preferences"
    cli("project", "create", "--project", folder, "--task", "language-model")
    cli("data", "import", "--project", folder, project["demo"] / "dpo_zh_demo.json")
    cli("data", "snapshot", "--project", folder)
    cli("model", "add", project["dir"] / "models/pieces", "--project", folder, "--name", "pieces")
    cli("model", "add", project["dir"] / "runs/r-0001/best", "--project", folder, "--name", "base")
    given = ["--project", folder, "--base", "base", "--tokenizer", "pieces", *SMALL[2:]]
    run = cli("train", *given, "--method", "dpo")
    assert run["state"] == "finished" and (folder / "runs" / run["run"] / "best/adapter_config.json").is_file()
    events = [json.loads(line) for line in (folder / "runs" / run["run"] / "attempt-001/rank-0.events.jsonl").read_text().splitlines()]
    assert [e["step"] for e in events if e["type"] == "evaluation" and "validation/rewards/accuracies" in e["values"]] == [2, 4]
    failed = cli("train", *given, "--method", "lora", expect=None)
    assert "preferences" in json.dumps(failed)


def test_a_project_that_was_moved_goes_on(project, trained, cli, tmp_path):
    folder = tmp_path / "elsewhere"
    shutil.copytree(project["dir"], folder)
    cli("model", "add", folder / "runs/r-0001/best", "--project", folder, "--name", "again")
    run = cli("train", "--project", folder, "--base", "again", "--tokenizer", "pieces", *SMALL[2:], "--detach")
    cli("runs", "stop", run["run"], "--project", folder)
    moved = tmp_path / "moved"
    folder.rename(moved)
    state = cli("runs", "show", run["run"], "--project", moved)["state"]
    if state != "finished":
        assert cli("runs", "resume", run["run"], "--project", moved)["state"] == "finished"


def test_a_snapshot_of_texts_goes_elsewhere_and_comes_back(project, cli, tmp_path):
    cli("data", "export", "--project", project["dir"], "--to", tmp_path / "out")
    cli("project", "create", "--project", tmp_path / "other", "--task", "language-model")
    back = cli("data", "recreate", "--project", tmp_path / "other", tmp_path / "out")
    assert back["digest"] == project["snapshot"]["digest"]
    assert cli("tokenizer", "add", "--project", tmp_path / "other", "--name", "pieces", "--vocab-size", "3200")["about"]["tokenizer"]["fingerprint"] == \
        project["tokenizer"]["about"]["tokenizer"]["fingerprint"]


@pytest.mark.parametrize("name,content,word", [
    ("empty.txt", b"", "empty"), ("blank.txt", b" \n\t\n", "blanks"), ("zero.txt", b"abc\x00def", "position 3"),
    ("wide.txt", "Text".encode("utf-16"), "UTF-16"), ("cut.jsonl", b'{"text": "a', "line 1"), ("list.json", b'[{"a": 1}]', "members")])
def test_what_is_no_text_is_refused_with_its_place(cli, tmp_path, name, content, word):
    folder = tmp_path / "p"
    cli("project", "create", "--project", folder, "--task", "language-model")
    (tmp_path / name).write_bytes(content)
    (tmp_path / "good.txt").write_text("A good line.\n" * 50)
    extra = ["--set", "kind=plain"] if name == "cut.jsonl" else []
    made = cli("data", "import", "--project", folder, tmp_path / name, tmp_path / "good.txt", *extra)
    assert made["accepted"] == 1 and len(made["refused"]) == 1 and word in made["refused"][0]["message"], made["refused"]


def test_a_line_of_ten_megabytes_is_cut_and_trained(cli, tmp_path):
    folder = tmp_path / "p"
    cli("project", "create", "--project", folder, "--task", "language-model")
    (tmp_path / "long.txt").write_text("all in one line " * 650_000)
    cli("data", "import", "--project", folder, tmp_path / "long.txt")
    cli("data", "snapshot", "--project", folder)
    cli("tokenizer", "add", "--project", folder, "--name", "t", "--vocab-size", "280")
    assert cli("train", "--project", folder, *SMALL)["state"] == "finished"


def test_sources_belong_to_tasks(cli, tmp_path):
    cli("project", "create", "--project", tmp_path / "words", "--task", "language-model")
    cli("project", "create", "--project", tmp_path / "pictures", "--task", "image-classification")
    (tmp_path / "a.txt").write_text("a text")
    assert cli("data", "import", "--project", tmp_path / "words", "--source", "dicom", tmp_path / "a.txt", expect=2)["error"]["args"]["allowed"] == "text"
    assert cli("data", "import", "--project", tmp_path / "pictures", "--source", "text", tmp_path / "a.txt", expect=2)["error"]["kind"] == "invalid_argument"
    assert cli("project", "create", "--project", tmp_path / "x", "--task", "poetry", expect=2)["error"]["kind"] == "invalid_argument"
