"""Hostile and broken files: each costs itself a refusal with a kind, never the batch. Limits of 10 s and 1 GiB a file are cloister-ingest's own;
here the whole batch must end."""
import io
import os
import pathlib
import random
import stat

import pytest

import ingest_support as ingest

KINDS = {"unsupported_format", "unsupported_encoding", "corrupt_file", "truncated_file", "no_pixel_data", "too_large", "timeout",
         "not_found", "policy_refused", "permission_denied", "io_error"}


def check_all_answered(records, files):
    """Each file has a record; every refusal has one of the known kinds and a sentence. A crash of the decoder is a finding, not a refusal."""
    seen = {}
    for r in records:
        if r["type"] == "accepted":
            seen[r["sample"]["file"]] = "accepted"
        elif r["type"] == "duplicate":
            seen[r["file"]] = "duplicate"
        elif r["type"] == "refused":
            assert r["kind"] in KINDS, r
            assert r["message"] and r["file"] in r["message"], r
            seen[r["file"]] = r["kind"]
    missing = [str(f) for f in files if str(f) not in seen]
    assert not missing, missing[:5]
    return seen


def folder_or_skip(*parts):
    folder = ingest.DATA.joinpath(*parts)
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}")
    return folder


@pytest.mark.parametrize("parts,source", [(("bad-crafted-dev", "dicom"), "dicom"), (("bad-crafted-dev", "image"), "images"),
                                          (("bad-crafted-dev",), "dicom"), (("bad-crafted-dev",), "images"), (("bad-gofuzz-dev",), "images"),
                                          (("bad-gofuzz-dev",), "dicom"), (("dicom-pydicom",), "dicom")])
def test_batch_of_broken_files(parts, source, tmp_path):
    folder = folder_or_skip(*parts)
    last, records = ingest.imported(source, [folder], tmp_path)
    assert last["type"] == "finished", last
    files = [p.resolve() for p in folder.rglob("*") if p.is_file()]
    seen = check_all_answered([r for r in records if r["type"] != "changed"], [f for f in files if "DICOMDIR" not in f.name])
    if parts == ("bad-crafted-dev", "dicom"):
        assert {pathlib.Path(f).name for f, what in seen.items() if what == "accepted"} == {"ok_control.dcm"}
    if parts == ("bad-crafted-dev", "image"):
        assert {pathlib.Path(f).name for f, what in seen.items() if what == "accepted"} == {"ok_palette.png"}


def good_images():
    """One small image of each kind we read, made here."""
    image = pytest.importorskip("PIL.Image")
    np = pytest.importorskip("numpy")
    rng = np.random.default_rng(7)
    grey = image.fromarray(rng.integers(0, 255, (48, 64), dtype=np.uint8))
    colour = image.fromarray(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8))
    deep = image.fromarray(rng.integers(0, 65535, (48, 64), dtype=np.uint16))
    made = {}
    for name, picture, options in [("grey.png", grey, {}), ("colour.png", colour, {}), ("palette.png", colour.convert("P"), {}), ("deep.png", deep, {}),
                                   ("grey.jpg", grey, {}), ("colour.jpg", colour, {"progressive": True}), ("grey.tif", grey, {}),
                                   ("deep.tif", deep, {}), ("lzw.tif", colour, {"compression": "tiff_lzw"}), ("grey.bmp", grey, {}), ("colour.bmp", colour, {})]:
        buffer = io.BytesIO()
        picture.save(buffer, {"png": "PNG", "jpg": "JPEG", "tif": "TIFF", "bmp": "BMP"}[name.split(".")[1]], **options)
        made[name] = buffer.getvalue()
    return made


def good_dicom():
    files = {}
    for folder, pattern in [("dicom-cornerstone-syntaxes", "*.dcm"), ("dicom-pydicom-data", "*.dcm"), ("dicom-highdicom", "*.dcm")]:
        for path in sorted(folder_or_skip(folder).glob(pattern)):
            if path.stat().st_size < 1_500_000:
                files[path.name] = path.read_bytes()
    return files


def write_all(folder, blobs):
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, blob in blobs.items():
        path = folder / name
        path.write_bytes(blob)
        files.append(path.resolve())
    return files


