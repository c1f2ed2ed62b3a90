"""Made files: BMP."""

import struct

from helpers.hostile.kinds import Random, kind


def bmp(width: int, height: int, bits: int, compression: int, pixels: bytes, colours: int = 0) -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, colours, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(pixels), 0, 0, 54) + head + pixels


@kind("moves.bmp")
def moves_to_nowhere(random: Random) -> bytes:
    """Runs that move the place by nothing, for ever."""
    return bmp(16, 16, 8, 1, bytes(1024) + b"\0\2\0\0" * int(random.integers(100_000, 8_000_000)))


@kind("runs.bmp")
def huge_runs(random: Random) -> bytes:
    """A few bytes of runs just within the limit of pixels."""
    return bmp(13_000, 13_000, 8, 1, bytes(1024) + b"\xff\1" * 1000 + b"\0\1")


@kind("lines.bmp")
def runs_beside_the_picture(random: Random) -> bytes:
    return bmp(1, 16, 8, 1, bytes(1024) + b"\xff\1" * int(random.integers(100_000, 8_000_000)))


@kind("colours.bmp")
def many_colours(random: Random) -> bytes:
    return bmp(16, 16, 8, 0, bytes(2_000), int(random.integers(2**20, 2**32)))


@kind("huge.bmp")
def huge_bmp(random: Random) -> bytes:
    return bmp(2**31 - 1, -int(random.integers(1, 2**31)), 24, 0, bytes(100))
