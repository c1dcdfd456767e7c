"""DICOM import against pydicom and against plain DCMTK decoding: as a whole and for each class of transfer syntax. Interleaved, medians, wall time
and processor time (user and system, children included). pydicom runs in a pool of as many processes that is warm: its modules are loaded and
its start is not counted, ours is.

Two peers of pydicom. "same product" makes what our import makes: the original kept whole or absent under its hash, the values of the same tags, window
(percentiles where the frame has none), thumbnail, difference hash, one JSON line. "light" is the same without keeping, percentiles and difference hash.
Both decode every frame whole. Ours decodes a JPEG 2000 frame that brings its window at a lower resolution (docs/decisions/0006), which pydicom has no
way to ask for; every other frame whole. dcm2pnm writes the windowed picture to nowhere and does not read JPEG 2000."""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import time

import pytest

ROUNDS = 5
PROCESSES = os.cpu_count() or 2
TAGS = ("Modality", "InstitutionName", "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "PatientSex", "PatientAge", "StudyDate",
        "BodyPartExamined", "ViewPosition", "Manufacturer", "SeriesDescription", "ImageComments", "BurnedInAnnotation")
CLASSES = {"uncompressed": ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1"), "deflated": ("1.2.840.10008.1.2.1.99",), "RLE": ("1.2.840.10008.1.2.5",),
           "JPEG-LS": ("1.2.840.10008.1.2.4.80",), "JPEG 2000": ("1.2.840.10008.1.2.4.90",)}


def light(path, _=None):
    import numpy
    import pydicom
    from PIL import Image
    from pydicom.pixels import apply_modality_lut, apply_voi_lut

    begin = time.process_time()
    digest = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    ds = pydicom.dcmread(path)
    grey = apply_voi_lut(apply_modality_lut(ds.pixel_array, ds), ds).astype(numpy.float32)
    low, high = grey.min(), grey.max()
    grey = (grey - low) / max(high - low, 1e-6) * 255
    thumb = Image.fromarray(grey.astype(numpy.uint8)).resize((96, 96), Image.BOX)
    assert digest and str(ds.get("PatientName", "")) is not None and thumb.tobytes()
    return time.process_time() - begin


def same_product(path, objects):
    import io

    import numpy
    import pydicom
    from PIL import Image

    begin = time.process_time()
    data = pathlib.Path(path).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    ds = pydicom.dcmread(io.BytesIO(data))
    values = {tag: str(ds.get(tag, "")) for tag in TAGS}
    values["PatientName"] = str(ds.get("PatientName", ""))
    grey = ds.pixel_array.astype(numpy.float32)
    slope, intercept = float(ds.get("RescaleSlope", 1)), float(ds.get("RescaleIntercept", 0))
    if (slope, intercept) != (1, 0):
        grey = grey * slope + intercept
    if "WindowWidth" in ds:
        center, width = ds.WindowCenter, ds.WindowWidth
        center, width = (float(v[0] if isinstance(v, pydicom.multival.MultiValue) else v) for v in (center, width))
        low, high = center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2
    else:
        low, high = (float(v) for v in numpy.percentile(grey, (0.5, 99.5)))
    unit = numpy.clip((grey - low) / max(high - low, 1e-6), 0, 1)
    if ds.PhotometricInterpretation == "MONOCHROME1":
        unit = 1 - unit
    image = Image.fromarray(unit, "F")
    scale = min(1, 96 / max(image.size))
    thumb = numpy.asarray(image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.BOX))
    small = numpy.asarray(image.resize((9, 8), Image.BOX))
    bits = numpy.packbits(small[:, :-1] < small[:, 1:])
    place = pathlib.Path(objects, digest[:2])
    place.mkdir(exist_ok=True)
    staged = pathlib.Path(objects, f".part-{os.getpid()}")
    staged.write_bytes(data)
    os.chmod(staged, 0o444)
    os.rename(staged, place / digest)
    line = json.dumps({"sha256": digest, "hash": bits.tobytes().hex(), "window": [low, high], "thumb": list(thumb.shape), **values})
    assert line and (thumb * 255 + 0.5).astype(numpy.uint8).tobytes()
    return time.process_time() - begin


class Measured:
    """Wall and processor seconds of each round."""

    def __init__(self):
        self.wall, self.cpu = [], []

    def add(self, call):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        inside = call()
        self.wall.append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu.append(inside if inside is not None else after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)

    def medians(self):
        return statistics.median(self.wall), statistics.median(self.cpu)


