"""Colours under transparent pixels, which nobody sees and upscaling must not show."""

import numpy as np

from srez.images.picture import white

HIDDEN_REACH = 8  # pixels that visible colours are spread under transparent ones


def fill_hidden(colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Carry visible colours under what is fully transparent, so that no hidden colour bleeds out.

    The nearest visible colours are averaged outwards, one pixel a pass. What is hidden farther than
    `HIDDEN_REACH` pixels from anything visible keeps its colour.

    Args:
        colours: `(H, W, C)` float32.
        alpha: `(H, W, 1)`, 0 where hidden.

    Returns:
        `(H, W, C)` float32; equal to `colours` wherever alpha is not 0.
    """
    known = (alpha > 0).astype(np.float32)
    if known.all() or not known.any():
        return colours
    filled = np.where(known > 0, colours, 0)
    for _ in range(HIDDEN_REACH):
        near = _sum_of_neighbours(known)
        fresh = (known == 0) & (near > 0)
        if not fresh.any():
            break
        filled = np.where(fresh, _sum_of_neighbours(filled) / np.maximum(near, 1), filled)
        known = np.maximum(known, fresh.astype(np.float32))
    return np.where(known > 0, filled, colours)


def is_cut_out(alpha: np.ndarray) -> bool:
    """Whether some of a picture is opaque and all else is not there, as in GIFs: edges are steps of a pixel.

    Args:
        alpha: `(H, W, 1)` of integers, or floats from 0 to 1.
    """
    there = alpha == white(alpha.dtype)
    return bool(there.any() and not there.all() and (there | (alpha == 0)).all())


def _sum_of_neighbours(image: np.ndarray) -> np.ndarray:
    """The sum of each 3x3 block, `(H, W, C)`; nothing lies outside."""
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    return rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
