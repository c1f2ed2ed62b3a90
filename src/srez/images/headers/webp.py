"""WebP, https://developers.google.com/speed/webp/docs/riff_container."""

import math
from contextlib import suppress

from PIL import Image

from srez.images.headers import tiff
from srez.images.headers.refusal import Data, numbers, require

MOST_CHUNKS = 1_000  # beside frames
MOST_FRAMES = 10_000


def check(data: Data, max_pixels: int) -> None:
    """Bound the canvas, for which memory is taken at once, chunks and frames."""
    place, chunks, frames = 12, 0, 0
    while place + 8 <= len(data):
        (length,) = numbers("<I", data, place + 4)
        name = data[place : place + 4]
        if name == b"VP8X":
            sides = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (place + 12, place + 15))
            if math.prod(sides) > max_pixels:
                raise Image.DecompressionBombError
        if name == b"EXIF":
            with suppress(IndexError, ValueError):  # damaged
                tiff.check_exif(data[place + 8 : place + 8 + length].removeprefix(b"Exif\0\0"))
        frames += name == b"ANMF"
        chunks += name != b"ANMF"
        require(chunks, MOST_CHUNKS, "chunks")
        place += 8 + length + length % 2
        require(frames, MOST_FRAMES, "frames")
