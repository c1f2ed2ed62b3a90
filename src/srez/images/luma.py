"""How bright a pixel is, whatever its colour."""

import numpy as np

from srez.images.picture import white

LUMA = 0.299, 0.587, 0.114  # of red, green and blue: ITU-T T.871, section 7, as BT.601


def luma(image: np.ndarray) -> np.ndarray:
    """The luma of a picture of any dtype in grey levels, `(H, W)` float32 from 0 to 255.

    Args:
        image: `(H, W, C)`: gray or RGB, or either with alpha, which counts for nothing.
    """
    weights = LUMA if image.shape[2] >= 3 else (1.0,)
    values = np.zeros(image.shape[:2], np.float32)
    for channel, weight in enumerate(weights):
        values += np.float32(255 * weight / white(image.dtype)) * image[..., channel]
    return values
