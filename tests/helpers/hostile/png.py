"""Made files: PNG."""

import struct
import zlib

from helpers.hostile.kinds import Random, kind
from helpers.hostile.tiff import heavy_exif
from helpers.pictures import png_chunk, png_of

_SMALL = zlib.compress(bytes((1 + 3 * 16) * 16))  # the pixels of 16x16


def _bomb(random: Random) -> bytes:
    return zlib.compress(bytes(int(random.integers(20, 60)) * 1_000_000), 9)


@kind("chunks.png")
def many_chunks(random: Random) -> bytes:
    name = bytes(random.choice([b"tEXt", b"prVt", b"gAMA", b"tIME", b"sPLT"]))
    return png_of(16, 16, _SMALL, png_chunk(name, b"a\0") * int(random.integers(50_000, 2_000_000)))


@kind("empty-idat.png")
def empty_pieces(random: Random) -> bytes:
    return png_of(16, 16, _SMALL, png_chunk(b"IDAT", b"") * int(random.integers(50_000, 2_000_000)))


@kind("text.png")
def text_bomb(random: Random) -> bytes:
    return png_of(16, 16, _SMALL, png_chunk(b"zTXt", b"a\0\0" + _bomb(random)) * int(random.integers(1, 20)))


@kind("itext.png")
def xmp_bomb(random: Random) -> bytes:
    body = b"XML:com.adobe.xmp\0\1\0\0\0" + _bomb(random)
    return png_of(16, 16, _SMALL, png_chunk(b"iTXt", body) * int(random.integers(1, 20)))


@kind("profile.png")
def profile_bomb(random: Random) -> bytes:
    return png_of(16, 16, _SMALL, png_chunk(b"iCCP", b"a\0\0" + _bomb(random)) * int(random.integers(1, 20)))


@kind("pixels.png")
def pixel_bomb(random: Random) -> bytes:
    return png_of(16, 16, _bomb(random))


@kind("huge.png")
def huge_png(random: Random) -> bytes:
    side = int(random.integers(14_000, 2**31))
    return png_of(side, side, zlib.compress(bytes(100_000)))


@kind("deep-huge.png")
def huge_deep_png(random: Random) -> bytes:
    """Just within the limit of pixels, 16 bits with transparency, and cut short."""
    return png_of(13_000, 13_000, zlib.compress(bytes(100_000)), kind=6, depth=16)


@kind("frames.png")
def many_frames(random: Random) -> bytes:
    control = png_chunk(b"acTL", struct.pack(">II", int(random.integers(2, 2**31)), 0))
    frame = png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 2**30, 2**30, 0, 0, 1, 1, 0, 0))
    return png_of(16, 16, _SMALL, control + frame * int(random.integers(1, 50_000)))


@kind("heavy.png")
def heavy_tags(random: Random) -> bytes:
    data = heavy_exif(int(random.integers(100_000, 2_000_000)))
    if random.integers(2):
        return png_of(16, 16, _SMALL, png_chunk(b"eXIf", data))
    text = b"\nexif\n%8d\n" % len(data) + data.hex().encode()
    return png_of(16, 16, _SMALL, png_chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text)))
