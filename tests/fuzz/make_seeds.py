#!/usr/bin/env python3
"""Makes tests/fuzz/corpus: small files of our own, nothing taken from elsewhere. Usage: make_seeds.py CORPUS (needs cloister-ingest, pydicom,
Pillow, numpy, sentencepiece)."""
import io
import json
import pathlib
import struct
import sys
import tempfile

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless,
                         JPEGBaseline8Bit, RLELossless)

rng = np.random.default_rng(1)


def dicom(syntax, bits=16, photometric="MONOCHROME2", frames=1, extra=None, stream=None):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = "2.25.1"
    meta.TransferSyntaxUID = syntax
    ds = FileDataset("seed", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, "2.25.1"
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.PatientName = "SYNTHETIC^测试"
    ds.PatientID, ds.Modality = "SYN", "OT"
    ds.Rows = ds.Columns = 8
    samples = 3 if photometric in ("RGB", "YBR_FULL", "YBR_FULL_422") else 1
    ds.SamplesPerPixel, ds.PhotometricInterpretation = samples, photometric
    if samples == 3:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = bits, bits, bits - 1, 0
    if frames > 1:
        ds.NumberOfFrames = frames
    count = 64 * samples * frames * bits // 8
    ds.PixelData = stream or rng.integers(0, 256, count, dtype=np.uint8).tobytes()
    ds["PixelData"].VR = "OB" if stream or bits <= 8 else "OW"
    for name, value in (extra or {}).items():
        setattr(ds, name, value)
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def encoded(picture, kind, **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def item(**members):
    d = pydicom.Dataset()
    for name, value in members.items():
        setattr(d, name, value)
    return d


def dicom_seeds():
    grey = Image.fromarray(rng.integers(0, 255, (8, 8), dtype=np.uint8))
    colour = Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8))
    frame = pydicom.encaps.encapsulate
    yield "explicit", dicom(ExplicitVRLittleEndian, extra={"WindowCenter": [40, 400], "WindowWidth": [80, 800], "RescaleSlope": 2, "RescaleIntercept": -1024})
    yield "implicit", dicom(ImplicitVRLittleEndian, bits=8, photometric="MONOCHROME1")
    yield "bits", dicom(ExplicitVRLittleEndian, bits=1, frames=3)
    yield "deflated", dicom(DeflatedExplicitVRLittleEndian)
    yield "rgb", dicom(ExplicitVRLittleEndian, bits=8, photometric="RGB")
    yield "ybr422", dicom(ExplicitVRLittleEndian, bits=8, photometric="YBR_FULL_422")
    lut = item(LUTDescriptor=[16, 0, 8], LUTData=bytes(range(32)))
    lut["LUTDescriptor"].VR, lut["LUTData"].VR = "US", "OW"
    yield "voilut", dicom(ExplicitVRLittleEndian, bits=8, extra={"VOILUTSequence": Sequence([lut])})
    shared = item(PixelValueTransformationSequence=Sequence([item(RescaleSlope=2, RescaleIntercept=1)]),
                  FrameVOILUTSequence=Sequence([item(WindowCenter=5, WindowWidth=9)]))
    yield "functional", dicom(ExplicitVRLittleEndian, frames=2, extra={"SharedFunctionalGroupsSequence": Sequence([shared])})
    yield "jpeg", dicom(JPEGBaseline8Bit, bits=8, stream=frame([encoded(grey, "JPEG")]))
    yield "jpegcolour", dicom(JPEGBaseline8Bit, bits=8, photometric="YBR_FULL_422", stream=frame([encoded(colour, "JPEG")]))
    yield "j2k", dicom(JPEG2000Lossless, bits=8, frames=2, stream=frame([encoded(grey, "JPEG2000", no_jp2=True)] * 2))
    ds = pydicom.dcmread(io.BytesIO(dicom(ExplicitVRLittleEndian, bits=8)))
    ds.compress(RLELossless)
    buffer = io.BytesIO()
    ds.save_as(buffer)
    yield "rle", buffer.getvalue()


