"""What is not a picture of ours is called what it is; what Pillow reads wrongly is not read."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from helpers.pictures import png_chunk
from srez import images
from srez.errors import ImageError
from srez.images import png_chunks


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"", "is empty"),
        (b"\xff\x0a" + bytes(99), "JPEG XL"),
        (b"\0\0\1\0" + bytes(99), "ICO"),
        (b"8BPS" + bytes(99), "PSD"),
        (b"%PDF-1.7", "PDF"),
        (b"\0\0\0\x18ftypisom" + bytes(99), "video"),
    ],
)
def test_other_kinds_are_named(start: bytes, kind: str) -> None:
    with pytest.raises(ImageError, match=kind) as caught:
        images.read(start, "a.png")
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_a_transparent_gray_of_few_bits(depth: int) -> None:
    rows = zlib.compress(bytes([0, 0b00011011]))
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 8 // depth, 1, depth, 0, 0, 0, 0))
    parts = [header, png_chunk(b"tRNS", b"\0\1"), png_chunk(b"IDAT", rows), png_chunk(b"IEND", b"")]
    pixels = images.read(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).pixels
    values = {1: [0, 0, 0, 1, 1, 0, 1, 1], 2: [0, 1, 2, 3], 4: [1, 11]}[depth]
    assert pixels[0, :, 1].tolist() == [0 if value == 1 else 255 for value in values]


def test_text_of_over_a_megabyte_is_kept_in_a_png(tmp_path: Path) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("workflow", "words " * 500_000, zip=True)
    text.add_text("parameters", "a prompt")
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png", pnginfo=text)
    images.write(tmp_path / "b.png", images.read(tmp_path / "a.png"))
    chunks, _ = png_chunks.split(BytesIO((tmp_path / "b.png").read_bytes()))
    assert [body.split(b"\0")[0] for kind, body in chunks] == [b"workflow", b"parameters"]


def test_colours_without_a_profile_are_kept_in_a_png(tmp_path: Path) -> None:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    colours = {b"gAMA": struct.pack(">I", 100_000), b"cICP": bytes([12, 13, 0, 1])}
    parts = [header, *(png_chunk(*each) for each in colours.items())]
    parts += [png_chunk(b"IDAT", zlib.compress(bytes(4))), png_chunk(b"IEND", b"")]
    images.write(tmp_path / "a.png", images.read(b"\x89PNG\r\n\x1a\n" + b"".join(parts)))
    chunks, _ = png_chunks.split(BytesIO((tmp_path / "a.png").read_bytes()))
    assert dict(chunks) == colours


def test_xmp_and_comments_are_kept(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(
        tmp_path / "a.jpg", xmp=b"<x>harbour</x>", comment=b"ours"
    )
    for suffix in (".jpg", ".png", ".webp", ".tif", ".avif"):
        images.write(tmp_path / f"b{suffix}", images.read(tmp_path / "a.jpg"))
        assert b"harbour" in (tmp_path / f"b{suffix}").read_bytes()
    assert images.read(tmp_path / "b.jpg").metadata.comment == b"ours"
