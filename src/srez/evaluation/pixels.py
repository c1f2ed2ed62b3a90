"""Pixels that can be compared: without transparency, and truth, input and output of one kind."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from srez import images
from srez.errors import DataError
from srez.images import Picture, to_float, to_uint8


def read_opaque(path: Path) -> Picture:
    """A picture without its alpha: its pixels are `(H, W)` gray or `(H, W, 3)` RGB, uint8 or uint16.

    Raises:
        DataError: some of it is transparent, so that its colours there mean nothing.
        ImageError: it cannot be read.
    """
    picture = images.read(path)
    pixels = picture.pixels
    if picture.channels in (1, 3):
        return picture
    if pixels[..., -1].min() < np.iinfo(pixels.dtype).max:
        raise DataError(f"{path} is partly transparent and cannot be measured: save it without transparency")
    return replace(picture, pixels=pixels[..., 0] if picture.channels == 2 else pixels[..., :3])


def eight_bits(pixels: np.ndarray) -> np.ndarray:
    """uint8 as it is, uint16 rounded to it."""
    return to_uint8(to_float(pixels)) if pixels.dtype == np.uint16 else pixels


def gray(pixels: np.ndarray) -> np.ndarray | None:
    """A gray picture, or an RGB one whose channels are equal, as `(H, W)`; None if it has colours."""
    if pixels.ndim == 2:
        return pixels
    return pixels[..., 0] if (pixels == pixels[..., :1]).all() else None


def described(pixels: np.ndarray) -> str:
    """For errors: "gray 12x16" or "RGB 12x16", width first."""
    return f"{'gray' if pixels.ndim == 2 else 'RGB'} {pixels.shape[1]}x{pixels.shape[0]}"
