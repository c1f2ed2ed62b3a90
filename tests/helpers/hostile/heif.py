"""Made files: AVIF and HEIC."""

import io
import struct
from importlib.util import find_spec

from PIL import Image

from helpers.hostile.kinds import Random, kind
from helpers.hostile.tiff import heavy_exif
from helpers.hostile.valid import originals


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def heif(brand: bytes, *boxes: bytes) -> bytes:
    handler = box(b"hdlr", bytes(8) + b"pict" + bytes(13))
    return box(b"ftyp", brand + bytes(4) + b"mif1" + brand) + box(
        b"meta", bytes(4) + handler + b"".join(boxes)
    )


def _brand(random: Random) -> bytes:
    return b"avif" if random.integers(2) or not find_spec("pillow_heif") else b"heic"


def _item(number: int, kind: bytes) -> bytes:
    return box(b"infe", b"\2\0\0\0" + struct.pack(">HH4s", number, 0, kind) + b"\0")


def _items(*items: bytes) -> bytes:
    return box(b"pitm", struct.pack(">IH", 0, 1)) + box(
        b"iinf", struct.pack(">IH", 0, len(items)) + b"".join(items)
    )


def _properties(width: int, height: int, items: int) -> bytes:
    sizes = box(b"ipco", box(b"ispe", struct.pack(">III", 0, width, height)))
    belonging = b"".join(struct.pack(">HBB", number, 1, 1) for number in range(1, items + 1))
    return box(b"iprp", sizes + box(b"ipma", struct.pack(">II", 0, items) + belonging))


def _places(*contents: bytes) -> bytes:
    """Where items lie: in the box itself (idat)."""
    entries, place = b"", 0
    for number, content in enumerate(contents, 1):
        entries += struct.pack(">HHHHII", number, 1, 0, 1, place, len(content))
        place += len(content)
    return box(b"iloc", b"\1\0\0\0" + b"\x44\0" + struct.pack(">H", len(contents)) + entries) + box(
        b"idat", b"".join(contents)
    )


@kind("grid.avif")
def huge_grid(random: Random) -> bytes:
    """256x256 times the same small picture, or a grid of grids."""
    rows = 255
    grid = bytes([0, 1, rows, rows]) + struct.pack(">II", 60_000, 60_000)
    kind = b"grid" if random.integers(2) else b"av01"
    uses = box(
        b"iref", bytes(4) + box(b"dimg", struct.pack(">HH", 1, 65_535) + struct.pack(">H", 2) * 65_535)
    )
    parts = _items(_item(1, b"grid"), _item(2, kind)), _properties(60_000, 60_000, 2), uses
    return heif(_brand(random), *parts, _places(grid, grid))


@kind("derived.avif")
def derived_from_itself(random: Random) -> bytes:
    grid = bytes([0, 0, 0, 0]) + struct.pack(">HH", 64, 64)
    uses = box(b"iref", bytes(4) + box(b"dimg", struct.pack(">HHH", 1, 1, 1)))
    kind = bytes(random.choice([b"grid", b"iden", b"iovl"]))
    return heif(_brand(random), _items(_item(1, kind)), _properties(64, 64, 1), uses, _places(grid))


@kind("items.avif")
def many_items(random: Random) -> bytes:
    count = int(random.integers(1_000, 65_000))
    items = _items(*(_item(number, b"av01") for number in range(1, count + 1)))
    return heif(_brand(random), items, _properties(64, 64, count), _places(*[b"\x12\0"] * count))


@kind("boxes.avif")
def many_boxes(random: Random) -> bytes:
    return heif(_brand(random), box(b"free", b"") * int(random.integers(100_000, 2_000_000)))


@kind("nested.avif")
def nested_boxes(random: Random) -> bytes:
    body = b""
    for _ in range(int(random.integers(100, 3_000))):
        body = box(bytes(random.choice([b"meta", b"ipco", b"iprp", b"dinf"])), bytes(4) + body)
    return heif(_brand(random), body)


@kind("frames.avif")
def image_sequence(random: Random) -> bytes:
    """A sequence that says to have very many frames."""
    times = box(b"stts", struct.pack(">IIII", 0, 1, int(random.integers(2, 2**32)), 1))
    sizes = box(b"stsz", struct.pack(">III", 0, 1, int(random.integers(2, 2**32))))
    track = box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", times + sizes))))
    return heif(b"avis") + box(b"moov", track)


@kind("huge.avif")
def huge_avif(random: Random) -> bytes:
    valid = bytearray(originals()["e.avif"])
    place = valid.index(b"ispe") + 8
    valid[place : place + 8] = struct.pack(
        ">II", int(random.integers(1_000, 2**32)), int(random.integers(1_000, 2**32))
    )
    return bytes(valid)


@kind("heavy.avif")
def heavy_tags(random: Random) -> bytes:
    data = heavy_exif(int(random.integers(100_000, 2_000_000)))
    harmless = data[:8] + bytes(len(data) - 8)  # Pillow parses what it writes
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64)).save(buffer, "AVIF", exif=harmless)
    return buffer.getvalue().replace(harmless, data)
