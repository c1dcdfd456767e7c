"""Tokenizers made with the field's packages, strings to try them on, and our ids for them."""
import functools
import json
import random
import unicodedata

import numpy as np
from safetensors import safe_open
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

QWEN2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
V3 = (r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+""")
LLM_LETTERS = (r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕ"
               r"ℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+")
# Characters that editors like to replace by their normal forms.
for _plain, _exact in (("Ὗ-ώ", "Ὗ-\u1f7d"), ("ῐ-ΐ", "ῐ-\u1fd3"), ("ῖ-Ί", "ῖ-\u1fdb"), ("K-ℭ", "\u212a-ℭ"), ("ℤΩ", "ℤ\u2126")):
    assert _plain in LLM_LETTERS
    LLM_LETTERS = LLM_LETTERS.replace(_plain, _exact)


def isolated(*patterns):
    return [pre_tokenizers.Split(Regex(p), "isolated") for p in patterns]


BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
PRE_TOKENIZERS = {
    "gpt2": lambda: pre_tokenizers.ByteLevel(add_prefix_space=False),
    "gpt2-prefix": lambda: pre_tokenizers.ByteLevel(add_prefix_space=True),
    "llama3": lambda: pre_tokenizers.Sequence([*isolated(LLAMA3), BYTES]),
    "qwen2": lambda: pre_tokenizers.Sequence([*isolated(QWEN2), BYTES]),
    "deepseek-v3": lambda: pre_tokenizers.Sequence([*isolated(r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", V3), BYTES]),
    "deepseek-coder": lambda: pre_tokenizers.Sequence([*isolated(r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+"), pre_tokenizers.Digits(True), BYTES]),
    "deepseek-llm": lambda: pre_tokenizers.Sequence([*isolated(r"[\r\n]", LLM_LETTERS, r"\s?[!-/:-~！-／：-～‘-‟　-。]+", r"\s+$", "[一-龥ࠀ-一가-퟿]+"), pre_tokenizers.Digits(True), BYTES]),
}


def frame(tokenizer, begin="<s>", end=None):
    """begin before and end behind every text."""
    ids = [(t, tokenizer.token_to_id(t)) for t in (begin, end) if t]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{begin} $A" + (f" {end}" if end else ""), special_tokens=ids)


def byte_level(kind, texts, vocabulary=3000, normalizer=None, ignore_merges=False):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = PRE_TOKENIZERS[kind]()
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=["<s>", "</s>", "<｜User｜>"], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken("<think>", normalized=False), AddedToken("bold", single_word=True, normalized=True),
                          AddedToken("[MASK]", lstrip=True, rstrip=True, normalized=False), AddedToken("[MA", normalized=False)])
    frame(tokenizer, "<s>", "</s>" if kind == "qwen2" else None)
    return tokenizer


def sentencepiece_merges(pieces, scores):
    """Merges as transformers makes them of a SentencePiece BPE model: every way to make a piece of two, by the score of the piece."""
    ids = {piece: i for i, piece in enumerate(pieces)}
    merges = []
    for piece, score in zip(pieces, scores):
        local = [(piece[:i], piece[i:], score) for i in range(1, len(piece)) if piece[:i] in ids and piece[i:] in ids]
        merges += sorted(local, key=lambda m: (ids[m[0]], ids[m[1]]))
    return [m[:2] for m in sorted(merges, key=lambda m: (m[2], len(m[0]), len(m[1])), reverse=True)]


def llama_like(pieces, merges, metaspace=None):
    """As transformers' LlamaConverter does: normalizers (legacy) or Metaspace, byte fallback, the decoder chain."""
    tokenizer = Tokenizer(models.BPE({p: i for i, p in enumerate(pieces)}, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    if metaspace:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme=metaspace, split=False)
    else:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens([AddedToken(t, normalized=False) for t in ("<unk>", "<s>", "</s>")])
    frame(tokenizer)
    return tokenizer


@functools.cache
def _pools(tables):
    by_category = {}
    for c in range(0x110000):
        category = tables.category(chr(c))
        if category not in ("Cs", "Cn"):  # what this Python does not know may be known to one side only
            by_category.setdefault(category, []).append(chr(c))
    ascii_ = [chr(c) for c in range(32, 127)]
    cjk = [chr(c) for c in range(0x4E00, 0x9FA6)] + [chr(c) for c in range(0x3040, 0x3100)]
    spaces = list(" \t\n\r\x0b\x0c\x85\u00a0\u1680\u2003\u2028\u2029\u202f\u205f\u3000")
    words = ["'s", "'T", "'re", "'VE", "'ll", "'ſ", "don't", "bold", "<think>", "<s>", "</s>", "[MASK]", "[MA", "<｜User｜>", "\r\n", "  ", "\n\n", "e\u0301", "\u200d", "👩‍⚕️", "0x1F",
             "Ⅷ½", "한국", "ไทย", "हिन्दी", "def f(x):\n    return", "//", "...", "\x00", "\ufffd", "ﬁ", "Ａ１", "ß", "İ", "▁", "▁▁a", "a▁b"]
    return [ascii_, ascii_, cjk, spaces, spaces, words, words] + list(by_category.values())


def fuzz(count, seed, tables=unicodedata):
    """tables: whose characters are used; the normalizers of tokenizers know an old Unicode only (unicodedata.ucd_3_2_0 is older)."""
    pools, rng = _pools(tables), random.Random(seed)
    strings = ["", " ", "\n", "  a", "a  ", "a\n ", "\x00"]
    while len(strings) < count:
        length = rng.choice((1, 2, 3, 5, 8, 13, 40))
        chosen = [rng.choice(pools) for _ in range(3)] + pools[:3]
        strings.append("".join(rng.choice(rng.choice(chosen)) for _ in range(length)))
    return strings


def texts_of(data_dir):
    """Every text file, whole, and its lines."""
    files = sorted(f for folder in data_dir.glob("txt-*") for f in folder.rglob("*") if f.is_file() and f.suffix in ("", ".txt", ".json", ".md", ".en", ".zh", ".jsonl"))
    assert len(files) > 20
    return {str(f.relative_to(data_dir)): f.read_text(encoding="utf-8") for f in files}


def lists_of(path):
    with safe_open(path, "numpy") as f:
        ids, offsets = f.get_tensor("ids"), f.get_tensor("offsets")
    return [list(map(int, ids[a:b])) for a, b in zip(offsets[:-1], offsets[1:])]


def our_ids(run, tokenizer, strings, folder, *options):
    source, out = folder / "strings.jsonl", folder / "ids.safetensors"
    source.write_text("".join(json.dumps(s) + "\n" for s in strings), encoding="utf-8")
    run("cloister-cli", "tokenizer", "encode", "--tokenizer", tokenizer, "--file", source, "--each", "json-line", "--to", out, *options)
    return lists_of(out)


def our_texts(run, tokenizer, lists, folder, *options):
    from safetensors.numpy import save_file
    source, out = folder / "to_decode.safetensors", folder / "texts.jsonl"
    offsets = np.cumsum([0] + [len(x) for x in lists], dtype=np.int64)
    save_file({"ids": np.array([i for x in lists for i in x], dtype=np.int32), "offsets": offsets}, source)
    run("cloister-cli", "tokenizer", "decode", "--tokenizer", tokenizer, "--ids", source, "--to", out, *options)
    return [json.loads(line) for line in out.read_text(encoding="utf-8").split("\n")[:-1]]


def same(strings, ours, theirs):
    """All equal; the failure names a few strings, and no long text."""
    assert len(ours) == len(theirs) == len(strings)
    wrong = [(str(s)[:80], str(a)[:300], str(b)[:300]) for s, a, b in zip(strings, ours, theirs) if a != b]
    shown = "; ".join(f"{s!r}: ours {a}, theirs {b}" for s, a, b in wrong[:5])
    assert not wrong, f"{len(wrong)} of {len(strings)} differ: {shown}"
