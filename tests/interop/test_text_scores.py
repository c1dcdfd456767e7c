"""Scores of texts against sacreBLEU 2.6.0 and rouge-score 0.1.2: stored expectations, sacreBLEU's own corner cases, and random strings of every kind
under every set of options; signatures word for word; intervals and p-values with the same seed; Chinese ROUGE against rouge-score with a tokenizer
written here by regular expressions."""
import json
import random
import unicodedata
import zlib

import pytest
import regex
from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.significance import PairedTest

import ingest_support as ingest

EXACT = dict(rel=1e-9, abs=1e-9)


def write(path, texts):
    path.write_text("".join(json.dumps(text, ensure_ascii=False) + "\n" for text in texts), encoding="utf-8")
    return str(path)


def score(folder, metric, hypotheses, references, options=None, baseline=None, **more):
    """references: one list of texts a reference. Returns (answer, scores of the segments). JSON lines, so that any string arrives as it is."""
    out = folder / "sentences.jsonl"
    request = {"format": 1, "metric": metric, "options": options or {}, "hypotheses": write(folder / "hyp", hypotheses),
               "references": [write(folder / f"ref{i}", reference) for i, reference in enumerate(references)], "textFormat": "jsonl", "sentences": str(out),
               **more}
    if baseline is not None:
        request["baseline"] = write(folder / "base", baseline)
    _, last, _ = ingest.run("score", request, folder, 600)
    assert last["type"] == "finished", last
    return last, [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]


# Random texts -------------------------------------------------------------------------------------------------------------------------------------

LATIN = ["the", "The", "cat", "sat", "U.S.", "e.g.,", "3.14", "1,000.50-2", "10-fold", "don't", "it's ", "(hi)", "x=y", "&quot;", "&amp;lt;", "<skipped>", "a/b",
         "“no”", "«très»", "naïve", "İstanbul", "ΟΔΟΣ", "Σ", "ΑΣ'", "ǅ", "ß", "K", "-", "--", "...", "?!", "$5", "€", "100%", "A&B", "&lt;", "_c", "'s", "9-", "-9", ".5", "5."]
CHINESE = ["今天", "天气", "很好", "，", "。", "我们去公园", "肺部CT", "未见", "明显异常", "“良性”", "…", "→", "３.５ｍｍ", "！", "（", "）", "カタカナ", "ひらがな", "한국어", "𠀀", "\U0002F800", "々", "〇", "①", "㎡",
           "ｶﾅ", "ー", "㐂", "﨑"]
SPACES = [" ", " ", " ", " ", "", "  ", "\t", " ", "　", " ", " ", "\x1c", "\x85", "\r", " ", " "]


def letters():
    """Assigned characters of Unicode 13 and older, which all the libraries at hand know."""
    old = unicodedata.ucd_3_2_0
    return [chr(c) for c in range(1, 0x30000) if old.category(chr(c)) not in ("Cn", "Cs", "Co") and c != 0x0A]


LETTERS = letters()


def random_text(random_, kind):
    if kind == "empty" or random_.random() < 0.02:
        return random_.choice(["", " ", "\t ", "　"])
    words = {"latin": LATIN, "chinese": CHINESE + LATIN[:8], "few": ["a", "b", "c", "d."]}.get(kind)
    count = random_.randrange(1, 25 if kind != "few" else 40)
    if words is None:
        return "".join(random_.choice(LETTERS) if random_.random() < 0.8 else random_.choice(SPACES) for _ in range(count))
    return "".join(random_.choice(words) + random_.choice(SPACES) for _ in range(count))


def changed(random_, text, kind):
    words = text.split(" ")
    for _ in range(random_.randrange(4)):
        i = random_.randrange(len(words))
        action = random_.randrange(4)
        if action == 0:
            words[i] = random_text(random_, kind)[:8]
        elif action == 1 and len(words) > 1:
            del words[i]
        elif action == 2:
            words.insert(i, words[random_.randrange(len(words))])
        else:
            j = random_.randrange(len(words))
            words[i:i + 2], words[j:j + 2] = words[j:j + 2], words[i:i + 2]
            words = words or [""]
    return " ".join(words)


