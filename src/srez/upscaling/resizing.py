"""Bringing what a model makes to the size that was asked for."""

import enum
import math
from collections.abc import Iterable

import numpy as np

from srez.images import any_size
from srez.models.card import Card
from srez.upscaling.size import is_enlarged


class Resizing(enum.StrEnum):
    """How a model's result is brought to another size."""

    AREA = "area"
    BICUBIC = "bicubic"
    LANCZOS = "Lanczos"
    NEAREST = "nearest"


_KERNELS = {
    Resizing.AREA: any_size.AREA,
    Resizing.BICUBIC: any_size.BICUBIC,
    Resizing.LANCZOS: any_size.LANCZOS,
    Resizing.NEAREST: any_size.NEAREST,
}


def resizing(size: tuple[int, int], card: Card, target: tuple[int, int]) -> Resizing | None:
    """How a result comes to its size.

    Args:
        size: width and height of the input, in pixels.
        card: the model's.
        target: width and height of the result.

    Returns:
        The card's enlargement for larger ones and its reduction for smaller ones; None for what the model
        makes.
    """
    if target == _made(size, card):
        return None
    return Resizing(card.enlargement if is_enlarged(size, card.scale, target) else card.reduction)


def seen_beyond(size: tuple[int, int], card: Card, target: tuple[int, int]) -> int:
    """How many input pixels beyond a picture's border its resizing sees; arguments as for `resizing`."""
    resized = resizing(size, card, target)
    if not resized:
        return 0
    return math.ceil(any_size.seen_beyond(_made(size, card), target, _KERNELS[resized]) / card.scale)


def resized_bands(
    bands: Iterable[np.ndarray], size: tuple[int, int], card: Card, target: tuple[int, int], wrap: bool
) -> tuple[Iterable[np.ndarray], Resizing | None]:
    """What a model makes of a picture, brought to another size.

    Args:
        bands: the model's output from top to bottom, `(h, scale W, C)` each.
        size: width and height of the picture, in pixels.
        card: the model's.
        target: width and height of the result, in pixels.
        wrap: whether the picture goes on at its other side; its bands then have on all four sides, from
            there, what `seen_beyond` says.

    Returns:
        Bands of the result, and how they were resized.
    """
    resized = resizing(size, card, target)
    if resized:
        beyond = card.scale * seen_beyond(size, card, target) if wrap else 0
        bands = any_size.resize(bands, _made(size, card), target, _KERNELS[resized], beyond)
    return bands, resized


def _made(size: tuple[int, int], card: Card) -> tuple[int, int]:
    """Width and height of what the model makes."""
    return size[0] * card.scale, size[1] * card.scale
