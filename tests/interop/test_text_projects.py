"""Projects of texts: several kinds side by side, what a rebuild and a killed program leave, and files that are hardly texts."""
import json
import os
import signal
import subprocess
import time

import pytest


@pytest.fixture
def cli(run):
    return lambda *arguments, expect=0: json.loads(run("cloister-cli", *arguments, "--json", expect=expect).stdout)


@pytest.fixture
def mixed(cli, data_dir, tmp_path):
    """Running text, instructions and preferences in one project."""
    folder = tmp_path / "mixed"
    cli("project", "create", "--project", folder, "--task", "language-model")
    demo = data_dir / "txt-instruct-demo-dev"
    cli("data", "import", "--project", folder, demo / "alpaca_en_demo.json", demo / "dpo_zh_demo.json", data_dir / "txt-botchan-dev" / "botchan.txt")
    return folder


def test_a_snapshot_chooses_its_kind(mixed, cli):
    refused = cli("data", "snapshot", "--project", mixed, expect=4)["error"]
    assert refused["kind"] == "policy_refused" and "--kind" in refused["message"] and "instructions 1, plain 1, preferences 1" in refused["message"]
    digests = {}
    for kind in ("plain", "instructions", "preferences"):
        check = cli("data", "check", "--project", mixed, "--kind", kind)
        assert check["kind"] == kind and check["blocking"] == 0
        snapshot = cli("data", "snapshot", "--project", mixed, "--kind", kind)
        assert snapshot["groups"] == 1 and snapshot["samples"] == check["samples"]
        assert json.loads((mixed / "snapshots" / snapshot["digest"][:12] / "snapshot.json").read_text())["kind"] == kind
        digests[kind] = snapshot["digest"]
    assert len(set(digests.values())) == 3
    assert cli("data", "snapshot", "--project", mixed, "--kind", "plain")["digest"] == digests["plain"]
    assert cli("data", "snapshot", "--project", mixed, "--kind", "pairs", expect=None)["error"]["kind"] == "nothing_to_do"
    assert cli("data", "snapshot", "--project", mixed, "--kind", "poems", expect=2)["error"]["kind"] == "invalid_argument"


def test_lineage_is_whole_after_a_rebuild_and_elsewhere(mixed, cli, tmp_path):
    digest = cli("data", "snapshot", "--project", mixed, "--kind", "instructions", "--split", "80/10/10")["digest"]
    places = lambda project: sorted(s["split"] for s in cli("data", "lineage", "--project", project, "alpaca_en_demo.json")["snapshots"])  # noqa: E731
    assert places(mixed) == ["test", "train", "validation"]
    (mixed / "project.sqlite").unlink()
    cli("project", "rebuild", "--project", mixed)
    assert places(mixed) == ["test", "train", "validation"]
    cli("data", "export", "--project", mixed, "--snapshot", digest, "--to", tmp_path / "out")
    cli("project", "create", "--project", tmp_path / "other", "--task", "language-model")
    cli("data", "recreate", "--project", tmp_path / "other", tmp_path / "out")
    assert places(tmp_path / "other") == ["test", "train", "validation"]