def seed_of(options):
    return zlib.crc32(str(options).encode())


def random_corpus(seed, count, references=1):
    random_ = random.Random(seed)
    hypotheses, lists = [], [[] for _ in range(references)]
    for _ in range(count):
        kind = random_.choice(["latin", "latin", "chinese", "chinese", "few", "any"])
        text = random_text(random_, kind)
        hypotheses.append(text)
        for one in lists:
            one.append(changed(random_, text, kind) if random_.random() < 0.9 else random_text(random_, kind))
    return hypotheses, lists


def test_the_random_texts_reach_what_they_should():
    hypotheses, _ = random_corpus(1, 2000)
    text = "".join(hypotheses)
    for wanted in "İΣ𠀀　\x1c。.":
        assert wanted in text
    assert any(not h.strip() for h in hypotheses) and len(set(text)) > 1500


def test_every_character(tmp_path):
    """Lower case and each tokenizer on all characters that this Python knows: what sacreBLEU made words of must come apart in the same places."""
    characters = [chr(c) for c in range(1, 0x110000) if not 0xD800 <= c < 0xE000 and c != 0x0A and unicodedata.category(chr(c)) != "Cn"]
    assert len(characters) > 280_000
    texts = [f"x{c}y {c}" for c in characters]
    _, segments = score(tmp_path, "exact", texts, [[text.lower() for text in texts]], {"lowercase": True})
    assert [hex(ord(c)) for c, s in zip(characters, segments) if s != 100] == []
    texts = [f"a{c}b 1{c}2 {c}" for c in characters]
    for name in ("intl", "zh", "13a"):
        tokenizer = BLEU(tokenize=name).tokenizer
        _, segments = score(tmp_path, "bleu", texts, [[tokenizer(text.rstrip()) for text in texts]], {"tokenize": name})
        assert [hex(ord(c)) for c, s in zip(characters, segments) if abs(s - 100) > 1e-9] == [], name


# BLEU ---------------------------------------------------------------------------------------------------------------------------------------------

BLEU_OPTIONS = [dict(tokenize="13a"), dict(tokenize="13a", lowercase=True), dict(tokenize="zh"), dict(tokenize="zh", lowercase=True), dict(tokenize="intl"),
                dict(tokenize="intl", lowercase=True), dict(tokenize="char"), dict(tokenize="none"), dict(tokenize="13a", smooth_method="floor"),
                dict(tokenize="13a", smooth_method="floor", smooth_value=0.01), dict(tokenize="13a", smooth_method="add-k"),
                dict(tokenize="13a", smooth_method="add-k", smooth_value=0.5), dict(tokenize="13a", smooth_method="none"),
                dict(tokenize="13a", effective_order=True), dict(tokenize="none", max_ngram_order=2)]
OURS = {"smooth_method": "smoothing", "smooth_value": "smoothingValue", "effective_order": "effectiveOrder", "max_ngram_order": "maxOrder",
        "word_order": "wordOrder", "char_order": "characterOrder", "eps_smoothing": "epsilonSmoothing", "no_punct": "noPunctuation",
        "asian_support": "asianSupport", "case_sensitive": "caseSensitive"}


def ours(options):
    return {OURS.get(key, key): value for key, value in options.items()}


def check_sacrebleu(folder, name, kind, options, hypotheses, references, sentence_options=None):
    peer = kind(**options)
    expected = peer.corpus_score(hypotheses, references)
    answer, segments = score(folder, name, hypotheses, references, ours(options))
    assert answer["score"] == pytest.approx(expected.score, **EXACT)
    assert answer["signature"] == str(peer.get_signature())
    assert answer["name"] == expected.name and answer["segments"] == len(hypotheses)
    one = kind(**{**options, **(sentence_options or {})})
    rows = one._extract_corpus_statistics(hypotheses, references)  # sentence_score, without doing the work twice
    for i, hypothesis in enumerate(hypotheses):
        wanted = one._compute_score_from_stats(rows[i]).score
        assert segments[i] == pytest.approx(wanted, **EXACT), (i, hypothesis, [reference[i] for reference in references])
    return answer, expected


