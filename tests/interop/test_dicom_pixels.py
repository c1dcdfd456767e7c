"""Stored pixels of every readable DICOM test file against pydicom with pylibjpeg and GDCM: bit-equal where the syntax is lossless, within one
grey level where it is lossy. What differs on purpose stands in EXCEPTIONS with its reason (docs/dicom-support.md says the same in words)."""
import pathlib
import warnings

import pytest

np = pytest.importorskip("numpy")
pydicom = pytest.importorskip("pydicom")
from pydicom.pixels import get_decoder
from pydicom.uid import UID

import ingest_support as ingest

warnings.filterwarnings("ignore")

FOLDERS = ["dicom-pydicom", "dicom-pydicom-data", "dicom-cornerstone-syntaxes", "dicom-highdicom", "dicom-ct-planes-dev",
           "dicom-cxr-derived-dev", "img-xrv-dev"]
LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55",
         "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.203"}

# file name → (what happens, detail, why).
# refused: we refuse with the kind in detail. like: pydicom cannot decode it; ours must equal the pixels of the file in detail, within the
# grey levels given.
EXCEPTIONS = {
    "SC_rgb_jpeg.dcm": ("refused", "truncated_file", "the data set is written in implicit VR although its transfer syntax says explicit"),
    "liver_rle.dcm": ("like", ("liver.dcm", 0), "no RLE decoder of the reference reads one bit a pixel"),
    "liver_nonbyte_aligned_rle.dcm": ("like", ("liver_nonbyte_aligned.dcm", 0), "no RLE decoder of the reference reads one bit a pixel"),
    "liver_deflate.dcm": ("like", ("liver.dcm", 0), "frames deflated one by one are newer than the reference"),
    "liver_nonbyte_aligned_deflate.dcm": ("like", ("liver_nonbyte_aligned.dcm", 0), "frames deflated one by one are newer than the reference"),
    "CTImage.dcm_JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53.dcm":
        ("like", ("CTImage.dcm_JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51.dcm", 1), "retired syntax without a decoder in the reference"),
    "CTImage.dcm_JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55.dcm":
        ("like", ("CTImage.dcm_JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51.dcm", 1), "retired syntax without a decoder in the reference"),
    "JPEG-lossy.dcm": ("like", ("JPEG-LL.dcm", 128), "12 bits in a stream that the reference's decoders refuse; the lossless twin of the picture is near"),
}


def candidates():
    files = []
    for name in FOLDERS:
        folder = ingest.DATA / name
        for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
            if path.is_file():
                head = path.open("rb").read(132)
                if head[128:132] == b"DICM" or path.suffix.lower() == ".dcm":
                    files.append(path)
    return files


FILES = candidates()


def oracle(path, frame):
    """pydicom's samples as stored, [rows, columns(, samples)], or the exception it raised."""
    ds = pydicom.dcmread(path, force=True)
    syntax = UID(ds.file_meta.TransferSyntaxUID) if getattr(ds, "file_meta", None) and "TransferSyntaxUID" in ds.file_meta else \
        pydicom.uid.ImplicitVRLittleEndian
    if "FloatPixelData" in ds or "DoubleFloatPixelData" in ds:
        array = ds.pixel_array
        return array[frame] if array.ndim == 3 else array
    array, _ = get_decoder(syntax).as_array(ds, raw=True, index=frame)
    return array


def samples_of(last, raw):
    assert last["type"] == "finished", last.get("failure")
    shape = (last["height"], last["width"]) + ((last["channels"],) if last["channels"] > 1 else ())
    return np.frombuffer(raw, dtype="<" + last["dtype"]).reshape(shape)


