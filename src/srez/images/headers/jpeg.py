"""JPEG, https://www.w3.org/Graphics/JPEG/itu-t81.pdf, appendix B."""

import re
from contextlib import suppress

from srez.images.headers import tiff
from srez.images.headers.refusal import Data, Refusal, numbers, require

MOST_SEGMENTS = 1_000
MOST_SCANS = 100  # cameras and programs make 14 at most, optimizers some dozens
MOST_BETWEEN = 64 * 1024  # bytes between segments, padding and such
MOST_RESOURCES = 10_000  # of Photoshop

_MARK = re.compile(rb"\xff[^\0\xff]")
_END_OF_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # pixels have \xff\0 for \xff, and marks to restart
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_IN_ONE_SCAN = {0xC0, 0xC1, 0xC9}  # frames that are not progressive
_START_OF_SCAN, _EXIF, _PHOTOSHOP, _END = 0xDA, 0xE1, 0xED, 0xD9
_ALONE = {0x01, *range(0xD0, 0xD9)}  # marks without a segment


def check(data: Data, max_pixels: int) -> None:
    """Bound segments and scans; pixels are left to Pillow."""
    del max_pixels
    place, between, segments, resources = 2, 0, 0, 0
    mark, components = 0, 0
    while True:
        found = _MARK.search(data, place, place + MOST_BETWEEN + 2)
        between += (found.start() if found else place + MOST_BETWEEN + 1) - place
        if between > MOST_BETWEEN and place + between < len(data):
            raise Refusal(f"has more than {MOST_BETWEEN // 1024} KB between its segments")
        if not found or data[found.end() - 1] == _END:
            return
        segments += 1
        require(segments, MOST_SEGMENTS, "segments")
        place, kind = found.end(), data[found.end() - 1]
        if kind in _ALONE:
            continue
        (length,) = numbers(">H", data, place)
        if kind == _START_OF_SCAN:
            break
        if kind in _FRAMES:
            mark, components = kind, data[place + 7]
        if kind == _PHOTOSHOP:
            resources += data[place : place + length].count(b"8BIM")
            require(resources, MOST_RESOURCES, "entries of Photoshop")
        if kind == _EXIF and data[place + 2 : place + 8] == b"Exif\0\0":
            with suppress(IndexError, ValueError):  # damaged
                tiff.check_exif(data[place + 8 : place + length])
        place += length
    if mark in _IN_ONE_SCAN and data[place + 2] == components:
        return  # all is in the first scan
    _check_scans(data, place, segments)


def _check_scans(data: Data, place: int, segments: int) -> None:
    """Bound the scans from the first on; its header lies at `place`."""
    scans = 1
    while found := _END_OF_SCAN.search(data, place):
        kind = data[found.end() - 1]
        if kind == _END:
            return
        if kind == _START_OF_SCAN:
            scans += 1
            require(scans, MOST_SCANS, "scans")
        segments += kind != _START_OF_SCAN
        require(segments, MOST_SEGMENTS, "segments")
        place = found.end() + (0 if kind in _ALONE else numbers(">H", data, found.end())[0])
