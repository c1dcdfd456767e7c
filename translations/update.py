#!/usr/bin/env python3
"""Collects every text of the screen into translations/cloister_zh_CN.ts. lupdate reads the sources; two kinds of text it cannot place are
collected here first: labels and helps from the plugins' JSON (contexts Parameters and Plugins), and texts given to a file's own short
helper (tr, TR, WORD, say), whose context is the one that the helper passes to QCoreApplication::translate.
Run after changing a text: python3 translations/update.py; then translate what is unfinished (a test looks for it)."""
import json
import pathlib
import re
import subprocess
import tempfile
import xml.etree.ElementTree as ET

ROOT = pathlib.Path(__file__).resolve().parent.parent
LUPDATE = "/usr/lib/qt6/bin/lupdate"
TS = ROOT / "translations/cloister_zh_CN.ts"
EN = ROOT / "translations/cloister_en.ts"
FOLDERS = ["widgets", "app/gui", "core/domain", "core/runs", "core/curation", "core/trust", "core/report"]
HELPER = re.compile(r'(?:translate|QT_TRANSLATE_NOOP)\("(\w+)",\s*(?:text|row\(|kind)')
CALL = re.compile(r'\b(?:tr|TR|WORD|say)\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)([,)])')
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')


def plugin_texts():
    for path in sorted(ROOT.glob("plugins/*/*/*.json")):
        plugin = json.loads(path.read_text(encoding="utf-8"))
        if "kind" not in plugin:
            continue
        yield "Plugins", json.dumps(plugin["name"], ensure_ascii=False)
        for p in plugin.get("parameters", []):
            for word in [p.get("label", p["key"]), p.get("help", ""), p.get("unit", ""), *p.get("choiceLabels", p.get("choices", []))]:
                if word:
                    yield "Parameters", json.dumps(word, ensure_ascii=False)


def helper_texts():
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.cpp")):
            source = path.read_text(encoding="utf-8")
            contexts = set(HELPER.findall(source))
            if len(contexts) != 1:
                continue
            for literals, _ in CALL.findall(source):
                yield contexts.copy().pop(), '"' + "".join(LITERAL.findall(literals)) + '"'


def main():
    with tempfile.TemporaryDirectory(dir=ROOT / "translations", prefix="texts-") as folder:
        generated = pathlib.Path(folder) / "texts.cpp"
        lines = []
        for context, text in dict.fromkeys([*plugin_texts(), *helper_texts()]):
            macro = "QT_TRANSLATE_N_NOOP" if re.search(r"%L?n(?![a-z])", text) else "QT_TRANSLATE_NOOP"
            lines.append(f'{macro}("{context}", {text});')
        generated.write_text("void texts() {\n" + "\n".join(lines) + "\n}\n", encoding="utf-8")
        sources = [str(ROOT / f) for f in FOLDERS if (ROOT / f).exists()] + [str(generated)]
        subprocess.run([LUPDATE, "-no-obsolete", "-locations", "none", "-target-language", "zh_CN", "-I", str(ROOT), *sources, "-ts", str(TS)],
                       check=True, stderr=subprocess.DEVNULL)
        # English needs its plural forms only.
        subprocess.run([LUPDATE, "-no-obsolete", "-pluralonly", "-locations", "none", "-target-language", "en", "-I", str(ROOT), *sources,
                        "-ts", str(EN)], check=True, stderr=subprocess.DEVNULL)
    # What lupdate filed under the namespace belongs to a helper and was collected above under its real context.
    for path in (TS, EN):
        tree = ET.parse(path)
        for context in tree.getroot().findall("context"):
            if context.find("name").text in ("cloister", "cloister::words"):
                tree.getroot().remove(context)
        body = ET.tostring(tree.getroot(), encoding="unicode")
        path.write_text('<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n' + body + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
