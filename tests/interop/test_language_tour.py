"""The pages of a project for a language model, drawn with real content: cloister --tour over a project made from a synthetic text. The
pictures are there to be looked at (docs, review); the test holds that every view is drawn, in both languages, and holds something."""
import random
import struct
import zlib

import pytest

VIEWS = ["texts", "texts-import", "texts-freeze", "texts-models", "texts-add-model", "texts-add-tokenizer", "texts-cut",
         "train", "train-chart", "try", "try-answers", "try-chat"]
WHO = ["The heart", "The left lung", "The right lung", "The liver", "The spleen", "The left kidney"]
HOW = ["is of normal size", "shows no finding", "is well defined", "was not examined", "is slightly enlarged"]


@pytest.fixture(scope="module")
def project(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("language")
    chance = random.Random(1)
    text = "\n\n".join(f"{chance.choice(WHO)} {chance.choice(HOW)}. {chance.choice(WHO)} {chance.choice(HOW)}." for _ in range(400))
    (folder / "reports.txt").write_text(text)
    where = ("--project", folder / "project")
    run("cloister-cli", "project", "create", *where, "--name", "Reports", "--task", "language-model")
    run("cloister-cli", "data", "import", *where, folder / "reports.txt", "--set", "each=paragraph")
    run("cloister-cli", "data", "snapshot", *where)
    run("cloister-cli", "tokenizer", "add", *where, "--name", "bpe", "--vocab-size", 400)
    run("cloister-cli", "train", *where, "--tokenizer", "bpe", "--set", "architecture=llama-1m", "--set", "epochs=1", "--set", "sequence_length=64")
    return folder / "project"


def size_and_pixels(png):
    """Width, height and the inflated rows of an 8-bit PNG."""
    data = png.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, body, size = 8, b"", None
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            size = struct.unpack(">II", data[at + 8:at + 16])
        if kind == b"IDAT":
            body += data[at + 8:at + 8 + length]
        at += 12 + length
    return *size, zlib.decompress(body)


@pytest.mark.parametrize("language,theme", [("en", "light"), ("zh_CN", "dark")])
def test_every_view_is_drawn(run, project, tmp_path, language, theme):
    run("cloister", "--project", project, "--tour", tmp_path, "--language", language, "--theme", theme,
        env={"HOME": str(tmp_path / "home"), "XDG_RUNTIME_DIR": str(tmp_path)})
    drawn = {p.stem.split("-", 1)[1]: p for p in tmp_path.glob("*.png")}
    assert not [v for v in VIEWS if v not in drawn]
    assert "data" not in drawn  # the page for pictures
    seen = {v: size_and_pixels(drawn[v]) for v in VIEWS}
    assert {s[:2] for s in seen.values()} == {(1366, 768)}
    assert len({s[2] for s in seen.values()}) == len(VIEWS)  # no two views alike
