#!/usr/bin/env python3
"""Makes tests/fuzz/corpus: small files of our own, nothing taken from elsewhere. Usage: make_seeds.py CORPUS (needs cloister-ingest, pydicom,
Pillow, numpy)."""
import io
import json
import pathlib
import struct
import sys

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


if __name__ == "__main__":
    corpus = pathlib.Path(sys.argv[1])
    for target, seeds in [("dicom", dicom_seeds), ("image", image_seeds), ("safetensors", safetensors_seeds), ("csv", text_seeds), ("event_log", event_seeds)]:
        (corpus / target).mkdir(parents=True, exist_ok=True)
        for name, data in seeds():
            (corpus / target / name).write_bytes(data)
