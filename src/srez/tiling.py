"""Cut, run, put together: any size of picture in little memory."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

Progress = Callable[[float], None]


def ignore(fraction: float) -> None:
    """A progress callback for when nobody looks."""
    del fraction


def tiled(
    run: Callable[[np.ndarray], np.ndarray],
    image: np.ndarray,
    scale: int,
    tile: int,
    overlap: int,
    progress: Progress = ignore,
) -> np.ndarray:
    """Upscale a picture piece by piece.

    Every tile is run with a margin of up to `overlap` pixels of its neighbours, which is then cut off. With
    an overlap of at least the network's receptive radius the result equals that of the whole picture.

    Args:
        run: `(h, w, C)` to `(scale h, scale w, C)`.
        image: `(H, W, C)`, any dtype.
        scale: of `run`.
        tile: the largest side of a tile without its margin, in input pixels.
        overlap: the margin, in input pixels.
        progress: called after each tile with the fraction of pixels done.

    Returns:
        `(scale H, scale W, C)`, of the dtype that `run` returns.
    """
    height, width, channels = image.shape
    output = None
    done = 0
    for top, bottom in _spans(height, tile):
        for left, right in _spans(width, tile):
            above, before = max(top - overlap, 0), max(left - overlap, 0)
            piece = run(image[above : bottom + overlap, before : right + overlap])
            if output is None:
                output = np.empty((height * scale, width * scale, channels), piece.dtype)
            inner = piece[
                (top - above) * scale : (bottom - above) * scale,
                (left - before) * scale : (right - before) * scale,
            ]
            output[top * scale : bottom * scale, left * scale : right * scale] = inner
            done += (bottom - top) * (right - left)
            progress(done / (height * width))
    assert output is not None  # a picture has at least one pixel
    return output


def _spans(length: int, tile: int) -> Iterator[tuple[int, int]]:
    """`length` in the fewest spans of at most `tile`, of nearly equal size."""
    count = -(-length // tile)
    edges = [round(index * length / count) for index in range(count + 1)]
    return pairwise(edges)
