"""Cut, run, put together: any size of picture in little memory."""

import logging
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

Progress = Callable[[float], None]
Run = Callable[[np.ndarray], np.ndarray]

SMALLEST = 16  # input pixels; when memory does not suffice for such a tile, no smaller one will help

_log = logging.getLogger("srez")


def ignore(fraction: float) -> None:
    """A progress callback for when nobody looks."""
    del fraction


@dataclass(frozen=True)
class Cut:
    """How to cut a picture; all sizes in input pixels.

    Attributes:
        tile: the largest side of a tile without its margin.
        overlap: the margin around a tile. With at least the network's receptive radius, what comes out
            equals the result of the whole picture.
        edge: how many pixels of its own reflection are put around the picture.
        threads: how many tiles are run at the same time.
        fixed: whether `tile` stays as it is when memory runs out, instead of being halved.
    """

    tile: int
    overlap: int
    edge: int = 0
    threads: int = 1
    fixed: bool = False


def bands(
    run: Run, image: np.ndarray, scale: int, cut: Cut, progress: Progress = ignore
) -> Generator[np.ndarray, None, None]:
    """Upscale a picture tile by tile, and hand it out by rows of tiles.

    While the caller deals with one row of tiles, the next is already being run; no more than two exist.

    Args:
        run: `(h, w, C)` to `(scale h, scale w, C)` of the same dtype; called in several threads.
        image: `(H, W, C)`, any dtype.
        scale: of `run`.
        cut: how to cut.
        progress: called after each tile with the fraction of pixels done.

    Yields:
        From top to bottom, `(scale h, scale W, C)` of the image's dtype; all h together are H.

    Raises:
        MemoryError: `run` raised it, and tiles are as small as they may become.
    """
    height, width = image.shape[:2]
    pool = ThreadPoolExecutor(cut.threads)
    try:
        band: _Band | None = _start(pool, run, image, scale, cut, top=0)
        while band is not None:
            following = _start(pool, run, image, scale, cut, band.bottom) if band.bottom < height else None
            try:
                for right, future in band.tiles:
                    future.result()
                    progress((band.top * width + right * (band.bottom - band.top)) / (height * width))
            except MemoryError:
                _settle(band, following)
                if cut.fixed or cut.tile // 2 < SMALLEST:
                    raise
                _log.warning(
                    "out of memory with tiles of %d pixels: going on with %d", cut.tile, cut.tile // 2
                )
                cut = replace(cut, tile=cut.tile // 2)
                band = _start(pool, run, image, scale, cut, band.top)
                continue
            finished, band = band.output, following
            yield finished
            del finished  # not while the next one is waited for
    finally:
        pool.shutdown(cancel_futures=True)


def tiled(run: Run, image: np.ndarray, scale: int, cut: Cut, progress: Progress = ignore) -> np.ndarray:
    """Upscale a picture tile by tile, into one array: `bands`, put together.

    Returns:
        `(scale H, scale W, C)`, of the image's dtype.
    """
    height, width, channels = image.shape
    output = np.empty((height * scale, width * scale, channels), image.dtype)
    top = 0
    for band in bands(run, image, scale, cut, progress):
        output[top : top + len(band)] = band
        top += len(band)
    return output


def side_that_fits(memory: int, bytes_per_pixel: int, overlap: int, threads: int) -> int:
    """The side of tiles that `threads` can run at the same time within some memory, margins included.

    Args:
        memory: in bytes.
        bytes_per_pixel: that a run takes for each input pixel.
        overlap: the margin, in input pixels.
        threads: tiles at the same time.
    """
    whole = int((memory / threads / bytes_per_pixel) ** 0.5)
    return max(whole - 2 * overlap, SMALLEST)


@dataclass(frozen=True)
class _Band:
    """A row of tiles under way: its input rows, its output, and the right edges of its tiles."""

    top: int
    bottom: int
    output: np.ndarray
    tiles: list[tuple[int, Future[None]]]


def _start(pool: ThreadPoolExecutor, run: Run, image: np.ndarray, scale: int, cut: Cut, top: int) -> _Band:
    height, width, channels = image.shape
    bottom = min(top + cut.tile, height)  # not all rows alike: then memory would depend on the height
    output = np.empty(((bottom - top) * scale, width * scale, channels), image.dtype)

    def work(left: int, right: int) -> None:
        y, above = _with_margin(top, bottom, height, cut)
        x, before = _with_margin(left, right, width, cut)
        piece = run(image[y][:, x])
        inner = piece[above * scale :, before * scale :][: len(output), : (right - left) * scale]
        output[:, left * scale : right * scale] = inner

    edges = _columns(width, cut)
    tiles = [(right, pool.submit(work, left, right)) for left, right in pairwise(edges)]
    return _Band(top, bottom, output, tiles)


def _columns(width: int, cut: Cut) -> list[int]:
    """The edges of tiles along a row: nearly equal, and a share for every thread where that is worth it."""
    count = -(-width // cut.tile)
    shared = -(-count // cut.threads) * cut.threads
    if width // shared >= 2 * cut.overlap:
        count = shared
    return [round(index * width / count) for index in range(count + 1)]


def _with_margin(start: int, stop: int, length: int, cut: Cut) -> tuple[slice | np.ndarray, int]:
    """Which rows (or columns) a tile and its margin take, and how many of them come before the tile."""
    first, last = max(start - cut.overlap, -cut.edge), min(stop + cut.overlap, length + cut.edge)
    if first >= 0 and last <= length:
        return slice(first, last), start - first
    return _reflected(np.arange(first, last), length), start - first


def _reflected(index: np.ndarray, length: int) -> np.ndarray:
    """Places inside a line for places outside it, mirrored at its first and last pixel."""
    period = max(2 * (length - 1), 1)
    folded = np.abs(index) % period
    return np.minimum(folded, period - folded) if length > 1 else np.zeros_like(index)


def _settle(*under_way: _Band | None) -> None:
    """Wait until nothing of some bands is running any more."""
    futures = [future for band in under_way if band for _, future in band.tiles]
    for future in futures:
        future.cancel()
    wait(futures)
