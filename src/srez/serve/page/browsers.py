"""What a browser can show."""

import io

import numpy as np

from srez import images
from srez.images import Picture
from srez.serve.inference.picture import NAME

MAX_SHOWN = 50_000_000  # pixels of a result that a browser is given; it decodes them all
SHOWN_BY_BROWSERS = {"png", "jpeg", "webp", "avif", "gif", "bmp"}


def png(pixels: np.ndarray) -> bytes:
    """A picture, `(H, W, C)`, as a file."""
    picture = Picture(np.ascontiguousarray(pixels))
    file = io.BytesIO()
    images.save(file, NAME, images.Encoding(images.PNG), [picture.pixels], picture.size, picture)
    return file.getvalue()
