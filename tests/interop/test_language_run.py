"""A language model's run judged and exported as jobs of the run: figures against transformers, sacrebleu and rouge-score, adapters against peft."""
import json

import numpy as np
import onnxruntime
import peft
import pytest
import sacrebleu
import sentencepiece
import torch
import transformers
from rouge_score import rouge_scorer
from safetensors.numpy import load_file
from test_signing import reference_accepts

SET = ["--set", "batch_size=16", "--set", "threads=1", "--set", "precision=fp32", "--set", "metric_seconds=0", "--set", "device=cpu", "--set", "learning_rate=0.003"]


@pytest.fixture(scope="module")
def world(run, tmp_path_factory, data_dir):
    """Two runs on the same pairs: all weights, and adapters; each knows its prepared texts."""
    folder = tmp_path_factory.mktemp("judge")
    source = next(p for p in sorted((data_dir / "txt-tatoeba-enzh-dev").iterdir()) if p.suffix != ".md")
    rows = [line.split("\t")[:2] for line in source.read_text().splitlines()[:600]]
    (folder / "pairs.tsv").write_text("\n".join("\t".join(r) for r in rows))
    (folder / "all.txt").write_text("\n".join("\n".join(r) for r in rows))
    run("cloister-cli", "tokenizer", "train", "--input", folder / "all.txt", "--kind", "bpe", "--vocab-size", "1200", "--to", folder / "tok")
    for kind, file in (("plain", "all.txt"), ("pairs", "pairs.tsv")):
        run("cloister-cli", "text", "prepare", "--kind", kind, "--input", folder / file, "--tokenizer", folder / "tok", "--to", folder / kind, "--length", "64", "--validation", "0.1")
    run("cloister-cli", "model", "train", folder / "plain", "--to", folder / "base", "--tokenizer", folder / "tok", "--architecture", "llama-1m", "--set", "max_steps=40", *SET)
    run("cloister-cli", "model", "train", folder / "pairs", "--to", folder / "full", "--base", folder / "base" / "model", "--set", "max_steps=120", *SET)
    run("cloister-cli", "model", "train", folder / "pairs", "--to", folder / "lora", "--base", folder / "base" / "model", "--method", "lora", "--set", "max_steps=60",
        "--set", "lora_rank=8", *SET, "--set", "learning_rate=0.01")
    for name in ("full", "lora"):
        spec = folder / name / "runs" / "r-0001" / "spec.json"
        spec.write_text(json.dumps(json.loads(spec.read_text()) | {"prepared": str(folder / "pairs"), "tokenizer": str(folder / "tok")}))
    return folder


def job(run, world, name, verb, request, expect=0):
    folder = world / name / "runs" / "r-0001" / ("evaluation" if verb == "evaluate" else "export")
    folder.mkdir(exist_ok=True)
    (folder / "request.json").write_text(json.dumps({"format": 1} | request))
    run("cloister-worker", verb, "--run", folder.parent, expect=expect)
    return folder


@pytest.fixture(scope="module")
def report(run, world):
    folder = job(run, world, "full", "evaluate", {"answers": 40, "samples": 40, "newTokens": 24, "resamples": 200, "rounds": 2, "attackedTexts": 3, "epsilons": [0, 0.5]})
    return json.loads((folder / "report.json").read_text())


def judged_rows(world):
    for shard in json.loads((world / "pairs" / "index.json").read_text())["parts"]["validation"]["shards"]:
        rows = load_file(world / "pairs" / shard["file"])
        for a, b in zip(rows["offsets"][:-1], rows["offsets"][1:]):
            yield rows["tokens"][a:b].astype(int), rows["mask"][a:b].astype(bool)


def losses(model, world):
    nats = tokens = 0
    for ids, mask in judged_rows(world):
        with torch.no_grad():
            logits = model(torch.tensor(ids)[None]).logits[0, :-1].double()
        each = torch.nn.functional.cross_entropy(logits, torch.tensor(ids[1:]), reduction="none")[torch.tensor(mask[1:])]
        nats, tokens = nats + float(each.sum()), tokens + len(each)
    return nats, tokens


def load(path):
    return transformers.AutoModelForCausalLM.from_pretrained(path, local_files_only=True, dtype=torch.float32).eval()


