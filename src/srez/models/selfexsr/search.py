"""The search for matches: PatchMatch.

Barnes et al., "The generalized PatchMatch correspondence algorithm", ECCV 2010; but every pass looks at the
matches of the pass before, from all sides. So rows are searched at the same time, and any number of threads
finds the same.
"""

from typing import NamedTuple

import numpy as np
from numba import njit, prange

from srez.models.selfexsr.chance import between, following
from srez.models.selfexsr.matches import (
    FIELDS,
    PLANE,
    SCALE,
    SHEAR,
    STRETCH,
    TURN,
    X,
    Y,
    centre,
    frame,
    matrix,
)
from srez.models.selfexsr.sampling import bilinear

HALF = 2  # pixels that a patch reaches to each side: 5x5, as in the paper
_VARIANCE = 3.0  # in pixels, of the weights of a patch
_TRIES = 8  # at random, each in half the distance of the one before
_LEAST_DISTANCE = np.float32(0.5)  # pixels of the input
_LEAST_SHARE = np.float32(0.1)  # of the changes of shape that the last tries make
_COSTLY = np.float32(1e30)
_ROWS = (2, 1, 3, 0, 4)  # of a patch: the middle, which tells most, first


class Compared(NamedTuple):
    """What a search compares.

    Attributes:
        target: what is matched, continued by `HALF` pixels, float32.
        zoom: how many times it is higher and wider than the input, `(2,)`.
        blurred: where matches are looked for: the levels of the input, as blurred as the target.
        sizes: of the levels, `(N, 2)`.
        planes: see `srez.models.selfexsr.planes`.
        likely: costs of each plane at each pixel of the input, `(planes, h, w)`.
        weights: of the pixels of a patch.
    """

    target: np.ndarray
    zoom: np.ndarray
    blurred: np.ndarray
    sizes: np.ndarray
    planes: np.ndarray
    likely: np.ndarray
    weights: np.ndarray


def patch_weights() -> np.ndarray:
    """How much each pixel of a patch counts, `(5, 5)` float32; they add up to 1."""
    squares = np.arange(-HALF, HALF + 1) ** 2
    weights = np.exp(-(squares[:, None] + squares) / (2 * _VARIANCE)).astype(np.float32)
    return weights / weights.sum()


@njit(cache=True)
def _cost(match: np.ndarray, x: int, y: int, compared: Compared, lowest: np.floating) -> np.floating:
    """How much a patch differs from its source, but for their means, and how unlikely its plane is.

    What is sure to be more than the lowest so far is not computed to the end: rows about their own mean never
    differ more than as part of the patch.
    """
    target, zoom, blurred, sizes, planes, likely, weights = compared
    px, py = centre(x, zoom[1]), centre(y, zoom[0])
    level, sy, sx, a, b, c, d = frame(match, px, py, planes, sizes)
    if level < 0:
        return _COSTLY
    plane = int(match[PLANE])
    height, width = likely.shape[1:]
    unlikely = (
        likely[plane, min(int(py), height - 1), min(int(px), width - 1)]
        + likely[plane, min(int(match[Y]), height - 1), min(int(match[X]), width - 1)]
    )
    cost = _COSTLY
    weight, mean, squares = np.float32(0), np.float32(0), np.float32(0)
    for row in range(2 * HALF + 1):
        v = _ROWS[row]
        for u in range(2 * HALF + 1):
            right, down = np.float32(u - HALF), np.float32(v - HALF)
            there = bilinear(blurred, level, sy + c * right + d * down, sx + a * right + b * down)
            difference = there - target[y + v, x + u]
            mean += weights[v, u] * difference
            squares += weights[v, u] * difference * difference
            weight += weights[v, u]
        cost = max(squares - mean * mean / weight, np.float32(0)) + unlikely
        if cost > lowest:
            return _COSTLY
    return cost


@njit(parallel=True, cache=True, fastmath=True)
def costs_of(field: np.ndarray, compared: Compared) -> np.ndarray:
    """The costs of a field of matches, `(H, W, FIELDS)`, as `(H, W)`."""
    height, width = field.shape[:2]
    costs = np.empty((height, width), np.float32)
    for y in prange(height):
        for x in range(width):
            costs[y, x] = _cost(field[y, x], x, y, compared, _COSTLY)
    return costs


