"""AVIF and HEIC, ISO 14496-12 and 23008-12."""

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from srez.images.headers import tiff
from srez.images.headers.refusal import Data, Refusal, numbers, require

MOST_BOXES = 1_000  # beside each other
MOST_ITEMS = 2_000  # decoders look for each among all others; a grid of an iPhone has some dozens
MOST_REFERENCES = 16 * 1024  # bytes, 2 or 4 for each item that another one uses
MOST_EXIF = 16  # starts of EXIF data that are looked at
LONGEST_EXIF = 1 << 20  # bytes of it that are looked at
MOST_FRAMES = 10_000  # of a sequence; fewer are counted by the decoder, to say how many there are

_EXIF = re.compile(rb"II\*\0|MM\0\*")
_WITH_BOXES = {b"iprp", b"trak", b"mdia", b"minf", b"stbl"}


def check(data: Data, max_pixels: int) -> None:
    """Bound boxes, items and frames; pixels are left to the decoder."""
    del max_pixels
    for kind, start, end in boxes(data, 0, len(data)):
        if kind == b"meta":
            _check_inside(data, start + 4, end)
        if kind == b"moov":
            _check_inside(data, start, end)
    for found in islice(_EXIF.finditer(data), MOST_EXIF):  # wherever they may be stored
        with suppress(IndexError, ValueError):  # damaged
            tiff.check_exif(data[found.start() : found.start() + LONGEST_EXIF])


def _check_inside(data: Data, start: int, end: int) -> None:
    for kind, inner, stop in boxes(data, start, end):
        if kind in _WITH_BOXES:
            _check_inside(data, inner, stop)
        elif kind == b"iinf":
            require(numbers(">I" if data[inner] else ">H", data, inner + 4)[0], MOST_ITEMS, "items")
        elif kind == b"iloc":
            require(numbers(">I" if data[inner] == 2 else ">H", data, inner + 6)[0], MOST_ITEMS, "items")
        elif kind == b"ipma":
            require(numbers(">I", data, inner + 4)[0], MOST_ITEMS, "items with properties")
        elif kind == b"iref" and stop - inner > MOST_REFERENCES:
            raise Refusal("is made of too many parts")
        elif kind == b"stsz":
            require(numbers(">I", data, inner + 8)[0], MOST_FRAMES, "frames")


def boxes(data: Data, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each box between two places."""
    count = 0
    while start + 8 <= end:
        size, kind = numbers(">I", data, start)[0], data[start + 4 : start + 8]
        header = 8
        if size == 1:
            size, header = numbers(">Q", data, start + 8)[0], 16
        size = size or end - start
        if size < header:
            return
        count += 1
        require(count, MOST_BOXES, "boxes beside each other")
        yield kind, start + header, min(start + size, end)
        start += size
