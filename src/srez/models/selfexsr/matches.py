"""Matches: for each pixel of the larger picture, where in the input the patch around it looks alike, and how.

A field of matches is `(H, W, FIELDS)` float32. Positions are in pixels of the input, from the outer corner of
its first pixel.
"""

import numpy as np
from numba import njit

from srez.models.selfexsr.sampling import BORDER

FIELDS = 7
X, Y, SCALE, TURN, SHEAR, STRETCH, PLANE = range(FIELDS)
"""Position of the source; the logarithm of its size, 0 where a pixel takes one of the input; a rotation in
radians; a shear; the logarithm of a stretch of x against y; the number of a
plane, 0 for the one that faces us."""

STEP = 4 ** (1 / 6)  # from one scale to the next: six steps make x4, as in the paper
LOG_STEP = np.float32(np.log(STEP))
SMALLEST = np.float32(-0.1)  # of SCALE: below, a source has no more detail than its target
_LARGEST_ENTRY = np.float32(3)  # of a matrix's row, so that patches stay within the border


def in_place(height: int, width: int, zoom: np.ndarray) -> np.ndarray:
    """A field in which each patch matches what lies at its own place, at the input's scale.

    Args:
        height: of the larger picture.
        width: of it.
        zoom: how many times it is higher and wider than the input.
    """
    field = np.zeros((height, width, FIELDS), np.float32)
    field[..., X] = (np.arange(width) + 0.5) / zoom[1]
    field[..., Y] = ((np.arange(height) + 0.5) / zoom[0])[:, None]
    return field


def scattered(field: np.ndarray, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """A field whose sources lie anywhere in an input of a shape."""
    chance = np.random.default_rng(seed)
    moved = field.copy()
    moved[..., X] = chance.random(field.shape[:2], np.float32) * shape[1]
    moved[..., Y] = chance.random(field.shape[:2], np.float32) * shape[0]
    return moved


def enlarged(field: np.ndarray, height: int, width: int) -> np.ndarray:
    """The field of a picture for one a step larger."""
    rows, columns = (
        ((np.arange(to) + 0.5) * length / to).astype(int)
        for length, to in zip(field.shape, (height, width), strict=False)
    )
    return field[rows[:, None], columns]


@njit(cache=True, inline="always")
def centre(index: int, zoom: np.floating) -> np.floating:
    """Of a pixel of the larger picture, in pixels of the input."""
    return (np.float32(index) + np.float32(0.5)) / zoom


@njit(cache=True, inline="always")
def _rectifying(
    planes: np.ndarray, plane: int, x: np.floating, y: np.floating
) -> tuple[np.floating, np.floating, np.floating, np.floating]:
    """How a plane's picture is distorted at a position: the matrix to its front view, of determinant 1."""
    l1, l2, l3 = planes[plane, 0], planes[plane, 1], planes[plane, 2]
    a, b, c, d = l2 * y + l3, -x * l2, -y * l1, l1 * x + l3
    unit = np.float32(1) / np.sqrt(max(abs(a * d - b * c), np.float32(1e-12)))
    return a * unit, b * unit, c * unit, d * unit


@njit(cache=True, inline="always")
def matrix(
    match: np.ndarray, x: np.floating, y: np.floating, planes: np.ndarray
) -> tuple[np.floating, np.floating, np.floating, np.floating]:
    """From offsets in pixels around a target to offsets in pixels of the input around its source.

    Args:
        match: `(FIELDS,)`.
        x: of the target, in pixels of the input.
        y: of it.
        planes: see `srez.models.selfexsr.planes`.

    Returns:
        The entries, row by row.
    """
    cos, sin, stretch = np.cos(match[TURN]), np.sin(match[TURN]), np.exp(match[STRETCH])
    a, b = cos * stretch, cos * match[SHEAR] - sin / stretch
    c, d = sin * stretch, sin * match[SHEAR] + cos / stretch
    plane = int(match[PLANE])
    if plane > 0:  # to the front view, there turned and stretched, and back at the source
        ta, tb, tc, td = _rectifying(planes, plane, x, y)
        sa, sb, sc, sd = _rectifying(planes, plane, match[X], match[Y])
        a, b, c, d = a * ta + b * tc, a * tb + b * td, c * ta + d * tc, c * tb + d * td
        a, b, c, d = sd * a - sb * c, sd * b - sb * d, sa * c - sc * a, sa * d - sc * b
    scale = np.exp(match[SCALE])
    return a * scale, b * scale, c * scale, d * scale


@njit(cache=True, inline="always")
def frame(
    match: np.ndarray, x: np.floating, y: np.floating, planes: np.ndarray, sizes: np.ndarray
) -> tuple[int, np.floating, np.floating, np.floating, np.floating, np.floating, np.floating]:
    """Where to sample a source: the level of the pyramid, the position on it, and the matrix there.

    Args:
        match: `(FIELDS,)`.
        x: of the target, in pixels of the input.
        y: of it.
        planes: see `srez.models.selfexsr.planes`.
        sizes: height and width of each level, `(N, 2)`.

    Returns:
        Level, y and x on it as `sampling` counts them, and the matrix row by row. The level is -1 for what
        cannot be sampled.
    """
    a, b, c, d = matrix(match, x, y, planes)
    level = min(max(int(np.round(match[SCALE] / LOG_STEP)), 0), len(sizes) - 1)
    down, right = np.float32(sizes[level, 0] / sizes[0, 0]), np.float32(sizes[level, 1] / sizes[0, 1])
    a, b, c, d = a * right, b * right, c * down, d * down
    inside = 0 <= match[X] <= sizes[0, 1] and 0 <= match[Y] <= sizes[0, 0] and match[SCALE] >= SMALLEST
    if not inside or max(abs(a) + abs(b), abs(c) + abs(d)) > _LARGEST_ENTRY:
        level = -1
    shift = np.float32(BORDER - 0.5)
    return level, match[Y] * down + shift, match[X] * right + shift, a, b, c, d
