"""A million pairs of sentences against sacreBLEU's corpus_bleu and corpus_chrf on the same files: interleaved, medians, wall and processor time. Ours is the whole
program, its start, child and sandbox included; sacreBLEU is warm, and only its scoring is timed, on a part of the files (its time grows with their
length; the part is stated and the rate compared), because a million pairs would take it minutes a round."""
import os
import random
import resource
import statistics
import subprocess
import time

import pytest
import sacrebleu

ROUNDS = 5
PAIRS, PART = 1_000_000, 20_000


@pytest.fixture(scope="module")
def corpus(data_dir, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scores")
    words = (data_dir / "txt-shakespeare-dev" / "input.txt").read_text(encoding="utf-8").split()
    words += (data_dir / "txt-botchan-dev" / "botchan.txt").read_text(encoding="utf-8").split()
    random_ = random.Random(1)
    with open(folder / "ref", "w", encoding="utf-8") as references, open(folder / "hyp", "w", encoding="utf-8") as hypotheses:
        for _ in range(PAIRS):
            start = random_.randrange(len(words) - 60)
            sentence = words[start:start + random_.randrange(8, 40)]
            references.write(" ".join(sentence) + "\n")
            for _ in range(random_.randrange(6)):
                place = random_.randrange(len(sentence))
                if random_.random() < 0.5:
                    sentence[place] = words[random_.randrange(len(words))]
                elif len(sentence) > 2:
                    del sentence[place]
            hypotheses.write(" ".join(sentence) + "\n")
    return folder


def head(path, count):
    with open(path, encoding="utf-8") as file:
        return [file.readline().rstrip() for _ in range(count)]


@pytest.mark.bench
@pytest.mark.parametrize("metric, peer", [("bleu", sacrebleu.corpus_bleu), ("chrf", sacrebleu.corpus_chrf)])
def test_a_million_pairs(metric, peer, corpus, bin_dir, capsys):
    hypotheses, references = head(corpus / "hyp", PART), head(corpus / "ref", PART)
    ours, theirs, our_processor = [], [], []
    for _ in range(ROUNDS):
        begin, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([str(bin_dir / "cloister-cli"), "score", metric, "--hypotheses", str(corpus / "hyp"), "--references", str(corpus / "ref"), "--json"],
                       check=True, capture_output=True)
        ours.append(PAIRS / (time.perf_counter() - begin))
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        our_processor.append(PAIRS / (now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime))
        begin = time.perf_counter()
        peer(hypotheses, [references])
        theirs.append(PART / (time.perf_counter() - begin))
    ratios = sorted(a / b for a, b in zip(ours, theirs))
    with capsys.disabled():
        print(f"\n{metric}: ours {statistics.median(ours):,.0f} pairs/s ({statistics.median(our_processor):,.0f} a processor second), sacreBLEU {statistics.median(theirs):,.0f} "
              f"pairs/s, ratio {statistics.median(ratios):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f}), {os.cpu_count()} processors")
    assert ours and theirs
