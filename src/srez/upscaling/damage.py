"""How damaged a picture is: by JPEG and by noise, told from its pixels and from what its file says.

The constants were chosen to bring the best PSNR: of blocks on 162 photographs for training (`python
benchmarks/repair.py`), of a JPEG's quality and of noise on photographs of BSDS500 and others, which `photo`
had not been trained on (docs/adr/0022). Nearly all clean photographs stay below them and lose no sharpness.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from srez.images import to_float

STEPS = 4  # into which repairs are rounded: each takes a network of its own

_FULL_QUALITY, _NO_QUALITY = 82, 98  # of JPEG: below the first repair is full, above the second there is none
_NO_BLOCKS, _FULL_BLOCKS = 0.35, 1.2  # the steps between JPEG's blocks, in grey levels
_LARGEST_STEP = 48  # grey levels; what is larger has been drawn, as in pixel art
_NO_NOISE, _FULL_NOISE = 2, 4  # grey levels; to repair less of it takes more detail than noise
_WHITE = 0.69  # from which on what varies is noise, and not fine texture
_EDGE = 24  # grey levels in a block, from which on JPEG would leave its waves in it
_FLAT, _DRAWN = (
    0.25,
    0.6,
)  # the share of equal neighbours in a block that has none; of such blocks in a drawing
_BLOCK = 8  # pixels a side, of JPEG
_PATCH = 6  # pixels a side, of those whose variances are compared
_PATCHES = 20_000  # that suffice
_EVENEST, _FEWEST_PATCHES = 0.05, 600  # of them those that are looked at
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
    gray = _without_bars(_gray(image))
    seen = 0.0
    if told < 1 and min(gray.shape) >= _SMALLEST and not _is_drawn(gray):
        noise, whiteness = _noise(gray)
        seen = _ramp(noise, _NO_NOISE, _FULL_NOISE) if whiteness > _WHITE else 0.0
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


def _without_bars(gray: np.ndarray) -> np.ndarray:
    """Without the even rows and columns at the edges of a picture, by whole blocks."""
    parts = []
    for axis in (1, 0):
        varied = np.flatnonzero(np.ptp(gray, axis=axis))
        first, last = (varied[0], varied[-1] + 1) if len(varied) else (0, 0)
        parts.append(slice(-(-first // _BLOCK) * _BLOCK, last))
    return gray[parts[0], parts[1]]


def _is_drawn(gray: np.ndarray) -> bool:
    """Whether areas stay even up to the edges, as in screenshots: neither JPEG nor noise leaves them so."""
    rows, columns = (side // _BLOCK for side in gray.shape)
    blocks = gray[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK)
    with_edges = np.ptp(blocks, axis=(1, 3)) > _EDGE
    flat = (np.diff(blocks, axis=3) == 0).mean(axis=(1, 3)) > _FLAT
    return bool(with_edges.any()) and float(flat[with_edges].mean()) > _DRAWN


def _noise(gray: np.ndarray) -> tuple[float, float]:
    """The noise in grey levels, and how white it is: towards 1 if it varies as much in every way.

    Noise adds the same variance to all principal components of small patches, and what the picture shows
    takes few of them (Chen et al., "An Efficient Statistical Method for Image Noise Level Estimation", ICCV
    2015). Looked at are the patches whose quarters differ least in their means: there is least of the picture
    in them, and white noise is no less in them than elsewhere.
    """
    windows = sliding_window_view(gray, (_PATCH, _PATCH))  # a view: all would take 36 times the picture
    count = windows.shape[0] * windows.shape[1]
    rows, columns = np.divmod(np.arange(0, count, max(1, count // _PATCHES)), windows.shape[1])
    patches = windows[rows, columns]
    inside = (patches.min(axis=(1, 2)) > 0) & (patches.max(axis=(1, 2)) < 255)  # clipped noise is not white
    patches = patches[inside]
    if len(patches) < _FEWEST_PATCHES:
        return 0.0, 0.0
    half = _PATCH // 2
    quarters = patches.reshape(-1, 2, half, 2, half).mean(axis=(2, 4)).reshape(-1, 4)
    kept = max(_FEWEST_PATCHES, int(_EVENEST * len(patches)))
    evenest = patches[np.argsort(quarters.std(axis=1))[:kept]].reshape(kept, -1)
    evenest = evenest - evenest.mean(axis=1, keepdims=True)
    deviations = np.sqrt(np.linalg.eigvalsh(np.cov(evenest.T))[1:].clip(0))  # the mean's own is 0
    noise = float(np.median(deviations))
    least = float(np.sqrt(np.mean(deviations[: len(deviations) // 4] ** 2)))
    return noise, least / noise if noise else 0.0


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