def test_perplexity_and_base(world, report):
    assert report["task"] == "language-model" and report["part"] == "validation" and report["kind"] == "pairs" and report["method"] == "full"
    for section, path in ((report["perplexity"], world / "full" / "model"), (report["base"], world / "base" / "model")):
        nats, tokens = losses(load(path), world)
        assert section["tokens"] == tokens and section["nats"] == pytest.approx(nats, rel=1e-5)
        assert section["value"] == pytest.approx(np.exp(nats / tokens), rel=1e-5) and section["low"] < section["value"] < section["high"]
        assert section["loss"]["value"] == pytest.approx(nats / tokens, rel=1e-6)
    assert report["base"]["ratio"]["high"] < 1 and report["base"]["p"] == pytest.approx(1 / 201)


def test_answers_are_greedy_ones(world, report):
    model, rows = load(world / "full" / "model"), list(judged_rows(world))
    end = json.loads((world / "pairs" / "index.json").read_text())["special"]["end"]
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(world / "tok" / "tokenizer.model"))
    n = min(40, len(rows))
    assert len(report["samples"]) == n
    for i, sample in enumerate(report["samples"]):
        ids, mask = rows[i * len(rows) // n]
        start = int(np.argmax(mask))
        assert sample["reference"] == pieces.decode([int(t) for t in ids[start:] if t != end]).strip()
        with torch.no_grad():
            out = model.generate(torch.tensor(ids[:start])[None], max_new_tokens=24, do_sample=False, eos_token_id=end, pad_token_id=end)[0, start:].tolist()
        assert sample["output"] == pieces.decode([int(t) for t in out if t != end]).strip()
        assert sample["ended"] == ("end" if out[-1] == end else "length")


def test_scores_are_those_of_the_packages(report):
    outputs, references, base = ([s[k] for s in report["samples"]] for k in ("output", "reference", "baseOutput"))
    scores = {s["name"]: s for s in report["scores"]}
    for texts, pick in ((outputs, lambda s: s["value"]), (base, lambda s: s["base"]["value"])):
        assert pick(scores["BLEU"]) == pytest.approx(sacrebleu.corpus_bleu(texts, [references], tokenize="zh").score, abs=1e-6)
        assert pick(scores["chrF2"]) == pytest.approx(sacrebleu.corpus_chrf(texts, [references]).score, abs=1e-6)
    assert "tok:zh" in scores["BLEU"]["signature"]
    ter = sacrebleu.TER(normalized=True, asian_support=True)
    assert scores["TER"]["value"] == pytest.approx(ter.corpus_score(outputs, [references]).score, abs=1e-6)
    assert set(scores) == {"BLEU", "chrF2", "TER", "rouge1", "rouge2", "rougeL", "rougeLsum", "exactMatch"}
    assert scores["exactMatch"]["value"] == pytest.approx(100 * np.mean([o == r for o, r in zip(outputs, references)]))
    for s in scores.values():
        assert s["difference"] == pytest.approx(s["value"] - s["base"]["value"], abs=1e-9) and (s["p"] == 1) >= (s["difference"] == 0)


def test_english_scores(run, world, tmp_path):
    """Answers in English take the cut for English, in BLEU and ROUGE."""
    swapped = "\n".join("\t".join(reversed(line.split("\t"))) for line in (world / "pairs.tsv").read_text().splitlines())
    (tmp_path / "p.tsv").write_text(swapped)
    run("cloister-cli", "text", "prepare", "--kind", "pairs", "--input", tmp_path / "p.tsv", "--tokenizer", world / "tok", "--to", tmp_path / "en", "--length", "64", "--validation", "0.1")
    run("cloister-cli", "model", "train", tmp_path / "en", "--to", tmp_path / "t", "--base", world / "base" / "model", "--set", "max_steps=120", *SET)
    spec = tmp_path / "t" / "runs" / "r-0001" / "spec.json"
    spec.write_text(json.dumps(json.loads(spec.read_text()) | {"prepared": str(tmp_path / "en"), "tokenizer": str(world / "tok")}))
    folder = job(run, tmp_path, "t", "evaluate", {"answers": 40, "samples": 40, "newTokens": 24, "resamples": 50, "latency": False, "attacks": False, "memorisation": False})
    report = json.loads((folder / "report.json").read_text())
    assert "attacks" not in report and "latency" not in report and "memorisation" not in report
    outputs, references = ([s[k] for s in report["samples"]] for k in ("output", "reference"))
    scores = {s["name"]: s for s in report["scores"]}
    assert scores["BLEU"]["value"] == pytest.approx(sacrebleu.corpus_bleu(outputs, [references]).score, abs=1e-6) and "tok:13a" in scores["BLEU"]["signature"]
    scorer = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"])
    for name in ("rouge1", "rouge2", "rougeL"):
        assert scores[name]["value"] == pytest.approx(np.mean([scorer.score(r, o)[name].fmeasure for r, o in zip(references, outputs)]), abs=1e-6)
    assert scores["rouge1"]["value"] > 0


def test_attacks_memory_latency(report):
    assert [a["kind"] for a in report["attacks"]] == ["fgsm", "pgd"]
    for a in report["attacks"]:
        none, strong = a["epsilons"]
        assert none["flipped"] == 0 and none["perplexity"] == pytest.approx(none["cleanPerplexity"], rel=1e-5)
        assert strong["perplexity"] > strong["cleanPerplexity"] and strong["readings"][0]["before"]
    memory = report["memorisation"]
    assert memory["texts"] + memory["tooShort"] == 200 and memory["longestVerbatim"] <= memory["recallTokens"]
    assert {(row["precision"], row["batch"]) for row in report["latency"]} == {("fp32", 1), ("bf16", 1), ("fp32", 8), ("bf16", 8)}
    assert all(row["firstTokenMs"] > 0 and row["tokensPerSecond"] > 0 for row in report["latency"])


def test_adapters_are_merged_as_peft_does(run, world):
    folder = job(run, world, "lora", "export", {"target": "onnx", "quantize": ["none", "int8", "int4"]})
    description = json.loads((folder / "export.json").read_text())
    assert description["merged"] and [c["name"] for c in description["candidates"]] == ["fp32", "int8", "int4"]
    merged = peft.PeftModel.from_pretrained(load(world / "base" / "model"), world / "lora" / "runs" / "r-0001" / "best").merge_and_unload().eval()
    session = onnxruntime.InferenceSession(str(folder / "fp32" / "model.onnx"))
    ids = np.arange(5, 45)[None]
    feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "position_ids": np.arange(40)[None]}
    config = merged.config
    for i in session.get_inputs():
        if i.name.startswith("past"):
            feed[i.name] = np.zeros((1, config.num_key_value_heads, 0, config.hidden_size // config.num_attention_heads), np.float32)
    with torch.no_grad():
        expected = merged(torch.tensor(ids)).logits.numpy()
    assert np.abs(session.run(["logits"], feed)[0] - expected).max() < 1e-4
    nats, tokens = losses(merged, world)
    for c in description["candidates"]:
        assert c["perplexity"]["tokens"] == tokens and c["perplexity"]["original"] == pytest.approx(np.exp(nats / tokens), rel=1e-4)
        assert c["parity"]["steps"] == 64 and c["latency"] and (folder / c["file"]).stat().st_size <= c["bytes"]
        assert (folder / c["name"] / "tokenizer.model").read_bytes() == (world / "tok" / "tokenizer.model").read_bytes()
    passed = [c for c in description["candidates"] if c["passed"]]
    assert description["recommended"] == min(passed, key=lambda c: c["bytes"])["name"]
    assert description["candidates"][0]["parity"]["passed"] and description["candidates"][0]["parity"]["sameToken"] == 64


def test_gguf_and_genai(run, world):
    folder = job(run, world, "full", "export", {"target": "gguf", "quantize": "q8_0"})
    description = json.loads((folder / "export.json").read_text())
    assert [c["file"] for c in description["candidates"]] == ["q8_0/model.gguf"] and description["recommended"] is None
    folder = job(run, world, "full", "export", {"target": "onnx-genai", "quantize": ["fp16"]})
    assert (folder / "fp16" / "genai_config.json").exists() and not (folder / "q8_0").exists()


@pytest.mark.parametrize("verb, request_, code", [
    ("evaluate", {"answers": -1}, 20), ("evaluate", {"epsilons": ["far"]}, 20), ("export", {"target": "tensorrt"}, 20),
    ("export", {"quantize": ["static-int8"]}, 20), ("export", {"block": 7}, 20), ("export", {"limit": -1}, 20)])
def test_bad_requests(run, world, verb, request_, code):
    folder = job(run, world, "full", verb, request_, expect=code)
    last = json.loads((folder / "events.jsonl").read_text().splitlines()[-1])
    assert last["type"] == "failed" and last["failure"]["kind"] == "invalid_argument"


def test_another_tokenizer_or_other_texts(run, world):
    spec = world / "lora" / "runs" / "r-0001" / "spec.json"
    before = spec.read_text()
    try:
        spec.write_text(json.dumps(json.loads(before) | {"prepared": str(world / "plain")}))
        job(run, world, "lora", "evaluate", {}, expect=60)
    finally:
        spec.write_text(before)


def test_from_a_project_to_a_signed_bundle(run, tmp_path, data_dir, monkeypatch):
    """The command line alone: data in, a base and a run on it, its figures, its candidates, and a bundle that the reference tool verifies."""
    monkeypatch.setenv("CLOISTER_KEYS", str(tmp_path / "keys"))
    project = tmp_path / "project"

    def cli(*arguments):
        return json.loads(run("cloister-cli", *arguments, "--project", project, "--json").stdout)

    source = next(p for p in sorted((data_dir / "txt-tatoeba-enzh-dev").iterdir()) if p.suffix != ".md")
    (tmp_path / "pairs.tsv").write_text("\n".join("\t".join(line.split("\t")[:2]) for line in source.read_text().splitlines()[:900]) + "\n")
    cli("project", "create", "--task", "language-model")
    cli("data", "import", tmp_path / "pairs.tsv")
    cli("data", "snapshot")
    cli("tokenizer", "add", "--name", "pieces", "--vocab-size", "1200")
    small = ["--set", "architecture=llama-1m", "--set", "sequence_length=64", "--set", "max_steps=40", "--set", "threads=1", "--set", "precision=fp32",
             "--set", "learning_rate=0.003"]
    cli("train", *small)
    report = cli("evaluate", "--answers", "8", "--new-tokens", "12", "--no-attacks")
    assert report["task"] == "language-model" and report["part"] == "test" and report["perplexity"]["value"] > 1 and report["generation"]["n"] == 8
    exported = cli("export", "--quantize", "none,int8", "--to", tmp_path / "out")
    assert {c["name"] for c in exported["candidates"]} == {"fp32", "int8"} and (tmp_path / "out" / "int8" / "tokenizer.model").exists()
    (tmp_path / "pass").write_text("a long passphrase\n")
    run("cloister-cli", "keys", "create", "--name", "lab", "--passphrase-file", tmp_path / "pass")
    made = cli("bundle", "create", "--candidate", "int8", "--passphrase-file", tmp_path / "pass", "--to", tmp_path / "bundle")
    assert made["manifest"]["task"] == "text-generation" and made["manifest"]["run"] == "r-0001" and made["manifest"]["model"]["candidate"] == "int8"
    verified = json.loads(run("cloister-cli", "bundle", "verify", tmp_path / "bundle", "--json").stdout)
    assert verified["valid"] and verified["bundle"]["snapshot"] == report["snapshot"]
    kept = json.loads((tmp_path / "bundle" / "evaluation" / "report.json").read_text())
    assert kept["perplexity"] == report["perplexity"] and "samples" not in kept and "found" not in kept["memorisation"]
    lineage = [json.loads(line) for line in (tmp_path / "bundle" / "lineage.jsonl").read_text().splitlines()]
    assert len(lineage) == 1 and len(lineage[0]["sha256"]) == 64
    text = b"".join(p.read_bytes() for p in (tmp_path / "bundle").rglob("*.json*"))
    assert str(tmp_path).encode() not in text and b"pairs.tsv" not in text
    (key,) = (tmp_path / "keys").rglob("public.pem")
    assert reference_accepts(tmp_path / "bundle", tmp_path / "bundle" / "model.sig", public_key=key)
    assert any("sign" in json.dumps(e) and made["rootDigest"] in json.dumps(e) for e in cli("audit", "show")["entries"])
