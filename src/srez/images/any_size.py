"""Pictures in bands, brought to any size: smaller by area or bicubic, larger by Lanczos or nearest."""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from srez.images.resample import keys_cubic

_ROWS_AT_ONCE = 32  # of the input, so that sums in float64 stay small
_MOST_ROWS = 64  # of the result at once
_COLUMNS_AT_ONCE = 32  # of the result: a product of small matrices is faster than the sums one by one


@dataclass(frozen=True)
class Kernel:
    """What the pixels around give to a pixel of the result, with half-pixel centres.

    Attributes:
        weights: of pixels at distances, in pixels of the input, for a widening of 1 or more, which is by how
            much the kernel is stretched against aliasing where the result is smaller.
        reach: how far they reach, in pixels of the input times the widening.
        mirrored: whether a picture is mirrored at its border; else nothing lies outside, and the weights are
            renormalised.
    """

    weights: Callable[[np.ndarray, float], np.ndarray]
    reach: int
    mirrored: bool = False


AREA = Kernel(lambda distance, wide: ((wide + 1) / 2 - np.abs(distance)).clip(0, 1), 1)
"""The mean of what a pixel covers, fractions of pixels included; to smaller sizes."""

BICUBIC = Kernel(lambda distance, wide: keys_cubic(distance / wide), 2, mirrored=True)
"""Keys' cubic as MATLAB's `imresize` has it; as `resample.bicubic_reduce`, but rounded only once."""

LANCZOS = Kernel(lambda distance, wide: _lanczos(distance / wide), 3)
"""Three lobes. Duchon, "Lanczos filtering in one and two dimensions", Journal of Applied Meteorology 1979."""

NEAREST = Kernel(lambda distance, _: ((distance >= -0.5) & (distance < 0.5)).astype(float), 1)
"""The pixel in which the middle of one of the result lies; to larger sizes."""


def resize(
    bands: Iterable[np.ndarray],
    size: tuple[int, int],
    target: tuple[int, int],
    kernel: Kernel,
    beyond: int = 0,
) -> Iterator[np.ndarray]:
    """Bring a picture that comes in bands to any size, in memory for a few rows.

    Args:
        bands: from top to bottom, `(h, W, C)` each, uint8 or uint16.
        size: width and height of the picture, in pixels.
        target: width and height wanted.
        kernel: one of the above.
        beyond: how many pixels of what lies around the picture the bands have, on all four sides; where they
            have as many as `seen_beyond` says, nothing depends on where the picture ends.

    Yields:
        From top to bottom, `(h, target width, C)` of the same dtype, rounded and clipped.
    """
    (width, height), (to_width, to_height) = size, target
    across, along = _Taps(width, to_width, kernel, beyond), _Taps(height, to_height, kernel, beyond)
    starts = range(0, to_width, _COLUMNS_AT_ONCE)
    chosen = [slice(start, min(start + _COLUMNS_AT_ONCE, to_width)) for start in starts]
    columns = [(each, seen := across.seen(each), across.matrix(each, seen)) for each in chosen]
    at_once = max(1, min(_ROWS_AT_ONCE, _MOST_ROWS * height // to_height))
    top, done, sums = 0, 0, None  # sums of the rows of the result that have begun but are not done
    for band in bands:
        for part in np.split(band, range(at_once, len(band), at_once)):
            begun, finished = along.reached(top + len(part))
            rows = np.ascontiguousarray(part.swapaxes(1, 2), np.float64)  # (h, C, W), which multiplies faster
            fresh = np.tensordot(along.matrix(slice(done, begun), slice(top, top + len(part))), rows, axes=1)
            if sums is not None:
                fresh[: len(sums)] += sums
            for start in range(0, finished - done, _MOST_ROWS):
                ready = fresh[start : min(start + _MOST_ROWS, finished - done)]
                yield _finished(ready, columns, to_width, band.dtype)
            top, done, sums = top + len(part), finished, fresh[finished - done :].copy()


def seen_beyond(size: tuple[int, int], target: tuple[int, int], kernel: Kernel) -> int:
    """How many pixels beyond a picture's border its resizing sees; the arguments are those of `resize`."""
    return max(math.ceil(kernel.reach * _widening(*sides)) for sides in zip(size, target, strict=True))


def _widening(length: int, to_length: int) -> float:
    return max(length / to_length, 1.0)


def _finished(
    rows: np.ndarray, columns: list[tuple[slice, slice, np.ndarray]], to_width: int, dtype: np.dtype
) -> np.ndarray:
    """`(h, C, W)` to `(h, to_width, C)`; clipped between the directions too, as MATLAB does."""
    most = np.iinfo(dtype).max
    rows = rows.clip(0, most)
    sums = np.empty((*rows.shape[:2], to_width))
    for chosen, seen, weights in columns:
        sums[..., chosen] = rows[..., seen] @ weights.T
    return np.rint(sums).clip(0, most).astype(dtype).swapaxes(1, 2)


class _Taps:
    """Where each pixel along one side takes its value from, and with which weights."""

    def __init__(self, length: int, to_length: int, kernel: Kernel, beyond: int) -> None:
        widening = _widening(length, to_length)
        reach = kernel.reach * widening
        centres = (np.arange(to_length) + 0.5) * length / to_length - 0.5 + beyond
        length += 2 * beyond
        places = np.floor(centres - reach).astype(int)[:, None] + np.arange(int(np.ceil(2 * reach)) + 2)
        weights = kernel.weights(centres[:, None] - places, widening)
        self._first, self._last = places[:, 0].clip(0, length - 1), places[:, -1].clip(0, length - 1)
        if kernel.mirrored:  # what is outside lies within the same reach inside
            places = np.mod(places, 2 * length)
            places = np.minimum(places, 2 * length - 1 - places)
        else:
            weights *= (places >= 0) & (places < length)
        self._places, self._weights = places, weights / weights.sum(axis=1, keepdims=True)

    def reached(self, length: int) -> tuple[int, int]:
        """How many pixels take something from the first `length` of the input, and how many nothing else."""
        return int(np.searchsorted(self._first, length)), int(np.searchsorted(self._last, length))

    def seen(self, chosen: slice) -> slice:
        """What some pixels of the result, one after another, take from."""
        return slice(int(self._first[chosen][0]), int(self._last[chosen][-1]) + 1)

    def matrix(self, chosen: slice, seen: slice) -> np.ndarray:
        """The weights that pixels of the result have for pixels of the input, one row for each."""
        places, weights, count = self._places[chosen], self._weights[chosen], seen.stop - seen.start
        pixel, tap = np.nonzero((places >= seen.start) & (places < seen.stop))
        at = pixel * count + places[pixel, tap] - seen.start  # several times, where it is mirrored
        sums = np.bincount(at, weights[pixel, tap], len(places) * count)
        return sums.reshape(len(places), count)


def _lanczos(distance: np.ndarray) -> np.ndarray:
    return np.sinc(distance) * np.sinc(distance / 3) * (np.abs(distance) < 3)