@pytest.mark.parametrize("source", ["images", "dicom"])
def test_truncated_copies_are_refused(source, tmp_path):
    blobs = {}
    for name, blob in (good_images() if source == "images" else good_dicom()).items():
        for part in (0.02, 0.3, 0.7, 0.95):
            blobs[f"{int(part * 100):02d}-{name}"] = blob[:int(len(blob) * part)]
    files = write_all(tmp_path / "in", blobs)
    last, records = ingest.imported(source, [tmp_path / "in"], tmp_path)
    assert last["type"] == "finished", last
    seen = check_all_answered(records, files)
    accepted = [f for f, what in seen.items() if what == "accepted"]
    # What is cut may be padding or a private element after the pixels; anything more is invented pixels.
    assert len(accepted) <= len(files) // 50, accepted


@pytest.mark.parametrize("source", ["images", "dicom"])
def test_damaged_copies_end_in_a_kind(source, tmp_path):
    rng = random.Random(20261124)
    blobs = {}
    for name, blob in (good_images() if source == "images" else good_dicom()).items():
        for n in range(6 if source == "images" else 3):
            damaged = bytearray(blob)
            for _ in range(rng.choice((1, 4, 32))):
                damaged[rng.randrange(min(len(damaged), 4096) if n % 2 else len(damaged))] = rng.randrange(256)
            blobs[f"{n}-{name}"] = bytes(damaged)
    files = write_all(tmp_path / "in", blobs)
    last, records = ingest.imported(source, [tmp_path / "in"], tmp_path)
    assert last["type"] == "finished", last
    check_all_answered(records, files)


def explicit(group, element, vr, value):
    import struct
    long = vr in (b"OB", b"OW", b"SQ", b"UN")
    head = struct.pack("<HH", group, element) + vr + (struct.pack("<HI", 0, len(value)) if long else struct.pack("<H", len(value)))
    return head + value


def part10(syntax, body):
    meta = explicit(2, 0x10, b"UI", syntax.encode() + b"\0" * (len(syntax) % 2))
    return b"\0" * 128 + b"DICM" + explicit(2, 0, b"UL", len(meta).to_bytes(4, "little")) + meta + body


def image_module(rows, columns, frames=None):
    short = lambda e, v: explicit(0x28, e, b"US", v.to_bytes(2, "little"))
    out = short(2, 1) + explicit(0x28, 4, b"CS", b"MONOCHROME2 ")
    out += explicit(0x28, 8, b"IS", frames) if frames else b""
    return out + short(0x10, rows) + short(0x11, columns) + short(0x100, 8) + short(0x101, 8) + short(0x102, 7) + short(0x103, 0)


def crafted_dicom():
    import struct
    import zlib
    little, deflated = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"
    pixels = lambda n: explicit(0x7FE0, 0x10, b"OW", b"\0" * n)
    open_item = struct.pack("<HH2sHIHHI", 0x0040, 0xA730, b"SQ", 0, 0xFFFFFFFF, 0xFFFE, 0xE000, 0xFFFFFFFF)
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    huge = 1_500_000_000
    packed = bomb.compress(image_module(40000, 37500) + struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, huge))
    for _ in range(huge // 50_000_000):
        packed += bomb.compress(b"\0" * 50_000_000)
    packed += bomb.flush()
    yield "deep.dcm", part10(little, open_item * 200_000)
    yield "bomb.dcm", part10(deflated, packed)
    yield "lies.dcm", part10(little, image_module(16, 16) + struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, 0xFFFFFFF0) + b"\0" * 256)
    yield "undefined.dcm", part10(little, image_module(16, 16) + struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, 0xFFFFFFFF) + b"\0" * 256)
    yield "huge.dcm", part10(little, image_module(65535, 65535) + pixels(256))
    yield "frames.dcm", part10(little, image_module(16, 16, b"2147483647") + pixels(256))
    yield "minus.dcm", part10(little, image_module(16, 16, b"-3") + pixels(256))
    yield "zero.dcm", part10(little, image_module(0, 16) + pixels(256))
    yield "syntax.dcm", part10("1.2.3.4.5", image_module(16, 16) + pixels(256))
    yield "mpeg.dcm", part10("1.2.840.10008.1.2.4.100", image_module(16, 16) + struct.pack("<HH2sHIHHIHHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF, 0xFFFE,
                             0xE000, 0, 0xFFFE, 0xE000, 4) + b"\0\0\1\xb3" + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0))
    # 3 × 3 pixels, of which two share their colour: the last one has none.
    short = lambda e, v: explicit(0x28, e, b"US", v.to_bytes(2, "little"))
    half = short(2, 3) + explicit(0x28, 4, b"CS", b"YBR_FULL_422") + short(6, 0) + short(0x10, 3) + short(0x11, 3)
    half += short(0x100, 8) + short(0x101, 8) + short(0x102, 7) + short(0x103, 0)
    yield "odd.dcm", part10(little, half + explicit(0x7FE0, 0x10, b"OB", b"\x80" * 18))
    yield "good.dcm", part10(little, image_module(16, 16) + pixels(256))


