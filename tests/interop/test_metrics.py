"""scikit-learn is the oracle of core/metrics: every metric to 1e-9, ties, missing classes and weights included; numpy for the bootstrap."""
import json
import os
import pathlib
import subprocess

import numpy as np
import pytest
import sklearn.metrics as skm
from sklearn.calibration import calibration_curve

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROBE = pathlib.Path(os.environ.get("CLOISTER_BIN_DIR", ROOT / "build/release/bin")).parent / "tests" / "metrics_probe"
CLOSE = dict(rtol=0, atol=1e-9)
HEAD = ["accuracy", "balanced_accuracy", "auc_macro", "f1_macro", "sensitivity", "specificity", "ece", "log_loss", "brier"]


def probe(tmp_path, classes, probabilities, labels, expect=0, **more):
    request = {"classes": [f"c{i}" for i in range(classes)], "probabilities": np.asarray(probabilities).tolist(),
               "labels": np.asarray(labels).tolist(), **{k: np.asarray(v).tolist() if k in ("groups", "weights") else v for k, v in more.items()}}
    path = tmp_path / "in.json"
    path.write_text(json.dumps(request))  # NaN is written as NaN, which is no JSON: tests of NaN write null instead
    done = subprocess.run([str(PROBE), str(path)], capture_output=True, text=True, timeout=300)
    assert done.returncode == expect, done.stdout + done.stderr
    return json.loads(done.stdout)


def numbers(values):
    return np.array([np.nan if v is None else np.inf if v == "inf" else v for v in values], dtype=float)


def case(name):
    rng = np.random.default_rng(sum(map(ord, name)))
    if name == "binary":
        y = rng.integers(0, 2, 400)
        s = 1 / (1 + np.exp(-(rng.normal(size=400) + 1.5 * (y - 0.5))))
        return 2, np.stack([1 - s, s], 1), y
    if name == "binary ties":  # eighths are exact in binary: many equal scores, also exactly at the threshold and on both sides
        y = rng.integers(0, 2, 300)
        s = np.clip(np.round((rng.random(300) + 0.3 * y) * 8) / 8, 0, 1)
        return 2, np.stack([1 - s, s], 1), y
    if name == "all equal":
        return 2, np.full((20, 2), 0.5), rng.integers(0, 2, 20)
    if name == "bin edges":  # confidences exactly where numpy.linspace puts the edges
        s = np.linspace(0, 1, 16)
        return 2, np.stack([1 - s, s], 1), (np.arange(16) % 3 == 0).astype(int)
    if name == "perfect":
        y = np.array([0, 1] * 10)
        return 2, np.eye(2)[y], y
    if name == "wrong and certain":  # log loss is clipped, not infinite
        y = np.array([0, 1, 0, 1, 1])
        return 2, np.eye(2)[1 - y], y
    k, n = 4, 500
    y = rng.integers(0, k, n)
    logits = rng.normal(size=(n, k)) + 1.2 * np.eye(k)[y]
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    if name == "four ties":
        p = np.round(p * 16)
        p[:, 0] += 16 - p.sum(1)
        p = np.clip(p, 0, None)
        p /= p.sum(1, keepdims=True)
    if name == "missing class":
        y[y == 2] = 1
    if name == "never called":
        p[:, 3] = 0
        p /= p.sum(1, keepdims=True)
        y[y == 3] = 0
    return k, p, y


CASES = ["binary", "binary ties", "all equal", "bin edges", "perfect", "wrong and certain", "four", "four ties", "missing class", "never called"]


