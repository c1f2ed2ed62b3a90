"""Sound files of kinds that are not read are called what they are, and only damaged ones damaged."""

import json
import struct
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from typer.testing import CliRunner

from helpers.pictures import smooth
from srez.cli import app

PIXELS = smooth((16, 20, 3))
READ_ALL = """
import pathlib, sys
from srez import errors, images
for path in pathlib.Path(sys.argv[1]).iterdir():
    try:
        images.read(path)
    except errors.ImageError:
        pass
"""


def pillow(name: str, image: Image.Image | None = None, **options: object) -> bytes:
    buffer = BytesIO()
    (image or Image.fromarray(PIXELS)).save(buffer, name, **options)
    return buffer.getvalue()


def jpeg(mark: int, precision: int = 8) -> bytes:
    """A JPEG that says to be of another kind."""
    data = bytearray(pillow("JPEG"))
    place = data.index(b"\xff\xc0")
    data[place + 1], data[place + 4] = mark, precision
    return bytes(data)


def tiff(pixels: np.ndarray, tag: int = 0, value: int = 0, **options: object) -> bytes:
    """A TIFF, one of whose tags is given another value."""
    buffer = BytesIO()
    tifffile.imwrite(buffer, pixels, **{"photometric": "rgb", **options})
    data = bytearray(buffer.getvalue())
    (start,) = struct.unpack_from("<I", data, 4)
    for number in range(*struct.unpack_from("<H", data, start)):
        place = start + 2 + 12 * number
        if struct.unpack_from("<H", data, place)[0] == tag:
            struct.pack_into("<I", data, place + 8, value)
    return bytes(data)


def bmp(bits: int, compression: int, header_size: int = 40, masks: bytes = b"") -> bytes:
    fields = struct.pack("<IiiHHIIiiII", header_size, 4, 1, 1, bits, compression, 16, 0, 0, 0, 0)
    header = (fields + masks).ljust(header_size, b"\0")[: max(header_size, 40 + len(masks))]
    return b"BM" + struct.pack("<IHHI", 30 + len(header), 0, 0, 14 + len(header)) + header + bytes(16)


def svg(start: bytes) -> bytes:
    return start + b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


SOUND = {
    "empty.png": (b"", "is empty"),
    "zeros.jpg": (bytes(5000), "nothing but zeros"),
    "xl.jxl.png": (b"\xff\x0a" + bytes(99), "JPEG XL"),
    "xl-box.png": (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99), "JPEG XL"),
    "2000.jpg": (pillow("JPEG2000"), "JPEG 2000"),
    "icon.png": (pillow("ICO"), "ICO"),
    "photoshop.png": (b"8BPS\0\1" + bytes(99), "PSD"),
    "document.png": (b"%PDF-1.7\n", "PDF"),
    "drawing.png": (svg(b""), "SVG"),
    "drawing2.png": (svg(b'<?xml version="1.0"?>\n<!-- made\nby hand --> '), "SVG"),
    "page.jpg": (b"\n<!DOCTYPE html>\n<html><body>404 <svg/></body></html>", "web page"),
    "page2.jpg": (b'\xef\xbb\xbf<?xml version="1.0"?><html xmlns="x">', "web page"),
    "film.jpg": (b"\0\0\0\x18ftypisom" + bytes(99), "video"),
    "film2.jpg": (b"\x1aE\xdf\xa3" + bytes(99), "video"),
    "pointer.png": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
    "words.png": (b"these are words", "is not a PNG, JPEG,"),
    "qoi.png": (b"qoif" + bytes(99), "QOI"),
    "netpbm.png": (pillow("PPM"), "PNM"),
    "12.jpg": (jpeg(0xC1, 12), "JPEG of 12 bits"),
    "12-progressive.jpg": (jpeg(0xC2, 12), "JPEG of 12 bits"),
    "lossless.jpg": (jpeg(0xC3), "lossless JPEG"),
    "hierarchical.jpg": (jpeg(0xC5), "hierarchical JPEG"),
    "ls.jpg": (jpeg(0xF7), "JPEG-LS"),
    "float16.tif": (tiff(np.zeros((9, 9, 3), np.float16)), "floating-point"),
    "float32.tif": (tiff(np.zeros((9, 9, 3), np.float32)), "floating-point"),
    "float64.tif": (tiff(np.zeros((9, 9, 3), np.float64)), "floating-point"),
    "float-gray.tif": (tiff(np.zeros((9, 9), np.float32), photometric="minisblack"), "floating-point"),
    "complex.tif": (tiff(np.zeros((9, 9), np.complex64), photometric="minisblack"), "complex"),
    "32-bits.tif": (tiff(np.zeros((9, 9, 3), np.uint32)), "32 bits"),
    "signed.tif": (tiff(np.zeros((9, 9, 3), np.int16)), "below 0"),
    "sensor.tif": (tiff(PIXELS[..., 0], photometric="cfa"), "raw file"),
    "lab.tif": (tiff(PIXELS, 262, 9), "Lab"),
    "old-jpeg.tif": (tiff(PIXELS, 259, 6), "old-style JPEG"),
    "logluv.tif": (tiff(PIXELS, 259, 34676), "LogLuv"),
    "jpeg-2000.tif": (tiff(PIXELS, 259, 34712), "JPEG 2000"),
    "jpeg-xl.tif": (tiff(PIXELS, 259, 50002), "JPEG XL"),
    "unknown.tif": (tiff(PIXELS, 259, 12345), "number 12345"),
    "unknown-big.tif": (tiff(PIXELS.astype(np.float16), bigtiff=True), "floating-point"),
    "jpeg.bmp": (bmp(24, 4), "packed as JPEG"),
    "png.bmp": (bmp(24, 5), "packed as PNG"),
    "2-bits.bmp": (bmp(2, 0), "2 bits"),
    "huffman.bmp": (bmp(1, 3, 64), "Huffman"),
    "rle24.bmp": (bmp(24, 4, 64), "RLE24"),
    "short.bmp": (bmp(24, 0, 16), "short header"),
    "4444.bmp": (bmp(16, 3, masks=struct.pack("<III", 0xF00, 0xF0, 0xF)), "masks"),
    "101010.bmp": (bmp(32, 3, masks=struct.pack("<III", 0x3FF00000, 0xFFC00, 0x3FF)), "masks"),
    "wide.avif": (pillow("AVIF", Image.new("L", (33_000, 2)), speed=10), "more than 32,768 pixels"),
}


