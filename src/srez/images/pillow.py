"""Images that Pillow holds in memory, as arrays and back."""

import numpy as np
from PIL import Image
from PIL.Image import Image as PillowImage

from srez.errors import ImageError, SrezError, first_line
from srez.images.decode import decode_in_memory
from srez.images.picture import Picture

__all__ = ["PillowImage", "as_pillow", "from_pillow", "to_pillow"]


def from_pillow(image: PillowImage) -> np.ndarray:
    """The pixels of an image.

    Returns:
        uint8 or, of gray with 16 bits, uint16: `(H, W)` gray, `(H, W, 2)` gray with alpha, `(H, W, 3)` RGB or
        `(H, W, 4)` RGBA. A palette, CMYK and YCbCr become RGB.

    Raises:
        ImageError: a mode that is not supported, such as floating-point values; or there are no pixels, or
            they cannot be read, as when it is closed or its file is cut short.
    """
    try:
        pixels = decode_in_memory(image)[0]
    except (SrezError, MemoryError):
        raise
    except Exception as error:  # it may still be in its file, and decoders raise anything
        if getattr(image, "fp", image) is None or "closed" in str(error):
            raise ImageError(
                "the image, or the file that it is in, is closed: upscale it before that"
            ) from None
        raise ImageError(f"the image cannot be read: {first_line(error)}") from None
    if not pixels.size:
        raise ImageError(f"the image has no pixels: it is {image.width}x{image.height}")
    return pixels


def as_pillow(picture: Picture, name: str) -> PillowImage:
    """A picture as an image, with its colour profile.

    Args:
        picture: gray, or of 8 bits a channel.
        name: what errors call it.

    Raises:
        ImageError: it has colours or alpha of 16 bits, which Pillow cannot hold.
    """
    if picture.pixels.itemsize > 1 and picture.channels > 1:
        raise ImageError(
            f"{name} has 16 bits a channel, which a PIL image cannot hold: upscale it to a file (to=)"
        )
    image = Image.fromarray(picture.pixels)
    if picture.metadata.icc:
        image.info["icc_profile"] = picture.metadata.icc
    return image


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
