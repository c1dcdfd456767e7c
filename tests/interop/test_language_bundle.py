"""A language model leaves in a signed bundle: OpenSSF's model_signing accepts it, every file is named, nothing of single texts goes along."""
import json

import onnxruntime as ort
import pytest
from decoder_models import random_ids, tiny
from test_decoder_gguf import with_byte_bpe
from test_signing import reference_accepts


@pytest.fixture(scope="module")
def delivered(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("language")
    model = tiny("llama", vocab_size=320, head_dim=16)
    model.save_pretrained(folder / "hf")
    with_byte_bpe(folder / "hf", 300)
    (folder / "ids.json").write_text(json.dumps({"input_ids": random_ids(6, 40, 300)}))
    (folder / "pass.txt").write_text("correct horse battery staple\n")
    environment = {"CLOISTER_KEYS": str(folder / "keys")}
    run("cloister-cli", "model", "export", folder / "hf", "--to", folder / "out", "--variant", "genai", "--quantize", "int8", "--texts", folder / "ids.json")
    run("cloister-cli", "model", "evaluate", folder / "hf", "--texts", folder / "ids.json", "--training", folder / "ids.json", "--attacks", "--epsilons", "0.1",
        "--attacked-texts", "2", "--to", folder / "report.json")
    run("cloister-cli", "keys", "create", "--name", "house", "--passphrase-file", folder / "pass.txt", env=environment)
    done = run("cloister-cli", "bundle", "model", folder / "out", "--report", folder / "report.json", "--passphrase-file", folder / "pass.txt", "--to", folder / "bundle",
               "--name", "Ward assistant", "--base", "tiny-llama", "--json", env=environment)
    return folder, json.loads(done.stdout), environment


def test_it_verifies_and_is_whole(run, delivered):
    folder, made, environment = delivered
    bundle = folder / "bundle"
    checked = json.loads(run("cloister-cli", "bundle", "verify", bundle, "--json", env=environment).stdout)
    assert checked["valid"] and checked["bundle"]["task"] == "text-generation" and checked["bundle"]["name"] == "Ward assistant"
    there = {str(p.relative_to(bundle)) for p in bundle.rglob("*") if p.is_file()}
    assert there == {f["path"] for f in made["manifest"]["files"]} | {"bundle.json", "model.sig"}
    assert {"model.onnx", "tokenizer.json", "tokenizer_config.json", "genai_config.json", "config.json", "model_card.md", "sbom.spdx.json", "evaluation/report.json"} <= there
    ort.InferenceSession(str(bundle / "model.onnx"))


def test_the_reference_accepts_it(run, delivered):
    folder, _, _ = delivered
    (key,) = (folder / "keys").rglob("public.pem")
    assert reference_accepts(folder / "bundle", folder / "bundle" / "model.sig", public_key=key)


def test_nothing_of_single_texts_leaves(delivered):
    folder, _, _ = delivered
    before = json.loads((folder / "report.json").read_text())
    assert "readings" in json.dumps(before) and "found" in before["memorisation"]
    for path in (folder / "bundle").rglob("*"):
        if path.suffix in (".json", ".md") and "tokenizer" not in path.name:
            text = path.read_text()
            assert "readings" not in text and '"found"' not in text and str(folder) not in text, path


def test_the_page_stands_alone_in_both_languages(delivered):
    folder, _, _ = delivered
    report = json.loads((folder / "report.json").read_text())
    for name, words in (("report.html", "Perplexity"), ("report.zh_CN.html", "困惑度")):
        page = (folder / "bundle" / "evaluation" / name).read_text(encoding="utf-8")
        assert words in page and f"{report['perplexity']['value']:.4g}" in page and "default-src 'none'" in page
        assert "<script" not in page and "http" not in page.replace("http-equiv", "") and str(folder) not in page


def test_a_changed_file_is_named(run, delivered):
    folder, _, environment = delivered
    path = folder / "bundle" / "tokenizer.json"
    good = path.read_bytes()
    path.write_bytes(good.replace(b"<pad>", b"<pat>", 1))
    done = run("cloister-cli", "bundle", "verify", folder / "bundle", "--json", env=environment, expect=4)
    path.write_bytes(good)
    assert "tokenizer.json" in done.stdout


def test_what_may_not_leave(run, delivered, tmp_path):
    folder, _, environment = delivered
    broken = tmp_path / "out"
    run("cloister-cli", "model", "export", folder / "hf", "--to", broken)
    arguments = ["cloister-cli", "bundle", "model", broken, "--passphrase-file", folder / "pass.txt", "--json", "--to", tmp_path / "bundle"]
    good = (broken / "model.onnx").read_bytes()
    (broken / "model.onnx").write_bytes(good[:-1] + b"x")
    assert json.loads(run(*arguments, env=environment, expect=3).stdout)["error"]["kind"] == "corrupt_file"
    (broken / "model.onnx").write_bytes(good)
    report = json.loads((broken / "export.json").read_text())
    (broken / "export.json").write_text(json.dumps({**report, "passed": False}))
    assert json.loads(run(*arguments, env=environment, expect=4).stdout)["error"]["kind"] == "policy_refused"
    assert not (tmp_path / "bundle").exists() and not list(tmp_path.glob(".bundle*"))
