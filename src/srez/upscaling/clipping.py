"""Bringing values into [0, 1] without making a picture darker or lighter."""

from functools import reduce

import numpy as np

_LEAST = 0.5 / 255  # of a mean over an input pixel, which nobody sees
_REACH = 1  # input pixels to every side that take what is cut off
REACH = 4  # input pixels, of all rounds: what is cut off around, and who else takes of it
_LEAST_ROOM = 0.05  # of the pixels around, so that few do not take all


def clip(images: np.ndarray, scale: int) -> np.ndarray:
    """Values in [0, 1], with the means over a few input pixels as they were as far as that can be.

    A network puts more contrast into patterns than fits, and cutting it off moves their mean: stripes of one
    black and two white pixels become darker by 21 grey levels. What is cut off is given back to pixels that
    have room for it, of the same input pixel if it can be, as error diffusion does with what rounding cuts
    off.

    Args:
        images: `(N, H, W, C)` float32 about [0, 1]; H and W are multiples of the scale.
        scale: pixels of an input pixel's side.

    Returns:
        The same shape.
    """
    values = images.clip(0, 1)
    count, height, width, channels = images.shape
    blocks = values.reshape(count, height // scale, scale, width // scale, scale, channels)  # a view
    lost = _block_means(images - values, scale)
    for spread in _SPREADS:
        lost = spread(lost)
        takes = np.abs(lost).max(axis=3) > _LEAST
        if not takes.any():
            break
        # Few blocks of a photograph lose anything, and only these and the ones around them are looked at.
        near = np.nonzero(_around(takes[..., None].astype(np.float32))[..., 0])
        room = np.zeros_like(lost)
        rises = lost[near][:, None, None] > 0
        room[near] = np.where(rises, _at(blocks, near) < 1, _at(blocks, near) > 0).mean(axis=(1, 2))
        chosen = np.nonzero(takes)
        given = (lost[chosen] / np.maximum(spread(room)[chosen], _LEAST_ROOM))[:, None, None]
        before = _at(blocks, chosen)
        wanted = before + given * np.where(given > 0, before < 1, before > 0)
        after = wanted.clip(0, 1)
        number, row, column = chosen
        blocks[number, row, :, column] = after
        full = (room[chosen] < _LEAST_ROOM) & (spread is _alone)  # what they lose is left to those around
        left = np.where(full, lost[chosen], (wanted - after).mean(axis=(1, 2)))
        lost = np.zeros_like(lost)
        lost[chosen] = left
    return values


def _at(blocks: np.ndarray, places: tuple[np.ndarray, ...]) -> np.ndarray:
    """Blocks `(N, h, scale, w, scale, C)` at K places, `(K, scale, scale, C)`."""
    number, row, column = places
    return blocks[number, row, :, column]


def _block_means(images: np.ndarray, scale: int) -> np.ndarray:
    """As `resample.area`, but several times as fast."""
    rows = reduce(np.add, (images[:, start::scale] for start in range(scale)))
    return reduce(np.add, (rows[:, :, start::scale] for start in range(scale))) / np.float32(scale**2)


def _around(images: np.ndarray) -> np.ndarray:
    """Means over an input pixel and those around it."""
    side = 2 * _REACH + 1
    padded = np.pad(images, ((0, 0), (_REACH, _REACH), (_REACH, _REACH), (0, 0)), mode="edge")
    height, width = images.shape[1:3]
    rows = reduce(np.add, (padded[:, start : start + height] for start in range(side)))
    return reduce(np.add, (rows[:, :, start : start + width] for start in range(side))) / np.float32(side**2)


def _alone(images: np.ndarray) -> np.ndarray:
    return images


_SPREADS = (_alone, _alone, _alone, _around, _around)  # in turn: first within an input pixel
