"""Encoding against the packages tokenizers (encode_batch_fast) and sentencepiece, all cores each: MB/s of the encoding alone, interleaved, medians,
ratios above 1 where we are faster. The text is that of all text folders, a line a text."""
import json
import pathlib
import statistics
import sys
import time

import pytest
import sentencepiece

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "interop"))
import tokenizer_support as support  # noqa: E402
from test_tokenizers import llama_of, models_of, vocabulary_of  # noqa: E402

ROUNDS = 5


@pytest.fixture(scope="module")
def lines(data_dir):
    return [line for text in support.texts_of(data_dir).values() for line in text.split("\n") if line]


def compare(name, run, path, lines, peer, folder):
    source = folder / "lines.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    megabytes = sum(len(line.encode()) for line in lines) / 1e6
    ours, theirs = [], []
    for _ in range(ROUNDS):
        made = json.loads(run("cloister-cli", "tokenizer", "encode", "--tokenizer", path, "--file", source, "--each", "json-line", "--to", folder / "ids.safetensors", "--json").stdout)
        ours.append(megabytes / made["seconds"])
        start = time.perf_counter()
        peer(lines)
        theirs.append(megabytes / (time.perf_counter() - start))
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"\n{name}: cloister {a:.1f} MB/s, peer {b:.1f} MB/s, ratio {a / b:.2f}x")


@pytest.mark.bench
@pytest.mark.parametrize("kind", ["deepseek-v3", "deepseek-coder", "deepseek-llm", "llama3", "qwen2", "gpt2", "llama-spm"])
def test_tokenizer_json(kind, run, data_dir, lines, tmp_path):
    theirs = llama_of(vocabulary_of(data_dir, kind)) if kind == "llama-spm" else support.byte_level(kind, lines[::20], 20000)
    theirs.save(str(tmp_path / "tokenizer.json"))
    compare(f"tokenizer.json, {kind}", run, tmp_path, lines, theirs.encode_batch_fast, tmp_path)


@pytest.mark.bench
@pytest.mark.parametrize("which", [0, 2])
def test_sentencepiece(which, run, data_dir, lines, tmp_path):
    path = models_of(data_dir)[which]
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(path))
    compare(f"sentencepiece, {'bpe' if which == 2 else 'unigram'}", run, path, lines, lambda texts: theirs.encode(texts, num_threads=-1), tmp_path)
