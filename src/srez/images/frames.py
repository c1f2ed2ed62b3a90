"""Reading all frames of an animation, or all pages of a file, one at a time."""

import enum
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NoReturn

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from srez.errors import ImageError, OutOfMemoryError, TooLargeError
from srez.images import reading
from srez.images.formats import GIF, HEIC, TIFF
from srez.images.picture import Picture

MOST_FRAMES = 10_000

_PROFILE = "icc_profile"
_SUBFILE, _REDUCED = 254, 1  # a tag of a TIFF, and its bit for copies of another page
_LONGEST = 65_535  # milliseconds of a frame


class Frames(enum.StrEnum):
    """Which pictures of a file that has several are upscaled."""

    first = "first"
    all = "all"


@dataclass(frozen=True)
class Frame:
    """A frame of an animation, or a page.

    Attributes:
        picture: all that is seen at that time. Of a frame RGB, or RGBA where it is not all opaque, 8 bits.
        duration: in milliseconds; 0 for a page.
    """

    picture: Picture
    duration: float = 0.0


@dataclass(frozen=True)
class Sequence:
    """What a file of several pictures says of them.

    Attributes:
        sizes: width and height of each, in pixels.
        animated: whether they follow each other in time, so all have one size; else they are pages.
        plays: how often the animation is played; 0 for without end.
    """

    sizes: tuple[tuple[int, int], ...]
    animated: bool
    plays: int = 1


def sequence(source: Path | bytes, name: str, max_pixels: int) -> Sequence:
    """Look at the header of a file, which may hold one picture or several.

    Args:
        source: the file, or its bytes.
        name: what errors call it.
        max_pixels: that all pictures may have together.

    Raises:
        ImageError: as for `reading.read`; or there are more than `MOST_FRAMES`.
        TooLargeError: they have more pixels together.
    """
    with reading.opened(source, name, max_pixels) as image:
        is_paged = image.format in (TIFF.pillow, HEIC.pillow)
        plays = _plays(image)
        if _count(image) > MOST_FRAMES:  # before anything is made for each: a header may say any number
            raise ImageError(f"{name} has more than {MOST_FRAMES:,} frames")
        # Frames have the size of the canvas; to know that of a page, one must go there.
        here = [image.size] * _count(image) if not is_paged else [image.size for _ in _pages(image)]
    if sum(width * height for width, height in here) > max_pixels:
        raise TooLargeError(
            f"{name} has more than {max_pixels:,} pixels in its {len(here)} "
            f"{'pages' if is_paged else 'frames'}: if you trust it, allow more (--max-pixels)"
        )
    return Sequence(tuple(here), len(here) > 1 and not is_paged, plays)


def holds_several(source: Path | bytes) -> bool:
    """Whether a file has several frames or pages; False for what cannot be read."""
    try:
        with reading.opened(source, "picture", sys.maxsize) as image:
            return _count(image) > 1
    except (ImageError, OutOfMemoryError):
        return False


def read_frames(source: Path | bytes, name: str, max_pixels: int) -> Iterator[Frame]:
    """Read the frames or pages of a file in their order; one is in memory at a time.

    Args:
        source: the file, or its bytes.
        name: what errors call it.
        max_pixels: a larger one is refused before it is decoded.

    Raises:
        ImageError: as for `reading.read`; or a frame has more than 8 bits a channel.
    """
    with reading.opened(source, name, max_pixels) as image:
        if image.format in (TIFF.pillow, HEIC.pillow):
            for number in _pages(image):
                if image.width * image.height > max_pixels:
                    raise Image.DecompressionBombError
                yield Frame(reading.picture_in(image, name, partial(_at, source, name, max_pixels, number)))
            return
        for number in _numbers(image):
            image.seek(number)
            picture = reading.picture_in(image, name, partial(_refused, name))
            duration = float(image.info.get("duration") or 0)
            yield Frame(_in_colour(picture), min(max(duration, 0.0), _LONGEST))


def _count(image: Image.Image) -> int:
    return len(_numbers(image))


def _numbers(image: Image.Image) -> range:
    """The frames of an animation; the picture of a PNG need not be one of them."""
    first = 1 if getattr(image, "default_image", False) else 0
    return range(first, reading.several(image))


def _pages(image: Image.Image) -> Iterator[int]:
    """Go through the pages of an image, without reduced copies of others."""
    if not isinstance(image, TiffImageFile):
        for number in range(reading.several(image)):
            image.seek(number)
            yield number
        return
    left, number = reading.several(image), 0
    while left:
        image.info.pop(_PROFILE, None)  # of the page before
        image.seek(number)
        if number == 0 or not image.tag_v2.get(_SUBFILE, 0) & _REDUCED:
            left -= 1
            yield number
        number += 1


@contextmanager
def _at(source: Path | bytes, name: str, max_pixels: int, number: int) -> Iterator[Image.Image]:
    with reading.opened(source, name, max_pixels) as image:
        image.seek(number)
        yield image


def _refused(name: str) -> NoReturn:
    raise ImageError(f"{name} is animated with 16 bits a channel: convert it to 8 bits first")


def _plays(image: Image.Image) -> int:
    loop = image.info.get("loop")
    if image.format == GIF.pillow:  # which counts how often it is repeated, if it is
        return 1 if loop is None else loop and loop + 1
    return 0 if loop is None else loop


def _in_colour(picture: Picture) -> Picture:
    """A picture as RGB, or RGBA where it is not all opaque."""
    pixels = picture.pixels
    if picture.channels < 3:
        gray = pixels.reshape(*pixels.shape[:2], -1)
        pixels = np.concatenate([gray[..., :1].repeat(3, axis=2), gray[..., 1:]], axis=2)
    if pixels.shape[2] == 4 and pixels[..., 3].min() == 255:
        pixels = np.ascontiguousarray(pixels[..., :3])
    return Picture(pixels, picture.metadata, picture.unread, picture.jpeg)
