"""Tables against Python's csv module: dialects, encodings, quotes, and what is refused."""
import csv
import io
import json

import pytest

import ingest_support as ingest


def read(path, folder, **request):
    out = folder / "out.jsonl"
    out.unlink(missing_ok=True)
    _, last, _ = ingest.run("table", {"format": 1, "file": str(path), "out": str(out), "maxRows": 0, **request}, folder)
    if last["type"] != "finished":
        return last, None
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["row"] for line in lines[1:]] == list(range(1, len(lines)))
    return lines[0], [line["cells"] for line in lines[1:]]


ROWS = [["id", "name", "value", "day"], ["1", "Müller, \"Ö\"", "1.5", "2024-01-31"], ["2", "张三\n李四", "-2.25", "2024-02-01"], ["3", "", "1e3", "2024-02-02"],
        ["4", " x ", "7", "2024-02-03"]]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_dialects(separator, encoding, ends, tmp_path):
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator, lineterminator=ends, quoting=csv.QUOTE_ALL if ends == "\r" else csv.QUOTE_MINIMAL).writerows(ROWS)
    text = buffer.getvalue()
    if encoding == "gb18030":
        text = text.replace("Müller, \"\"Ö\"\"", "王小明").replace("Müller", "王小明")
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    head, cells = read(tmp_path / "t.csv", tmp_path)
    expected = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    assert cells == expected[1:]
    assert head["separator"] == separator and head["header"] is True and head["decimal"] == "."
    assert [c["name"] for c in head["columns"]] == ROWS[0]
    assert [c["type"] for c in head["columns"]] == ["number", "text", "number", "date"]
    assert head["encoding"].startswith({"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "gb18030": "GB18030"}[encoding])


def test_decimal_comma_and_no_header(tmp_path):
    (tmp_path / "t.csv").write_bytes("1,5;2\n2,75;3\n-1,0;4\n".encode())
    head, cells = read(tmp_path / "t.csv", tmp_path)
    assert head["decimal"] == "," and head["separator"] == ";" and head["header"] is False
    assert [c["type"] for c in head["columns"]] == ["number", "number"] and len(cells) == 3


def test_decimal_comma_in_every_column(tmp_path):
    (tmp_path / "t.csv").write_bytes("x;y\n1,5;2,5\n2,75;3,0\n-1,0;4,5\n".encode())
    head, cells = read(tmp_path / "t.csv", tmp_path)
    assert head["separator"] == ";" and head["decimal"] == "," and cells[0] == ["1,5", "2,5"]


def test_latin1(tmp_path):
    (tmp_path / "t.csv").write_bytes("id,name\n1,Müller\n2,Größe\n".encode("latin-1"))
    head, cells = read(tmp_path / "t.csv", tmp_path)
    assert head["encoding"] == "ISO-8859-1" and cells == [["1", "Müller"], ["2", "Größe"]]


def test_what_is_asked_for_wins(tmp_path):
    (tmp_path / "t.csv").write_text("a;b,c\n1;2,3\n")
    head, cells = read(tmp_path / "t.csv", tmp_path, separator=";", header=False, decimal=",")
    assert cells == [["a", "b,c"], ["1", "2,3"]] and head["header"] is False
    head, cells = read(tmp_path / "t.csv", tmp_path, separator=";", header=True, maxRows=1)
    assert cells == [["1", "2,3"]]


def test_large_table_streams(tmp_path):
    with open(tmp_path / "t.csv", "w") as f:
        f.write("key,label,score\n")
        for i in range(200_000):
            f.write(f"file{i}.png,class{i % 3},{i / 7:.3f}\n")
    head, cells = read(tmp_path / "t.csv", tmp_path)
    assert len(cells) == 200_000 and cells[-1] == ["file199999.png", "class1", f"{199_999 / 7:.3f}"]


@pytest.mark.parametrize("content,kind", [(b"", "truncated_file"), (b"a,b\n1,\x00\n", "corrupt_file"), (b'a,b\n1,"never closed\n', "truncated_file"),
                                          (b"x" * (9 << 20), "too_large"), (b"," * 5000 + b"\n", "too_large")])
def test_refusals(content, kind, tmp_path):
    (tmp_path / "t.csv").write_bytes(content)
    last, cells = read(tmp_path / "t.csv", tmp_path)
    assert cells is None and last["failure"]["kind"] == kind, last
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("name,rows", [("bom.csv", 2), ("embedded_nl.csv", 1), ("long_field.csv", 1), ("nul.csv", None), ("empty.csv", None)])
def test_crafted(name, rows, tmp_path):
    path = ingest.DATA / "bad-crafted-dev" / "csv" / name
    if not path.exists():
        pytest.skip(f"no test data at {path}")
    head, cells = read(path, tmp_path)
    assert (cells is None) if rows is None else (len(cells) == rows)
    if name == "bom.csv":
        assert head["columns"][0]["name"] == "id"
