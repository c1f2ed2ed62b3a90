"""What the boxes of an AVIF or HEIC say that its decoder does not tell, ISO 14496-12 and 23008-12."""

import struct
from typing import IO

from srez.images import png_chunks

_HEAD = 64 * 1024  # bytes: boxes of properties are in front
_COLOURS = b"colrnclx"


def colours(file: IO[bytes]) -> png_chunks.Chunks:
    """The colour description by code points (nclx), as the chunk of a PNG that says the same."""
    head = file.read(_HEAD)
    file.seek(0)
    place = head.find(_COLOURS) + len(_COLOURS)
    if place < len(_COLOURS) or place + 4 > len(head):
        return ()
    primaries, transfer = struct.unpack_from(">HH", head, place)
    return ((b"cICP", bytes([primaries & 255, transfer & 255, 0, 1])),)  # decoded to RGB of the full range
