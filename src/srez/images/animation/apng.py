"""Animated PNG, https://www.w3.org/TR/png-3/#apng-frame-based-animation."""

import struct
from collections.abc import Iterable
from itertools import count
from typing import IO

import numpy as np

from srez.images import png, png_chunks
from srez.images.animation.patches import Look, Still, patches, with_alpha
from srez.images.metadata import EXIF_MARK

_KEEP, _REPLACE = 0, 0  # what becomes of the frame afterwards, and of what was there before it
_BYTE = np.dtype(np.uint8)


def write(file: IO[bytes], frames: Iterable[Still], look: Look) -> None:
    """Write an animated PNG, in RGBA: whether a later frame is transparent is not known at the start."""
    kept = look.metadata
    control = (b"acTL", struct.pack(">II", look.count, look.plays))
    beside = (control, *png_chunks.with_xmp(kept.colours + kept.text, kept.xmp))
    exif = kept.exif and kept.exif.removeprefix(EXIF_MARK)
    png.begin(file, look.size, 4, _BYTE, icc=kept.icc, exif=exif, dpi=kept.dpi, beside=beside)
    numbers = count()
    for place, patch in enumerate(patches(frames, unit=1)):
        pixels = with_alpha(patch.pixels)
        height, width = pixels.shape[:2]
        times = patch.duration, 1000, _KEEP, _REPLACE
        rectangle = width, height, patch.left, patch.top
        png.chunk(file, b"fcTL", struct.pack(">5I2H2B", next(numbers), *rectangle, *times))
        for piece in png.packed([pixels], 4 * width, _BYTE):
            if place:
                png.chunk(file, b"fdAT", struct.pack(">I", next(numbers)) + piece)
            else:
                png.chunk(file, b"IDAT", piece)
    png.chunk(file, b"IEND", b"")
