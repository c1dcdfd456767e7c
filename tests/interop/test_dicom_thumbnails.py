"""Thumbnail, difference hash and window of an import against numpy on pydicom's pixels. JPEG 2000 frames that bring their window are
read at a lower resolution there: their picture may differ by a little and their hash by what the near-duplicate search still bridges."""
import numpy
import pydicom
import pytest
from ingest_support import INGEST, imported

import subprocess

J2K = ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91")


def unit_image(ds):
    grey = ds.pixel_array.astype(numpy.float64) * float(ds.get("RescaleSlope", 1)) + float(ds.get("RescaleIntercept", 0))
    if "WindowWidth" in ds:
        center, width = float(ds.WindowCenter), float(ds.WindowWidth)
        unit = (grey - (center - 0.5)) / (width - 1) + 0.5
    else:
        low, high = numpy.percentile(grey, [0.5, 99.5])
        center, width = (low + high) / 2, high - low
        unit = (grey - low) / (high - low)
    unit = numpy.clip(unit, 0, 1)
    return (1 - unit if ds.PhotometricInterpretation == "MONOCHROME1" else unit), center, width


def overlaps(count, out):
    """[out, count]: which part of each of `out` equal stretches each pixel covers."""
    edges = numpy.arange(out + 1) * (count / out)
    pixels = numpy.arange(count)
    covered = numpy.minimum(edges[1:, None], pixels + 1) - numpy.maximum(edges[:-1, None], pixels)
    return numpy.clip(covered, 0, None) / (count / out)


def area(image, width, height):
    return overlaps(image.shape[0], height) @ image @ overlaps(image.shape[1], width).T


def difference_hash(image):
    small = area(image, 9, 8)
    bits = (small[:, :-1] < small[:, 1:]).flatten()
    return int("".join("1" if b else "0" for b in bits), 2)


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    folder = tmp_path_factory.mktemp("thumbs")
    subprocess.run([str(INGEST), "synthesize", "--to", str(folder / "files"), "--patients", "60", "--seed", "8"], check=True, capture_output=True)
    last, records = imported("dicom", [folder / "files"], folder)
    assert last["type"] == "finished"
    pack = (folder / "i-000001" / "thumbs.pack").read_bytes()
    return [r["sample"] for r in records if r["type"] == "accepted"], pack


def test_pictures_hashes_and_windows(synthetic):
    samples, pack = synthetic
    lower, flips = 0, []
    assert len(samples) > 100
    for s in samples:
        ds = pydicom.dcmread(s["file"])
        image, center, width = unit_image(ds)
        assert s["windowCenter"] == pytest.approx(center, abs=1e-9) and s["windowWidth"] == pytest.approx(width, abs=1e-9)
        t = s["thumb"]
        ours = numpy.frombuffer(pack, numpy.uint8, t["width"] * t["height"], t["offset"]).reshape(t["height"], t["width"]).astype(float)
        difference = numpy.abs(ours - area(image, t["width"], t["height"]) * 255)
        distance = bin(int(s["perceptualHash"], 16) ^ difference_hash(image)).count("1")
        if ds.file_meta.TransferSyntaxUID in J2K and "WindowWidth" in ds:
            lower += 1
            flips.append(distance)
            assert difference.mean() < 2.5, s["file"]
        else:
            assert difference.max() < 1.01, s["file"]
            assert distance <= 1, s["file"]  # numpy sums in another order: a tie may fall the other way
    assert lower >= 5 and max(flips) <= 3 and numpy.mean(flips) < 0.5
