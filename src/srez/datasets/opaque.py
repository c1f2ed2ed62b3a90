"""Pictures with transparency as pictures to train on."""

import numpy as np

from srez import images


def opaque(picture: images.Picture) -> np.ndarray:
    """A picture's colours over white, `(H, W, 3)` uint8.

    Where a picture is transparent, its colours are whatever a program left there, and nobody sees them.
    """
    colours = images.rgb(picture)
    if picture.channels not in (2, 4):
        return colours
    alpha = images.to_float(picture.pixels[..., -1:])
    return images.to_uint8(images.to_float(colours) * alpha + (1 - alpha))
