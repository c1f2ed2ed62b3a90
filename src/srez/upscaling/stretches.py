"""The rows of a result, a stretch at a time, with those around them: for what looks at more than a pixel."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

_ROWS = 128  # of the input at a time


@dataclass(frozen=True)
class Stretch:
    """Some rows of a result.

    Attributes:
        rows: those rows and some on both sides, `(h, scale W, C)`.
        inner: which of `rows` are not those on both sides.
        seen: which rows of the input `rows` show.
    """

    rows: np.ndarray
    inner: slice
    seen: slice


def along(bands: Iterable[np.ndarray], height: int, scale: int, around: int) -> Iterator[Stretch]:
    """Cut a result that comes in bands into stretches of its own; a band and a stretch are held at most.

    Args:
        bands: from top to bottom, `(h, scale W, C)` each.
        height: of the input.
        scale: of the result.
        around: how many rows of the input a stretch shows on both sides, where there are so many.

    Yields:
        From top to bottom; all inner rows together are the result.
    """
    start = first = 0  # rows of the input: of the next stretch, and of what is held
    held: list[np.ndarray] = []
    waiting = 0  # rows of the result that are held
    for band in bands:
        held.append(band)
        waiting += len(band)
        while start < height and first * scale + waiting >= min(start + _ROWS + around, height) * scale:
            rows = held[0] if len(held) == 1 else np.concatenate(held)
            end, last = min(start + _ROWS, height), min(start + _ROWS + around, height)
            inner = slice((start - first) * scale, (end - first) * scale)
            yield Stretch(rows[: (last - first) * scale], inner, slice(first, last))
            start, before = end, first
            first = max(end - around, 0)
            held = [rows[(first - before) * scale :]]
            waiting = len(held[0])
