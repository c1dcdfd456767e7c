"""Datasets against independent means: labels and patients against the CSV, the snapshot's digest by hashlib, splits against scikit-learn."""
import csv
import hashlib
import json

import numpy as np
import pytest

SETS = {
    "img-cxr-kermany-dev": ("images", "metadata.csv", "file", "label", "patient_id", None),
    "dicom-cxr-derived-dev": ("dicom", "labels.csv", "file", "label", "patient_id", "site"),
}


@pytest.fixture(scope="module", params=sorted(SETS))
def project(request, run, data_dir, tmp_path_factory):
    source, table, key, label, group, site = SETS[request.param]
    folder = data_dir / request.param
    if not folder.is_dir():
        pytest.skip(f"{request.param} is not in the test data")
    where = tmp_path_factory.mktemp("project") / "p"
    run("cloister-cli", "project", "create", "--project", where)
    arguments = ["--labels", folder / table, "--key", key, "--label", label, "--group", group] + (["--site", site] if site else [])
    imported = json.loads(run("cloister-cli", "data", "import", "--project", where, "--json", "--source", source, folder, *arguments).stdout)
    rows = list(csv.DictReader(open(folder / table, encoding="utf-8-sig")))
    return where, folder, imported, rows, (key, label, group, site)


def snapshot(run, where, *arguments):
    done = json.loads(run("cloister-cli", "data", "snapshot", "--project", where, "--json", *arguments).stdout)
    lines = open(f"{done['dir']}/samples.jsonl", "rb").read()
    return done, lines, [json.loads(line) for line in lines.splitlines()]


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_every_row_reached_its_sample(project, run):
    where, folder, imported, rows, (key, label, group, site) = project
    assert imported["labels"]["unmatchedRows"] == 0 and imported["labels"]["conflicts"] == []
    images = {hashlib.sha256((folder / row[key]).read_bytes()).hexdigest() for row in rows}
    assert imported["accepted"] == len(images)
    assert imported["accepted"] + imported["duplicateCount"] == len(rows)
    _, _, samples = snapshot(run, where)
    by_digest = {s["sha256"]: s for s in samples}
    assert set(by_digest) == images
    for row in rows:
        s = by_digest[hashlib.sha256((folder / row[key]).read_bytes()).hexdigest()]
        assert (s["label"], s["patient"]) == (row[label], row[group])
        if site:
            assert s["site"] == row[site]


def test_digest_by_hashlib(project, run):
    where, *_ = project
    done, lines, samples = snapshot(run, where, "--seed", "5", "--size", "96")
    written = json.load(open(f"{done['dir']}/snapshot.json"))
    tail = canonical({"split": written["split"], "preprocessing": written["preprocessing"]})
    assert hashlib.sha256(lines + b"\n" + tail).hexdigest() == done["digest"]
    assert [s["sha256"] for s in samples] == sorted(s["sha256"] for s in samples)
    for line in lines.splitlines():
        assert canonical(json.loads(line)) == line


def imbalance(labels, sides):
    """Largest distance of a label's share on a side from its share in all, over labels and sides."""
    worst = 0.0
    for side in set(sides):
        chosen = labels[sides == side]
        for name in set(labels):
            worst = max(worst, abs(np.mean(chosen == name) - np.mean(labels == name)))
    return worst