@njit(cache=True, inline="always")
def _tried(
    trial: np.ndarray, best: np.ndarray, x: int, y: int, compared: Compared, lowest: np.floating
) -> np.floating:
    """Take a match for the best if it costs less; returns the lowest cost."""
    cost = _cost(trial, x, y, compared, lowest)
    if cost < lowest:
        best[:] = trial
        return cost
    return lowest


@njit(cache=True)
def _moved(
    match: np.ndarray, state: np.unsignedinteger, distance: np.floating, changes: np.floating
) -> np.unsignedinteger:
    """Move a match at random, and change its shape every second time."""
    state = following(state)
    match[X] += between(state, distance)
    state = following(state)
    match[Y] += between(state, distance)
    state = following(state)
    if changes > 0 and state & np.uint32(1):
        for entry in (SCALE, TURN, SHEAR, STRETCH):
            state = following(state)
            match[entry] += between(state, changes)
    return state


@njit(cache=True)
def _along_a_plane(
    match: np.ndarray,
    state: np.unsignedinteger,
    px: np.floating,
    py: np.floating,
    zoom: np.floating,
    distance: np.floating,
    planes: np.ndarray,
) -> np.unsignedinteger:
    """Put a match on a plane, towards one of its vanishing points: there, buildings repeat themselves."""
    state = following(state)
    plane = 1 + state % np.uint32(len(planes) - 1)
    state = following(state)
    point = 3 + 3 * int(state & np.uint32(1))
    vx, vy, vw = planes[plane, point], planes[plane, point + 1], planes[plane, point + 2]
    right, down = vx - vw * px, vy - vw * py
    state = following(state)
    length = between(state, distance) / max(np.sqrt(right * right + down * down), np.float32(1e-6))
    match[X], match[Y], match[PLANE] = px + length * right, py + length * down, np.float32(plane)
    match[TURN] = match[SHEAR] = match[STRETCH] = np.float32(0)
    here = planes[plane, 0] * px + planes[plane, 1] * py + planes[plane, 2]
    there = planes[plane, 0] * match[X] + planes[plane, 1] * match[Y] + planes[plane, 2]
    nearer = max(there / here, np.float32(1e-3))  # below for what lies beyond the horizon
    match[SCALE] = max(np.float32(1.5) * np.log(nearer) - np.log(zoom), np.float32(0))
    return state


@njit(parallel=True, cache=True, fastmath=True)
def improved(
    field: np.ndarray,
    costs: np.ndarray,
    compared: Compared,
    jump: int,
    changes: np.floating,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """One pass of the search.

    Args:
        field: matches so far, `(H, W, FIELDS)`.
        costs: of these, `(H, W)`.
        compared: the pictures.
        jump: how far away the neighbours are whose matches are tried, in pixels.
        changes: how much the shape of a match may change at most; 0 for never.
        seed: of this pass.

    Returns:
        Matches and their costs, which are nowhere higher.
    """
    zoom, sizes, planes = compared.zoom, compared.sizes, compared.planes
    height, width = costs.shape
    better, lower = np.empty_like(field), np.empty_like(costs)
    span = np.float32(max(sizes[0, 0], sizes[0, 1]))
    for y in prange(height):
        trial = np.empty(FIELDS, np.float32)
        state = following(np.uint32(seed) * np.uint32(2654435761) + np.uint32(y))
        for x in range(width):
            best = better[y, x]
            best[:] = field[y, x]
            lowest = costs[y, x]
            for side in range(4):
                down = jump if side == 0 else -jump if side == 1 else 0
                right = jump if side == 2 else -jump if side == 3 else 0
                v, u = y + down, x + right
                if 0 <= v < height and 0 <= u < width:
                    trial[:] = field[v, u]
                    a, b, c, d = matrix(trial, centre(u, zoom[1]), centre(v, zoom[0]), planes)
                    trial[X] -= a * np.float32(right) + b * np.float32(down)
                    trial[Y] -= c * np.float32(right) + d * np.float32(down)
                    lowest = _tried(trial, best, x, y, compared, lowest)
            distance = span
            for _ in range(_TRIES):
                trial[:] = best
                state = _moved(trial, state, distance, changes * max(distance / span, _LEAST_SHARE))
                lowest = _tried(trial, best, x, y, compared, lowest)
                if len(planes) > 1:
                    px, py = centre(x, zoom[1]), centre(y, zoom[0])
                    state = _along_a_plane(trial, state, px, py, zoom[0], distance, planes)
                    lowest = _tried(trial, best, x, y, compared, lowest)
                distance = max(distance * np.float32(0.5), _LEAST_DISTANCE)
            lower[y, x] = lowest
    return better, lower