def test_crafted_dicom(tmp_path):
    files = write_all(tmp_path / "in", dict(crafted_dicom()))
    last, records = ingest.imported("dicom", [tmp_path / "in"], tmp_path)
    assert last["type"] == "finished", last
    seen = {pathlib.Path(f).name: what for f, what in check_all_answered(records, files).items()}
    assert seen["good.dcm"] == "accepted"
    assert seen["deep.dcm"] == "corrupt_file"
    assert seen["odd.dcm"] == "corrupt_file"
    assert seen["bomb.dcm"] in ("too_large", "timeout")
    assert seen["huge.dcm"] == "too_large" and seen["syntax.dcm"] == "unsupported_encoding" and seen["mpeg.dcm"] == "unsupported_encoding"
    assert all(seen[n] in ("corrupt_file", "truncated_file", "too_large") for n in ("lies.dcm", "undefined.dcm", "frames.dcm", "minus.dcm", "zero.dcm")), seen


def test_dicomdirs(tmp_path):
    """Every variant of the index leads to the same images, whatever its offsets say."""
    folder = folder_or_skip("dicom-pydicom", "test_files", "dicomdirtests")
    for name in ("DICOMDIR", "DICOMDIR-bigEnd", "DICOMDIR-implicit", "DICOMDIR-reordered", "DICOMDIR-nooffset"):
        where = tmp_path / name
        where.mkdir()
        last, records = ingest.imported("dicom", [folder / name], where)
        assert last["type"] == "finished", last
        images = sum(p.is_file() and p.name.isdigit() for p in folder.rglob("*"))
        assert last["accepted"] + last["duplicates"] == images, (name, last, [r for r in records if r["type"] == "refused"][:3])


def test_things_that_are_no_files(tmp_path):
    root = tmp_path / "in"
    root.mkdir()
    os.mkfifo(root / "pipe.png")
    (root / "loop").symlink_to(root)
    (root / "gone.png").symlink_to(root / "nowhere.png")
    (root / "empty.png").write_bytes(b"")
    for name, blob in list(good_images().items())[:2]:
        (root / name).write_bytes(blob)
    last, records = ingest.imported("images", [root], tmp_path)
    assert last["type"] == "finished", last
    assert last["accepted"] == 2
    kinds = {pathlib.Path(r["file"]).name: r["kind"] for r in records if r["type"] == "refused"}
    assert kinds == {"pipe.png": "unsupported_format", "gone.png": "not_found", "empty.png": "truncated_file"}


def test_dicomdir_never_leaves_its_folder(tmp_path):
    pydicom = pytest.importorskip("pydicom")
    source = folder_or_skip("dicom-pydicom", "test_files", "dicomdirtests")
    ds = pydicom.dcmread(source / "DICOMDIR")
    images = [r for r in ds.DirectoryRecordSequence if "ReferencedFileID" in r]
    (tmp_path / "secret.dcm").write_bytes((source / "77654033" / "CR1" / "6154").read_bytes())
    media = tmp_path / "media"
    media.mkdir()
    images[0].ReferencedFileID = ["..", "secret.dcm"]
    images[1].ReferencedFileID = ["INSIDE"]
    (media / "INSIDE").write_bytes((source / "77654033" / "CR1" / "6154").read_bytes())
    (media / "LINK").symlink_to(tmp_path / "secret.dcm")
    images[2].ReferencedFileID = ["LINK"]
    for r in images[3:]:
        r.ReferencedFileID = ["MISSING"]
    ds.save_as(media / "DICOMDIR")
    last, records = ingest.imported("dicom", [media / "DICOMDIR"], tmp_path)
    assert last["type"] == "finished", last
    assert [r["sample"]["file"] for r in records if r["type"] == "accepted"] == [str((media / "INSIDE").resolve())]
    kinds = sorted(r["kind"] for r in records if r["type"] == "refused")
    assert kinds == ["not_found", "policy_refused", "policy_refused"]


