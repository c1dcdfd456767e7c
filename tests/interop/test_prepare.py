"""synthesize → import → prepare against pydicom, numpy and Pillow: the pixel path, the shards, the statistics."""
import csv
import hashlib
import json
import pathlib
import subprocess

import pytest

np = pytest.importorskip("numpy")
pydicom = pytest.importorskip("pydicom")
Image = pytest.importorskip("PIL.Image")
safetensors = pytest.importorskip("safetensors.numpy")

import ingest_support as ingest


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms")
    subprocess.run([str(ingest.INGEST), "synthesize", "--to", str(folder / "a"), "--patients", "8", "--seed", "5"], check=True, capture_output=True)
    return folder / "a"


def table(folder):
    with open(folder / "labels.csv", newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


def test_phantoms_are_dicom_and_say_that_they_are_made_up(phantoms):
    rows = table(phantoms)
    syntaxes, photometric, bits = set(), set(), set()
    for row in rows:
        ds = pydicom.dcmread(phantoms / row["file"])
        assert "SYNTHETIC" in str(ds.PatientName) and "SYNTHETIC" in ds.ImageComments and ds.Manufacturer == "SYNTHETIC"
        assert "SYNTHETIC" in ds.InstitutionName == row["site"]
        assert ds.PatientID == row["patient_id"] and ds.Modality == "DX"
        assert ds.pixel_array.shape == (ds.Rows, ds.Columns)
        syntaxes.add(ds.file_meta.TransferSyntaxUID)
        photometric.add(ds.PhotometricInterpretation)
        bits.add(ds.BitsStored)
    assert len(syntaxes) >= 6 and photometric == {"MONOCHROME1", "MONOCHROME2"} and bits == {8, 12}
    assert {r["label"] for r in rows} == {"NORMAL", "OPACITY"}
    names = [str(pydicom.dcmread(phantoms / r["file"]).PatientName) for r in rows]
    assert any("患者" in n for n in names) and any("Müller" in n for n in names)


def test_phantoms_are_the_same_for_the_same_seed(phantoms, tmp_path):
    for name, seed in (("same", "5"), ("other", "6")):
        subprocess.run([str(ingest.INGEST), "synthesize", "--to", str(tmp_path / name), "--patients", "8", "--seed", seed], check=True,
                       capture_output=True)
    digest = lambda folder: [hashlib.sha256((folder / r["file"]).read_bytes()).hexdigest() for r in table(folder)]
    assert digest(tmp_path / "same") == digest(phantoms)
    assert digest(tmp_path / "other") != digest(phantoms)


def area_average(rows, n):
    """Means over n equal parts of each row, through the integral of the step function (Pillow's box filter takes whole pixels only)."""
    length = rows.shape[1]
    integral = np.concatenate([np.zeros((rows.shape[0], 1)), np.cumsum(rows, axis=1)], axis=1)
    edges = np.linspace(0, length, n + 1)
    at = np.stack([np.interp(edges, np.arange(length + 1), line) for line in integral])
    return np.diff(at, axis=1) * n / length


def reference_pixels(path, size):
    """The pixel path of docs/formats.md in numpy and Pillow."""
    ds = pydicom.dcmread(path)
    values = ds.pixel_array.astype(np.float64) * float(ds.get("RescaleSlope", 1)) + float(ds.get("RescaleIntercept", 0))
    if "WindowCenter" in ds:
        c, w = float(ds.WindowCenter), float(ds.WindowWidth)
        unit = (values - (c - 0.5)) / (w - 1) + 0.5
    else:
        low, high = np.percentile(values, [0.5, 99.5])
        unit = (values - low) / (high - low)
    unit = np.clip(unit, 0, 1)
    if ds.PhotometricInterpretation == "MONOCHROME1":
        unit = 1 - unit
    h, w = unit.shape
    nw, nh = int(w * size / max(w, h) + 0.5), int(h * size / max(w, h) + 0.5)
    if size <= max(w, h):
        small = area_average(area_average(unit, nw).T, nh).T
    else:
        small = np.asarray(Image.fromarray(unit.astype(np.float32), "F").resize((nw, nh), Image.BILINEAR))
    out = np.zeros((size, size), np.float32)
    top, left = (size - nh) // 2, (size - nw) // 2
    out[top:top + nh, left:left + nw] = small
    return np.floor(out * 255 + 0.5).astype(np.int64)


@pytest.mark.parametrize("size,channels", [(224, 1), (64, 3), (400, 1)])
def test_prepare(phantoms, tmp_path, size, channels):
    last, records = ingest.imported("dicom", [phantoms], tmp_path)
    assert last["type"] == "finished", last
    labels = {r["file"]: r["label"] for r in table(phantoms)}
    samples = []
    for r in records:
        if r["type"] != "accepted":
            continue
        s = r["sample"]
        patient = int(s["patient"].split("-")[1])
        samples.append({"sha256": s["sha256"], "frame": 0, "key": s["key"], "label": labels[s["key"]],
                        "classIndex": int(labels[s["key"]] == "OPACITY"), "source": "dicom", "split": ("train", "train", "validation", "test")[patient % 4]})
    samples.sort(key=lambda s: (s["sha256"], s["frame"]))
    (tmp_path / "samples.jsonl").write_text("".join(json.dumps(s) + "\n" for s in samples))
    request = {"format": 1, "objects": str(tmp_path / "i-000001" / "objects"), "samples": str(tmp_path / "samples.jsonl"),
               "preprocessing": {"size": size, "channels": channels, "window": "voi", "fit": "letterbox"}, "out": str(tmp_path / "prepared"),
               "workers": 2, "shardBytes": 5 * size * size * channels}
    code, last, _ = ingest.run("prepare", request, tmp_path)
    assert code == 0 and last["type"] == "finished", last
    prepared = json.loads((tmp_path / "prepared" / "prepared.json").read_text())
    shards = [safetensors.load_file(tmp_path / "prepared" / s["file"]) for s in prepared["shards"]]
    for s in prepared["shards"]:
        assert hashlib.sha256((tmp_path / "prepared" / s["file"]).read_bytes()).hexdigest() == s["sha256"]
    images = np.concatenate([s["images"] for s in shards])
    assert len(shards) > 1 and images.shape == (len(samples), channels, size, size) and images.dtype == np.uint8
    assert np.concatenate([s["labels"] for s in shards]).tolist() == [s["classIndex"] for s in samples]

    for i, s in enumerate(samples):
        difference = np.abs(images[i, 0].astype(np.int64) - reference_pixels(phantoms / s["key"], size))
        assert difference.max() <= 1 and (difference > 0).mean() < 0.005, (s["key"], difference.max(), (difference > 0).mean())
        for c in range(1, channels):
            assert np.array_equal(images[i, c], images[i, 0])

    train = [i for i, s in enumerate(samples) if s["split"] == "train"]
    assert prepared["splits"]["train"] == train
    unit = images[train].astype(np.float64) / 255
    assert np.allclose(prepared["mean"], unit.mean(axis=(0, 2, 3)), atol=1e-12)
    assert np.allclose(prepared["std"], unit.std(axis=(0, 2, 3)), atol=1e-9)
    counts = [[s["classIndex"] for s in samples if s["split"] == split].count(c) for split in ("train",) for c in (0, 1)]
    assert prepared["classCounts"]["train"] == counts
    digest = prepared.pop("digest")
    assert digest == hashlib.sha256(json.dumps(prepared, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def test_a_refused_sample_fails_the_whole_preparation(phantoms, tmp_path):
    objects = tmp_path / "objects" / "aa"
    objects.mkdir(parents=True)
    (objects / ("aa" + "0" * 62)).write_bytes(b"nothing")
    (tmp_path / "samples.jsonl").write_text(json.dumps({"sha256": "aa" + "0" * 62, "frame": 0, "key": "ward/1.dcm", "label": "x", "classIndex": 0,
                                                        "source": "dicom", "split": "train"}) + "\n")
    request = {"format": 1, "objects": str(tmp_path / "objects"), "samples": str(tmp_path / "samples.jsonl"), "preprocessing": {"size": 32},
               "out": str(tmp_path / "prepared"), "workers": 1, "shardBytes": 1 << 20}
    code, last, _ = ingest.run("prepare", request, tmp_path)
    assert code == 3 and last["failure"]["kind"] in ("truncated_file", "corrupt_file") and "ward/1.dcm" in last["failure"]["message"]
    assert not (tmp_path / "prepared" / "prepared.json").exists()
