"""What needs no guess: single colours, black and white, and gray."""

import numpy as np

from srez.images import masks
from srez.models.card import Card

_SATURATED_REACH = 2  # input pixels of black or white around one that stays so


def make(output: np.ndarray, images: np.ndarray, flat: np.ndarray, card: Card) -> None:
    """Replace, in place, what a network only comes close to and what eyes see.

    Where it sees a single colour, the output is that colour. White beside ink stays white, and black black:
    so does any channel at the end of its range for a few pixels around, where a network rings. Where it sees
    no colours, the output has none.

    Args:
        output: of the network on the images, `(N, scale H, scale W, 3)`.
        images: `(N, H, W, 3)` float32 in [0, 1].
        flat: `(N, H, W)`, where the network sees a single colour.
        card: the model's.
    """
    count, height, width, channels = images.shape
    blocks = output.reshape(count, height, card.scale, width, card.scale, channels)  # a view
    number, row, column = np.nonzero(masks.gray(images, card.receptive_radius))
    if number.size:
        pixels = blocks[number, row, :, column]
        # Many times as fast as `mean` over an axis of three.
        means = (pixels[..., 0] + pixels[..., 1] + pixels[..., 2]) / np.float32(3)
        blocks[number, row, :, column] = means[..., None]
    kept = flat[..., None] | masks.saturated(images, _SATURATED_REACH)
    number, row, column, channel = np.nonzero(kept)
    blocks[number, row, :, column, :, channel] = images[kept][:, None, None]
