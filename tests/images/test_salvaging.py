"""Pictures that are cut short."""

import io
import re
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from helpers.pictures import deep_png, png_chunk, smooth
from srez import images
from srez.errors import CutShortError, ImageError

SHAPE = (200, 160, 3)


def file(format_: str, **options: object) -> bytes:
    written = io.BytesIO()
    Image.fromarray(smooth(SHAPE)).save(written, format_, **options)
    return written.getvalue()


def interlaced_png(orientation: int) -> bytes:
    """An interlaced PNG that is turned, as no library that we have writes it."""
    starts = [
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ]
    pixels = smooth(SHAPE)
    passes = [pixels[top::down, left::across] for top, left, down, across in starts]
    rows = b"".join(b"\0" + row.tobytes() for each in passes for row in each)
    exif = Image.Exif()
    exif[0x0112] = orientation
    header = struct.pack(">IIBBBBB", SHAPE[1], SHAPE[0], 8, 2, 0, 0, 1)
    chunks = [
        (b"IHDR", header),
        (b"eXIf", exif.tobytes()[6:]),
        (b"IDAT", zlib.compress(rows, 0)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*each) for each in chunks)


@pytest.mark.parametrize(
    "data",
    [
        file("PNG"),
        file("GIF", interlace=0),
        deep_png(smooth(SHAPE, 65535)),
        deep_png(smooth(SHAPE[:2], 65535)),
    ],
    ids=["png", "gif", "16 bits", "16 bits gray"],
)
def test_what_there_is_of_a_file(data: bytes) -> None:
    whole, part = images.read(data).pixels, data[: len(data) // 2]
    with pytest.raises(ImageError):
        images.read(part)
    found = images.read(part, salvage=True)
    (said,) = found.unread
    missing, rows = (int(number) for number in re.findall(r"\d+", said))
    assert (rows, found.pixels.shape) == (200, whole.shape)
    assert 60 < missing < 140
    kept = 200 - missing
    assert np.array_equal(found.pixels[: kept - 1], whole[: kept - 1])
    gray = 128 if whole.dtype == np.uint8 else 32768
    assert np.all(found.pixels[kept + 1 :] == gray)


def test_blocks_of_a_jpeg() -> None:
    data = file("JPEG")
    whole, found = images.read(data).pixels, images.read(data[: len(data) // 2], salvage=True)
    missing = np.all(found.pixels == 128, axis=2)
    assert found.unread == (f"{int(np.ceil(missing.sum() / 160))} of 200 rows",)
    assert np.array_equal(found.pixels[:79], whole[:79])
    differs = ~missing & (found.pixels != whole).any(axis=2)
    assert differs.any(axis=1).sum() <= 1  # where colours are mixed with those of the next row of blocks


def test_less_than_a_row_of_blocks() -> None:
    data = file("JPEG")
    found = images.read(data[: data.index(b"\xff\xda") + 80], salvage=True)
    assert re.fullmatch(r"\d+ of 200 rows", found.unread[0])
    assert np.abs(found.pixels[:14, :14].astype(int) - images.read(data).pixels[:14, :14]).max() == 0


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"restart_marker_blocks": 1}, {"restart_marker_rows": 1}]
)
def test_a_jpeg_that_lacks_only_its_end(options: dict[str, object]) -> None:
    data = file("JPEG", **options)
    found = images.read(data[:-2])
    assert (found.unread, found.pixels.tolist()) == ((), images.read(data).pixels.tolist())
    assert np.array_equal(images.read(data[:-1]).pixels, found.pixels)
    for end in range(len(data) - 40, len(data) - 4):
        with pytest.raises(ImageError):
            images.read(data[:end])


def test_a_jpeg_that_ends_where_pixels_start_anew() -> None:
    data = file("JPEG", restart_marker_rows=1)
    end = data.index(b"\xff\xd3")
    for part in (data[:end], data[: end + 1], data[: end + 2]):
        with pytest.raises(ImageError):
            images.read(part)
        assert images.read(part, salvage=True).unread == ("137 of 200 rows",)


def test_scans_of_a_progressive_jpeg() -> None:
    data = file("JPEG", progressive=True)
    whole = images.read(data).pixels.astype(int)
    tables = [found.start() for found in re.finditer(b"\xff\xc4", data)]
    for end in (3 * len(data) // 4, tables[-1], *range(tables[-1] + 2, tables[-1] + 23), tables[2] + 9):
        with pytest.raises(ImageError):
            images.read(data[:end])
        found = images.read(data[:end], salvage=True)
        assert found.unread == ("some of its scans",)
        assert np.abs(found.pixels - whole).mean() < 30


@pytest.mark.parametrize(
    "data", [file("GIF", interlace=1), interlaced_png(1), interlaced_png(6)], ids=["gif", "png", "turned"]
)
def test_passes_of_an_interlaced_file(data: bytes) -> None:
    whole = images.read(data).pixels.astype(int)
    found = images.read(data[: len(data) // 2], salvage=True)
    assert re.fullmatch(r"\d\d,\d\d\d of 32,000 pixels", found.unread[0])
    assert not np.all(found.pixels == 128, axis=2).any()
    assert np.abs(found.pixels - whole).mean() < 20
    first_pass = images.read(data[:1200], salvage=True).pixels
    gray = np.all(first_pass == 128, axis=2)
    assert 0 < gray.sum() < gray.size


def test_a_palette_that_begins_with_black() -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 4, (64, 96), np.uint8))
    image.putpalette([0, 0, 0, 250, 0, 0, 0, 250, 0, 0, 0, 250])
    written = io.BytesIO()
    image.save(written, "GIF", interlace=0, optimize=False)
    found = images.read(written.getvalue()[:1000], salvage=True)
    assert re.fullmatch(r"\d+ of 64 rows", found.unread[0])
    assert np.all(found.pixels[-1] == 128)


def test_columns_of_a_turned_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = file("JPEG", exif=exif)
    found = images.read(data[: len(data) // 2], salvage=True)
    assert found.size == (200, 160)
    assert re.fullmatch(r"\d+ of 200 columns", found.unread[0])


def test_a_whole_picture_is_read_as_ever() -> None:
    assert images.read(file("PNG"), salvage=True).unread == ()


@pytest.mark.parametrize("data", [b"words", file("PNG")[:40], file("WEBP")[:400], file("JPEG")[:20]])
def test_nothing_to_salvage(data: bytes) -> None:
    with pytest.raises(ImageError):
        images.read(data, salvage=True)


def test_what_may_be_of_use() -> None:
    packed, cut_tiff = bytearray(file("TIFF", compression="tiff_adobe_deflate")), file("TIFF")[:50_000]
    packed[40:400] = bytes(360)
    for data in (file("PNG")[:500], file("JPEG")[:1500], file("GIF")[:2000], file("BMP")[:50_000], cut_tiff):
        with pytest.raises(CutShortError):
            images.read(data)
    for data in (bytes(packed), file("PNG")[:33], file("PNG")[:8], file("JPEG")[:200], file("JPEG")[:621]):
        with pytest.raises(ImageError) as caught:
            images.read(data)
        assert not isinstance(caught.value, CutShortError)
