"""Made files: JPEG."""

import io
import struct

from PIL import Image

from helpers.hostile.kinds import Random, kind
from helpers.hostile.tiff import heavy_exif
from helpers.hostile.valid import originals

_LONG = 4  # a type of TIFF's tags


def segment(mark: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, mark, len(body) + 2) + body


def jpeg_header(width: int, height: int, mark: int = 0xC0, more: bytes = b"") -> bytes:
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\0"
    return b"\xff\xd8" + more + segment(mark, frame)


def scanned(side: int, scans: int) -> bytes:
    """A gray progressive JPEG that gives the same coefficients, all 0, so many times."""
    buffer = io.BytesIO()
    Image.new("L", (side, side), 128).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    first = data.index(b"\xff\xda")
    table = segment(0xC4, b"\x10\1" + bytes(15) + b"\xe0")  # one code, 0: 16,384 blocks and more are empty
    codes = (side // 8 + 1) ** 2 // 16_384 + 1
    scan = table + segment(0xDA, b"\1\1\0\1\5\0") + bytes(codes * 15 // 8 + 1)
    return data[:first] + scan * scans + data[first:]


@kind("scans.jpg")
def many_scans(random: Random) -> bytes:
    return scanned(int(random.integers(500, 8_000)), int(random.integers(100, 1_500)))


@kind("marks.jpg")
def many_marks(random: Random) -> bytes:
    count = int(random.integers(100_000, 8_000_000))
    mark = int(random.choice([0xE3, 0xFE, 0xE1, 0xE2, 0xED]))
    valid = originals()["b.jpg"]
    return valid[:2] + segment(mark, b"") * count + valid[2:]


@kind("padding.jpg")
def padded_marks(random: Random) -> bytes:
    valid = originals()["b.jpg"]
    return valid[:2] + b"\xff" * int(random.integers(1_000_000, 16_000_000)) + valid[2:]


@kind("tables.jpg")
def many_tables(random: Random) -> bytes:
    valid = originals()["b.jpg"]
    table = segment(0xC4, b"\0" + b"\1" + bytes(15) + b"\0")
    return valid[:2] + table * int(random.integers(10_000, 500_000)) + valid[2:]


@kind("huge.jpg")
def huge_jpeg(random: Random) -> bytes:
    return (
        jpeg_header(65_500, int(random.integers(1_000, 65_500)), 0xC2)
        + segment(0xDA, b"\1\1\0\0\0\0")
        + bytes(500)
    )


@kind("progressive-huge.jpg")
def huge_progressive(random: Random) -> bytes:
    """Just within the limit of pixels, and nothing behind the header."""
    return jpeg_header(13_000, 13_000, 0xC2) + segment(0xDA, b"\1\1\0\0\0\0") + bytes(500)


@kind("profile.jpg")
def long_profile(random: Random) -> bytes:
    """The largest profile that a JPEG can have, 16 MB, of nothing."""
    valid = originals()["b.jpg"]
    pieces = (segment(0xE2, b"ICC_PROFILE\0" + bytes([n + 1, 255]) + bytes(65_000)) for n in range(255))
    return valid[:2] + b"".join(pieces) + valid[2:]


@kind("exif.jpg")
def exif_loop(random: Random) -> bytes:
    """EXIF data whose folders are the folder that they are in."""
    entries = [struct.pack("<HHII", tag, _LONG, 1, 8) for tag in (0x8769, 0x8825, 0xA005)]
    entries.append(struct.pack("<HHII", 0x010F, 2, int(random.integers(2**31, 2**32)), 8))
    data = (
        b"Exif\0\0II*\0\x08\0\0\0"
        + struct.pack("<H", len(entries))
        + b"".join(entries)
        + struct.pack("<I", 8)
    )
    valid = originals()["b.jpg"]
    return valid[:2] + segment(0xE1, data) + valid[2:]


@kind("photoshop.jpg")
def many_resources(random: Random) -> bytes:
    resource = b"8BIM" + struct.pack(">HHI", 0x404, 0, 0)
    body = b"Photoshop 3.0\0" + resource * 5_000
    valid = originals()["b.jpg"]
    return valid[:2] + segment(0xED, body) * int(random.integers(10, 300)) + valid[2:]


@kind("views.jpg")
def many_views(random: Random) -> bytes:
    """A camera's file of several views (MPO) that says to have very many."""
    count = int(random.integers(2, 2**31))
    entries = struct.pack("<HHI4s", 0xB000, 7, 4, b"0100") + struct.pack("<HHII", 0xB001, _LONG, 1, count)
    entries += struct.pack("<HHII", 0xB002, 7, 16, 50)
    data = b"MPF\0II*\0\x08\0\0\0" + struct.pack("<H", 3) + entries + struct.pack("<I", 0) + bytes(64)
    valid = originals()["b.jpg"]
    return valid[:2] + segment(0xE2, data) + valid[2:]


@kind("heavy.jpg")
def heavy_tags(random: Random) -> bytes:
    valid = originals()["b.jpg"]
    return (
        valid[:2] + segment(0xE1, b"Exif\0\0" + heavy_exif(int(random.integers(30_000, 65_000)))) + valid[2:]
    )
