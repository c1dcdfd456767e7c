"""Tokenizers against the packages tokenizers and sentencepiece: identical ids, identical texts back, and what is refused."""
import json
import random
import shutil
import unicodedata

import gguf
import pytest
import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

import tokenizer_support as support

FUZZED = 20_000


@pytest.fixture(scope="session")
def texts(data_dir):
    return support.texts_of(data_dir)


@pytest.fixture(scope="session")
def corpus(texts):
    lines = [line for text in texts.values() for line in text.splitlines()]
    return random.Random(1).sample(lines, 2000)


def agree(run, theirs, path, strings, folder):
    """Ids with and without special tokens, and the texts back."""
    expected = [e.ids for e in theirs.encode_batch(strings)]
    support.same(strings, support.our_ids(run, path, strings, folder), expected)
    back = support.our_texts(run, path, expected, folder)
    wanted = theirs.decode_batch(expected)
    support.same(strings, back, wanted)
    some = strings[-1000:]
    plain = [e.ids for e in theirs.encode_batch(some, add_special_tokens=False)]
    support.same(some, support.our_ids(run, path, some, folder, "--no-special"), plain)
    kept = theirs.decode_batch(expected[-1000:], skip_special_tokens=False)
    support.same(some, support.our_texts(run, path, expected[-1000:], folder, "--keep-special"), kept)


@pytest.mark.parametrize("kind", support.PRE_TOKENIZERS)
def test_byte_level_bpe(kind, run, texts, corpus, tmp_path):
    theirs = support.byte_level(kind, corpus)
    path = tmp_path / "tokenizer.json"
    theirs.save(str(path))
    agree(run, theirs, path, list(texts.values()) + support.fuzz(FUZZED, kind), tmp_path)


OTHERS = {
    "nfc": dict(normalizer=normalizers.NFC()),
    "nfkc-lower-strip": dict(normalizer=normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), normalizers.Strip()])),
    "nfd-accents": dict(normalizer=normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.Replace(Regex(r"\d{2,}"), "#")])),
    "ignore-merges": dict(ignore_merges=True),
}


@pytest.mark.parametrize("name", OTHERS)
def test_normalizers_and_options(name, run, corpus, tmp_path):
    theirs = support.byte_level("llama3", corpus, **OTHERS[name])
    path = tmp_path / "tokenizer.json"
    theirs.save(str(path))
    agree(run, theirs, path, support.fuzz(5000, name, unicodedata.ucd_3_2_0) + corpus, tmp_path)


SPLITS = {
    **{f"{b}{'-inverted' if i else ''}": (lambda b=b, i=i: pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(r"[\s\p{P}]+|\d"), b, invert=i), support.BYTES]))
       for b in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous") for i in (False, True)},
    "literal": lambda: pre_tokenizers.Sequence([pre_tokenizers.Split(" ", "merged_with_next"), support.BYTES]),
    "digits-together": lambda: pre_tokenizers.Sequence([pre_tokenizers.Digits(False), support.BYTES]),
    "punctuation": lambda: pre_tokenizers.Sequence([pre_tokenizers.Punctuation("contiguous"), support.BYTES]),
    "whitespace": lambda: pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), support.BYTES]),
    "whitespace-split": lambda: pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), support.BYTES]),
    "line-ends": lambda: pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(r"^\s*|\s+$|.x"), "isolated"), support.BYTES]),
}


@pytest.mark.parametrize("name", SPLITS)
def test_pre_tokenizers(name, run, corpus, tmp_path):
    theirs = support.byte_level("gpt2", corpus, vocabulary=800)
    theirs.pre_tokenizer = SPLITS[name]()
    path = tmp_path / "tokenizer.json"
    theirs.save(str(path))
    agree(run, theirs, path, support.fuzz(4000, name) + corpus[:1000], tmp_path)


def vocabulary_of(data_dir, name):
    reader = gguf.GGUFReader(data_dir / "mdl-ggufvocab-dev" / f"ggml-vocab-{name}.gguf")
    return {key.removeprefix("tokenizer.ggml."): field.contents() for key, field in reader.fields.items() if key.startswith("tokenizer.ggml.")}


def pairs_of(data_dir, name):
    stem = data_dir / "mdl-ggufvocab-dev" / f"ggml-vocab-{name}.gguf"
    inputs = stem.with_suffix(".gguf.inp").read_text(encoding="utf-8").split("\n__ggml_vocab_test__\n")
    outputs = [list(map(int, line.split())) for line in stem.with_suffix(".gguf.out").read_text().splitlines()]
    assert len(outputs) > 40
    return inputs[:len(outputs)], outputs