def image_seeds():
    grey = Image.fromarray(rng.integers(0, 255, (7, 9), dtype=np.uint8))
    colour = Image.fromarray(rng.integers(0, 255, (7, 9, 3), dtype=np.uint8))
    deep = Image.fromarray(rng.integers(0, 65535, (7, 9), dtype=np.uint16))
    yield "grey.png", encoded(grey, "PNG")
    yield "palette.png", encoded(colour.convert("P"), "PNG")
    yield "deep.png", encoded(deep, "PNG")
    yield "alpha.png", encoded(colour.convert("RGBA"), "PNG")
    yield "grey.jpg", encoded(grey, "JPEG")
    yield "progressive.jpg", encoded(colour, "JPEG", progressive=True)
    yield "cmyk.jpg", encoded(colour.convert("CMYK"), "JPEG")
    for compression in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits"):
        yield f"{compression}.tif", encoded(colour, "TIFF", compression=compression)
    yield "deep.tif", encoded(deep, "TIFF")
    yield "bilevel.tif", encoded(grey.convert("1"), "TIFF", compression="group4")
    yield "grey.bmp", encoded(grey, "BMP")
    yield "colour.bmp", encoded(colour, "BMP")
    yield "bits.bmp", encoded(grey.convert("1"), "BMP")


