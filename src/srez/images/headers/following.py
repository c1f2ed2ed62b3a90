"""Where a picture ends, to see whether another one begins there: pipes bring several one behind the other."""

import re
from collections.abc import Callable

from srez.images.formats import (
    AVIF,
    BMP,
    GIF,
    HEIC,
    JPEG,
    PNG,
    START_BYTES,
    WEBP,
    Format,
    format_of_bytes,
)
from srez.images.headers import gif, heif
from srez.images.headers.refusal import Refusal, numbers

_MARK = re.compile(rb"\xff[^\0\xff\xd0-\xd7]")  # of a JPEG; pixels have \xff\0 for \xff, and marks to restart
_JPEG_END, _SEVERAL = 0xD9, b"MPF\0"
_GIF_FRAME, _GIF_EXTENSION = 0x2C, 0x21


def is_followed(data: bytes) -> bool:
    """Whether a further picture begins where the first one ends.

    The ends of TIFFs are not looked for. Further views that a camera puts behind a JPEG are its own.
    """
    found = format_of_bytes(data[:START_BYTES])
    if found not in _ENDS:
        return False
    try:
        end = _ENDS[found](data)
    except (IndexError, Refusal, ValueError):  # damaged, cut short
        return False
    return format_of_bytes(data[end : end + START_BYTES]) is not None


def _png(data: bytes) -> int:
    place = 8
    while True:
        length, kind = numbers(">I4s", data, place)
        place += 12 + length
        if kind == b"IEND":
            return place


def _jpeg(data: bytes) -> int:
    place = 2
    while found := _MARK.search(data, place):
        place, kind = found.end(), data[found.end() - 1]
        if kind == _JPEG_END:
            return place
        if data[place + 2 : place + 6] == _SEVERAL:
            break
        place += numbers(">H", data, place)[0]
    return len(data)


def _riff(data: bytes) -> int:
    (length,) = numbers("<I", data, 4)
    return 8 + length + length % 2


def _bmp(data: bytes) -> int:
    return numbers("<I", data, 2)[0] or len(data)


def _gif(data: bytes) -> int:
    place = gif.after_palette(data, 10, 13)
    while (kind := data[place]) in (_GIF_FRAME, _GIF_EXTENSION):
        place = gif.after_palette(data, place + 9, place + 10) + 1 if kind == _GIF_FRAME else place + 2
        while length := data[place]:
            place += length + 1
        place += 1
    return place + 1


def _heif(data: bytes) -> int:
    starts = (start - 8 for kind, start, _ in heif.boxes(data, 0, len(data)) if kind == b"ftyp")
    return next((start for start in starts if start), len(data))


_ENDS: dict[Format | None, Callable[[bytes], int]] = {
    AVIF: _heif,
    BMP: _bmp,
    GIF: _gif,
    HEIC: _heif,
    JPEG: _jpeg,
    PNG: _png,
    WEBP: _riff,
}