def oracle(k, p, y, weights=None, threshold=0.5):
    w = np.ones(len(y)) if weights is None else np.asarray(weights, float)
    on = w > 0
    predicted = (p[:, 1] >= threshold).astype(int) if k == 2 else p.argmax(1)
    matrix = skm.confusion_matrix(y, predicted, labels=range(k), sample_weight=w)
    total, row, col, hit = matrix.sum(), matrix.sum(1), matrix.sum(0), np.diag(matrix)
    with np.errstate(all="ignore"):
        sens = np.where(row > 0, hit / row, np.nan)
        spec = np.where(total - row > 0, (total - row - col + hit) / (total - row), np.nan)
    aucs, aps, f1s = [], [], []
    for c in range(k):
        t = (y == c).astype(int)
        aucs.append(skm.roc_auc_score(t[on], p[on, c], sample_weight=w[on]) if 0 < (t[on]).sum() < on.sum() else np.nan)
        aps.append(skm.average_precision_score(t[on], p[on, c], sample_weight=w[on]) if t[on].sum() else np.nan)
        f1s.append(skm.f1_score(t[on], predicted[on] == c, sample_weight=w[on], zero_division=0) if row[c] + col[c] > 0 else np.nan)
    confidence, right = p.max(1), (p.argmax(1) == y).astype(float)
    edges = np.searchsorted(np.linspace(0, 1, 16)[1:-1], confidence)
    ece = sum(abs((w * (right - confidence))[edges == b].sum()) for b in range(15)) / w.sum()
    brier = ((skm.brier_score_loss(y[on], p[on, 1], sample_weight=w[on], labels=[0, 1]) if len(set(y[on])) == 2 else
              np.average((p[on, 1] - y[on]) ** 2, weights=w[on])) if k == 2 else
             np.average(((p - np.eye(k)[y]) ** 2).sum(1), weights=w))
    head = [skm.accuracy_score(y, predicted, sample_weight=w), skm.balanced_accuracy_score(y[on], predicted[on], sample_weight=w[on]),
            np.nanmean(aucs) if not np.all(np.isnan(aucs)) else np.nan,
            skm.f1_score(y[on], predicted[on], average="macro", sample_weight=w[on], zero_division=0),
            sens[1] if k == 2 else np.nanmean(sens), spec[1] if k == 2 else np.nanmean(spec), ece,
            skm.log_loss(y, p, labels=range(k), sample_weight=w), brier]
    return head + [v for c in range(k) for v in (aucs[c], sens[c], spec[c], f1s[c], aps[c])], matrix


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("threshold", [0.5, 0.25])
@pytest.mark.parametrize("name", CASES)
def test_every_metric(tmp_path, name, threshold):
    k, p, y = case(name)
    got = probe(tmp_path, k, p, y, options={"threshold": threshold})
    want, matrix = oracle(k, p, y, threshold=threshold)
    np.testing.assert_allclose(numbers(got["suite"]), want, **CLOSE)
    np.testing.assert_array_equal(got["confusion"], matrix)
    np.testing.assert_allclose([numbers([h["value"]])[0] for h in got["headline"]], want[:9], **CLOSE)
    assert [h["name"] for h in got["headline"]] == HEAD


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["binary", "binary ties", "four", "four ties", "missing class"])
def test_weights(tmp_path, name):
    k, p, y = case(name)
    weights = np.random.default_rng(3).integers(0, 4, len(y))
    got = probe(tmp_path, k, p, y, weights=weights)
    np.testing.assert_allclose(numbers(got["suite"]), oracle(k, p, y, weights)[0], **CLOSE)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_curves(tmp_path, name, drop):
    k, p, y = case(name)
    got = probe(tmp_path, k, p, y)["curvesDropped" if drop else "curves"]
    for c in range(k):
        fpr, tpr, thresholds = skm.roc_curve(y == c, p[:, c], drop_intermediate=drop)
        np.testing.assert_allclose(numbers(got[c]["fpr"]), fpr, **CLOSE)
        np.testing.assert_allclose(numbers(got[c]["tpr"]), tpr, **CLOSE)
        np.testing.assert_allclose(numbers(got[c]["rocThresholds"]), thresholds, **CLOSE)
        precision, recall, thresholds = skm.precision_recall_curve(y == c, p[:, c], drop_intermediate=drop)
        np.testing.assert_allclose(numbers(got[c]["precision"]), precision, **CLOSE)
        np.testing.assert_allclose(numbers(got[c]["recall"]), recall, **CLOSE)
        np.testing.assert_allclose(numbers(got[c]["prThresholds"]), thresholds, **CLOSE)


@pytest.mark.parametrize("name", ["binary", "binary ties"])
def test_youden(tmp_path, name):
    k, p, y = case(name)
    got = probe(tmp_path, k, p, y)["curves"][1]["youden"]
    fpr, tpr, thresholds = skm.roc_curve(y, p[:, 1], drop_intermediate=False)
    assert got == pytest.approx(thresholds[np.argmax(np.round(tpr - fpr, 11))], abs=1e-12)


