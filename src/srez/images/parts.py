"""Parts of a picture in other sizes."""

import numpy as np
from PIL import Image

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels from the picture's outer corner."""


def resized(image: np.ndarray, width: int, height: int, box: Box | None = None) -> np.ndarray:
    """A picture, or a part of it, in another size: linear, widened where it reduces.

    Args:
        image: `(H, W, 3)` uint8.
        width: wanted, in pixels.
        height: wanted, in pixels.
        box: the part, within the picture; all of it by default.

    Returns:
        `(height, width, 3)` uint8.
    """
    pixels = Image.fromarray(np.ascontiguousarray(image))
    return np.asarray(pixels.resize((width, height), Image.Resampling.BILINEAR, box))
