"""Damaged pictures through the command: one sentence or a good result, never anything else."""

import io
import json
import struct
import time
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from typer.testing import CliRunner

from helpers.pictures import deep_png, profile, smooth
from srez import images
from srez.cli import app

SECONDS = 60  # for one picture, at most: a moment, or for ever


def originals() -> dict[str, bytes]:
    """One picture of every kind, with all that a file can have beside its pixels."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "a camera"
    exif.get_ifd(0x8769).update({0x9003: "2026:01:02 03:04:05", 0xA002: 30})
    picture = Image.fromarray(smooth((24, 30, 3)))
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "words", zip=True)
    everything = {"exif": exif, "icc_profile": profile("RGB "), "dpi": (300, 300)}
    kinds = {
        "a.png": (picture, {**everything, "pnginfo": text}),
        "palette.png": (picture.quantize(16), {"transparency": 3}),
        "alpha.png": (Image.fromarray(smooth((24, 30, 4))), {}),
        "b.jpg": (picture, everything),
        "cmyk.jpg": (picture.convert("CMYK"), {}),
        "progressive.jpg": (picture, {"progressive": True}),
        "c.webp": (picture, {"exif": exif}),
        "alpha.webp": (Image.fromarray(smooth((24, 30, 4))), {"lossless": True}),
        "d.tif": (picture, everything),
        "lzw.tif": (picture, {"compression": "tiff_lzw"}),
        "deep.tif": (Image.fromarray(smooth((24, 30), 65535)), {}),
        "e.avif": (picture, {"exif": exif}),
        "f.gif": (picture.quantize(16), {}),
        "g.bmp": (picture, {}),
    }
    files = {"deep.png": deep_png(smooth((24, 30, 3), 65535))}
    for name, (image, options) in kinds.items():
        buffer = io.BytesIO()
        kind = images.format_of_suffix(Path(name))
        assert kind
        image.save(buffer, kind.pillow, **options)
        files[name] = buffer.getvalue()
    return files


def damaged(data: bytes, random: np.random.Generator) -> bytes:
    """Bytes flipped, the end cut, a piece missing or doubled, the header changed; or some of it at once."""
    broken = bytearray(data)
    for _ in range(random.integers(1, 4)):
        start, stop = sorted(int(place) for place in random.integers(0, len(broken) + 1, 2))
        match random.integers(6):
            case 0:
                for place in random.integers(0, len(broken), random.integers(1, 20)):
                    broken[place] ^= 1 << random.integers(8)
            case 1:
                del broken[start:]
            case 2:
                del broken[start : min(stop, start + 200)]
            case 3:
                broken[start:start] = broken[start : min(stop, start + 200)]
            case 4:
                for place in random.integers(0, min(64, len(broken)), random.integers(1, 5)):
                    broken[place] = random.integers(256)
            case _:
                broken[start : start + 4] = struct.pack(">I", random.integers(2**32))
        if not broken:
            break
    return mended(bytes(broken)) if random.integers(2) else bytes(broken)


def mended(data: bytes) -> bytes:
    """A damaged PNG with checksums that fit again, so that damage gets past them."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    parts, place = [data[:8]], 8
    while place + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        body = data[place + 4 : place + 8 + length]
        parts.append(data[place : place + 4] + body + struct.pack(">I", zlib.crc32(body)))
        place += 12 + length
    return b"".join(parts)


def pictures(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    random, files = np.random.default_rng(seed), list(originals().items())
    for number in range(count):
        name, data = files[number % len(files)]
        yield f"{number:04}-{name}", damaged(data, random)


def check(folder: Path, count: int, seed: int) -> None:
    """Run the command on damaged pictures, one by one, and look at what it leaves."""
    target = folder / "out"
    for name, data in pictures(count, seed):
        source = folder / name
        source.write_bytes(data)
        words = ["upscale", str(source), "-o", str(target), "--format", "png", "--json"]
        began = time.monotonic()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            result = CliRunner().invoke(app, [*words, "--max-pixels", "100000"])
        assert time.monotonic() - began < SECONDS, name
        assert result.exception is None or isinstance(result.exception, SystemExit), (name, result.exception)
        assert result.exit_code in (0, 1), (name, result.output)
        report = json.loads(result.stdout)
        left = list(target.iterdir()) if target.exists() else []
        if result.exit_code:
            assert len(report["failed"]) == 1, name
            assert str(source) in report["failed"][0]["error"], report
            assert not left, name
        else:
            (done,) = report["done"]
            assert [str(path) for path in left] == [done["target"]]
            height, width = images.read(left[0]).pixels.shape[:2]
            assert (width, height) == (done["width"], done["height"])
            left[0].unlink()
        source.unlink()


def test_damaged_pictures(tmp_path: Path) -> None:
    check(tmp_path, 64, seed=0)


@pytest.mark.fuzz
def test_a_thousand_damaged_pictures(tmp_path: Path) -> None:
    check(tmp_path, 1000, seed=1)


def test_the_undamaged_ones_go_through(tmp_path: Path) -> None:
    for name, data in originals().items():
        (tmp_path / name).write_bytes(data)
        result = CliRunner().invoke(app, ["upscale", str(tmp_path / name), "-o", str(tmp_path / "out.png")])
        assert result.exit_code == 0, result.output
        (tmp_path / "out.png").unlink()
