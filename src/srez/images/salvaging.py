"""What can be read of a picture that is cut short."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from PIL import Image, ImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImagePalette import ImagePalette

from srez.errors import ImageError
from srez.images.picture import Picture

Prepare = Callable[[Image.Image], None]
"""Called with each image that is opened, before its pixels are decoded."""


def as_opened(image: Image.Image) -> None:
    """Prepares nothing."""
    del image


DARK, LIGHT = 0, 255
_REACH = 7  # pixels between two of the first pass of an interlaced file


def salvage(read: Callable[[Prepare], Picture], damage: ImageError) -> Picture:
    """Read what there is of a picture; what is missing becomes gray and opaque, and is told in `unread`.

    A decoder leaves alone what it does not reach: so the picture is decoded over dark pixels and over light
    ones, and what differs is missing. Between the pixels of an interlaced file it gets the nearest one's
    colour. (Of a JPEG see `cut_jpeg`.)

    Args:
        read: reads the picture.
        damage: why it could not be read.

    Raises:
        ImageError: `damage`, for there is nothing to salvage.
    """
    dark, light = _Over(DARK), _Over(LIGHT)
    with _cut_short_allowed():
        try:
            found = with_gray(read(dark), read(light), interlaced=dark.is_interlaced)
        except ImageError:
            raise damage from None
    if found is None:
        raise damage
    return found


class _Over:
    """Puts a value where the decoder will not reach.

    Attributes:
        is_interlaced: whether the file stores a coarse picture first.
    """

    def __init__(self, value: int) -> None:
        self.is_interlaced = False
        self._value = value

    def __call__(self, image: Image.Image) -> None:
        bands = len(image.getbands())
        colour = (self._value,) * bands if bands > 1 else self._value
        if image.mode == "P" and image.palette:
            colour = _nearest(image.palette, self._value)
        image.im = Image.core.fill(image.mode, image.size, colour)
        self.is_interlaced = _is_interlaced(image)


def _nearest(palette: ImagePalette, value: int) -> int:
    """The number of the darkest colour, or of the lightest: the first and last may both be black."""
    pixel = Image.new("P", (1, 1))
    pixel.palette = palette.copy()
    pixel.palette.dirty = 1
    sums = np.reshape(pixel.getpalette() or [0, 0, 0], (-1, 3)).sum(axis=1)
    return int(sums.argmin() if value == DARK else sums.argmax())


def _is_interlaced(image: Image.Image) -> bool:
    if isinstance(image, GifImageFile):
        return any(tile.args and tile.args[1] for tile in image.tile)  # bits, interlaced, transparency
    return bool(image.info.get("interlace"))


def with_gray(
    dark: Picture, light: Picture, lost: tuple[str, ...] = (), *, interlaced: bool = False
) -> Picture | None:
    """A picture that is gray and opaque where its two decodings differ; None if they do everywhere.

    Args:
        dark: decoded over dark pixels.
        light: decoded over light ones.
        lost: what is missing beside pixels, as `Picture.unread` has it.
        interlaced: whether missing pixels near others get their colours.
    """
    missing = (dark.pixels != light.pixels).reshape(*dark.pixels.shape[:2], -1).any(axis=2)
    if missing.all():
        return None
    share = (_pixels(missing) if interlaced else _rows(missing),) if missing.any() else ()
    pixels = dark.pixels.copy()
    if interlaced:
        _fill(pixels, missing)
    most = np.iinfo(pixels.dtype).max
    pixels[missing] = most // 2 + 1
    if dark.channels in (2, 4):
        pixels[missing, -1] = most
    return replace(dark, pixels=pixels, unread=(*dark.unread, *share, *lost))


def _fill(pixels: np.ndarray, missing: np.ndarray) -> None:
    """Spread the pixels that are there over missing ones, until those of a first pass meet."""
    first, last = np.s_[:-1], np.s_[1:]
    for _ in range(_REACH):
        for to, source in ((last, first), (first, last)):
            _spread(pixels[to], pixels[source], missing[to], missing[source])
            _spread(pixels[:, to], pixels[:, source], missing[:, to], missing[:, source])


def _spread(to: np.ndarray, source: np.ndarray, missing_to: np.ndarray, missing_source: np.ndarray) -> None:
    filled = missing_to & ~missing_source
    to[filled] = source[filled]
    missing_to[filled] = False


def _pixels(missing: np.ndarray) -> str:
    return f"{np.count_nonzero(missing):,} of {missing.size:,} pixels"


def _rows(missing: np.ndarray) -> str:
    """As in "12 of 40 rows": or columns, for a picture that was turned after it was stored."""
    height, width = missing.shape
    rows, columns = np.count_nonzero(missing.any(axis=1)), np.count_nonzero(missing.any(axis=0))
    count = np.count_nonzero(missing)  # a last row may be there in part
    if rows * width <= columns * height:
        return f"{-(-count // width)} of {height} rows"
    return f"{-(-count // height)} of {width} columns"


@contextmanager
def _cut_short_allowed() -> Iterator[None]:
    """Let Pillow keep what it has where a file ends too early; for all threads, as it has no other way."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before
