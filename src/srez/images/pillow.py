"""Images that Pillow holds in memory, as arrays and back."""

import numpy as np
from PIL import Image
from PIL.Image import Image as PillowImage

from srez.images.decode import decode_in_memory

__all__ = ["PillowImage", "from_pillow", "to_pillow"]


def from_pillow(image: PillowImage) -> np.ndarray:
    """The pixels of an image.

    Returns:
        uint8 or, of gray with 16 bits, uint16: `(H, W)` gray, `(H, W, 2)` gray with alpha, `(H, W, 3)` RGB or
        `(H, W, 4)` RGBA. A palette, CMYK and YCbCr become RGB.

    Raises:
        ImageError: a mode that is not supported, such as floating-point values.
    """
    return decode_in_memory(image)[0]


def to_pillow(pixels: np.ndarray, like: PillowImage) -> PillowImage:
    """Pixels as an image, with the colour profile and other information of the one that they were made from.

    Args:
        pixels: of the shapes that `from_pillow` gives.
        like: the image that they were made from.
    """
    image = Image.fromarray(pixels)
    image.info = {key: value for key, value in like.info.items() if key != "transparency"}
    if like.mode == "CMYK":
        image.info.pop("icc_profile", None)  # it describes CMYK
    return image