def test_import_goes_on_after_being_stopped(tmp_path):
    """SIGTERM in the middle: whole records only; the next start reads what is left and gives the same samples as one unbroken import."""
    import json
    import signal
    import subprocess
    import time
    folder = folder_or_skip("dicom-cxr-derived-dev")
    _, whole = ingest.imported("dicom", [folder], tmp_path / "whole") if (tmp_path / "whole").mkdir() is None else None
    part = tmp_path / "part"
    part.mkdir()
    request = {"format": 1, "importId": 1, "source": "dicom", "paths": [str(folder)], "options": {}, "workers": 1, "folder": str(part / "i"),
               "objects": str(part / "objects")}
    (part / "request.json").write_text(json.dumps(request))
    for attempt in range(50):
        process = subprocess.Popen([str(ingest.INGEST), "import", "--request", str(part / "request.json")], stdout=subprocess.PIPE)
        time.sleep(0.2 + 0.05 * attempt)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
        last = json.loads(out.splitlines()[-1])
        if last["type"] == "finished":
            break
        assert process.returncode in (130, -signal.SIGTERM) and last.get("failure", {}).get("kind") in ("stopped", None), last
    else:
        pytest.fail("fifty starts did not finish")
    records = [json.loads(line) for line in (part / "i" / "records.jsonl").read_text().splitlines()]
    key = lambda r: r["sample"]["key"]
    assert sorted((r["sample"]["key"], r["sample"]["sha256"]) for r in records if r["type"] == "accepted") == \
        sorted((r["sample"]["key"], r["sample"]["sha256"]) for r in whole if r["type"] == "accepted")
    thumbs = (part / "i" / "thumbs.pack").read_bytes()
    reference = (tmp_path / "whole" / "i-000001" / "thumbs.pack").read_bytes()
    by_key = {key(r): r["sample"]["thumb"] for r in whole if r["type"] == "accepted"}
    for r in records:
        if r["type"] == "accepted":
            ours, theirs = r["sample"]["thumb"], by_key[key(r)]
            size = ours["width"] * ours["height"] * ours["channels"]
            assert thumbs[ours["offset"]:ours["offset"] + size] == reference[theirs["offset"]:theirs["offset"] + size]


def test_a_decoder_that_dies_costs_its_file(tmp_path):
    """Children are killed from outside while they work: each kill costs at most the file at hand, which is refused as crashed."""
    import json
    import subprocess
    folder = folder_or_skip("dicom-cxr-derived-dev")
    request = {"format": 1, "importId": 1, "source": "dicom", "paths": [str(folder)], "options": {}, "workers": 2, "folder": str(tmp_path / "i"),
               "objects": str(tmp_path / "objects")}
    (tmp_path / "request.json").write_text(json.dumps(request))
    process = subprocess.Popen([str(ingest.INGEST), "import", "--request", str(tmp_path / "request.json")], stdout=subprocess.PIPE)
    killed = 0
    while process.poll() is None and killed < 5:
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split() if process.poll() is None else []
        for pid in children[:1]:
            try:
                os.kill(int(pid), 9)
                killed += 1
            except ProcessLookupError:
                pass
    out, _ = process.communicate(timeout=120)
    last = json.loads(out.splitlines()[-1])
    assert last["type"] == "finished", last
    records = [json.loads(line) for line in (tmp_path / "i" / "records.jsonl").read_text().splitlines()]
    crashed = [r for r in records if r["type"] == "refused" and r["kind"] == "crashed"]
    assert len(crashed) <= killed
    answered = sum(r["type"] in ("accepted", "refused") for r in records)
    assert answered == sum(p.is_file() for p in folder.rglob("*"))