@pytest.mark.parametrize("options", BLEU_OPTIONS, ids=str)
@pytest.mark.parametrize("references", [1, 3])
def test_bleu_of_random_texts(options, references, tmp_path):
    hypotheses, lists = random_corpus(seed_of(options), 1500, references)
    answer, expected = check_sacrebleu(tmp_path, "bleu", BLEU, options, hypotheses, lists, {"effective_order": True})
    parts = answer["parts"]
    assert parts["counts"] == pytest.approx(expected.counts) and parts["totals"] == pytest.approx(expected.totals)
    assert parts["precisions"] == pytest.approx(expected.precisions) and parts["bp"] == pytest.approx(expected.bp)
    assert (parts["hypothesisLength"], parts["referenceLength"]) == (expected.sys_len, expected.ref_len)


# The cases that sacreBLEU's authors and users argue about; the numbers were computed once and are stored, so that a change of the peer shows as well.
CASES = [
    ("bleu", ["The cat sat on the mat."], [["The cat is sitting on the mat."]], {}, 42.3836562828),
    ("bleu", ["Hello, world! 3.14 costs $5."], [["Hello, world! 3.14 costs $5."]], {}, 100.0),
    ("bleu", ["good morning"], [["good morning everyone"]], {}, 0.0),
    ("bleu", ["good morning"], [["good morning everyone"]], {"effective_order": True}, 60.6530659713),
    ("bleu", [""], [["non empty reference"]], {}, 0.0),
    ("bleu", ["the quick brown fox jumped over the dog", "he is at school"],
     [["the quick brown fox jumps over the lazy dog", "he is in school"], ["a fast brown fox jumped over the dog", "he's at the school now"]], {}, 79.5270728767),
    ("bleu", ["今天天气很好，我们去公园吧。"], [["今天天气不错，我们去公园玩吧。"]], {"tokenize": "zh"}, 53.3612979927),
    ("bleu", ["今天天气很好，我们去公园吧。"], [["今天天气不错，我们去公园玩吧。"]], {"tokenize": "13a"}, 0.0),
    ("bleu", ["今天天气很好"], [["今天天气不错"]], {"tokenize": "char"}, 50.8132748155),
    ("bleu", ["Prix : 1 234,5 € — «très bon».", "A-B test's ok"], [["Prix : 1 234,5 € - «très bon».", "A-B test is ok"]], {"tokenize": "intl"}, 60.7729812646),
    ("bleu", ["", "the model works well on the test set", "肺部CT未见明显异常。"], [["empty ref here", "the model works very well on the test set", "肺部CT未见异常。"]],
     {"tokenize": "zh"}, 53.4173595690),
    ("bleu", ["THE CAT"], [["the dog sat"]], {"lowercase": True, "smooth_method": "floor"}, 0.0),
    ("bleu", ["the cat sat"], [["the dog sat here"]], {"smooth_method": "add-k", "smooth_value": 1}, 41.3689545043),
    ("bleu", ["foo bar"], [["baz qux"]], {}, 0.0),
    ("bleu", ["&quot;A&amp;B&quot; cost 1,000.50-2 (approx.) 10-fold"], [["\"A&B\" costs 1,000.50 - 2 (approx.) 10 - fold"]], {}, 81.5355103817),
    ("chrf", ["The cat sat on the mat."], [["The cat is sitting on the mat."]], {}, 49.6485170311),
    ("chrf", ["The cat sat on the mat."], [["The cat is sitting on the mat."]], {"word_order": 2}, 54.2551855195),
    ("chrf", ["今天天气很好，我们去公园吧。"], [["今天天气不错，我们去公园玩吧。"]], {}, 42.6329988026),
    ("chrf", [""], [["abc"]], {}, 0.0),
    ("chrf", ["(hello) world!", "ab"], [["hello world", "abc"], ["(hello) worlds!", "ab"]], {"word_order": 2}, 78.0779492438),
    ("chrf", ["ab"], [["abc"]], {"eps_smoothing": True}, 21.1640211640),
    ("ter", ["the cat sat on the mat"], [["the mat the cat sat on"]], {}, 16.6666666667),
    ("ter", ["hello there world"], [["hello world"]], {}, 50.0),
    ("ter", [""], [["a b c"]], {}, 100.0),
    ("ter", ["Hello, World!"], [["hello world !"]], {"normalized": True}, 33.3333333333),
    ("ter", ["今天天气很好"], [["今天天气不错"]], {"normalized": True, "asian_support": True}, 33.3333333333),
    ("ter", ["a b c d"], [["a b x d"], ["a b c e f"]], {}, 22.2222222222),
]
KINDS = {"bleu": BLEU, "chrf": CHRF, "ter": TER}


