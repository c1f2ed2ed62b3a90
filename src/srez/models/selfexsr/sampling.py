"""Values between the pixels of a stack of planes."""

import numpy as np
from numba import njit

BORDER = 10  # pixels that each plane of a stack is continued by, so that no patch reaches beyond


def stacked(planes: list[np.ndarray]) -> np.ndarray:
    """Planes of different sizes in one array, each continued by its edge.

    Args:
        planes: `(h, w)` float32, the first the largest.

    Returns:
        `(N, H + 2 BORDER, W + 2 BORDER)` float32.
    """
    height, width = planes[0].shape
    rests = [(height - len(plane), width - plane.shape[1]) for plane in planes]
    pads = [((BORDER, BORDER + down), (BORDER, BORDER + right)) for down, right in rests]
    return np.stack([np.pad(plane, pad, mode="edge") for plane, pad in zip(planes, pads, strict=True)])


@njit(cache=True, inline="always")
def bilinear(stack: np.ndarray, level: int, y: np.floating, x: np.floating) -> np.floating:
    """A value of a plane; positions count from the border's first pixel."""
    top, left = int(y), int(x)
    v, u = y - np.float32(top), x - np.float32(left)
    one = np.float32(1)
    upper = stack[level, top, left] * (one - u) + stack[level, top, left + 1] * u
    lower = stack[level, top + 1, left] * (one - u) + stack[level, top + 1, left + 1] * u
    return upper * (one - v) + lower * v


@njit(cache=True, inline="always")
def _cubic_weights(t: np.floating) -> tuple[np.floating, np.floating, np.floating, np.floating]:
    half = np.float32(0.5)
    square, cube = t * t, t * t * t
    return (
        square - half * (cube + t),
        np.float32(1) + np.float32(1.5) * cube - np.float32(2.5) * square,
        half * t + np.float32(2) * square - np.float32(1.5) * cube,
        half * (cube - square),
    )


@njit(cache=True, inline="always")
def bicubic(stack: np.ndarray, level: int, y: np.floating, x: np.floating) -> np.floating:
    """The same by Keys' cubic, which keeps more detail and takes longer."""
    top, left = int(y), int(x)
    down, right = _cubic_weights(y - np.float32(top)), _cubic_weights(x - np.float32(left))
    total = np.float32(0)
    for v in range(4):
        row = np.float32(0)
        for u in range(4):
            row += right[u] * stack[level, top - 1 + v, left - 1 + u]
        total += down[v] * row
    return total