def llama_of(vocabulary, **options):
    return support.llama_like(vocabulary["tokens"], support.sentencepiece_merges(vocabulary["tokens"], vocabulary["scores"]), **options)


def from_gguf(name, vocabulary):
    """tokenizer.json of a GGUF vocabulary."""
    if name == "llama-spm":
        return llama_of(vocabulary)
    merges = [tuple(m.split(" ")) for m in vocabulary["merges"]]
    ids = {t: i for i, t in enumerate(vocabulary["tokens"])}
    tokenizer = Tokenizer(models.BPE(ids, merges))
    tokenizer.pre_tokenizer = support.PRE_TOKENIZERS["gpt2" if name == "gpt-2" else name]()
    tokenizer.decoder = decoders.ByteLevel()
    for kind, add in ((3, tokenizer.add_special_tokens), (4, tokenizer.add_tokens)):
        add([AddedToken(t, normalized=False) for t, k in zip(vocabulary["tokens"], vocabulary["token_type"]) if k == kind])
    return tokenizer


@pytest.mark.parametrize("name", ["deepseek-coder", "gpt-2", "llama-spm"])
def test_vocabularies_of_the_field(name, run, data_dir, texts, tmp_path):
    theirs = from_gguf(name, vocabulary_of(data_dir, name))
    path = tmp_path / "tokenizer.json"
    theirs.save(str(path))
    inputs, outputs = pairs_of(data_dir, name)
    ours = support.our_ids(run, path, inputs, tmp_path, "--no-special")
    support.same(inputs, ours, outputs)
    agree(run, theirs, path, list(texts.values()) + support.fuzz(FUZZED, name), tmp_path)


@pytest.mark.parametrize("scheme", ["always", "first", "never"])
def test_metaspace(scheme, run, data_dir, tmp_path):
    theirs = llama_of(vocabulary_of(data_dir, "llama-spm"), metaspace=scheme)
    theirs.decoder = decoders.Metaspace(prepend_scheme=scheme)
    path = tmp_path / "tokenizer.json"
    theirs.save(str(path))
    agree(run, theirs, path, support.fuzz(FUZZED, scheme), tmp_path)


def models_of(data_dir):
    return [data_dir / "mdl-sentencepiece-dev" / "test_model.model", data_dir / "mdl-sentencepiece-dev" / "test_ja_model.model",
            data_dir / "mdl-llama2c-tokenizer-dev" / "tokenizer.model", data_dir / "mdl-tiny-llama-dev"]


@pytest.mark.parametrize("which", range(4))
def test_sentencepiece_models(which, run, data_dir, texts, tmp_path):
    path = models_of(data_dir)[which]
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(path / "tokenizer.model" if path.is_dir() else path))
    strings = list(texts.values()) + support.fuzz(FUZZED, which)
    expected = theirs.encode(strings)
    ours = support.our_ids(run, path, strings, tmp_path, "--no-special")
    support.same(strings, ours, expected)
    begin = [theirs.bos_id()] if theirs.bos_id() >= 0 else []
    assert support.our_ids(run, path, strings[-50:], tmp_path) == [begin + ids for ids in expected[-50:]]
    support.same(strings, support.our_texts(run, path, expected, tmp_path), theirs.decode(expected))


@pytest.mark.parametrize("kind, normalizer, options", [("bpe", "identity", []), ("unigram", "nfkc", []), ("bpe", "nfkc", ["--no-byte-fallback"])])
def test_training(kind, normalizer, options, run, data_dir, texts, tmp_path):
    source = data_dir / "txt-shakespeare-dev" / "input.txt"
    made = json.loads(run("cloister-cli", "tokenizer", "train", "--input", source, "--kind", kind, "--normalizer", normalizer, "--vocab-size", 1500, *options,
                          "--to", tmp_path / "made", "--json").stdout)
    assert made["vocabularySize"] == 1500 and made["model"] == kind
    assert sorted(f.name for f in (tmp_path / "made").iterdir()) == ["tokenizer.model", "tokenizer_config.json"]
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "made" / "tokenizer.model"))
    strings = list(texts.values()) + support.fuzz(3000, kind)
    support.same(strings, support.our_ids(run, tmp_path / "made", strings, tmp_path, "--no-special"), theirs.encode(strings))
    # As good as what the package makes with the same settings: tokens for the text it was learned from.
    sentencepiece.SentencePieceTrainer.train(input=str(source), model_prefix=str(tmp_path / "peer"), model_type=kind, vocab_size=1500, byte_fallback=not options,
                                             normalization_rule_name="nmt_nfkc" if normalizer == "nfkc" else "identity", split_digits=True, minloglevel=2,
                                             remove_extra_whitespaces=normalizer == "nfkc", allow_whitespace_only_pieces=normalizer != "nfkc")
    peer = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "peer.model"))
    text = source.read_text()
    assert len(theirs.encode(text)) <= len(peer.encode(text)) * 1.002
    # A folder that is there is left alone.
    assert "already_exists" in run("cloister-cli", "tokenizer", "train", "--input", source, "--to", tmp_path / "made", "--json", expect=3).stdout


