"""What matches say about the larger picture: every pixel takes the votes of all patches that cover it."""

import numpy as np
from numba import njit, prange

from srez.models.selfexsr.matches import centre, frame
from srez.models.selfexsr.sampling import BORDER, bicubic, bilinear
from srez.models.selfexsr.search import HALF

_DETAIL = np.float32(0.4)  # of a source's detail that is taken
_LIKENESS = np.float32(0.5)  # of the difference to a source that is taken
_TOLERANCE = np.float32(3e-4)  # squared difference at which a vote counts for 1 / e
_LEAST_WEIGHT = np.float32(1e-6)


@njit(parallel=True, cache=True, fastmath=True)
def voted(
    field: np.ndarray,
    costs: np.ndarray,
    target: np.ndarray,
    zoom: np.ndarray,
    blurred: np.ndarray,
    sharp: np.ndarray,
    sizes: np.ndarray,
    planes: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """The target with detail from its matches.

    A source says two things: what its pixels have more than its blurred ones, and how the target differs from
    it, brightness aside. Taking all of either would add the noise of single matches; the shares were chosen
    on Set5.

    Args:
        field: matches, `(H, W, FIELDS)`.
        costs: of these, `(H, W)`.
        target: what was matched, continued by `HALF` pixels.
        zoom: how many times it is higher and wider than the input.
        blurred: the levels of the input as they were matched.
        sharp: the same levels with all of their detail.
        sizes: of the levels, `(N, 2)`.
        planes: see `srez.models.selfexsr.planes`.
        weights: of the pixels of a patch.

    Returns:
        `(H, W)` float32.
    """
    height, width = costs.shape
    frames = np.empty((height, width, 8), np.float32)
    levels = np.empty((height, width), np.int16)
    for y in prange(height):
        for x in range(width):
            level, sy, sx, a, b, c, d = frame(
                field[y, x], centre(x, zoom[1]), centre(y, zoom[0]), planes, sizes
            )
            if level < 0:  # reaches beyond the picture: one place is read for all, with next to no say
                level, sy, sx = 0, np.float32(BORDER), np.float32(BORDER)
                a = b = c = d = np.float32(0)
            brighter = np.float32(0)
            for v in range(2 * HALF + 1):
                for u in range(2 * HALF + 1):
                    right, down = np.float32(u - HALF), np.float32(v - HALF)
                    there = bilinear(blurred, level, sy + c * right + d * down, sx + a * right + b * down)
                    brighter += weights[v, u] * (target[y + v, x + u] - there)
            levels[y, x] = level
            weight = np.exp(-costs[y, x] / _TOLERANCE) + _LEAST_WEIGHT
            for number, entry in enumerate((sy, sx, a, b, c, d, brighter, weight)):
                frames[y, x, number] = entry
    result = np.empty((height, width), np.float32)
    for y in prange(height):
        for x in range(width):
            total, votes = np.float32(0), np.float32(0)
            here = target[y + HALF, x + HALF]
            for v in range(max(y - HALF, 0), min(y + HALF + 1, height)):
                for u in range(max(x - HALF, 0), min(x + HALF + 1, width)):
                    source = frames[v, u]
                    right, down = np.float32(x - u), np.float32(y - v)
                    row = source[0] + source[4] * right + source[5] * down
                    column = source[1] + source[2] * right + source[3] * down
                    soft = bicubic(blurred, levels[v, u], row, column)
                    detail = bicubic(sharp, levels[v, u], row, column) - soft
                    weight = source[7] * weights[y - v + HALF, x - u + HALF]
                    total += weight * (_DETAIL * detail + _LIKENESS * (soft + source[6] - here))
                    votes += weight
            result[y, x] = here + total / votes
    return result
