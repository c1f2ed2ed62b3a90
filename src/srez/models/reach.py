"""How far a network sees, and where its tiles may begin, measured by moving a picture under it.

Two windows on one picture, a few pixels apart, must give the same where they overlap, but for a margin at
their borders: how far the network sees. A network that works in blocks gives it only if the shift is a
multiple of these.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from srez.models.card import Card
from srez.models.fitting import Run

SHIFTS = (16, 32, 12, 24, 14, 48, 64, 10)  # tried where a shift of 1 does not do, in pixels
LARGEST = 256  # side of pictures, in pixels
MOST_SECONDS = 5.0  # for one run: with a larger picture it takes four times as long

_APART = 3  # how many times as large a window is as its distance to the next, where they are far apart
_CALM = 4  # pixels between the margins that must be equal
_TOLERANCE = {"float32": 1 / 1020, "float16": 1 / 510, "uint8": 1.5 / 255}  # of a value range of 1


@dataclass(frozen=True)
class Reach:
    """What was measured, in input pixels.

    Attributes:
        radius: how far an output pixel sees.
        period: what tiles must begin at multiples of.
    """

    radius: int
    period: int


def measure(run: Run, card: Card, side: int) -> Reach | None:
    """Measure how far a network sees, up to a quarter of a grey level.

    Args:
        run: the network, as `fitting.fitted` gives it.
        card: with its scale and form.
        side: of a picture that it takes, in pixels.

    Returns:
        None if it sees farther than a picture of 256 pixels tells, or everything at once.
    """
    grown = [(n, n) for n in (side, 2 * side, 4 * side) if n <= max(LARGEST, side)]
    found = None
    for height, width in [card.form.side] if card.form.side else grown:
        start = time.monotonic()
        compare = _Windows(run, card, height, width, _noise)
        seconds = time.monotonic() - start
        shorter = min(height, width)
        if near := _near(compare, shorter):
            found = near
            # Two borders side by side have much the same effect, and noise drowns it: what a border
            # does shows far from another one, and on a bright smooth picture.
            apart = max(shorter // _APART // near.period, 1) * near.period
            smooth = _Windows(run, card, height, width, _bright)
            far = [radius for each in (compare, smooth) if (radius := each(apart)) is not None]
            if len(far) == 2:
                return Reach(max(*far, near.radius), near.period)
        if seconds > MOST_SECONDS:
            break
    return found


def _near(compare: "_Windows", side: int) -> Reach | None:
    """What windows tell that are as near to each other as they may be."""
    if (radius := compare(1)) is not None:
        return Reach(radius, 1)
    for shift in SHIFTS:
        if shift < side // 2 and (radius := compare(shift)) is not None:
            return _refined(compare, Reach(radius, shift))
    return None


def least_multiple(takes: Callable[[int], bool], period: int, side: int) -> int:
    """The least multiple of `period` by which pictures may grow.

    Args:
        takes: whether pictures that are so many pixels larger than `side` are taken.
        period: of tiles, in pixels.
        side: that is taken, in pixels.
    """
    steps = [step for step in range(period, side + 1, period) if side % step == 0]
    return next((step for step in steps if takes(step)), steps[-1] if steps else period)


def _refined(compare: "_Windows", found: Reach) -> Reach:
    """The same with the smallest shift that does."""
    for shift in range(2, found.period):
        if found.period % shift == 0 and (radius := compare(shift)) is not None:
            return Reach(radius, shift)
    return found


def _noise(height: int, width: int, channels: int) -> np.ndarray:
    return np.random.default_rng(0).random((height, width, channels), np.float32)


def _bright(height: int, width: int, channels: int) -> np.ndarray:
    """Waves from 0.4 to 1: what lies beyond an edge, often zeros, is far from them."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    waves = [np.sin(x / (5 + c) + c) + np.cos(y / (7 - c)) for c in range(channels)]
    return 0.7 + 0.15 * np.stack(waves, axis=2).astype(np.float32)


class _Windows:
    """Compares windows on one picture."""

    def __init__(
        self, run: Run, card: Card, height: int, width: int, draw: Callable[[int, int, int], np.ndarray]
    ) -> None:
        self._run, self._card = run, card
        self._height, self._width = height, width
        more = max(*SHIFTS, height, width)
        self._picture = draw(height + more, width + more, 1 if card.form.channels == 1 else 3)
        self._first = self._window(0, 0)

    def __call__(self, shift: int) -> int | None:
        """How far windows so many pixels apart differ from their borders; None if they do everywhere."""
        margins = []
        for axis, window in enumerate((self._window(shift, 0), self._window(0, shift))):
            length = (self._height, self._width)[axis] - shift
            step = self._card.scale
            first = np.moveaxis(self._first, axis, 0)[shift * step :]
            other = np.moveaxis(window, axis, 0)[: length * step]
            differs = np.abs(first - other).reshape(length, -1).max(axis=1)
            far = np.flatnonzero(differs > _TOLERANCE[self._card.form.type])
            before, after = far[far < length / 2], far[far >= length / 2]
            start = int(before[-1]) + 1 if len(before) else 0
            end = length - int(after[0]) if len(after) else 0
            if start + end > length - _CALM:
                return None
            margins += [start, end]
        return max(margins)

    def _window(self, top: int, left: int) -> np.ndarray:
        window = self._picture[top : top + self._height, left : left + self._width]
        return self._run(window[None])[0]
