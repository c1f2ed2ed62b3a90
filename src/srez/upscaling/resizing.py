"""Bringing what a model makes to the size that was asked for."""

import enum
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


def resizing(
    size: tuple[int, int], card: Card, target: tuple[int, int], wrap: bool = False
) -> Resizing | None:
    """How a result comes to its size.

    Args:
        size: width and height of the input, in pixels.
        card: the model's.
        target: width and height of the result.
        wrap: whether the picture goes on at its other side.

    Returns:
        The card's enlargement for larger ones and its reduction for smaller ones, but area for those that go
        on at their other side, as it needs nothing from there; None for what the model makes.
    """
    if target == (size[0] * card.scale, size[1] * card.scale):
        return None
    if is_enlarged(size, card.scale, target):
        return Resizing(card.enlargement)
    return Resizing.AREA if wrap else Resizing(card.reduction)


def resized_bands(
    bands: Iterable[np.ndarray], size: tuple[int, int], card: Card, target: tuple[int, int], wrap: bool
) -> tuple[Iterable[np.ndarray], Resizing | None]:
    """What a model makes of a picture, brought to another size.

    Args:
        bands: the model's output from top to bottom, `(h, scale W, C)` each.
        size: width and height of the picture, in pixels.
        card: the model's.
        target: width and height of the result, in pixels.
        wrap: whether the picture goes on at its other side.

    Returns:
        Bands of the result, and how they were resized.
    """
    resized = resizing(size, card, target, wrap)
    if resized:
        full = size[0] * card.scale, size[1] * card.scale
        bands = any_size.resize(bands, full, target, _KERNELS[resized])
    return bands, resized