@pytest.mark.parametrize("name, hypotheses, references, options, stored", CASES)
def test_stored_cases(name, hypotheses, references, options, stored, tmp_path):
    answer, _ = check_sacrebleu(tmp_path, name, KINDS[name], options, hypotheses, references, {"effective_order": True} if name == "bleu" else None)
    assert answer["score"] == pytest.approx(stored, abs=1e-9)


def test_the_tatoeba_systems(data_dir, tmp_path):
    folder = data_dir / "txt-bleu-tatoeba-dev"
    expected = json.loads((folder / "expected_bleu.json").read_text(encoding="utf-8"))["systems"]
    assert len(expected) == 8
    for name, wanted in expected.items():
        language = name.split(".")[1]
        request = {"format": 1, "metric": "bleu", "options": {"tokenize": "zh" if language == "zh" else "13a"}, "hypotheses": str(folder / f"hyp.{name}"),
                   "references": [str(folder / f"ref.{language}")], "sentences": str(tmp_path / "s")}
        _, answer, _ = ingest.run("score", request, tmp_path)
        parts = answer["parts"]
        assert answer["score"] == pytest.approx(wanted["score"], abs=1e-6)
        assert parts["bp"] == pytest.approx(wanted["bp"], abs=1e-6)
        if name.startswith("shifted"):  # only these two numbers are stored
            continue
        assert parts["precisions"] == pytest.approx(wanted["precisions"], abs=1e-6) and answer["signature"] == wanted["sig"]
        assert (parts["hypothesisLength"], parts["referenceLength"]) == (wanted["sys_len"], wanted["ref_len"])
        segments = [json.loads(line) for line in (tmp_path / "s").read_text().splitlines()]
        assert segments[:20] == pytest.approx(wanted["sentence_first20"], abs=1e-6)
        _, answer, _ = ingest.run("score", {**request, "metric": "chrf", "options": {}}, tmp_path)
        assert answer["score"] == pytest.approx(wanted["chrF2"], abs=1e-6)


# chrF and TER -------------------------------------------------------------------------------------------------------------------------------------

CHRF_OPTIONS = [dict(), dict(word_order=2), dict(word_order=1, lowercase=True), dict(whitespace=True), dict(whitespace=True, word_order=2, lowercase=True),
                dict(eps_smoothing=True), dict(eps_smoothing=True, word_order=2), dict(char_order=3, beta=1), dict(char_order=8, word_order=3, beta=3)]


@pytest.mark.parametrize("options", CHRF_OPTIONS, ids=str)
@pytest.mark.parametrize("references", [1, 2])
def test_chrf_of_random_texts(options, references, tmp_path):
    hypotheses, lists = random_corpus(seed_of(options), 1000, references)
    check_sacrebleu(tmp_path, "chrf", CHRF, options, hypotheses, lists)