def frames_of(ds):
    count = int(ds.get("NumberOfFrames", 1) or 1)
    return sorted({0, count // 2, count - 1})


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ingest.DATA)))
def test_stored_pixels(path, tmp_path):
    expected = EXCEPTIONS.get(path.name)
    try:
        ds = pydicom.dcmread(path, force=True)
        has_pixels = any(k in ds for k in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"))
        frames = frames_of(ds) if has_pixels else [0]
    except Exception:  # not a data set for pydicom: ours must refuse it too, with a kind
        last, raw = ingest.render(path, 0, tmp_path, "stored")
        assert last["type"] == "failed", last
        return
    if not has_pixels:
        last, raw = ingest.render(path, 0, tmp_path, "stored")
        assert last["type"] == "failed", last
        assert last["failure"]["kind"] in ("no_pixel_data", "corrupt_file", "truncated_file", "unsupported_format"), last
        return
    syntax = str(ds.file_meta.TransferSyntaxUID) if getattr(ds, "file_meta", None) and "TransferSyntaxUID" in ds.file_meta else ""
    for frame in frames:
        last, raw = ingest.render(path, frame, tmp_path, "stored")
        if expected and expected[0] == "refused":
            assert last["type"] == "failed" and last["failure"]["kind"] == expected[1], last
            return
        try:
            reference = np.asarray(oracle(path, frame))
        except Exception as error:
            if expected and expected[0] == "like":
                twin = next(p for p in FILES if p.name == expected[1][0])
                ours = samples_of(last, raw)
                reference = np.asarray(oracle(twin, frame))
                assert ours.shape == reference.shape
                assert np.abs(ours.astype(np.int64) - reference.astype(np.int64)).max() <= expected[1][1]
                continue
            assert last["type"] == "failed", f"pydicom cannot read it ({error}), ours said {last}"
            continue
        assert last["type"] == "finished", last.get("failure")
        ours = samples_of(last, raw)
        assert ours.shape == reference.shape
        if reference.dtype.kind == "f":
            assert np.array_equal(ours, reference)
            continue
        difference = np.abs(ours.astype(np.int64) - reference.astype(np.int64)).max()
        assert difference <= (1 if syntax in LOSSY else 0), f"frame {frame}: {difference} grey levels"


def test_there_was_something_to_compare():
    if not ingest.DATA.is_dir():
        pytest.skip(f"no test data at {ingest.DATA}")
    assert len(FILES) > 300


@pytest.mark.parametrize("name", ["CTImage.dcm", "CT_small.dcm", "mlut_18.dcm", "693_UNCR.dcm", "emri_small.dcm"])
def test_modality_values(name, tmp_path):
    """Modality units against pydicom's apply_modality_lut."""
    from pydicom.pixels import apply_modality_lut
    found = [p for p in FILES if p.name == name]
    if not found:
        pytest.skip(f"{name} is not in the test data")
    last, raw = ingest.render(found[0], 0, tmp_path)
    assert last["type"] == "finished", last
    ours = np.frombuffer(raw, dtype="<f4").reshape(last["height"], last["width"])
    ds = pydicom.dcmread(found[0])
    reference = apply_modality_lut(oracle(found[0], 0), ds)
    assert np.abs(ours - reference).max() <= 1e-3 * max(1.0, float(np.abs(reference).max()) * 1e-4)


def colour_files():
    chosen = []
    for path in FILES:
        try:
            ds = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        except Exception:
            continue
        if str(ds.get("PhotometricInterpretation", "")).startswith(("RGB", "YBR")) and ds.get("BitsAllocated") == 8:
            chosen.append(path)
    return chosen


@pytest.mark.parametrize("path", colour_files(), ids=lambda p: p.name)
def test_colours(path, tmp_path):
    """8-bit RGB as people see it against pydicom's own conversion."""
    ds = pydicom.dcmread(path, force=True)
    if "PixelData" not in ds:
        pytest.skip("no pixels in it")
    if EXCEPTIONS.get(path.name, ("",))[0] == "refused":
        pytest.skip("refused, see EXCEPTIONS")
    last, raw = ingest.render(path, 0, tmp_path)
    try:
        reference, _ = get_decoder(UID(ds.file_meta.TransferSyntaxUID)).as_array(ds, raw=False, index=0)
    except Exception as error:
        assert last["type"] in ("failed", "finished"), error
        return
    assert last["type"] == "finished", last
    ours = np.frombuffer(raw, dtype=np.uint8).reshape(last["height"], last["width"], 3).astype(int)
    difference = np.abs(ours - reference[..., :3].astype(int))
    assert difference.max() <= COLOUR_TOLERANCE.get(path.name, 2), f"{difference.max()} at most, {difference.mean():.3f} on average"


# Converted by other integer arithmetic on the reference's side.
COLOUR_TOLERANCE = {}
