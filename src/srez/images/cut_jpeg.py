"""What there is of a JPEG that is cut short, https://www.w3.org/Graphics/JPEG/itu-t81.pdf."""

import io
import re
from collections.abc import Callable
from functools import reduce
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageChops
from PIL.JpegImagePlugin import JpegImageFile

from srez.errors import ImageError
from srez.images.headers.jpeg import MOST_SCANS, MOST_SEGMENTS
from srez.images.jpeg import BLOCK
from srez.images.picture import Picture
from srez.images.salvaging import DARK, LIGHT, Prepare, with_gray

_MARK = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")  # of a segment, or the end
_START_OF_SCAN, _RESTART_INTERVAL, _END = 0xDA, 0xDD, 0xD9
_RESTARTS = range(0xD0, 0xD8)
_MOST_MARKS = MOST_SEGMENTS + MOST_SCANS  # files have fewer; what comes behind is left to libjpeg
# Without \xff; both begin with a bit of 1, for libjpeg goes on with bits of 0 where a file ends.
_RANDOM = np.random.default_rng(0).integers(0, 255, 255, np.uint8).tobytes()
_NOISES = (b"\xaa" + _RANDOM, b"\xf4" + _RANDOM)


def read_cut(read: Callable[[Prepare], Picture], damage: ImageError, *, in_part: bool) -> Picture:
    """Read what there is of a JPEG; what is missing becomes gray, and is told in `unread`.

    Args:
        read: reads the picture.
        damage: why it could not be read.
        in_part: whether a part will do; else nothing may be missing but the mark at the end.

    Raises:
        ImageError: `damage`, for there is nothing, or only a part.
    """
    dark, light = _Ended(DARK), _Ended(LIGHT)
    try:
        picture = read(dark)
        if not dark.is_in_part:
            return picture
        if in_part and (found := with_gray(picture, read(light), dark.lost)):
            return found
    except ImageError:
        raise damage from None
    raise damage


class _Ended:
    """Decodes a JPEG as if it was meant to end where it does; what is missing gets a value.

    libjpeg makes up what it lacks. So one copy of the file ends at once and others in noise: where they first
    differ, what the file holds is at its end. In a later scan that harms little, and all is kept.

    Attributes:
        is_in_part: whether more is missing than the end.
        lost: what beside pixels, as `Picture.unread` has it.
    """

    def __init__(self, value: int) -> None:
        self.is_in_part = False
        self.lost: tuple[str, ...] = ()
        self._value = value

    def __call__(self, image: Image.Image) -> None:
        if not isinstance(image, JpegImageFile) or image.fp is None:
            return
        image.fp.seek(0)
        data = image.fp.read()
        there = _there(data)
        data = data[: there.end].rstrip(b"\xff")  # which is half of something
        ended = _decoded(data)
        noisy = (_decoded(data + noise + there.restart + noise) for noise in _NOISES)
        differences = reduce(ImageChops.lighter, (ImageChops.difference(ended, each) for each in noisy))
        lacks_scans = there.finished < BLOCK**2 * image.layers
        self.is_in_part = lacks_scans or differences.getbbox() is not None
        if there.scans > 1 or lacks_scans:
            self.lost = ("some of its scans",) if self.is_in_part else ()
        if there.scans == 1:
            _overwrite(ended, differences, _block_rows(image), self._value)
        image.im, image.tile = ended.im, []


class _There(NamedTuple):
    """What a file holds.

    Attributes:
        end: of the last segment that is whole, and of the pixels behind it.
        scans: how many.
        finished: numbers of a block that no later scan adds to, in all components together.
        restart: the mark that comes next among the pixels; empty if they have none.
    """

    end: int
    scans: int
    finished: int
    restart: bytes


def _there(data: bytes) -> _There:
    place, last_scan, scans, finished, has_restarts = 2, 0, 0, 0, False
    for _ in range(_MOST_MARKS):
        mark = _MARK.search(data, place)
        if not mark:
            break
        start, kind = mark.end(), data[mark.end() - 1]
        place = start + max(2, int.from_bytes(data[start : start + 2], "big"))
        if kind == _END or place > len(data):
            data = data[: mark.start()]
            break
        if kind == _RESTART_INTERVAL:
            has_restarts = any(data[start + 2 : place])
        if kind == _START_OF_SCAN:
            components, first, last, bits = data[start + 2], *data[place - 3 : place]
            finished += components * (last - first + 1) if bits & 15 == 0 else 0  # else bits are to come
            last_scan, scans = place, scans + 1
    return _There(len(data), scans, finished, _next_restart(data, last_scan) if has_restarts else b"")


def _next_restart(data: bytes, scan: int) -> bytes:
    """The mark to follow the last one of the scan that begins there."""
    last = max(data.rfind(bytes([0xFF, mark]), scan) for mark in _RESTARTS)
    return bytes([0xFF, _RESTARTS[(data[last + 1] + 1) % 8] if last >= 0 else _RESTARTS[0]])


def _decoded(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data + bytes([0xFF, _END])), formats=["JPEG"]) as image:
        image.load()
    return image


def _block_rows(image: JpegImageFile) -> int:
    """How many rows of pixels are stored together."""
    return BLOCK * max(down for _, _, down, _ in image.layer) if image.layers > 1 else BLOCK


def _overwrite(image: Image.Image, differences: Image.Image, rows: int, value: int) -> None:
    """Give a value to all that follows the first difference in the order in which blocks are stored."""
    box = differences.getbbox()
    if not box:
        return
    width, height = image.size
    top, below = box[1], min(box[1] + rows, height)
    # Without its last row, whose colours are mixed with those below.
    band = differences.crop((0, top, width, top + rows - 1)).getbbox()
    left = band[0] if band else 0
    colour = (value,) * len(image.getbands())
    image.paste(colour, (left, top, width, below))
    image.paste(colour, (0, below, width, height))