def test_training_that_cannot_be(run, tmp_path):
    (tmp_path / "small.txt").write_text("one two three\n" * 3)
    (tmp_path / "empty.txt").write_text("\n\n")
    asked = json.loads(run("cloister-cli", "tokenizer", "train", "--input", tmp_path / "small.txt", "--vocab-size", 5000, "--to", tmp_path / "t", "--json", expect=2).stdout)
    assert asked["error"]["kind"] == "invalid_argument" and "≤" in asked["error"]["message"]
    assert "nothing_to_do" in run("cloister-cli", "tokenizer", "train", "--input", tmp_path / "empty.txt", "--to", tmp_path / "t", "--json", expect=3).stdout
    assert not (tmp_path / "t").exists() and not list(tmp_path.glob(".part*"))


def test_pieces_cover_the_text(run, data_dir, corpus, tmp_path):
    """What inspect shows: ids as encode gives them, byte ranges as tokenizers gives them (in characters)."""
    theirs = support.byte_level("deepseek-v3", corpus)
    theirs.save(str(tmp_path / "tokenizer.json"))
    for text in ["Hello, 世界 don't  stop\n\n42 <think> e\u0301 👩‍⚕️", "bold [MASK] x", ""]:
        shown = json.loads(run("cloister-cli", "tokenizer", "inspect", tmp_path, f"--text={text}", "--json").stdout)
        expected = theirs.encode(text)
        assert [p["id"] for p in shown["pieces"]] == expected.ids
        assert [p["piece"] for p in shown["pieces"]] == [theirs.id_to_token(i) for i in expected.ids]
        at = [len(text[:i].encode()) for i in range(len(text) + 1)]
        for piece, (a, b) in zip(shown["pieces"], expected.offsets):
            assert at[a] <= piece["from"] <= piece["to"] <= at[b]
        assert b"".join(text.encode()[p["from"]:p["to"]] for p in shown["pieces"]).decode() == text
    llama = json.loads(run("cloister-cli", "tokenizer", "inspect", data_dir / "mdl-tiny-llama-dev", "--text", "Hello world", "--json").stdout)
    assert llama["kind"] == "sentencepiece" and llama["special"]["begin"] == 1
    assert "".join(p["text"] for p in llama["pieces"]) == "Hello world"


def tiny(**changes):
    """A tokenizer.json of a few pieces, with changes."""
    vocabulary = {c: i for i, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    vocabulary["ab"] = 256
    file = {"version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
            "post_processor": None, "decoder": {"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": vocabulary, "merges": ["a b"]}}
    for place, value in changes.items():
        *parents, last = place.split("__")
        target = file
        for parent in parents:
            target = target[parent]
        target[last] = value
    return file


BAD = {
    "model__merges": (["a zz"], "corrupt_file", "zz"),
    "model__vocab": ({"a": 0, "b": 0}, "corrupt_file", "another piece"),
    "model__vocab__a": (-1, "corrupt_file", "model.vocab.a"),
    "model__vocab__b": (4_000_000_000, "corrupt_file", "model.vocab.b"),
    "model__type": ("WordPiece", "unsupported_encoding", "WordPiece"),
    "normalizer": ({"type": "Precompiled"}, "unsupported_encoding", "Precompiled"),
    "pre_tokenizer": ({"type": "Split", "pattern": {"Regex": "(unclosed"}, "behavior": "Isolated"}, "unsupported_encoding", "regular expression"),
    "decoder": ([1], "corrupt_file", "decoder"),
    "added_tokens": ([{"id": 0, "content": "<x>", "special": True}], "corrupt_file", "<x>"),
    "post_processor": ({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}]}, "corrupt_file", "special_tokens"),
}


@pytest.mark.parametrize("place", BAD)
def test_bad_tokenizers(place, run, tmp_path):
    value, kind, word = BAD[place]
    (tmp_path / "tokenizer.json").write_text(json.dumps(tiny(**{place: value})))
    error = json.loads(run("cloister-cli", "tokenizer", "inspect", tmp_path, "--json", expect=3).stdout)["error"]
    assert error["kind"] == kind and word in error["message"] + error.get("detail", ""), error