TER_OPTIONS = [dict(a, **b) for a in (dict(), dict(normalized=True), dict(no_punct=True), dict(normalized=True, no_punct=True))
               for b in (dict(), dict(asian_support=True), dict(case_sensitive=True))]


@pytest.mark.parametrize("options", TER_OPTIONS, ids=str)
@pytest.mark.parametrize("references", [1, 2])
def test_ter_of_random_texts(options, references, tmp_path):
    hypotheses, lists = random_corpus(seed_of(options), 600, references)
    check_sacrebleu(tmp_path, "ter", TER, options, hypotheses, lists)


def test_ter_of_long_and_of_lopsided_texts(tmp_path):
    """Past the beam, past the longest shift and past the most candidates."""
    random_ = random.Random(3)
    pairs = []
    for own, theirs, words in [(300, 300, 400), (300, 290, 12), (200, 220, 3), (1, 200, 5), (2, 400, 50), (400, 2, 50), (150, 3, 2), (0, 60, 4), (60, 0, 4), (120, 120, 2)]:
        reference = [f"w{random_.randrange(words)}" for _ in range(theirs)]
        hypothesis = (reference[40:] + reference[:40] + [f"w{random_.randrange(words)}" for _ in range(own)])[:own]
        pairs.append((" ".join(hypothesis), " ".join(reference)))
    check_sacrebleu(tmp_path, "ter", TER, {}, [p[0] for p in pairs], [[p[1] for p in pairs]])


# Intervals and tests ------------------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, kind, options", [("bleu", BLEU, {}), ("chrf", CHRF, {"word_order": 2}), ("ter", TER, {})])
def test_intervals_and_paired_tests_draw_as_sacrebleu_does(name, kind, options, tmp_path, monkeypatch):
    hypotheses, (reference,) = random_corpus(5, 173)
    random_ = random.Random(6)
    baseline = [changed(random_, changed(random_, h, "latin"), "latin") for h in hypotheses]
    for seed in (12345, 7, 2**40 + 9):
        monkeypatch.setenv("SACREBLEU_SEED", str(seed))
        peer = kind(**options)
        wanted = peer.corpus_score(hypotheses, [reference], n_bootstrap=500)
        answer, _ = score(tmp_path, name, hypotheses, [reference], ours(options), bootstrap=500, seed=seed)
        # sacreBLEU resamples in single precision.
        assert answer["interval"]["mean"] == pytest.approx(wanted._mean, rel=1e-5) and answer["interval"]["halfWidth"] == pytest.approx(wanted._ci, rel=1e-4)
        assert answer["signature"] == str(peer.get_signature())
        answer, _ = score(tmp_path, name, hypotheses, [reference], ours(options), baseline=baseline, bootstrap=400, trials=600, seed=seed)
        for test, count, key in (("bs", 400, "bootstrap"), ("ar", 600, "randomisation")):
            peer = kind(**options, references=[reference])
            signatures, scores = PairedTest([("base", baseline), ("system", hypotheses)], {name: peer}, None, test, n_samples=count)()
            (metric,) = signatures
            base, system = scores[metric]
            assert answer["paired"]["baseline"] == pytest.approx(base.score, **EXACT) and answer["score"] == pytest.approx(system.score, **EXACT)
            assert answer["paired"][key]["p"] == pytest.approx(system.p_value, abs=1e-12)
            assert answer["signature" if test == "bs" else "randomisationSignature"] == str(signatures[metric])
        assert answer["interval"]["halfWidth"] == pytest.approx(kind_interval(kind, options, hypotheses, reference, 400), rel=1e-4)


def kind_interval(kind, options, hypotheses, reference, count):
    return kind(**options).corpus_score(hypotheses, [reference], n_bootstrap=count)._ci


