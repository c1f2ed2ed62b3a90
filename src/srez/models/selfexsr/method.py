"""The steps from a picture to one of four times its height and width."""

import threading
from collections.abc import Callable
from itertools import pairwise

import numba
import numpy as np

from srez import machine
from srez.models.selfexsr import planes as perspective
from srez.models.selfexsr.matches import STEP, enlarged, in_place, scattered
from srez.models.selfexsr.planes import Geometry
from srez.models.selfexsr.resizing import back_project, resize
from srez.models.selfexsr.sampling import stacked
from srez.models.selfexsr.search import HALF, Compared, costs_of, improved, patch_weights
from srez.models.selfexsr.voting import voted

_STEPS = 6
_JUMPS = (1, 2, 1, 4)  # in each pass of a step: how far away the neighbours are, in pixels
_SEARCHES = 2  # with other chances, which are averaged: what is noise differs, what is detail does not
PASSES = _STEPS * len(_JUMPS) * _SEARCHES
_ROUNDS = 20  # of back-projection after each step, as in the paper
_LEVELS = 4  # of the input, of which the matches are
_CHANGES = 0.3  # of a match's shape at once, at most

_one_at_a_time = threading.Lock()  # not every threading layer of Numba takes calls from several threads

Watch = Callable[[], None]
"""Called after each pass; what it raises ends the work."""


def upscale(
    image: np.ndarray, watch: Watch = lambda: None, geometry: Geometry = Geometry.PLANES, seed: int = 0
) -> np.ndarray:
    """Make a picture four times as high and wide.

    Luma is made from matches, and colours by bicubic, which eyes do not mind; both reduce to the input.

    Args:
        image: `(H, W, 3)` float32 in [0, 1], of any size.
        watch: called after each of the `PASSES` passes of the search.
        geometry: what a match may do.
        seed: of the search.

    Returns:
        `(4 H, 4 W, 3)` float32, which may overshoot [0, 1]. Any number of threads gives the same.
    """
    with _one_at_a_time:
        numba.set_num_threads(min(machine.cores(), numba.get_num_threads()))
        luma = image @ np.array([0.299, 0.587, 0.114], np.float32)
        larger = upscale_plane(luma, watch, geometry, seed)
        colours = [_enlarged_colour(image[..., channel] - luma) for channel in (0, 2)]
        red, blue = (larger + colour for colour in colours)
        green = (larger - 0.299 * red - 0.114 * blue) / 0.587
        return np.stack([red, green, blue], axis=2).astype(np.float32, copy=False)


def _enlarged_colour(plane: np.ndarray) -> np.ndarray:
    if not plane.any():
        return np.zeros([4 * side for side in plane.shape], np.float32)
    return back_project(resize(plane, *(4 * side for side in plane.shape)), plane, _ROUNDS)


def upscale_plane(
    low: np.ndarray,
    watch: Watch = lambda: None,
    geometry: Geometry = Geometry.PLANES,
    seed: int = 0,
) -> np.ndarray:
    """The same for a single plane, `(H, W)` float32 in [0, 1]; the arguments are those of `upscale`."""
    found = perspective.find(low, geometry)
    sharp, blurred, sizes = _levels(low)
    weights = patch_weights()
    changes = 0.0 if geometry == Geometry.TRANSLATION else _CHANGES
    current = low
    fields: list[np.ndarray | None] = [None] * _SEARCHES
    for step in range(1, _STEPS + 1):
        height, width = (round(side * STEP**step) for side in low.shape)
        zoom = np.array([height / len(low), width / low.shape[1]], np.float32)
        target = np.pad(resize(current, height, width), HALF, mode="edge")
        compared = Compared(target, zoom, blurred, sizes, found.lines, found.costs, weights)
        results = []
        for number, field in enumerate(fields):
            start = np.random.SeedSequence([seed, number, step]).generate_state(1)[0]
            field = enlarged(field, height, width) if field is not None else in_place(height, width, zoom)
            if number and step == 1:
                field = scattered(field, low.shape, start)
            costs = costs_of(field, compared)
            for passed, jump in enumerate(_JUMPS):
                field, costs = improved(field, costs, compared, jump, np.float32(changes), start + passed)
                watch()
            results.append(voted(field, costs, target, zoom, blurred, sharp, sizes, found.lines, weights))
            fields[number] = field
        mean = sum(results[1:], results[0]) / np.float32(_SEARCHES)
        current = back_project(mean, low, _ROUNDS)
    return current


def _levels(low: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The input at several scales: sharp, blurred by a step down and up, and their sizes."""
    height, width = low.shape
    scales = [STEP**-level for level in range(1, _LEVELS + 1)]
    planes = [low, *(resize(low, max(round(height * s), 1), max(round(width * s), 1)) for s in scales)]
    sharp = planes[:-1]
    blurred = [resize(smaller, *plane.shape) for plane, smaller in pairwise(planes)]
    return stacked(sharp), stacked(blurred), np.array([plane.shape for plane in sharp])