def test_damaged_files(run, data_dir, tmp_path):
    good = json.dumps(tiny()).encode()
    llama = (data_dir / "mdl-llama2c-tokenizer-dev" / "tokenizer.model").read_bytes()
    files = {"cut.json": good[:200], "deep.json": b'{"normalizer":' + b'{"type":"Sequence","normalizers":[' * 100_000, "list.json": b"[1]", "empty.json": b"", "nul.json": b"{\0}",
             "latin1.json": good.replace(b"ab", b"\xff"), "cut.model": llama[:1000], "half.model": llama[:250_000], "noise.model": random.Random(1).randbytes(5000),
             "huge.model": b"\x0a\xff\xff\xff\xff\x0f" + b"x" * 100}
    for crafted in ("gguf_cut.gguf", "spm_cut.model"):
        files[crafted] = (data_dir / "bad-crafted-dev" / "tokenizer" / crafted).read_bytes()
    sequence = {"type": "NFC"}
    for _ in range(40):
        sequence = {"type": "Sequence", "normalizers": [sequence]}
    files["sequences.json"] = json.dumps(tiny(normalizer=sequence)).encode()
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        error = json.loads(run("cloister-cli", "tokenizer", "inspect", tmp_path / name, "--json", expect=3).stdout)["error"]
        assert error["kind"] in ("corrupt_file", "truncated_file"), (name, error)
        assert name in error["message"]
    assert "not_found" in run("cloister-cli", "tokenizer", "inspect", tmp_path / "nowhere", "--json", expect=3).stdout


def test_texts_of_all_sorts(run, data_dir, corpus, tmp_path):
    """10 MB in one line, NUL, invalid UTF-8: the ids of the text as Python reads it."""
    theirs = support.byte_level("llama3", corpus)
    theirs.save(str(tmp_path / "tokenizer.json"))
    rng = random.Random(5)
    raw = {"long": b"a" * 10_000_000, "mixed": b"".join(rng.choice([b"word ", b"12 ", "世".encode(), b"!"]) for _ in range(2_000_000)), "spaces": b" " * 2_000_000,
           "nul": b"a\0b\0\0", "invalid": b"ok \xff\xfe \xc3( \xe4\xb8 \xed\xa0\x80 \xf0\x9f\x98 end\xc3", "noise": rng.randbytes(50_000)}
    llama = sentencepiece.SentencePieceProcessor(model_file=str(data_dir / "mdl-tiny-llama-dev" / "tokenizer.model"))
    for name, content in raw.items():
        (tmp_path / "t").write_bytes(content)
        text = content.decode("utf-8", "replace")
        for tokenizer, expected in ((tmp_path / "tokenizer.json", theirs.encode(text, add_special_tokens=False).ids), (data_dir / "mdl-tiny-llama-dev", llama.encode(text))):
            run("cloister-cli", "tokenizer", "encode", "--tokenizer", tokenizer, "--file", tmp_path / "t", "--to", tmp_path / "out.safetensors", "--no-special")
            support.same([name], support.lists_of(tmp_path / "out.safetensors"), [expected])


def test_decoding_any_ids(run, data_dir, corpus, tmp_path):
    """Random ids, most of which make no characters; ids that do not exist say nothing."""
    rng = random.Random(2)
    theirs = support.byte_level("qwen2", corpus)
    theirs.save(str(tmp_path / "tokenizer.json"))
    lists = [[rng.randrange(theirs.get_vocab_size()) for _ in range(rng.choice((1, 3, 20)))] for _ in range(3000)]
    support.same(lists, support.our_texts(run, tmp_path, lists, tmp_path), theirs.decode_batch(lists))
    llama = llama_of(vocabulary_of(data_dir, "llama-spm"))
    (tmp_path / "llama").mkdir()
    llama.save(str(tmp_path / "llama" / "tokenizer.json"))
    lists = [[rng.choice((rng.randrange(300), rng.randrange(32000))) for _ in range(rng.choice((1, 3, 20)))] for _ in range(3000)]
    support.same(lists, support.our_texts(run, tmp_path / "llama", lists, tmp_path), llama.decode_batch(lists))
    assert support.our_texts(run, tmp_path, [[-5, 10**9, 40]], tmp_path) == support.our_texts(run, tmp_path, [[40]], tmp_path)


def test_fingerprint_follows_the_files(run, data_dir, tmp_path):
    def fingerprint():
        return json.loads(run("cloister-cli", "tokenizer", "inspect", tmp_path / "t", "--json").stdout)["fingerprint"]

    shutil.copytree(data_dir / "mdl-tiny-llama-dev", tmp_path / "t")
    first = fingerprint()
    assert first == fingerprint()
    config = tmp_path / "t" / "tokenizer_config.json"
    config.chmod(0o644)
    (tmp_path / "t").chmod(0o755)
    config.write_text(config.read_text() + " ")
    assert fingerprint() != first
