"""Checks of headers before anything is decoded: small files that ask for much are refused.

Each module walks through one format as its decoder would, and stops at bounds that no honest file gets near.
What is merely damaged is left to the decoder, which has a reason to tell.
"""

import io
import mmap
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

from srez.images.formats import AVIF, GIF, HEIC, JPEG, TIFF, WEBP, Format
from srez.images.headers import gif, heif, jpeg, tiff, webp
from srez.images.headers.refusal import Data, Refusal

__all__ = ["Refusal", "check"]

_CHECKS: dict[Format, Callable[[Data, int], int | None]] = {
    AVIF: heif.check,
    GIF: gif.check,
    HEIC: heif.check,
    JPEG: jpeg.check,
    TIFF: tiff.check,
    WEBP: webp.check,
}


def check(format_: Format, file: IO[bytes], max_pixels: int) -> int:
    """Refuse a file whose header asks for more than its pixels need.

    Args:
        format_: of the file.
        file: opened; its place stays.
        max_pixels: that it may have.

    Returns:
        How many pages a TIFF has; 1 for all others, whose frames Pillow counts.

    Raises:
        Refusal: it does.
        DecompressionBombError: it has more pixels.
    """
    if format_ not in _CHECKS:
        return 1  # a PNG is walked through by `png_chunks.split`; of a BMP only the pixels could ask for much
    with _contents(file) as data, suppress(IndexError, ValueError):  # damaged, cut short
        return _CHECKS[format_](data, max_pixels) or 1
    return 1


@contextmanager
def _contents(file: IO[bytes]) -> Iterator[Data]:
    """All bytes of a file, without a copy."""
    if isinstance(file, io.BytesIO):
        yield file.getvalue()  # not copied, as long as nothing is written
        return
    try:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # not a plain file
        place = file.tell()
        yield file.read()
        file.seek(place)
        return
    with data:
        yield data
