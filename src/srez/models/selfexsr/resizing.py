"""Resizing planes to any size as MATLAB's `imresize` does: Keys' cubic, widened where it reduces."""

from functools import lru_cache

import numpy as np
from numba import njit, prange

from srez.images.resample import keys_cubic


def resize(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize a plane with half-pixel centres; what lies outside is its mirror image.

    Args:
        plane: `(H, W)` float32.
        height: wanted, in pixels.
        width: wanted, in pixels.

    Returns:
        `(height, width)` float32, not rounded.
    """
    rows = _weighted_rows(np.ascontiguousarray(plane), *_taps(plane.shape[0], height))
    return _weighted_columns(rows, *_taps(plane.shape[1], width))


@lru_cache(maxsize=64)
def _taps(length: int, to_length: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel takes its value from, and with which weights: `(to_length, taps)` each."""
    widening = max(length / to_length, 1.0)
    count = int(np.ceil(4 * widening)) + 2
    centres = (np.arange(to_length) + 0.5) * length / to_length - 0.5
    places = np.floor(centres - 2 * widening).astype(int)[:, None] + np.arange(count)
    weights = keys_cubic((centres[:, None] - places) / widening)
    weights /= weights.sum(axis=1, keepdims=True)
    folded = np.mod(places, 2 * length)
    mirrored = np.minimum(folded, 2 * length - 1 - folded)
    return mirrored.astype(np.int32), weights.astype(np.float32)


@njit(parallel=True, cache=True)
def _weighted_rows(plane: np.ndarray, places: np.ndarray, weights: np.ndarray) -> np.ndarray:
    result = np.zeros((len(places), plane.shape[1]), np.float32)
    for y in prange(len(places)):
        for tap in range(places.shape[1]):
            weight, row = weights[y, tap], places[y, tap]
            if weight != 0:
                for x in range(plane.shape[1]):
                    result[y, x] += weight * plane[row, x]
    return result


@njit(parallel=True, cache=True)
def _weighted_columns(plane: np.ndarray, places: np.ndarray, weights: np.ndarray) -> np.ndarray:
    result = np.empty((len(plane), len(places)), np.float32)
    for y in prange(len(plane)):
        for x in range(len(places)):
            total = np.float32(0)
            for tap in range(places.shape[1]):
                total += weights[x, tap] * plane[y, places[x, tap]]
            result[y, x] = total
    return result


def back_project(plane: np.ndarray, low: np.ndarray, rounds: int) -> np.ndarray:
    """Iterative back-projection: change a plane until it reduces to the input.

    Irani and Peleg, "Improving resolution by image registration", CVGIP 1991.

    Args:
        plane: `(H, W)` float32.
        low: the input, `(h, w)` float32.
        rounds: how often the difference is brought back.

    Returns:
        `(H, W)` float32.
    """
    for _ in range(rounds):
        plane = plane + resize(low - resize(plane, *low.shape), *plane.shape)
    return plane
