"""Animated WebP, https://developers.google.com/speed/webp/docs/riff_container."""

import io
import struct
from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np
from PIL import Image

from srez.images.animation.patches import Look, Still, patches
from srez.images.metadata import EXIF_MARK

_ANIMATED, _XMP, _EXIF, _ALPHA, _PROFILE = 0x02, 0x04, 0x08, 0x10, 0x20  # flags of the header
_REPLACE = 0x02  # of a frame: no blending with what was there before it
_PIXELS = (b"ALPH", b"VP8 ", b"VP8L")
_METHOD = 4  # how hard the encoder tries, from 0 to 6
_MOST_PLAYS = 65_535


def write(file: IO[bytes], frames: Iterable[Still], look: Look) -> None:
    """Write an animated WebP."""
    kept = look.metadata
    sides = b"".join(_three(side - 1) for side in look.size)
    given = ((kept.xmp, _XMP), (kept.exif, _EXIF), (kept.icc, _PROFILE))
    flags = _ANIMATED + sum(flag for data, flag in given if data)
    file.write(b"RIFF\0\0\0\0WEBP")
    _chunk(file, b"VP8X", struct.pack("<I", flags) + sides)
    if kept.icc:
        _chunk(file, b"ICCP", kept.icc)
    _chunk(file, b"ANIM", struct.pack("<IH", 0, min(look.plays, _MOST_PLAYS)))
    for patch in patches(frames, unit=1, even=True):
        height, width = patch.pixels.shape[:2]
        flags |= _ALPHA if patch.pixels.shape[2] == 4 else 0
        numbers = patch.left // 2, patch.top // 2, width - 1, height - 1, patch.duration
        head = b"".join(map(_three, numbers)) + bytes([_REPLACE])
        _chunk(file, b"ANMF", head + _encoded(patch.pixels, look.quality))
    if kept.exif:
        _chunk(file, b"EXIF", kept.exif.removeprefix(EXIF_MARK))
    if kept.xmp:
        _chunk(file, b"XMP ", kept.xmp)
    length = file.tell() - 8
    for place, number in ((4, length), (20, flags)):
        file.seek(place)
        file.write(struct.pack("<I", number))
    file.seek(0, 2)


def _three(number: int) -> bytes:
    return number.to_bytes(3, "little")


def _chunk(file: IO[bytes], kind: bytes, body: bytes) -> None:
    file.write(kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2))


def _encoded(pixels: np.ndarray, quality: int) -> bytes:
    """The chunks of a frame's pixels, out of a WebP of it alone."""
    still = io.BytesIO()
    Image.fromarray(pixels).save(still, "WEBP", quality=quality, method=_METHOD)
    return b"".join(chunk for chunk in _chunks(still.getvalue()) if chunk[:4] in _PIXELS)


def _chunks(data: bytes) -> Iterator[bytes]:
    place = 12
    while place < len(data):
        (length,) = struct.unpack_from("<I", data, place + 4)
        end = place + 8 + length + length % 2
        yield data[place:end]
        place = end