def large_avif() -> bytes:
    data = bytearray(pillow("AVIF"))
    place = data.index(b"ispe") + 8
    data[place : place + 8] = struct.pack(">II", 20_000, 20_000)
    return bytes(data)


DAMAGED = {
    "cut.jpg": pillow("JPEG")[:300],
    "cut.png": pillow("PNG")[:90],
    "start.png": pillow("PNG")[:10],
    "cut.tif": pillow("TIFF")[:-700],
    "no-tags.tif": b"II*\0\x08\0\0\0",
    "cut.webp": pillow("WEBP")[:60],
    "cut.avif": pillow("AVIF")[:-40],
    "cut-gif.gif": pillow("GIF")[:20],
    "cut-bmp.bmp": pillow("BMP")[:-200],
    "start-bmp.bmp": pillow("BMP")[:20],
    "deflate.tif": (lambda data: data[:40] + bytes(60) + data[100:])(
        pillow("TIFF", compression="tiff_adobe_deflate")
    ),
}


def failures(folder: Path, files: dict[str, bytes]) -> dict[str, str]:
    """What the command says of each of some files, all of which it must refuse."""
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    words = ["upscale", *(str(folder / name) for name in files), "-o", str(folder / "out"), "--json"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1, result.output
    report = json.loads(result.stdout)
    assert not report["done"]
    return {Path(failed["source"]).name: failed["error"] for failed in report["failed"]}


def test_each_kind_is_called_what_it_is(tmp_path: Path) -> None:
    said = failures(tmp_path / "in", {name: data for name, (data, _) in SOUND.items()})
    wrong = {name: said.get(name) for name, (_, kind) in SOUND.items() if kind not in said.get(name, "")}
    assert not wrong
    assert not {name: sentence for name, sentence in said.items() if "damaged" in sentence}


def test_only_what_is_damaged_is_called_so(tmp_path: Path) -> None:
    said = failures(tmp_path / "in", DAMAGED)
    assert {name for name, sentence in said.items() if "is damaged or cut short" in sentence} == set(DAMAGED)
    assert not {name: sentence for name, sentence in said.items() if " at 0x" in sentence}


def test_an_avif_beyond_the_limit_is_too_large(tmp_path: Path) -> None:
    said = failures(tmp_path / "in", {"a.avif": large_avif()})
    assert "more than 178,956,970 pixels" in said["a.avif"]


def test_the_primary_picture_of_several_in_a_heic(tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    several = pillow_heif.HeifFile()
    for colour in ("red", "blue", "lime"):
        several.add_from_pillow(Image.new("RGB", (64, 48), colour))
    several.save(tmp_path / "a.heic", primary_index=1, quality=90)
    result = CliRunner().invoke(app, ["upscale", str(tmp_path / "a.heic"), "-o", str(tmp_path / "b.png")])
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "b.png") as image:
        assert np.abs(np.asarray(image).astype(int) - (0, 0, 255)).max() < 20


def scrambled(data: bytes, random: np.random.Generator) -> bytes:
    broken = bytearray(data)
    for place in random.integers(12, len(broken), 20):
        broken[place] = random.integers(256)
    return bytes(broken)


def test_no_library_writes_to_standard_error(tmp_path: Path) -> None:
    """libtiff prints from C, and Pillow warns and logs: only a process of its own shows it."""
    random, image = np.random.default_rng(0), Image.fromarray(smooth((64, 64, 3)))
    files = {name: data for name, (data, _) in SOUND.items()} | DAMAGED
    files["channels.tif"] = tiff(PIXELS, 277, 5000)
    for packing in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "group4", "zstd", "lzma"):
        data = pillow("TIFF", image.convert("1") if packing == "group4" else image, compression=packing)
        files |= {f"{packing}-{number}.tif": scrambled(data, random) for number in range(8)}
    for kind in ("JPEG", "WEBP", "AVIF", "GIF"):
        data = pillow(kind, image)
        files |= {f"{number}-{kind}": scrambled(data, random) for number in range(8)}
    (tmp_path / "in").mkdir()
    for name, data in files.items():
        (tmp_path / "in" / name).write_bytes(data)
    # Decoding them all, of which the command would go on to upscale those that are not harmed too much.
    result = subprocess.run(
        [sys.executable, "-c", READ_ALL, tmp_path / "in"], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    words = ["upscale", *(tmp_path / "in" / name for name in DAMAGED), "-o", tmp_path / "out"]
    result = subprocess.run(
        [sys.executable, "-m", "srez", *words], capture_output=True, text=True, check=False
    )
    lines = result.stderr.splitlines()
    assert len(lines) == len(DAMAGED)
    assert all(line.startswith("srez: ") for line in lines), result.stderr
