"""PNG, JPEG, TIFF and BMP against Pillow: the samples as stored, and which broken files are refused."""
import io

import pytest

np = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")

import ingest_support as ingest

rng = np.random.default_rng(3)
GREY = Image.fromarray(rng.integers(0, 255, (37, 53), dtype=np.uint8))
COLOUR = Image.fromarray(rng.integers(0, 255, (37, 53, 3), dtype=np.uint8))
DEEP = Image.fromarray(rng.integers(0, 65535, (37, 53), dtype=np.uint16))
FLOAT = Image.fromarray(rng.normal(size=(37, 53)).astype(np.float32))
SMOOTH = Image.fromarray(np.add.outer(np.arange(96), np.arange(128)).astype(np.uint8)).convert("RGB")

CASES = {
    "grey.png": (GREY, {}), "colour.png": (COLOUR, {}), "alpha.png": (COLOUR.convert("RGBA"), {}), "palette.png": (COLOUR.convert("P"), {}),
    "one.png": (GREY.convert("1"), {}), "deep.png": (DEEP, {}), "greyalpha.png": (GREY.convert("LA"), {}),
    "grey.jpg": (GREY, {"quality": 90}), "colour.jpg": (SMOOTH, {"quality": 90}), "sub.jpg": (SMOOTH, {"quality": 80, "subsampling": 2}),
    "progressive.jpg": (SMOOTH, {"progressive": True}),
    "grey.tif": (GREY, {}), "colour.tif": (COLOUR, {}), "deep.tif": (DEEP, {}), "float.tif": (FLOAT, {}), "palette.tif": (COLOUR.convert("P"), {}),
    "lzw.tif": (COLOUR, {"compression": "tiff_lzw"}), "deflate.tif": (DEEP, {"compression": "tiff_adobe_deflate"}),
    "packbits.tif": (GREY, {"compression": "packbits"}), "g4.tif": (GREY.convert("1"), {"compression": "group4"}),
    "grey.bmp": (GREY, {}), "colour.bmp": (COLOUR, {}), "one.bmp": (GREY.convert("1"), {}), "alpha.bmp": (COLOUR.convert("RGBA"), {}),
    "palette.bmp": (COLOUR.convert("P"), {}),
}


def as_stored(picture):
    """What we promise of it: grey or RGB, alpha left out, palette resolved, one bit as 0 and 255."""
    if picture.mode == "1":
        return np.asarray(picture.convert("L"))
    if picture.mode in ("P", "RGBA", "RGBX", "CMYK"):
        return np.asarray(picture.convert("RGBA").convert("RGB") if picture.mode == "P" else picture.convert("RGB"))
    if picture.mode == "LA":
        return np.asarray(picture.getchannel("L"))
    if picture.mode == "I":
        return np.asarray(picture).astype(np.uint16)
    return np.asarray(picture)


def ours(path, folder):
    last, raw = ingest.render(path, 0, folder, "stored")
    if last["type"] != "finished":
        return last, None
    shape = (last["height"], last["width"]) + ((last["channels"],) if last["channels"] > 1 else ())
    return last, np.frombuffer(raw, dtype="<" + last["dtype"]).reshape(shape)


@pytest.mark.parametrize("name", CASES)
def test_made_here(name, tmp_path):
    picture, options = CASES[name]
    picture.save(tmp_path / name, **options)
    last, pixels = ours(tmp_path / name, tmp_path)
    assert pixels is not None, last
    reference = as_stored(Image.open(tmp_path / name))
    if reference.ndim == 3 and pixels.ndim == 2:  # a palette that holds greys only
        assert (reference == reference[..., :1]).all()
        reference = reference[..., 0]
    assert pixels.shape == reference.shape and pixels.dtype == reference.dtype
    assert np.array_equal(pixels, reference)


def test_pages_of_a_tiff(tmp_path):
    GREY.save(tmp_path / "pages.tif", save_all=True, append_images=[GREY.transpose(Image.FLIP_LEFT_RIGHT)])
    last, records = ingest.imported("images", [tmp_path / "pages.tif"], tmp_path)
    assert [r["sample"]["key"] for r in records if r["type"] == "accepted"] == ["pages.tif#0", "pages.tif#1"]


def real_files():
    files = []
    for folder, pattern, most in [("img-cxr-kermany-dev", "*.jpeg", 40), ("img-mednist-dev", "*.jpeg", 20), ("img-deeppcb-dev", "*.jpg", 20),
                                  ("bad-gofuzz-dev", "*", 500)]:
        files += [p for p in sorted((ingest.DATA / folder).rglob(pattern)) if p.is_file() and p.suffix != ".md"][:most]
    return files


@pytest.mark.parametrize("path", real_files(), ids=lambda p: p.name)
def test_real_files(path, tmp_path):
    """Equal pixels, or a refusal. What Pillow refuses we never accept with invented pixels beyond its own checks."""
    last, pixels = ours(path, tmp_path)
    try:
        picture = Image.open(io.BytesIO(path.read_bytes()))
        picture.load()
        reference = as_stored(picture)
    except Exception:
        assert pixels is None or path.parent.name.startswith("bad"), last
        return
    if pixels is None:
        # Ours also checks what follows the pixels (end chunk, checksums).
        assert path.is_relative_to(ingest.DATA / "bad-gofuzz-dev") and last["failure"]["kind"] in ("truncated_file", "corrupt_file", "too_large"), last
        return
    if reference.ndim == 3 and pixels.ndim == 2:
        reference = reference[..., 0]
    if pixels.dtype == np.uint16 and reference.dtype == np.uint8:
        pixels = pixels >> 8  # Pillow has no 16-bit colour or alpha; it takes the high byte
    assert np.array_equal(pixels, reference)


def test_labels_come_from_folders(tmp_path):
    for name in ("a/x/1.png", "a/x/2.png", "a/y/1.png"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (5, 5), dtype=np.uint8)).save(path)
    GREY.save(tmp_path / "in" / "root.png")
    for word, expected in [("parent", {"a/x/1.png": "x", "a/x/2.png": "x", "a/y/1.png": "y", "root.png": ""}),
                           ("top", {"a/x/1.png": "a", "a/x/2.png": "a", "a/y/1.png": "a", "root.png": ""}),
                           ("none", {"a/x/1.png": "", "a/x/2.png": "", "a/y/1.png": "", "root.png": ""})]:
        folder = tmp_path / word
        folder.mkdir()
        _, records = ingest.imported("images", [tmp_path / "in"], folder, {"label": word})
        assert {r["sample"]["key"]: r["sample"]["label"] for r in records if r["type"] == "accepted"} == expected
