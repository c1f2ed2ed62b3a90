"""Vivid repairs that stay calm where the picture is even.

What JPEG and noise leave around edges looks like weak texture, and vivid weights draw it: dots on skin,
ripples in skies. Where a result is even when made small again, there is little to tell texture from what
damage left, so its detail fades into the enlargement of what it is reduced to.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from srez.images import from_float, resample, to_float
from srez.images.luma import luma
from srez.upscaling import stretches

_EVEN, _TEXTURED = 1.5, 5.0  # grey levels, the deviation within a window: no detail, and all; see ADR 45
_SIDE = 3  # pixels of the input, a window's
_SEEN = 8  # rows on both sides: what reduction, a window and enlargement reach


def calmed(bands: Iterable[np.ndarray], height: int, scale: int, amount: float) -> Iterator[np.ndarray]:
    """Bands of a result, with less detail on even areas. Alpha stays as it is.

    Args:
        bands: from top to bottom, `(h, scale W, C)` each: gray or RGB, or either with alpha.
        height: of the input.
        scale: of the result.
        amount: from 0, all as it is, to 1, no detail where it is even.

    Yields:
        The same rows, in other bands.
    """
    if not amount:
        yield from bands
        return
    for stretch in stretches.along(bands, height, scale, _SEEN):
        yield _calmed(stretch.rows, scale, amount)[stretch.inner]


def _calmed(rows: np.ndarray, scale: int, amount: float) -> np.ndarray:
    values = to_float(rows).astype(np.float32, copy=False)
    colours = values[..., : 1 if rows.shape[2] < 3 else 3]
    small = resample.bicubic_to(colours, rows.shape[1] // scale, rows.shape[0] // scale)
    textured = np.clip((_deviations(small) - _EVEN) / (_TEXTURED - _EVEN), 0, 1)
    if textured.min() == 1:
        return rows
    share = resample.bicubic((1 - amount * (1 - textured))[None, ..., None], scale)[0].clip(0, 1)
    smooth = resample.bicubic(small[None], scale)[0]
    output = np.concatenate([smooth + share * (colours - smooth), values[..., colours.shape[2] :]], axis=2)
    return from_float(output, rows.dtype)


def _deviations(small: np.ndarray) -> np.ndarray:
    """The standard deviation of luma around each pixel, in grey levels, `(H, W)` float32."""
    levels = luma(small)
    padded = np.pad(levels - levels.mean(), _SIDE // 2, mode="edge")
    windows = sliding_window_view(padded, (_SIDE, _SIDE))
    return windows.std(axis=(2, 3))
