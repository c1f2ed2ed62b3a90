"""How damaged a picture is: by JPEG and by noise, told from its pixels and from what its file says.

The constants were chosen to bring the best PSNR: on 162 photographs for training (`python
benchmarks/repair.py`), and those of a JPEG's quality on 60 of BSDS500's. Clean photographs stay below them
and lose no sharpness, but for a few of fine texture: 8 of BSDS500's 400.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from srez.images import to_float

STEPS = 4  # into which repairs are rounded: each takes a network of its own

_FULL_QUALITY, _NO_QUALITY = 82, 98  # of JPEG: below the first repair is full, above the second there is none
_NO_BLOCKS, _FULL_BLOCKS = 0.35, 1.2  # the steps between JPEG's blocks, in grey levels
_LARGEST_STEP = 48  # grey levels; what is larger has been drawn, as in pixel art
_NO_NOISE, _FULL_NOISE = 0.82, 0.90  # how white what varies least is
_LEAST_NOISE = 0.8  # grey levels; below, there is nothing to repair
_EDGE = 24  # grey levels in a block, from which on JPEG would leave its waves in it
_FLAT, _DRAWN = (
    0.25,
    0.6,
)  # the share of equal neighbours in a block that has none; of such blocks in a drawing
_BLOCK = 8  # pixels a side, of JPEG
_PATCH = 8  # pixels a side, of those whose variances are compared
_PATCHES = 20_000  # that suffice
_SMALLEST, _LARGEST = 48, 1024  # pixels a side: less tells nothing, more tells no more


def estimate(image: np.ndarray, jpeg_quality: float | None = None) -> float:
    """How far to repair a picture.

    Args:
        image: `(H, W)`, or `(H, W, C)` with 1 to 4 channels; uint8, uint16 or float32 in [0, 1].
        jpeg_quality: of the JPEG file that it comes from, from 1 to 100, where that is known.

    Returns:
        From 0 (not at all) to 1 (fully), a multiple of `1 / STEPS`.
    """
    told = 0.0 if jpeg_quality is None else _ramp(jpeg_quality, _NO_QUALITY, _FULL_QUALITY)
    gray = _gray(image)
    seen = 0.0
    if told < 1 and min(gray.shape) >= _SMALLEST and not _is_drawn(gray):
        noise, whiteness = _noise(gray)
        seen = _ramp(whiteness, _NO_NOISE, _FULL_NOISE) if noise > _LEAST_NOISE else 0.0
        if jpeg_quality is None:
            seen = max(seen, _ramp(_blocks(gray), _NO_BLOCKS, _FULL_BLOCKS))
    return round(max(told, seen) * STEPS) / STEPS


def _ramp(value: float, none: float, full: float) -> float:
    return min(1.0, max(0.0, (value - none) / (full - none)))


def _gray(image: np.ndarray) -> np.ndarray:
    """The middle of a picture, in grey levels from 0 to 255; where blocks begin stays a multiple of 8."""
    starts = [max(0, side - _LARGEST) // 2 // _BLOCK * _BLOCK for side in image.shape[:2]]
    part = image[starts[0] : starts[0] + _LARGEST, starts[1] : starts[1] + _LARGEST]
    values = to_float(part.reshape(*part.shape[:2], -1)) * np.float32(255)
    return values[..., :3].mean(axis=2) if values.shape[2] >= 3 else values[..., 0]


def _is_drawn(gray: np.ndarray) -> bool:
    """Whether areas stay even up to the edges, as in screenshots: neither JPEG nor noise leaves them so."""
    rows, columns = (side // _BLOCK for side in gray.shape)
    blocks = gray[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    with_edges = np.ptp(blocks, axis=(1, 3)) > _EDGE
    flat = (np.diff(blocks, axis=3) == 0).mean(axis=(1, 3)) > _FLAT
    return bool(with_edges.any()) and float(flat[with_edges].mean()) > _DRAWN


def _noise(gray: np.ndarray) -> tuple[float, float]:
    """The noise in grey levels, and how white it is: 1 if it varies as much in every way.

    Noise adds the same variance to all principal components of small patches, and what the picture shows
    takes few of them. Noise is what the least components have in common (Chen et al., "An Efficient
    Statistical Method for Image Noise Level Estimation", ICCV 2015, algorithm 1). What has much less in the
    very least is fine texture.
    """
    windows = sliding_window_view(gray, (_PATCH, _PATCH))  # a view: all would take 64 times the picture
    count = windows.shape[0] * windows.shape[1]
    rows, columns = np.divmod(np.arange(0, count, max(1, count // _PATCHES)), windows.shape[1])
    patches = windows[rows, columns].reshape(-1, _PATCH**2)
    patches = patches[(patches.min(axis=1) > 0) & (patches.max(axis=1) < 255)]  # clipped noise is not white
    if len(patches) < 10 * _PATCH**2:
        return 0.0, 0.0
    variances = np.linalg.eigvalsh(np.cov(patches.T)).clip(0)
    least = next(
        (part for end in range(len(variances), 0, -1) if (part := variances[:end]).mean() <= np.median(part)),
        variances[:1],
    )
    noise = float(np.sqrt(least.mean()))
    return noise, float(np.sqrt(variances[0])) / noise if noise else 0.0


def _blocks(gray: np.ndarray) -> float:
    """How much larger steps between JPEG's blocks are than steps elsewhere, in grey levels."""
    return min(_steps_at_blocks(gray), _steps_at_blocks(gray.T))


def _steps_at_blocks(gray: np.ndarray) -> float:
    steps = np.abs(np.diff(gray, axis=1))
    rising = steps[:, 1:-1] - (steps[:, :-2] + steps[:, 2:]) / 2  # over the steps on both sides
    largest = np.maximum(np.maximum(steps[:, :-2], steps[:, 2:]), steps[:, 1:-1])
    columns = np.where(largest < _LARGEST_STEP, rising, 0).mean(axis=0)
    by_place = [float(columns[start::_BLOCK].mean()) for start in range(_BLOCK)]
    return by_place[_BLOCK - 2] - float(np.median(by_place))
