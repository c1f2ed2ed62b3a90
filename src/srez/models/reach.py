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
    for height, width in [card.form.side] if card.form.side else grown:
        start = time.monotonic()
        compare = _Windows(run, card, height, width)
        seconds = time.monotonic() - start
        if (radius := compare(1)) is not None:
            return Reach(radius, 1)
        for shift in SHIFTS:
            if shift < min(height, width) // 2 and (radius := compare(shift)) is not None:
                return _refined(compare, Reach(radius, shift))
        if seconds > MOST_SECONDS:
            break
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


class _Windows:
    """Compares windows on one random picture."""

    def __init__(self, run: Run, card: Card, height: int, width: int) -> None:
        self._run, self._card = run, card
        self._height, self._width = height, width
        channels = 1 if card.form.channels == 1 else 3
        random = np.random.default_rng(0)
        self._picture = random.random((height + max(SHIFTS), width + max(SHIFTS), channels), np.float32)
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
