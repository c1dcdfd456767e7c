"""The desktop speaks Simplified Chinese whole: every text of the sources and plugins is in the translation, translated, with the same
placeholders."""
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TS = ROOT / "translations/cloister_zh_CN.ts"
PLACEHOLDER = re.compile(r"%\d|%n|%[a-z]+%")


def messages(path):
    for context in ET.parse(path).getroot().findall("context"):
        for message in context.findall("message"):
            yield context.find("name").text, message


def texts(message):
    translation = message.find("translation")
    forms = translation.findall("numerusform")
    return [f.text or "" for f in forms] if forms else [translation.text or ""]


def test_nothing_unfinished():
    found = list(messages(TS))
    assert len(found) > 700
    bad = [(c, m.find("source").text) for c, m in found if m.find("translation").get("type") or not all(texts(m))]
    assert not bad


def test_placeholders_survive():
    bad = []
    for context, message in messages(TS):
        source = message.find("source").text
        for text in texts(message):
            if sorted(PLACEHOLDER.findall(source)) != sorted(PLACEHOLDER.findall(text)):
                bad.append((context, source, text))
    assert not bad


def test_sentences_are_chinese():
    # What stays Latin is a name, a unit or a key; a sentence of more than three words never is.
    bad = [(c, m.find("source").text) for c, m in messages(TS)
           if len(re.findall(r"[A-Za-z]{2,}", PLACEHOLDER.sub(" ", m.find("source").text))) > 3 and not any(re.search(r"[\u4e00-\u9fff]", t) for t in texts(m))]
    assert not bad


@pytest.mark.skipif(not pathlib.Path("/usr/lib/qt6/bin/lupdate").exists(), reason="lupdate is not installed")
def test_translation_is_up_to_date(tmp_path):
    # The collector run on a copy must not find a text that the committed file lacks.
    for folder in ("widgets", "app/gui", "core", "plugins", "translations"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    subprocess.run([sys.executable, str(tmp_path / "translations/update.py")], check=True, stdout=subprocess.DEVNULL)
    have = {(c, m.find("source").text) for c, m in messages(TS)}
    want = {(c, m.find("source").text) for c, m in messages(tmp_path / "translations/cloister_zh_CN.ts")}
    assert want <= have, sorted(want - have)