def test_equal_systems_do_not_differ_and_good_ones_do(tmp_path):
    hypotheses, (reference,) = random_corpus(8, 200)
    answer, _ = score(tmp_path, "bleu", hypotheses, [reference], {}, baseline=hypotheses, trials=500)
    assert answer["paired"]["difference"] == 0 and answer["paired"]["randomisation"]["p"] == pytest.approx(1 / 501)  # as in sacreBLEU: none is beyond 0
    answer, _ = score(tmp_path, "bleu", reference, [reference], {}, baseline=hypotheses, trials=500)
    assert answer["score"] == pytest.approx(100) and answer["paired"]["randomisation"]["p"] < 0.01 and answer["paired"]["bootstrap"]["p"] < 0.01


# ROUGE --------------------------------------------------------------------------------------------------------------------------------------------

TYPES = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
WORD = r"[\p{L}\p{M}\p{N}]"
ALONE = r"[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}]"


class ChineseTokenizer:
    def __init__(self, kind, stemmer):
        self.kind = kind
        self.stemmer = rouge_scorer.tokenizers.DefaultTokenizer(True)._stemmer if stemmer else None

    def tokenize(self, text):
        text = text.lower()
        if self.kind == "char":
            return [c for c in text if not c.isspace()]
        words = regex.findall(rf"(?V1)[{WORD}&&{ALONE}]|[{WORD}--{ALONE}]+", text)
        if self.stemmer:
            words = [self.stemmer.stem(w) if len(w.encode()) > 3 and regex.fullmatch("[a-z0-9]+", w) else w for w in words]
        return words


def check_rouge(folder, hypotheses, references, tokenize, stemmer):
    tokenizer = None if tokenize == "rouge" else ChineseTokenizer(tokenize, stemmer)
    peer = rouge_scorer.RougeScorer(TYPES, use_stemmer=stemmer, tokenizer=tokenizer)
    answer, segments = score(folder, "rouge", hypotheses, references, {"tokenize": tokenize, "stemmer": stemmer})
    sums = {t: 0.0 for t in TYPES}
    for i, hypothesis in enumerate(hypotheses):
        wanted = peer.score_multi([reference[i] for reference in references], hypothesis)
        for t in TYPES:
            got = segments[i][t]
            assert (got["precision"], got["recall"], got["f"]) == pytest.approx(tuple(wanted[t]), **EXACT), (t, hypothesis, [r[i] for r in references])
            sums[t] += wanted[t].fmeasure
    for t in TYPES:
        assert answer["score"][t] == pytest.approx(sums[t] / len(hypotheses), **EXACT)
    return answer


@pytest.mark.parametrize("tokenize", ["rouge", "zh", "char"])
@pytest.mark.parametrize("stemmer", [False, True])
@pytest.mark.parametrize("references", [1, 3])
def test_rouge_of_random_texts(tokenize, stemmer, references, tmp_path):
    hypotheses, lists = random_corpus(11 + references, 1000, references)
    random_ = random.Random(4)

    def lines(text):  # some sentences for Lsum
        return "".join("\n" if c == " " and random_.random() < 0.3 else c for c in text)

    check_rouge(tmp_path, [lines(h) for h in hypotheses], [[lines(r) for r in one] for one in lists], tokenize, stemmer)


