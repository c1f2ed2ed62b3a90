"""Made files: WebP."""

import struct

from helpers.hostile.kinds import Random, kind
from helpers.hostile.tiff import heavy_exif
from helpers.hostile.valid import originals


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for name, data in chunks
    )
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _canvas(width: int, height: int, flags: int) -> tuple[bytes, bytes]:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X", struct.pack("<I", flags) + sides


def _webp_pixels() -> tuple[bytes, bytes]:
    data = originals()["alpha.webp"]
    return data[12:16], data[20 : 20 + struct.unpack_from("<I", data, 16)[0]]


@kind("canvas.webp")
def huge_webp(random: Random) -> bytes:
    return webp(_canvas(2**24, int(random.integers(200, 2**24)), 0), _webp_pixels())


@kind("frames.webp")
def many_webp_frames(random: Random) -> bytes:
    name, pixels = _webp_pixels()
    sides = (29).to_bytes(3, "little") + (23).to_bytes(3, "little")
    frame = (
        bytes(6) + sides + (1).to_bytes(3, "little") + b"\0" + name + struct.pack("<I", len(pixels)) + pixels
    )
    count = int(random.integers(100, 20_000))
    return webp(_canvas(16_384, 10_000, 2), (b"ANIM", bytes(6)), *[(b"ANMF", frame)] * count)


@kind("chunks.webp")
def many_webp_chunks(random: Random) -> bytes:
    count = int(random.integers(100_000, 2_000_000))
    return webp(_canvas(30, 24, 0), *[(b"what", b"")] * count, _webp_pixels())


@kind("profile.webp")
def webp_profile(random: Random) -> bytes:
    return webp(
        _canvas(30, 24, 0x28), (b"ICCP", bytes(20_000_000)), _webp_pixels(), (b"EXIF", bytes(10_000_000))
    )


@kind("heavy.webp")
def heavy_tags(random: Random) -> bytes:
    data = heavy_exif(int(random.integers(100_000, 2_000_000)))
    return webp(_canvas(30, 24, 8), _webp_pixels(), (b"EXIF", data))
