"""Where a picture needs no guess: all around, it is one colour, gray, or at the end of its range."""

import numpy as np


def flat(images: np.ndarray, radius: int) -> np.ndarray:
    """Where pictures have one colour all around.

    Args:
        images: `(N, H, W, C)`, any dtype.
        radius: how far to look, in pixels; beyond the border there is nothing to differ.

    Returns:
        `(N, H, W)` bool.
    """
    differs = np.zeros(images.shape[:3], bool)  # from the next pixel to the right or below
    differs[:, :, :-1] |= (images[:, :, 1:] != images[:, :, :-1]).any(axis=3)
    differs[:, :-1] |= (images[:, 1:] != images[:, :-1]).any(axis=3)
    return _clear(differs, radius, radius - 1)


def saturated(images: np.ndarray, radius: int) -> np.ndarray:
    """Where a channel is at the end of its range all around.

    Args:
        images: `(N, H, W, C)` float in [0, 1].
        radius: as for `flat`.

    Returns:
        `(N, H, W, C)` bool.
    """
    count, height, width, channels = images.shape
    planes = np.moveaxis(images, 3, 1).reshape(count * channels, height, width, 1)
    alike = np.moveaxis(flat(planes, radius).reshape(count, channels, height, width), 1, 3)
    return alike & ((images == 0) | (images == 1))


def gray(images: np.ndarray, radius: int) -> np.ndarray:
    """Where pictures have no colour all around: all channels are equal; arguments and result as of `flat`."""
    return _clear((images != images[..., :1]).any(axis=3), radius, radius)


def _clear(marks: np.ndarray, before: int, after: int) -> np.ndarray:
    """Where no mark is near.

    Args:
        marks: `(N, H, W)` bool.
        before: how far to look up and to the left, in pixels.
        after: how far to look down and to the right.
    """
    count, height, width = marks.shape
    sums = np.zeros((count, height + 1, width + 1), np.int32)  # from the upper left corner
    np.cumsum(marks, axis=1, out=sums[:, 1:, 1:])
    sums.cumsum(axis=2, out=sums)
    top, bottom = (np.clip(np.arange(height) + reach, 0, height) for reach in (-before, after + 1))
    left, right = (np.clip(np.arange(width) + reach, 0, width) for reach in (-before, after + 1))
    across = sums[:, :, right] - sums[:, :, left]
    return across[:, bottom] == across[:, top]