def test_stems_are_nltks(data_dir, tmp_path):
    """Every word of the corpora at hand, and made-up ones of the suffixes that the rules look for; one word a line, against its stem by NLTK."""
    from nltk.stem.porter import PorterStemmer
    words = set()
    for file in ["txt-shakespeare-dev/input.txt", "txt-scitldr-dev/SciTLDR-A/train.jsonl", "txt-botchan-dev/botchan.txt"]:
        words.update(regex.findall("[a-z0-9]{4,}", (data_dir / file).read_text(encoding="utf-8").lower()))
    random_ = random.Random(2)
    suffixes = ["ational", "tional", "enci", "anci", "izer", "bli", "abli", "alli", "entli", "eli", "ousli", "ization", "ation", "ator", "alism", "iveness", "fulness",
                "ousness", "aliti", "iviti", "biliti", "fulli", "logi", "icate", "ative", "alize", "iciti", "ical", "ful", "ness", "al", "ance", "ence", "er", "ic",
                "able", "ible", "ant", "ement", "ment", "ent", "ion", "sion", "tion", "ou", "ism", "ate", "iti", "ous", "ive", "ize", "e", "ll", "s", "sses", "ies",
                "ied", "eed", "ed", "ing", "y", "at", "bl", "iz", "ss", "zz", "dying", "skies", "innings", "yyy", "9"]
    for _ in range(20000):
        words.add("".join(random_.choice(suffixes + list("abcdefghiouywxyz")) for _ in range(random_.randrange(1, 5))))
    words = sorted(w for w in words if len(w) > 3)
    stems = [PorterStemmer().stem(w) for w in words]
    # A stem that is stemmed again need not stay, so it is spelled without the stemmer: as characters that never are stemmed.
    kept = [(w, s) for w, s in zip(words, stems) if len(s) <= 3 or PorterStemmer().stem(s) == s]
    assert len(kept) > 15000
    _, segments = score(tmp_path, "rouge", [w for w, _ in kept], [[s for _, s in kept]], {"stemmer": True})
    assert [k for k, segment in zip(kept, segments) if segment["rouge1"]["f"] != 1] == []
    # And where it changes, both ways of getting there meet.
    moving = [(w, s) for w, s in zip(words, stems) if len(s) > 3 and PorterStemmer().stem(s) != s]
    peer = rouge_scorer.RougeScorer(["rouge1"], use_stemmer=True)
    _, segments = score(tmp_path, "rouge", [w for w, _ in moving], [[s for _, s in moving]], {"stemmer": True})
    assert [m for m, segment in zip(moving, segments) if segment["rouge1"]["f"] != peer.score(m[1], m[0])["rouge1"].fmeasure] == []


ROUGE_CASES = [("The cat sat on the mat.", "The cat is sitting on the mat.", {}, (0.76923077, 0.54545455, 0.76923077, 0.76923077)),
               ("The patients were running quickly.", "A patient runs quick.", {"stemmer": True}, (0.44444444, 0, 0.44444444, 0.44444444)),
               ("The patients were running quickly.", "A patient runs quick.", {}, (0, 0, 0, 0)), ("reference text here", "", {}, (0, 0, 0, 0)),
               ("good", "good morning", {}, (0.66666667, 0, 0.66666667, 0.66666667)),
               ("police killed the gunman\nthe gunman was shot by police", "the gunman was shot\npolice killed him", {}, (0.70588235, 0.53333333, 0.58823529, 0.70588235)),
               ("HbA1c: 7.2% (2024-05-01)", "HbA1c 7.2 percent on 2024/05/01", {}, (0.85714286, 0.66666667, 0.85714286, 0.85714286)),
               ("今天天气不错，我们去公园玩吧。", "今天天气很好，我们去公园吧。", {}, (0, 0, 0, 0)),
               ("今天天气不错，我们去公园玩吧。", "今天天气很好，我们去公园吧。", {"tokenize": "char"}, (0.82758621, 0.66666667, 0.82758621, 0.82758621)),
               ("肺部CT未见异常", "肺部CT未见明显异常", {"tokenize": "char"}, (0.88888889, 0.75, 0.88888889, 0.88888889)),
               ("a a b b", "a b b b c", {}, (0.66666667, 0.57142857, 0.66666667, 0.66666667))]


@pytest.mark.parametrize("reference, hypothesis, options, stored", ROUGE_CASES)
def test_stored_rouge_cases(reference, hypothesis, options, stored, tmp_path):
    answer, _ = score(tmp_path, "rouge", [hypothesis], [[reference]], options)
    assert [answer["score"][t] for t in TYPES] == pytest.approx(stored, abs=1e-8)


