"""Made files: GIF."""

import struct

from helpers.hostile.kinds import Random, kind


def gif(width: int, height: int, body: bytes) -> bytes:
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6) + body + b";"


_GIF_FRAME = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2\x44\1\0"


@kind("canvas.gif")
def huge_canvas(random: Random) -> bytes:
    return gif(65_535, int(random.integers(1_000, 65_535)), _GIF_FRAME)


@kind("frame.gif")
def huge_frame(random: Random) -> bytes:
    """A frame that is much larger than its canvas."""
    frame = b"," + struct.pack("<HHHHB", 0, 0, 65_535, 65_535, 0) + b"\2\2\x44\1\0"
    return gif(16, 16, frame)


@kind("frames.gif")
def many_gif_frames(random: Random) -> bytes:
    return gif(16, 16, _GIF_FRAME * int(random.integers(1_000, 500_000)))


@kind("comments.gif")
def many_comments(random: Random) -> bytes:
    block = b"!\xfe\1a\0" if random.integers(2) else b"!\xf9\4\0\0\0\0\0"
    return gif(16, 16, block * int(random.integers(100_000, 2_000_000)) + _GIF_FRAME)


@kind("long-comment.gif")
def long_comment(random: Random) -> bytes:
    return gif(16, 16, b"!\xfe" + b"\1a" * int(random.integers(100_000, 8_000_000)) + b"\0" + _GIF_FRAME)
