"""DICOM import against pydicom doing the same work (read, decode, modality and VOI LUT, hash, thumbnail) on as many processes, and against
plain DCMTK decoding (dcmdjpls/dcmdrle and dcm2pnm do not read JPEG 2000, so DCMTK gets the files it can read). Interleaved, medians, wall time."""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import time

import pytest

ROUNDS = 5
PROCESSES = os.cpu_count() or 2


def like_an_import(path):
    import numpy
    import pydicom
    from PIL import Image
    from pydicom.pixels import apply_modality_lut, apply_voi_lut

    data = pathlib.Path(path).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    ds = pydicom.dcmread(path)
    grey = apply_voi_lut(apply_modality_lut(ds.pixel_array, ds), ds).astype(numpy.float32)
    low, high = grey.min(), grey.max()
    grey = (grey - low) / max(high - low, 1e-6) * 255
    thumb = Image.fromarray(grey.astype(numpy.uint8)).resize((96, 96), Image.BOX)
    return digest, str(ds.get("PatientName", "")), thumb.tobytes()[:1]


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def synthetic(bin_dir, tmp_path):
    """JPEG 2000 and JPEG-LS are among the files, and there both sides spend their time in the same codec libraries."""
    folder = tmp_path / "files"
    subprocess.run([str(bin_dir / "cloister-ingest"), "synthesize", "--to", str(folder), "--patients", "500", "--seed", "3"], check=True, capture_output=True)
    return folder


def real(data_dir, tmp_path):
    folder = tmp_path / "files"
    for name in ("dicom-cxr-derived-dev", "dicom-ct-planes-dev"):
        shutil.copytree(data_dir / name, folder / name)
    return folder


@pytest.mark.bench
@pytest.mark.parametrize("kind", ["synthetic", "real"])
def test_dicom_import(bin_dir, data_dir, tmp_path, kind):
    files_dir = synthetic(bin_dir, tmp_path) if kind == "synthetic" else real(data_dir, tmp_path)
    files = sorted(str(p) for p in files_dir.rglob("*.dcm"))
    objects = tmp_path / "objects"
    objects.mkdir()
    counter = iter(range(10_000))

    def cloister():
        folder = tmp_path / f"import-{next(counter)}"
        folder.mkdir()
        request = folder / "request.json"
        request.write_text(json.dumps({"format": 1, "importId": 1, "source": "dicom", "paths": [str(files_dir)], "options": {}, "workers": 0,
                                       "folder": str(folder), "objects": str(objects)}))
        subprocess.run([str(bin_dir / "cloister-ingest"), "import", "--request", str(request)], check=True, capture_output=True)
        shutil.rmtree(folder)

    with concurrent.futures.ProcessPoolExecutor(PROCESSES) as pool:
        list(pool.map(like_an_import, files[: 4 * PROCESSES]))  # imports done, workers warm: the peer's best setting

        def pydicom_import():
            list(pool.map(like_an_import, files, chunksize=16))

        def dcmtk():
            subprocess.run(["xargs", "-0", "-P", str(PROCESSES), "-I", "{}", "dcm2pnm", "+Wi", "1", "-q", "{}", "/dev/null"],
                           input=b"\0".join(f.encode() for f in files), capture_output=True)

        peers = {"cloister": cloister, "pydicom": pydicom_import}
        if shutil.which("dcm2pnm"):
            peers["dcm2pnm"] = dcmtk
        times = {name: [] for name in peers}
        for _ in range(ROUNDS):
            for name, call in peers.items():
                times[name].append(timed(call))
    medians = {name: statistics.median(values) for name, values in times.items()}
    ours = medians["cloister"]
    print(f"\nDICOM import of {len(files)} {kind} files on {PROCESSES} processes: " +
          ", ".join(f"{name} {seconds:.2f} s ({len(files) / seconds:.0f} files/s, {seconds / ours:.2f}x)" for name, seconds in medians.items()))