def test_splits_are_apart_and_no_worse_than_scikit_learn(project, run):
    from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold

    where, *_ = project
    ours, sizes = [], []
    for seed in range(1, 8):
        done, _, samples = snapshot(run, where, "--split", "70/15/15", "--seed", seed)
        labels = np.array([s["label"] for s in samples])
        groups = np.array([s["group"] for s in samples])
        sides = np.array([s["split"] for s in samples])
        of = {}
        for g, side in zip(groups, sides):
            assert of.setdefault(g, side) == side
        ours.append(imbalance(labels, sides))
        sizes.append(max(abs(np.mean(sides == "train") - 0.70), abs(np.mean(sides == "validation") - 0.15), abs(np.mean(sides == "test") - 0.15)))
    theirs, shuffled = [], []
    for seed in range(1, 8):
        folds = np.empty(len(labels), dtype=object)
        for k, (_, index) in enumerate(StratifiedGroupKFold(n_splits=7, shuffle=True, random_state=seed).split(labels, labels, groups)):
            folds[index] = "test" if k == 0 else "validation" if k == 1 else "train"
        theirs.append(imbalance(labels, folds))
        sides = np.full(len(labels), "train", dtype=object)
        rest, test = next(GroupShuffleSplit(1, test_size=0.15, random_state=seed).split(labels, labels, groups))
        sides[test] = "test"
        shuffled.append(imbalance(labels, sides))
    print(f"label imbalance: ours {np.median(ours):.4f}, StratifiedGroupKFold {np.median(theirs):.4f}, GroupShuffleSplit {np.median(shuffled):.4f}")
    assert np.median(ours) <= np.median(theirs) + 1 / len(labels)
    assert max(sizes) <= 0.02


def test_exported_snapshot_stands_alone(project, run, tmp_path):
    where, *_ = project
    done, lines, samples = snapshot(run, where)
    run("cloister-cli", "data", "export", "--project", where, "--to", tmp_path / "out", "--snapshot", done["digest"])
    table = list(csv.DictReader(open(tmp_path / "out" / "samples.csv", encoding="utf-8")))
    assert len(table) == len(samples)
    for row, s in zip(table, samples):
        assert hashlib.sha256((tmp_path / "out" / row["file"]).read_bytes()).hexdigest() == s["sha256"]
        assert (row["label"], row["split"], row["patient"]) == (s["label"], s["split"], s["patient"])
    run("cloister-cli", "project", "create", "--project", tmp_path / "again")
    again = json.loads(run("cloister-cli", "data", "recreate", tmp_path / "out", "--project", tmp_path / "again", "--json").stdout)
    assert again["digest"] == done["digest"]


def test_folders_are_classes(run, data_dir, tmp_path):
    folder = data_dir / "img-mednist-dev"
    if not folder.is_dir():
        pytest.skip("img-mednist-dev is not in the test data")
    run("cloister-cli", "project", "create", "--project", tmp_path / "p")
    imported = json.loads(run("cloister-cli", "data", "import", "--project", tmp_path / "p", "--source", "images", folder, "--json").stdout)
    files = [p for p in folder.rglob("*.jpeg")]
    assert imported["accepted"] + imported["duplicateCount"] == len(files)
    _, _, samples = snapshot(run, tmp_path / "p", "--size", "64")
    classes = sorted({p.parent.name for p in files})
    for s in samples:
        assert s["label"] == s["key"].split("/")[0] == classes[s["classIndex"]]


def test_what_scripts_are_told(run, tmp_path):
    where = tmp_path / "p"
    run("cloister-cli", "project", "create", "--project", where)
    run("cloister-cli", "project", "create", "--project", where, expect=3)
    assert json.loads(run("cloister-cli", "data", "snapshot", "--project", where, "--json", expect=3).stdout)["error"]["kind"] == "nothing_to_do"
    run("cloister-cli", "data", "import", "--project", where, "--source", "images", tmp_path / "none", expect=3)
    run("cloister-cli", "data", "import", "--project", where, "--source", "tapes", tmp_path, expect=2)
    run("cloister-cli", "data", "snapshot", "--project", where, "--split", "90/20", expect=2)
    run("cloister-cli", "data", "snapshot", "--project", where, "--group", "hospital", expect=2)
    run("cloister-cli", "project", "show", "--project", tmp_path / "none", expect=3)
    shown = run("cloister-cli", "project", "show", "--project", where, "--json")
    assert json.loads(shown.stdout)["samples"] == 0 and shown.stdout.count("\n") == 1
