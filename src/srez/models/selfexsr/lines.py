"""Straight line segments of a picture.

As in von Gioi et al., "LSD: a fast line segment detector with a false detection control", PAMI 2010: pixels
grow into regions of one direction, which are taken for segments if they are long and thin. Its statistical
test is left out: what is found here votes, so that a few false segments do no harm.
"""

import numpy as np
from numba import njit

_ANGLE = np.float32(np.pi / 8)  # that a pixel's direction may differ from its region's
_LEAST_CONTRAST = 0.02  # of grey values from 0 to 1
_LEAST_LENGTH = 8.0  # pixels
_LEAST_THINNESS = 4.0  # length over width


def segments(plane: np.ndarray) -> np.ndarray:
    """Find the straight segments of a plane.

    Args:
        plane: `(H, W)` float32 in [0, 1].

    Returns:
        `(N, 4)` float32: x and y of both ends, in pixels from the outer corner of the first pixel.
    """
    if min(plane.shape) < 3:
        return np.zeros((0, 4), np.float32)
    # Differences of blocks of 2x2 pixels, which belong to the corner that the four share.
    across = (plane[:-1, 1:] - plane[:-1, :-1] + plane[1:, 1:] - plane[1:, :-1]) / 2
    down = (plane[1:, :-1] - plane[:-1, :-1] + plane[1:, 1:] - plane[:-1, 1:]) / 2
    strength = np.hypot(across, down)
    angle = np.arctan2(across, -down).astype(np.float32)  # along the edge
    order = np.argsort(-strength, axis=None, kind="stable")
    order = order[: np.count_nonzero(strength > _LEAST_CONTRAST)]
    return _grown(strength.astype(np.float32), angle, order, _LEAST_CONTRAST)


@njit(cache=True)
def _grown(strength: np.ndarray, angle: np.ndarray, order: np.ndarray, least: float) -> np.ndarray:
    """Grow regions from the strongest pixels, and keep those that are segments."""
    height, width = strength.shape
    taken = strength <= least
    found = np.empty((len(order), 4), np.float32)
    region = np.empty(len(order), np.int64)
    count = 0
    for start in order:
        if taken[start // width, start % width]:
            continue
        taken[start // width, start % width] = True
        region[0], size, next_one = start, 1, 0
        direction = angle[start // width, start % width]
        cos, sin = np.cos(direction), np.sin(direction)
        while next_one < size:
            y, x = region[next_one] // width, region[next_one] % width
            next_one += 1
            for v in range(max(y - 1, 0), min(y + 2, height)):
                for u in range(max(x - 1, 0), min(x + 2, width)):
                    turn = angle[v, u] - direction
                    if taken[v, u] or abs(np.arctan2(np.sin(turn), np.cos(turn))) > _ANGLE:
                        continue
                    taken[v, u] = True
                    region[size] = v * width + u
                    size += 1
                    cos, sin = cos + np.cos(angle[v, u]), sin + np.sin(angle[v, u])
                    direction = np.arctan2(sin, cos)
        if size >= _LEAST_LENGTH and _is_segment(region[:size], width, strength, found[count]):
            count += 1
    return found[:count].copy()


@njit(cache=True)
def _is_segment(region: np.ndarray, width: int, strength: np.ndarray, ends: np.ndarray) -> bool:
    """Whether a region is long and thin; writes its ends."""
    total, mx, my, xx, xy, yy = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for place in region:
        y, x = place // width, place % width
        weight = strength[y, x]
        total += weight
        mx, my = mx + weight * x, my + weight * y
    mx, my = mx / total, my / total
    for place in region:
        y, x = place // width - my, place % width - mx
        weight = strength[place // width, place % width]
        xx, xy, yy = xx + weight * x * x, xy + weight * x * y, yy + weight * y * y
    axis = 0.5 * np.arctan2(2 * xy, xx - yy)
    cos, sin = np.cos(axis), np.sin(axis)
    first, last, left, right = 0.0, 0.0, 0.0, 0.0
    for place in region:
        y, x = place // width - my, place % width - mx
        along, beside = x * cos + y * sin, y * cos - x * sin
        first, last = min(first, along), max(last, along)
        left, right = min(left, beside), max(right, beside)
    # A corner of four pixels lies a pixel farther than the first of them.
    ends[0], ends[1] = mx + 1 + first * cos, my + 1 + first * sin
    ends[2], ends[3] = mx + 1 + last * cos, my + 1 + last * sin
    length = last - first
    return length >= _LEAST_LENGTH and length >= _LEAST_THINNESS * (right - left + 1)
