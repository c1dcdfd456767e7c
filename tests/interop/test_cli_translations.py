"""Every sentence of the command line has its Chinese translation: complete, finished, with the same places for values, none left over."""
import re
import xml.etree.ElementTree as ET

from conftest import ROOT

CALL = re.compile(r'\btr\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)')
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')


def sentences():
    found = set()
    for file in (ROOT / "app" / "cli").glob("*.cpp"):
        for call in CALL.finditer(file.read_text(encoding="utf-8")):
            found.add("".join(LITERAL.findall(call.group(1))).replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\"))
    return found


def translations():
    tree = ET.parse(ROOT / "translations" / "cli_zh_CN.ts")
    context = next(c for c in tree.getroot().iter("context") if c.findtext("name") == "Cli")
    messages = {}
    for message in context.iter("message"):
        translation = message.find("translation")
        assert translation.get("type") is None, f"unfinished: {message.findtext('source')}"
        assert translation.text and translation.text.strip(), message.findtext("source")
        messages[message.findtext("source")] = translation.text
    return messages


def test_every_sentence_is_translated():
    found, known = sentences(), translations()
    assert len(found) > 200, "the sentences were not found in app/cli"
    assert not found - set(known), f"not translated: {sorted(found - set(known))}"
    assert not set(known) - found, f"left over: {sorted(set(known) - found)}"


def test_places_for_values_are_kept():
    for source, translation in translations().items():
        assert sorted(re.findall(r"%\d", source)) == sorted(re.findall(r"%\d", translation)), source


def test_the_program_speaks_it(run):
    assert "用法" in run("cloister-cli", "train", "--help", "--language", "zh_CN").stdout
    assert "Usage:" in run("cloister-cli", "train", "--help", "--language", "en").stdout
