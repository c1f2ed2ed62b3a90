"""What all formats of animations have in common: frames, their times, and what changes between them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from srez.images.picture import Metadata


class Still(NamedTuple):
    """A frame as it is seen.

    Attributes:
        pixels: `(H, W, 3)` or `(H, W, 4)` uint8.
        duration: in milliseconds.
    """

    pixels: np.ndarray
    duration: float


@dataclass(frozen=True)
class Look:
    """What there is beside the frames.

    Attributes:
        size: width and height, in pixels.
        count: of frames.
        plays: how often they are played; 0 for without end.
        quality: of WebP, from 1 to 100.
        metadata: as the format holds them.
    """

    size: tuple[int, int]
    count: int
    plays: int
    quality: int
    metadata: Metadata


class Patch(NamedTuple):
    """A rectangle that replaces what was there.

    Attributes:
        left: of the rectangle, in pixels.
        top: of it.
        pixels: `(h, w, 3)` or `(h, w, 4)` uint8.
        duration: of the frame, in whole units.
    """

    left: int
    top: int
    pixels: np.ndarray
    duration: int


def patches(frames: Iterable[Still], unit: float, even: bool = False) -> Iterator[Patch]:
    """What changes from frame to frame: the first is whole, one that is like the last has a pixel.

    Args:
        frames: in their order.
        unit: of durations, in milliseconds; what is rounded is made good by the next.
        even: whether rectangles begin at even places.
    """
    before, clock = None, Clock(unit)
    for still, duration in frames:
        left, top, right, bottom = (0, 0, *still.shape[1::-1]) if before is None else changed(before, still)
        if even:
            left, top = left - left % 2, top - top % 2
        yield Patch(left, top, still[top:bottom, left:right], clock.units(duration))
        before = still


class Clock:
    """Durations in whole units; what one loses by rounding, the next makes good."""

    def __init__(self, unit: float) -> None:
        """A clock at 0, whose unit is in milliseconds."""
        self._unit, self._now = unit, 0.0

    def units(self, duration: float) -> int:
        """The units of a duration in milliseconds."""
        start = round(self._now)
        self._now += duration / self._unit
        return round(self._now) - start


def with_alpha(pixels: np.ndarray) -> np.ndarray:
    """Pixels as RGBA."""
    if pixels.shape[2] == 4:
        return pixels
    return np.concatenate([pixels, np.full_like(pixels[..., :1], 255)], axis=2)


def changed(before: np.ndarray, after: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what differs; a pixel where nothing does."""
    if before.shape != after.shape:
        before, after = with_alpha(before), with_alpha(after)
    differs = (before != after).any(axis=2)
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if not rows.size:
        return 0, 0, 1, 1
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
