"""Bringing values into [0, 1] without making a picture darker or lighter."""

from functools import reduce

import numpy as np

_LEAST = 0.5 / 255  # of a mean over an input pixel, which nobody sees
_REACH = 1  # input pixels to every side that take what is cut off
REACH = 4  # input pixels, of all rounds: what is cut off around, and who else takes of it
_LEAST_ROOM = 0.05  # of the pixels around, so that few do not take all
_ROUNDS_WITHIN, _ROUNDS_AROUND = 3, 2


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
    takes = _takes(lost)
    if takes.any():
        lost = _give_within(blocks, lost, takes)
        for _ in range(_ROUNDS_AROUND):
            lost = _give_around(blocks, lost)
    return values


def _give_within(blocks: np.ndarray, lost: np.ndarray, takes: np.ndarray) -> np.ndarray:
    """Give back to pixels of the same input pixel, and return what is left for others, `(N, h, w, C)`."""
    places = np.nonzero(takes)  # few, in a photograph
    pixels, given_back = _at(blocks, places), lost[places]
    for _ in range(_ROUNDS_WITHIN):
        room = _room(pixels, given_back).mean(axis=(1, 2))
        wanted, after = _given(pixels, given_back / np.maximum(room, _LEAST_ROOM))
        left = np.where(room < _LEAST_ROOM, given_back, (wanted - after).mean(axis=(1, 2)))
        pixels, given_back = after, left * _takes(left)[:, None]
    _put(blocks, places, pixels)
    left = np.zeros_like(lost)
    left[places] = given_back
    return left


def _give_around(blocks: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Give back to pixels of the input pixels around, and return what is left, `(N, h, w, C)`."""
    lost = _around(lost)
    takes = _takes(lost)
    if not takes.any():
        return lost
    near = np.nonzero(_around(takes[..., None].astype(np.float32))[..., 0])
    room = np.zeros_like(lost)
    room[near] = _room(_at(blocks, near), lost[near]).mean(axis=(1, 2))
    places = np.nonzero(takes)
    wanted, after = _given(_at(blocks, places), lost[places] / np.maximum(_around(room)[places], _LEAST_ROOM))
    _put(blocks, places, after)
    left = np.zeros_like(lost)
    left[places] = (wanted - after).mean(axis=(1, 2))
    return left


def _takes(lost: np.ndarray) -> np.ndarray:
    """Where more is lost than nobody sees: `(..., C)` to `(...)`."""
    return reduce(np.logical_or, (np.abs(lost[..., channel]) > _LEAST for channel in range(lost.shape[-1])))


def _room(pixels: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Which pixels `(K, scale, scale, C)` can get lighter, or darker, as what they lost `(K, C)` asks for."""
    return np.where(lost[:, None, None] > 0, pixels < 1, pixels > 0)


def _given(pixels: np.ndarray, amounts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels with amounts `(K, C)` given to those that have room, as wanted and as far as that fits."""
    wanted = pixels + amounts[:, None, None] * _room(pixels, amounts)
    return wanted, wanted.clip(0, 1)


def _at(blocks: np.ndarray, places: tuple[np.ndarray, ...]) -> np.ndarray:
    """Blocks `(N, h, scale, w, scale, C)` at K places, `(K, scale, scale, C)`."""
    number, row, column = places
    return blocks[number, row, :, column]


def _put(blocks: np.ndarray, places: tuple[np.ndarray, ...], pixels: np.ndarray) -> None:
    number, row, column = places
    blocks[number, row, :, column] = pixels


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