def test_the_rouge_folder(data_dir, tmp_path):
    folder = data_dir / "txt-rouge-dev"
    pairs = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    expected = json.loads((folder / "expected_rouge_score.json").read_text(encoding="utf-8"))["items"]
    assert len(pairs) == len(expected) > 0
    for stemmer in (False, True):
        _, segments = score(tmp_path, "rouge", [p["hyp"] for p in pairs], [[p["ref"] for p in pairs]], {"stemmer": stemmer})
        for segment, wanted in zip(segments, expected):
            for t, values in wanted[f"stemmer={stemmer}"].items():
                assert [segment[t]["precision"], segment[t]["recall"], segment[t]["f"]] == pytest.approx(values, abs=1e-6)


def test_scitldr_with_several_references(data_dir, tmp_path):
    folder = data_dir / "txt-scitldr-dev"
    wanted = json.loads((folder / "expected_lead1_rouge.json").read_text(encoding="utf-8"))
    rows = [json.loads(line) for line in (folder / "SciTLDR-A" / "test.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == wanted["n"]
    write(tmp_path / "h", [r["source"][0] for r in rows])
    (tmp_path / "r").write_text("".join(json.dumps({"target": r["target"]}) + "\n" for r in rows), encoding="utf-8")
    request = {"format": 1, "metric": "rouge", "options": {"stemmer": True}, "hypotheses": str(tmp_path / "h"), "references": [str(tmp_path / "r")],
               "textFormat": "jsonl", "field": "target"}
    _, answer, _ = ingest.run("score", request, tmp_path)
    for t, value in wanted["mean_F"].items():
        assert answer["score"][t] == pytest.approx(value, abs=1e-6)
    assert answer["references"] == 0 and "nrefs:var" in answer["signature"]


# Files --------------------------------------------------------------------------------------------------------------------------------------------

def test_line_ends_as_sacrebleu_reads_them(tmp_path):
    texts = ["The cat sat.", "", "Zwei  Zeilen mehr", "ohne Ende"]
    (tmp_path / "r").write_text("\n".join(texts) + "\n", encoding="utf-8")
    for name, content in {"unix": "\n".join(texts) + "\n", "windows": "\r\n".join(texts) + "\r\n", "open": "\n".join(texts), "mark": "\ufeff" + "\n".join(texts),
                          "blanks": " \t\n".join(texts) + "　\n"}.items():
        (tmp_path / "h").write_bytes(content.encode())
        _, answer, _ = ingest.run("score", {"format": 1, "metric": "bleu", "options": {}, "hypotheses": str(tmp_path / "h"), "references": [str(tmp_path / "r")]}, tmp_path)
        assert answer["type"] == "finished" and answer["segments"] == 4 and answer["score"] == pytest.approx(100), name


def test_texts_that_look_tokenized_are_remarked(tmp_path):
    texts = [f"line {i} of a text ." for i in range(100)]
    answer, _ = score(tmp_path, "bleu", texts, [texts])
    assert answer["tokenizedLines"] == 100
    answer, _ = score(tmp_path, "bleu", texts[1:], [texts[1:]])
    assert "tokenizedLines" not in answer


def test_escaped_lines(tmp_path):
    (tmp_path / "h").write_text("the gunman was shot\\npolice killed him \\\\n\n", encoding="utf-8")
    (tmp_path / "r").write_text("police killed the gunman\\nthe gunman was shot by police\n", encoding="utf-8")
    request = {"format": 1, "metric": "rouge", "options": {}, "hypotheses": str(tmp_path / "h"), "references": [str(tmp_path / "r")], "textFormat": "escaped"}
    _, answer, _ = ingest.run("score", request, tmp_path)
    peer = rouge_scorer.RougeScorer(["rougeLsum"])
    wanted = peer.score("police killed the gunman\nthe gunman was shot by police", "the gunman was shot\npolice killed him \\n")
    assert answer["score"]["rougeLsum"] == pytest.approx(wanted["rougeLsum"].fmeasure, **EXACT)