def test_a_tokenizer_is_whole_or_absent(mixed, cli, bin_dir):
    cli("data", "snapshot", "--project", mixed, "--kind", "plain")
    seen = 0
    for delay in (0.3, 0.6, 0.9, 1.2, 1.6, 2.5):
        program = subprocess.Popen([str(bin_dir / "cloister-cli"), "tokenizer", "add", "--project", str(mixed), "--name", f"t{delay}", "--vocab-size", "2000"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(delay)
        os.killpg(program.pid, signal.SIGKILL)
        program.wait()
        for model in cli("model", "list", "--project", mixed)["models"]:
            assert model["about"]["tokenizer"]["vocabularySize"] == 2000, model
            seen += 1
    whole = cli("tokenizer", "add", "--project", mixed, "--name", "whole", "--vocab-size", "2000")
    assert whole["about"]["tokenizer"]["vocabularySize"] == 2000 and whole["hasTokenizer"]
    assert cli("tokenizer", "add", "--project", mixed, "--name", "whole", "--vocab-size", "2000", expect=3)["error"]["kind"] == "already_exists"


def test_fingerprint_has_the_way_rows_are_made(run, cli, data_dir, tmp_path):
    prepare = ["text", "prepare", "--kind", "preferences", "--input", data_dir / "txt-instruct-demo-dev" / "dpo_zh_demo.json", "--tokenizer", data_dir / "mdl-tiny-llama-dev"]
    index = cli(*prepare, "--to", tmp_path / "a")
    assert index["rowVersion"] == 2
    # Texts prepared in an older way are not taken for the same.
    path = tmp_path / "a" / "index.json"
    old = {**json.loads(path.read_text()), "fingerprint": "0" * 64}
    del old["rowVersion"]
    path.write_text(json.dumps(old))
    assert cli(*prepare, "--to", tmp_path / "a", expect=3)["error"]["kind"] == "already_exists"


HARD = {
    "long.txt": "Ein langer Satz über 日本語 und mehr. ".encode() * 250_000,  # 10 MB in one line
    "nul.txt": b"before\x00after\nand \x00\x00 more\n" * 50,
    "invalid.txt": b"good \xff\xfe bad \xc3( \xed\xa0\x80 line\n" * 50,
    "one.txt": b"one line without an end",
    "empty.txt": b"",
    "blank.txt": b" \n\t\n",
}


@pytest.fixture(params=HARD)
def hard(request, tmp_path):
    (tmp_path / request.param).write_bytes(HARD[request.param])
    return request.param, tmp_path / request.param


def sentence(done):
    """Refused by a sentence: a typed failure with words, no crash."""
    error = json.loads(done.stdout)["error"]
    assert done.returncode in (1, 2, 3, 4) and error["kind"] not in ("internal", "crashed", "worker_failed") and len(error["message"]) > 20, error
    return error["kind"]


def handled(run, *arguments):
    done = run("cloister-cli", *arguments, "--json", expect=None)
    return json.loads(done.stdout) if done.returncode == 0 else sentence(done)


def test_hard_files_are_imported_or_refused(hard, cli, run, tmp_path):
    name, path = hard
    cli("project", "create", "--project", tmp_path / "p", "--task", "language-model")
    told = json.loads(run("cloister-cli", "data", "import", "--project", tmp_path / "p", path, "--json", expect=None).stdout)
    assert told["accepted"] + len(told["refused"]) == 1
    assert all(len(r["message"]) > 20 and r["kind"] in ("corrupt_file", "empty_file", "invalid_text", "unsupported_format") for r in told["refused"]), told
    assert (told["accepted"] == 0) == (name in ("empty.txt", "blank.txt", "nul.txt")), told
    after = handled(run, "data", "snapshot", "--project", tmp_path / "p")
    assert isinstance(after, str) == (told["accepted"] == 0), after


def test_hard_files_make_a_tokenizer_or_are_refused(hard, run, tmp_path):
    name, path = hard
    told = handled(run, "tokenizer", "train", "--input", path, "--vocab-size", "300", "--to", tmp_path / "t")
    assert (tmp_path / "t").exists() == isinstance(told, dict)
    if name in ("empty.txt", "blank.txt"):
        assert told in ("nothing_to_do", "invalid_argument")  # no line, or too few pieces for the vocabulary


def test_hard_files_are_prepared_or_refused(hard, run, data_dir, tmp_path):
    name, path = hard
    told = handled(run, "text", "prepare", "--kind", "plain", "--input", path, "--tokenizer", data_dir / "mdl-tiny-llama-dev", "--to", tmp_path / "out", "--length", "256")
    if name in ("empty.txt", "blank.txt"):
        assert told == "nothing_to_do" and not (tmp_path / "out").exists()
    else:
        assert told["report"]["accepted"] == 1 and told["parts"]["train"]["tokens"] > 4
        assert (told["report"]["changedCount"] > 0) == (name == "invalid.txt")


def test_hard_files_are_scored_or_refused(hard, run, tmp_path):
    name, path = hard
    told = handled(run, "score", "chrf", "--hypotheses", path, "--references", path)
    if name in ("nul.txt", "invalid.txt"):
        assert told == "invalid_text"
    elif name == "empty.txt":
        assert told == "empty_file"
    else:
        assert isinstance(told, dict) and (name == "blank.txt" or told["score"] > 99.9)
