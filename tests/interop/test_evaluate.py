"""`cloister-worker evaluate` from a run folder to a report: its figures are scikit-learn's on predictions that are torchvision's."""
import base64
import html.parser
import io
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import numpy as np
import pytest
import sklearn.metrics as skm
import torch
from PIL import Image
from safetensors.torch import load_file

import run_folder

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORKER = pathlib.Path(os.environ.get("CLOISTER_BIN_DIR", ROOT / "build/release/bin")) / "cloister-worker"
EVIL = 'b<script>alert("x")</script>&%1'  # a class name that must never become markup or a placeholder


def make(root, classes, channels=1, n=330, steps=24, **more):
    images, labels = run_folder.blobs(n, len(classes), channels, 32, seed=len(classes))
    patients = [f"P{i // 2:03d}" for i in range(n)]
    third = n // 3
    splits = {"train": list(range(third)), "validation": list(range(third, third + third // 2)), "test": list(range(third + third // 2, n))}
    splits["test"] = splits["test"][::-1]  # order is the file's, not the index's
    run, prepared = run_folder.write_project(root, images, labels, classes, patients, splits,
                                             site=["north" if i % 3 else "" for i in range(n)], modality=["DX"] * n, **more)
    model = run_folder.train_best(WORKER, run, prepared, images, labels, steps)
    return run, model, images, labels, splits["test"]


def evaluate(run, expect=0, **options):
    (run / "evaluation").mkdir(exist_ok=True)
    (run / "evaluation/request.json").write_text(json.dumps({"format": 1, "latencySeconds": 1, "resamples": 200, **options}))
    done = subprocess.run([str(WORKER), "evaluate", "--run", str(run)], capture_output=True, text=True, timeout=900)
    assert done.returncode == expect, done.stderr
    return json.loads((run / "evaluation/report.json").read_text()) if expect == 0 else done


def events(run):
    return [json.loads(line) for line in (run / "evaluation/events.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    run, model, images, labels, test = make(tmp_path_factory.mktemp("two"), ["a", EVIL], window=400)
    report = evaluate(run, samples=60, epsilons=[0, 1 / 255, 4 / 255], steps=4, language="zh_CN")
    return run, model, images, labels, test, report


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    run, model, images, labels, test = make(tmp_path_factory.mktemp("four"), ["a", "b", "c", "d"], channels=3)
    return run, model, images, labels, test, evaluate(run, attacks=False, latency=False, threshold="youden")


@pytest.mark.parametrize("name", ["two", "four"])
def test_figures_are_the_fields(name, request):
    run, model, images, labels, test, report = request.getfixturevalue(name)
    saved = load_file(run / "evaluation/predictions.safetensors")
    with torch.no_grad():
        logits = model(torch.from_numpy(images[test]).float() / 255)
    np.testing.assert_allclose(saved["logits"].numpy(), logits.numpy(), atol=1e-4)
    assert saved["indices"].tolist() == test and saved["labels"].tolist() == labels[test].tolist()
    p, y = saved["probabilities"].numpy(), labels[test]
    np.testing.assert_allclose(p, torch.softmax(saved["logits"].double(), 1).numpy(), atol=1e-12)
    k = p.shape[1]
    predicted = (p[:, 1] >= report["threshold"]).astype(int) if k == 2 else p.argmax(1)
    head = {h["name"]: h for h in report["headline"]}
    want = {"accuracy": skm.accuracy_score(y, predicted), "balanced_accuracy": skm.balanced_accuracy_score(y, predicted),
            "auc_macro": skm.roc_auc_score(y, p[:, 1] if k == 2 else p, multi_class="ovr"), "f1_macro": skm.f1_score(y, predicted, average="macro")}
    for key, value in want.items():
        assert head[key]["value"] == pytest.approx(value, abs=1e-9), key
        assert head[key]["low"] <= head[key]["value"] <= head[key]["high"]
    assert report["samples"] == len(test) and report["groups"] == len({i // 2 for i in test}) and report["groupedBy"] == "patient"
    np.testing.assert_array_equal(report["confusion"], skm.confusion_matrix(y, predicted, labels=range(k)))
    assert 0.6 < head["auc_macro"]["value"] < 1  # the fixture learned something and errs: the test can fail
    sites = {g["name"]: g for g in report["groupsBy"]["site"]}
    north = np.array([i % 3 != 0 for i in test])
    assert sites["north"]["accuracy"]["value"] == pytest.approx((predicted == y)[north].mean(), abs=1e-9)
    worst = report["worst"][0]
    assert worst["loss"] == pytest.approx((-np.log(p[np.arange(len(y)), y])).max(), abs=1e-9)


def test_pictures_are_the_samples(two):
    run, _, images, _, test, report = two
    saved = load_file(run / "evaluation/predictions.safetensors")
    for which in ("worst", "best"):
        for s in report[which]:
            index = int(s["key"][-8:-4])
            picture = np.array(Image.open(run / "evaluation" / s["image"]))
            np.testing.assert_array_equal(picture, images[index, 0])
    for a in report["attacks"]:
        for e in a["examples"]:
            original, attacked, change = (np.array(Image.open(run / "evaluation" / e[k])).astype(int) for k in ("original", "attacked", "difference"))
            np.testing.assert_array_equal(original, images[int(e["key"][-8:-4]), 0])
            if a["norm"] == "linf":
                assert np.abs(attacked - original).max() <= e["epsilon"] * 255 + 0.5
            expected = np.clip(127.5 + 10 * (attacked - original), 0, 255)
            assert np.abs(change - expected).max() <= 10.5  # the attacked picture is rounded to 8 bits, ten times that is in the difference
            assert e["before"] != e["after"]
    assert any(a["examples"] for a in report["attacks"])
    assert saved["logits"].shape == (len(test), 2)


def test_attack_rows(two):
    *_, report = two
    assert {(a["name"], a["norm"]) for a in report["attacks"]} == {(n, m) for n in ("fgsm", "pgd") for m in ("linf", "l2")}
    for a in report["attacks"]:
        assert [e["epsilon"] for e in a["epsilons"]][0] == 0 and a["samples"] == 60
        accuracy = [e["robustAccuracy"]["value"] for e in a["epsilons"]]
        assert accuracy == sorted(accuracy, reverse=True) and accuracy[-1] < accuracy[0]
        clean = accuracy[0]
        for e in a["epsilons"]:
            assert e["epsilonGreyLevels"] == pytest.approx(255 * e["epsilon"])
            assert e["epsilonWindowUnits"] == pytest.approx(400 * e["epsilon"])
            assert e["successRate"]["value"] == pytest.approx((clean - e["robustAccuracy"]["value"]) / clean)
            assert e["robustAccuracy"]["low"] <= e["robustAccuracy"]["value"] <= e["robustAccuracy"]["high"]
    by = {(a["name"], a["norm"]): a["epsilons"][-1]["robustAccuracy"]["value"] for a in report["attacks"]}
    assert by["pgd", "linf"] <= by["fgsm", "linf"] + 0.02


def test_latency_states_its_conditions(two):
    *_, report = two
    rows = {(r["runtime"], r["precision"], r["batch"]): r for r in report["latency"]}
    assert {("libtorch", p, b) for p in ("fp32", "bf16") for b in (1, 8)} <= set(rows)
    for r in rows.values():
        assert 0 < r["p50"] <= r["p95"] <= r["p99"] and r["iterations"] >= 20 and r["warmup"] > 0 and r["threads"] > 0


class Page(html.parser.HTMLParser):
    VOID = {"meta", "img", "br", "line", "rect", "polyline", "polygon", "circle", "link", "input", "hr"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.stack, self.tags, self.attributes, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.stack and self.stack.pop() == tag, tag

    def handle_data(self, data):
        self.text.append(data)


def parse(run):
    page = Page()
    source = (run / "evaluation/report.html").read_text(encoding="utf-8")
    page.feed(source)
    assert page.stack == []
    return page, source


def test_page_is_whole_closed_and_alone(two, four):
    for (run, *_, report), language in ((two, "zh-CN"), (four, "en")):
        page, source = parse(run)
        assert "script" not in page.tags and "link" not in page.tags and "iframe" not in page.tags
        assert "default-src 'none'" in source
        assert dict(page.attributes)["lang"] == language
        for name, value in page.attributes:
            assert name not in ("href", "srcset") and not name.startswith("on")
            if name == "src":
                assert value.startswith("data:image/png;base64,")
                Image.open(io.BytesIO(base64.b64decode(value[22:]))).verify()
        assert not re.search(r"url\(|@import|https?://", source.split("</style>")[0])
        text = " ".join(page.text)
        assert "%1" not in text.replace(EVIL, "") and "%2" not in text, re.findall(r".{30}%[12].{10}", text)
        h = {x["name"]: x for x in report["headline"]}["auc_macro"]
        assert f"{h['value']:.3f}" in text and f"{h['low']:.3f}–{h['high']:.3f}" in text
        assert ("医疗器械" if language == "zh-CN" else "Not a medical device") in text
    text = " ".join(parse(two[0])[0].text)
    assert EVIL in text
    # Chinese page: no English sentence is left (class names, program and algorithm names may be).
    assert not re.search(r"[A-Z][a-z]+ [a-z]+ [a-z]+ [a-z]+", text), re.search(r"[A-Z][a-z]+ [a-z]+ [a-z]+ [a-z]+", text)


def test_threshold_by_youden_comes_from_validation(tmp_path):
    run, model, images, labels, test = make(tmp_path, ["a", "b"], n=240, steps=15)
    report = evaluate(run, attacks=False, latency=False, threshold="youden")
    validation = json.loads((run / "../../snapshots/0123456789ab/prepared/ba9876543210/prepared.json").read_text())["splits"]["validation"]
    with torch.no_grad():
        p = torch.softmax(model(torch.from_numpy(images[validation]).float() / 255).double(), 1)[:, 1].numpy()
    fpr, tpr, thresholds = skm.roc_curve(labels[validation], p, drop_intermediate=False)
    assert report["threshold"] == pytest.approx(thresholds[np.argmax(np.round(tpr - fpr, 11))], abs=1e-5)
    assert report["thresholdSource"] == "youden"


def test_events_tell_progress_and_end(two):
    run = two[0]
    lines = events(run)
    assert [e["seq"] for e in lines] == sorted(e["seq"] for e in lines)
    kinds = [e["type"] for e in lines]
    assert kinds[0] == "started" and kinds[-1] == "finished" and "evaluation" in kinds
    assert [e["name"] for e in lines if e["type"] == "phase"] == ["loading", "predicting", "measuring", "drawing", "attacking", "timing", "writing"]
    for e in lines:
        if e["type"] == "progress":
            assert 0 <= e["done"] <= e["total"]
    assert json.loads((run / "evaluation/exit.json").read_text())["code"] == 0


def test_repeats_to_the_last_digit(four):
    run, *_, first = four
    second = evaluate(run, attacks=False, latency=False, threshold="youden")
    for key in ("headline", "perClass", "confusion", "roc", "pr", "calibration", "groupsBy", "worst", "best"):
        assert first[key] == second[key], key


@pytest.mark.parametrize("options,name", [({"epsilons": [2]}, "epsilons"), ({"threshold": 1.5}, "threshold"), ({"samples": -1}, "samples"),
                                          ({"split": "train"}, "split")])
def test_bad_options_are_refused(four, options, name):
    run = four[0]
    evaluate(run, expect=20, **options)
    failure = events(run)[-1]["failure"]
    assert failure["kind"] == "invalid_argument" and failure["args"]["name"] == name


def test_changed_data_is_refused(tmp_path):
    run, *_ = make(tmp_path, ["a", "b"], n=60, steps=1)
    prepared = tmp_path / "snapshots/0123456789ab/prepared/ba9876543210"
    shard = prepared / "shard-00001.safetensors"
    data = bytearray(shard.read_bytes())
    data[-1] ^= 1
    shard.write_bytes(data)
    evaluate(run, expect=60)
    assert not (run / "evaluation/report.json").exists()
    assert events(run)[-1]["failure"]["kind"] == "identity_changed"


def test_stops_when_asked(tmp_path):
    run, *_ = make(tmp_path, ["a", "b"], steps=1)
    (run / "evaluation").mkdir()
    (run / "evaluation/request.json").write_text(json.dumps({"samples": 10000, "steps": 1000, "restarts": 50, "attackSeconds": 100000}))
    child = subprocess.Popen([str(WORKER), "evaluate", "--run", str(run)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            log = run / "evaluation/events.jsonl"
            if log.exists() and '"attacking"' in log.read_text():
                break
            time.sleep(0.1)
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=300) == 10
    finally:
        if child.poll() is None:
            child.kill()
    assert events(run)[-1]["type"] == "stopped" and not (run / "evaluation/report.json").exists()
