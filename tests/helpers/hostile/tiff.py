"""Made files: TIFF."""

import struct
import zlib
from collections.abc import Mapping

from helpers.hostile.kinds import Random, kind

_SHORT, _LONG, _UNDEFINED = 3, 4, 7
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _OFFSETS, _SAMPLES = 256, 257, 258, 259, 262, 273, 277
_ROWS, _COUNTS, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS = 278, 279, 322, 323, 324, 325

_JPEG_FRAME = b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 11, 8, 60_000, 60_000, 1) + b"\1\x11\0"

Tag = int | tuple[int, int, int]  # a value; or type, count and where the values are


def tiff(tags: Mapping[int, Tag], after: bytes = b"", following: int = 0) -> bytes:
    """A TIFF whose only directory lies at 8, and what comes after it."""
    entries = b""
    for tag, value in sorted(
        ({_WIDTH: 16, _HEIGHT: 16, _BITS: 8, _PHOTOMETRIC: 1, _SAMPLES: 1} | dict(tags)).items()
    ):
        kind, count, place = value if isinstance(value, tuple) else (_LONG, 1, value)
        entries += struct.pack("<HHII", tag, kind, count, place)
    number = len(entries) // 12
    return b"II*\0\x08\0\0\0" + struct.pack("<H", number) + entries + struct.pack("<I", following) + after


def _behind(tags: int) -> int:
    """Where the bytes after a directory of so many tags lie."""
    return 8 + 2 + 12 * tags + 4


@kind("tile.tif")
def huge_tile(random: Random) -> bytes:
    side = int(random.integers(10_000, 46_000)) // 16 * 16
    tags = {_COMPRESSION: 8, _TILE_WIDTH: side, _TILE_HEIGHT: side, _TILE_OFFSETS: 8, _TILE_COUNTS: 40}
    return tiff(tags)


@kind("strip.tif")
def huge_strip(random: Random) -> bytes:
    """A strip that unpacks to far more than the picture has."""
    packed = zlib.compress(bytes(int(random.integers(10, 60)) * 1_000_000), 9)
    tags = {_COMPRESSION: 8, _OFFSETS: _behind(9), _ROWS: 16, _COUNTS: len(packed)}
    return tiff(tags, packed)


@kind("pages.tif")
def many_pages(random: Random) -> bytes:
    count = int(random.integers(1_000, 40_000))
    entries = [
        (_WIDTH, 16),
        (_HEIGHT, 16),
        (_BITS, 8),
        (_COMPRESSION, 1),
        (_PHOTOMETRIC, 1),
        (_OFFSETS, 8),
        (_COUNTS, 256),
    ]
    directory = struct.pack("<H", len(entries)) + b"".join(
        struct.pack("<HHII", tag, _LONG, 1, value) for tag, value in entries
    )
    length = len(directory) + 4
    pages = (directory + struct.pack("<I", 8 + (page + 1) * length) for page in range(count))
    return b"II*\0\x08\0\0\0" + b"".join(pages)


@kind("strips.tif")
def many_strips(random: Random) -> bytes:
    count = int(random.integers(100_000, 3_900_000))
    place = _behind(9)
    tags = {_HEIGHT: 10_000_000, _COMPRESSION: 1, _ROWS: 1}
    tags |= {_OFFSETS: (_LONG, count, place), _COUNTS: (_LONG, count, place)}
    return tiff(tags, struct.pack("<I", 8) * count)


@kind("own-page.tif")
def page_after_itself(random: Random) -> bytes:
    return tiff({_COMPRESSION: 1, _OFFSETS: 8, _COUNTS: 256}, following=8)


@kind("own-folder.tif")
def folder_in_itself(random: Random) -> bytes:
    """A picture whose EXIF data and further folders are its own directory."""
    pixels = _behind(11)
    tags = {_COMPRESSION: 1, _OFFSETS: pixels, _COUNTS: 256, 330: 8, 34665: 8, 34853: 8}
    return tiff(tags, random.bytes(256))


@kind("counts.tif")
def absurd_counts(random: Random) -> bytes:
    tag = int(random.choice([_BITS, _OFFSETS, 34675, 700, 33723, 34665]))
    count = int(random.integers(2**20, 2**31))
    return tiff({_COMPRESSION: 1, _OFFSETS: 8, _COUNTS: 256, tag: (int(random.integers(1, 13)), count, 8)})


@kind("samples.tif")
def many_samples(random: Random) -> bytes:
    return tiff(
        {
            _COMPRESSION: 5,
            _SAMPLES: 65_535,
            _BITS: (_SHORT, 65_535, 8),
            _OFFSETS: 8,
            _ROWS: 2**32 - 1,
            _COUNTS: 200,
        }
    )


@kind("inner.tif")
def jpeg_in_tiff(random: Random) -> bytes:
    """A TIFF of 16x16 pixels, whose JPEG says to have many more."""
    inner = _JPEG_FRAME + b"\xff\xda\x00\x08\x01\x01\0\0\x3f\0" + bytes(100)
    return tiff({_COMPRESSION: 7, _OFFSETS: _behind(9), _ROWS: 16, _COUNTS: len(inner)}, inner)


@kind("big.tif")
def big_tiff(random: Random) -> bytes:
    head = b"II+\0\x08\0\0\0" + struct.pack("<Q", 16)
    entries = b"".join(
        struct.pack("<HHQQ", tag, 16, int(random.integers(1, 2**40)), 16) for tag in range(256, 256 + 40)
    )
    return head + struct.pack("<Q", 40) + entries + struct.pack("<Q", 16)


def heavy_exif(length: int) -> bytes:
    """EXIF data of so many bytes, whose tags each hold all of them."""
    count = min((length - 14) // 12, 60_000)
    entries = b"".join(struct.pack("<HHII", tag + 1, _UNDEFINED, length - 8, 8) for tag in range(count))
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", count)
    return (head + entries + bytes(4)).ljust(length, b"\0")


@kind("heavy.tif")
def heavy_folder(random: Random) -> bytes:
    """A picture whose EXIF data are much more than its file."""
    length = int(random.integers(100_000, 1_000_000))
    count, start = min(length // 12 - 20, 60_000), _behind(9) + 256
    entry = struct.pack("<HII", _UNDEFINED, length - start, start)
    entries = b"".join(struct.pack("<H", tag + 1) + entry for tag in range(count))
    tags = {_COMPRESSION: 1, _OFFSETS: _behind(9), _COUNTS: 256, 34665: start}
    return tiff(tags, bytes(256) + struct.pack("<H", count) + entries + bytes(200))