def compare(what, files, folder, bin_dir, work, pool):
    """folder holds exactly these files. Everything written is new in each round and removed at the end, outside the measured time."""
    work.mkdir()
    places = iter(range(10_000))

    def cloister():
        place = work / f"import-{next(places)}"
        (place / "objects").mkdir(parents=True)
        request = place / "request.json"
        request.write_text(json.dumps({"format": 1, "importId": 1, "source": "dicom", "paths": [str(folder)], "options": {}, "workers": 0,
                                       "folder": str(place), "objects": str(work / "none")}))
        done = subprocess.run([str(bin_dir / "cloister-ingest"), "import", "--request", str(request)], check=True, capture_output=True)
        assert json.loads(done.stdout.splitlines()[-1])["accepted"] >= len(files)

    def pooled(task):
        place = work / f"peer-{next(places)}"
        place.mkdir()
        return sum(pool.map(task, files, [str(place)] * len(files), chunksize=16))

    def dcm2pnm():
        subprocess.run(["xargs", "-0", "-P", str(PROCESSES), "-I", "{}", "dcm2pnm", "+Wi", "1", "-q", "{}", "/dev/null"],
                       input=b"\0".join(f.encode() for f in files), capture_output=True)

    peers = {"cloister": cloister, "same product": lambda: pooled(same_product), "light": lambda: pooled(light)}
    if what in ("all", "real") and shutil.which("dcm2pnm"):
        peers["dcm2pnm"] = dcm2pnm
    measured = {name: Measured() for name in peers}
    for _ in range(ROUNDS):
        for name, call in peers.items():
            measured[name].add(call)
    shutil.rmtree(work)
    wall, cpu = measured["cloister"].medians()
    print(f"\n{what:13} {len(files):5} files: cloister {wall:.3f} s, cpu {cpu:.3f} s", end="", flush=True)
    for name in list(peers)[1:]:
        w, c = measured[name].medians()
        print(f" | {name} {w:.3f} s {w / wall:.2f}x, cpu {c:.3f} s {c / cpu:.2f}x", end="", flush=True)


@pytest.fixture(scope="module")
def pool():
    with concurrent.futures.ProcessPoolExecutor(PROCESSES) as pool:
        yield pool


def dicom_files(folder):
    return sorted(str(p) for p in folder.rglob("*.dcm"))


def by_class(files, folder):
    """Links of the files, sorted into a folder a class."""
    import pydicom

    for name, syntaxes in CLASSES.items():
        (folder / name).mkdir(parents=True)
        for i, file in enumerate(files):
            if pydicom.filereader.read_file_meta_info(file).TransferSyntaxUID in syntaxes:
                os.link(file, folder / name / f"{i:05d}.dcm")
        yield name, folder / name
    # The uncompressed ones once more as JPEG, where DCMTK's tool is at hand.
    for name, option in (("JPEG baseline", "+eb"), ("JPEG lossless", "+e1")):
        (folder / name).mkdir()
        for file in dicom_files(folder / "uncompressed") if shutil.which("dcmcjpeg") else []:
            subprocess.run(["dcmcjpeg", option, "-q", file, str(folder / name / pathlib.Path(file).name)], capture_output=True)
        if dicom_files(folder / name):
            yield name, folder / name


@pytest.mark.bench
@pytest.mark.timeout(3600)
def test_dicom_import(bin_dir, tmp_path, pool):
    folder = tmp_path / "files"
    subprocess.run([str(bin_dir / "cloister-ingest"), "synthesize", "--to", str(folder), "--patients", "500", "--seed", "3"], check=True, capture_output=True)
    files = dicom_files(folder)
    (tmp_path / "warm").mkdir()
    for task in (light, same_product):  # every decoder loaded in every process
        list(pool.map(task, files[:48], [str(tmp_path / "warm")] * 48))
    print(f"\nDICOM import on {PROCESSES} processes; ratios above 1: we are faster", end="")
    compare("all", files, folder, bin_dir, tmp_path / "work", pool)
    for name, sorted_folder in by_class(files, tmp_path / "classes"):
        compare(name, dicom_files(sorted_folder), sorted_folder, bin_dir, tmp_path / "work", pool)
    print()


@pytest.mark.bench
@pytest.mark.timeout(3600)
def test_dicom_import_of_real_files(bin_dir, data_dir, tmp_path, pool):
    folder = tmp_path / "files"
    for name in ("dicom-cxr-derived-dev", "dicom-ct-planes-dev"):
        shutil.copytree(data_dir / name, folder / name)
    files = dicom_files(folder)
    (tmp_path / "warm").mkdir()
    for task in (light, same_product):
        list(pool.map(task, files[:48], [str(tmp_path / "warm")] * 48))
    compare("real", files, folder, bin_dir, tmp_path / "work", pool)
    print()