def safetensors_seeds():
    def file(header, data):
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + data
    yield "one", file({"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}, bytes(16))
    yield "two", file({"__metadata__": {"k": "v"}, "a": {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]},
                       "b": {"dtype": "I64", "shape": [], "data_offsets": [3, 11]}}, bytes(11))
    yield "empty", file({"a": {"dtype": "F16", "shape": [0, 4], "data_offsets": [0, 0]}}, b"")


def text_seeds():
    table = "id;name;wert\n1;\"a;b\nc\";1,5\n2;李;2,5\n"
    yield "utf8", b"\1" + table.encode()
    yield "bom", b"\7\xef\xbb\xbf" + table.encode()
    yield "utf16", b"\3" + table.encode("utf-16")
    yield "gb18030", b"\2" + ("编号,姓名,标签\n1,张三,正常\n2,王五,肺炎\n").encode("gb18030")
    yield "latin1", b"\5" + "id,name\n1,Müller\n2,Göß\n".encode("latin-1")
    yield "crlf", b"\1a,b\r\n\"x\"\"y\",\r\n,2\r\n"


def event_seeds():
    yield "two", b'{"seq":1,"at":"2026-11-24T06:40:00.123Z","type":"started","pid":7}\n{"seq":2,"at":"x","type":"metric","step":1,"values":{"train/loss":0.5}}\n'
    yield "torn", b'{"seq":1,"type":"heartbeat"}\n{"seq":2,"ty'
    yield "garbled", b'\x00\xff\n[1]\n{}\n\n{"seq":"a"}\n'


def tokenizer_seeds():
    """kind, length of the text, text, file (fuzz_tokenizer.cpp)."""
    def seed(kind, text, file):
        text = text if isinstance(text, bytes) else text.encode()
        return bytes([kind]) + struct.pack("<H", len(text)) + text + file

    def tokenizer(pre, vocabulary, merges, **more):
        return json.dumps({"model": {"type": "BPE", "vocab": {p: i for i, p in enumerate(vocabulary)}, "merges": merges}, "pre_tokenizer": pre, **more}).encode()

    letters = ["a", "b", "c", "Ġ", "1", "ab", "Ġa"]
    level = {"type": "ByteLevel", "add_prefix_space": True, "use_regex": True}
    text = "ab a  c1\n\u4e2d\u0301 <s>b"
    yield "byte_level", seed(0, text, tokenizer(level, letters, ["a b", "Ġ a"], decoder={"type": "ByteLevel"}))
    for behaviour in ("Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
        split = {"type": "Split", "pattern": {"Regex": r"\s+|[^b]+?c"}, "behavior": behaviour, "invert": behaviour == "Removed"}
        yield behaviour, seed(0, text, tokenizer({"type": "Sequence", "pretokenizers": [split, {"type": "Digits", "individual_digits": True}, level]}, letters, [["a", "b"]]))
    added = [{"id": 9, "content": "<s>", "special": True, "lstrip": True, "rstrip": True, "normalized": False, "single_word": False},
             {"id": 10, "content": "b", "special": False, "lstrip": False, "rstrip": False, "normalized": True, "single_word": True}]
    forms = {"type": "Sequence", "normalizers": [{"type": t} for t in ("NFKD", "StripAccents", "Lowercase", "Strip", "NFC")] + [
        {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}, {"type": "Prepend", "prepend": "\u2581"}]}
    chain = {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
                                              {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
    llama = json.loads(tokenizer(None, ["<unk>", "\u2581", "a", "b", "\u2581a"] + [f"<0x{b:02X}>" for b in range(0xE0, 0xE4)], [["\u2581", "a"]], normalizer=forms, decoder=chain,
                                 added_tokens=added))
    llama["model"] |= {"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True}
    llama["post_processor"] = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}], "special_tokens": {"<s>": {"ids": [9]}}}
    yield "llama", seed(0, text.encode() + b"\xff\xe4\xb8", json.dumps(llama).encode())
    yield "metaspace", seed(0, text, tokenizer({"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first"}, ["\u2581", "a"], [], decoder={"type": "Metaspace"}))

    import sentencepiece
    lines = ["the cat sat on the mat", "a dog and a cat", "the end of the day 123", "中文 文字 中文"] * 20
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        rules.write("41\t61\n41 42\t63 20\nFB01\t66 69\n3000\t20\n")  # a small table of replacements
        rules.flush()
        for kind in ("bpe", "unigram"):
            for name, options in (("identity", {"normalization_rule_name": "identity", "byte_fallback": True}), ("rules", {"normalization_rule_tsv": rules.name})):
                model = io.BytesIO()
                sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_writer=model, model_type=kind, vocab_size=310 if name == "identity" else 45,
                                                         minloglevel=2, hard_vocab_limit=False, **options)
                yield f"{kind}_{name}", seed(1, "the \u2581cat AB \ufb01\u3000 \u4e2d", model.getvalue())


def jinja_seeds():
    pieces = {
        "chat": "{{ bos_token }}{% for m in messages %}{{ '<|' + m['role'] + '|>' + m.content | trim }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}{{ 'A:' }}{% endif %}",
        "names": "{%- set ns = namespace(a=1, b='') -%}{% for k, v in {'x': [1, 2.5]}.items() %}{% set ns.b = ns.b ~ k ~ v %}{% endfor %}{{ ns.b }}{% with a = 1 %}{{ a }}{% endwith %}",
        "macro": "{% macro f(a, b=2) %}{{ a }}{{ b }}{{ caller() if caller }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1) }}{% call f('x', 3) %}y{% endcall %}{{ f(*[1], **{'b': 2}) }}",
        "space": "  {% if true %}\n a {#- c -#} {%+ endif -%}\n{% raw -%} {{ x }} {%- endraw %}{% generation %}g{% endgeneration %}\n",
        "loop": "{% for x in range(9) if x % 2 recursive %}{{ loop.index }}{{ loop.previtem }}{{ loop.cycle(1, 2) }}{% if x > 5 %}{% break %}{% endif %}{% else %}e{% endfor %}",
        "filters": "{{ messages | map(attribute='role') | join(', ') | upper | replace('A', 'b') }}{{ [3, 1] | sort | tojson(indent=1) }}{{ messages | selectattr('role', 'equalto', 'user') | list | length }}",
        "texts": "{{ ' aB\\n\\u00e9'.strip().split('B')[::-1] }}{{ 'x' * 3 ~ 1.5e3 // 2 }}{{ 'a' in 'abc' and not none is defined }}{{ 'It\\'s'.title() }}{{ messages[1:][0]['content'][-1:] }}",
        "tests": "{{ x is defined }}{{ 3 is odd }}{{ 'a' is in ['a'] }}{{ 1 if 2 > 1 >= 1 else 0x1F }}{% filter lower %}{% set t %}T{% endset %}{{ t }}{% endfilter %}",
        "raise": "{{ raise_exception('no ' ~ messages | length) }}", "day": "{% if strftime_now is defined %}{{ strftime_now('%d %B %Y') }}{% endif %}",
    }
    for name, text in pieces.items():
        yield name, b"\x03" + text.encode()


def record_seeds():
    """suffix and how to read it, file (fuzz_texts.cpp)."""
    yield "plain", b"\x20First line.\n\n\xef\xbb\xbfSecond \xe4\xb8\xad\xe6\x96\x87.\r\n"
    yield "paragraphs", b"\xa0One.\nTwo.\n\n \nThree."
    yield "alpaca", b'\x21[{"instruction":"a","input":"b","output":"c"},{"instruction":""},7]'
    yield "sharegpt", b'\x22{"conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}],"system":"s"}\n{"messages":[{"role":"user","content":"x"}]}\n'
    yield "preferences", b'\x22{"prompt":"a","chosen":"b","rejected":{"from":"gpt","value":"c"}}\n{"prompt":"a","chosen":"b"}'
    yield "pairs", b"\x23a\tb\nc\n\td\n"
    yield "summaries", b'\x22{"source":["a","b"],"target":["c"]}\n{"document":"a","summary":""}\n{"text": "a'


if __name__ == "__main__":
    corpus = pathlib.Path(sys.argv[1])
    for target, seeds in [("dicom", dicom_seeds), ("image", image_seeds), ("safetensors", safetensors_seeds), ("csv", text_seeds), ("event_log", event_seeds), ("tokenizer", tokenizer_seeds), ("texts", record_seeds), ("jinja", jinja_seeds)]:
        (corpus / target).mkdir(parents=True, exist_ok=True)
        for name, data in seeds():
            (corpus / target / name).write_bytes(data)