@pytest.mark.parametrize("name", ["binary", "four", "bin edges", "binary ties"])
def test_calibration_bins(tmp_path, name):
    k, p, y = case(name)
    bins = [b for b in probe(tmp_path, k, p, y)["calibration"]["bins"] if b["count"]]
    true, predicted = calibration_curve(p.argmax(1) == y, p.max(1), n_bins=15)
    np.testing.assert_allclose([b["accuracy"] for b in bins], true, **CLOSE)
    np.testing.assert_allclose([b["confidence"] for b in bins], predicted, **CLOSE)
    assert sum(b["count"] for b in bins) == len(y)


def test_bootstrap_by_patient_within_noise_of_numpy(tmp_path):
    """Both estimate the same distribution with 4000 draws: ends agree within a few standard errors of a percentile."""
    k, p, y = case("binary")
    rng = np.random.default_rng(5)
    groups = np.sort(rng.integers(0, 80, len(y)))
    groups = np.unique(groups, return_inverse=True)[1]
    got = probe(tmp_path, k, p, y, groups=groups, options={"resamples": 4000, "seed": 9})
    members = [np.flatnonzero(groups == g) for g in range(groups.max() + 1)]
    accuracy, auc, ece = [], [], []
    for _ in range(4000):
        rows = np.concatenate([members[g] for g in rng.integers(0, len(members), len(members))])
        accuracy.append(np.mean((p[rows, 1] >= 0.5) == y[rows]))
        auc.append(skm.roc_auc_score(y[rows], p[rows, 1]))
        right, confidence = p[rows].argmax(1) == y[rows], p[rows].max(1)
        b = np.searchsorted(np.linspace(0, 1, 16)[1:-1], confidence)
        ece.append(sum(abs((right - confidence)[b == i].sum()) for i in range(15)) / len(rows))
    for name, values in (("accuracy", accuracy), ("auc_macro", auc), ("ece", ece)):
        mine = next(h for h in got["headline"] if h["name"] == name)
        low, high = np.percentile(values, [2.5, 97.5])
        noise = 0.12 * np.std(values)  # a 2.5 % point of 4000 draws has standard error ≈ 0.042 σ each
        assert mine["low"] == pytest.approx(low, abs=noise), name
        assert mine["high"] == pytest.approx(high, abs=noise), name


def test_bootstrap_is_the_same_on_any_number_of_threads(tmp_path):
    k, p, y = case("four")
    runs = [probe(tmp_path, k, p, y, options={"resamples": 200, "seed": 4, "threads": t})["headline"] for t in (1, 2, 5)]
    assert runs[0] == runs[1] == runs[2]


def test_groups_with_one_class_have_no_auc(tmp_path):
    k, p, y = case("binary")
    sites = np.where(y == 1, "ill only", "")
    sites[:200] = "both"
    got = probe(tmp_path, k, p, y, attributes={"site": sites.tolist()}, options={"resamples": 50})
    rows = {r["name"]: r for r in got["groupsBy"]["site"]}
    assert rows["ill only"]["auc_macro"]["value"] is None and rows[""]["auc_macro"]["value"] is None
    mask = sites == "both"
    assert rows["both"]["auc_macro"]["value"] == pytest.approx(skm.roc_auc_score(y[mask], p[mask, 1]), abs=1e-9)
    assert rows["both"]["n"] == 200
    assert rows["ill only"]["accuracy"]["value"] == pytest.approx(np.mean(p[sites == "ill only", 1] >= 0.5), abs=1e-9)


@pytest.mark.parametrize("value", [None, 1.5, -0.2])
def test_refuses_values_that_are_no_probability(tmp_path, value):
    failure = probe(tmp_path, 2, [[0.5, 0.5], [0.5, 0.5]], [0, 1], attributes={}, expect=0)
    assert failure["samples"] == 2
    path = tmp_path / "nan.json"
    path.write_text(json.dumps({"classes": ["a", "b"], "probabilities": [[0.5, 0.5], [0.5, value]], "labels": [0, 1]}))
    done = subprocess.run([str(PROBE), str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert json.loads(done.stdout)["kind"] == "invalid_argument"
