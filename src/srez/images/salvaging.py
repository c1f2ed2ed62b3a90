"""What can be read of a picture that is cut short."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from srez.errors import ImageError
from srez.images.picture import Picture

Prepare = Callable[[Image.Image], None]
"""Called with each image that is opened, before its pixels are decoded."""


def as_opened(image: Image.Image) -> None:
    """Prepares nothing."""
    del image


_DARK, _LIGHT = 0, 255


def salvage(read: Callable[[Prepare], Picture], damage: ImageError) -> Picture:
    """Read what there is of a picture; what is missing becomes gray and opaque, and is told in `unread`.

    A decoder leaves alone what it does not reach: so the picture is decoded over dark pixels and over light
    ones, and what differs is missing. A progressive JPEG gives no rows before its last scan, unless it is
    told that it ends here.

    Args:
        read: reads the picture.
        damage: why it could not be read; raised if there is nothing to salvage.
    """
    with _cut_short_allowed():
        try:
            picture, other = read(_over(_DARK)), read(_over(_LIGHT))
            missing = (picture.pixels != other.pixels).reshape(*picture.pixels.shape[:2], -1).any(axis=2)
            if not missing.all():
                gray = _gray_where(missing, picture)
                return replace(gray, unread=(*picture.unread, _share(missing))) if missing.any() else picture
            ended = read(as_opened)
        except ImageError:
            raise damage from None
    if ended.jpeg is None:  # no JPEG
        raise damage
    return replace(ended, unread=(*ended.unread, "some of its scans"))


def _over(value: int) -> Prepare:
    def prepare(image: Image.Image) -> None:
        bands = len(image.getbands())
        image.im = Image.core.fill(image.mode, image.size, (value,) * bands if bands > 1 else value)
        if isinstance(image, JpegImageFile) and image.fp:
            file = image.fp
            image.load_read = lambda read_bytes: file.read(
                read_bytes
            )  # Pillow's own would add an end, and libjpeg gray pixels

    return prepare


def _gray_where(missing: np.ndarray, picture: Picture) -> Picture:
    pixels = picture.pixels.copy()
    most = np.iinfo(pixels.dtype).max
    pixels[missing] = most // 2 + 1
    if picture.channels in (2, 4):
        pixels[missing, -1] = most
    return replace(picture, pixels=pixels)


def _share(missing: np.ndarray) -> str:
    """As in "12 of 40 rows": or columns, for a picture that was turned after it was stored."""
    height, width = missing.shape
    rows, columns = np.count_nonzero(missing.any(axis=1)), np.count_nonzero(missing.any(axis=0))
    return f"{rows} of {height} rows" if rows * width <= columns * height else f"{columns} of {width} columns"


@contextmanager
def _cut_short_allowed() -> Iterator[None]:
    """Let Pillow keep what it has where a file ends too early; for all threads, as it has no other way."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before
