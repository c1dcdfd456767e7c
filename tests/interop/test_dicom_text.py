"""Names and other text of the character set files against pydicom, nested sequences included."""
import pytest

pydicom = pytest.importorskip("pydicom")

import ingest_support as ingest

FILES = sorted((ingest.DATA / "dicom-pydicom" / "charset_files").glob("*.dcm")) + sorted((ingest.DATA / "dicom-cxr-derived-dev").rglob("*.dcm"))[:40]


def texts(dataset, depth=0):
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from texts(item, depth + 1)
        elif element.VR in ("PN", "LO", "SH", "LT", "ST", "UT") and not element.tag.is_private:
            value = element.value
            many = isinstance(value, pydicom.multival.MultiValue)
            text = "\\".join(str(v) for v in value) if many else str(value)
            yield "> " * depth + f"{element.tag.group:04X},{element.tag.elem:04X}", text.rstrip()


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_text(path, tmp_path):
    last, _ = ingest.render(path, 0, tmp_path, "header")
    assert last["type"] == "finished", last
    ds = pydicom.dcmread(path)
    ds.decode()
    ours = [(row[0], row[3]) for row in last["header"]]
    for pair in texts(ds):
        assert pair in ours, pair


def test_there_are_character_sets():
    if not ingest.DATA.is_dir():
        pytest.skip(f"no test data at {ingest.DATA}")
    assert len(FILES) > 50
