"""Cut a picture into tiles, upscale them, and put them together: any size of picture in little memory."""

import logging
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

Progress = Callable[[float], None]
"""Called with the fraction done, from 0 to 1; what it raises ends the work."""

Run = Callable[[np.ndarray], np.ndarray]
"""Upscales a tile: `(h, w, C)` to `(scale h, scale w, C)` of the same dtype; called from several threads."""

BATCH_PIXELS = 32 * 1024  # input pixels of small pictures that are run at once
SMALLEST = 16  # input pixels; where memory does not suffice for such a tile, a smaller one will not help

T = TypeVar("T")
_log = logging.getLogger("srez")


def ignore_progress(fraction: float) -> None:
    """A progress callback that does nothing."""
    del fraction


def shared(progress: Progress, runs: int) -> Progress:
    """The progress of all of several runs, for each of them in turn; 1 ends a run."""
    done = 0

    def watch(fraction: float) -> None:
        nonlocal done
        progress(min((done + fraction) / runs, 1.0))
        done += fraction >= 1

    return watch


@dataclass(frozen=True)
class Cut:
    """How to cut a picture; all sizes in input pixels.

    Attributes:
        tile: the largest side of a tile without its margin.
        overlap: the margin around a tile. If it is at least the network's receptive radius, the result equals
            that of the whole picture.
        edge: how far the picture is extended on all sides by its own reflection.
        threads: how many tiles are run at the same time.
        fixed: whether `tile` is kept when memory runs out, instead of being halved.
        multiple: what tiles begin at multiples of, with their margins; `overlap` and `edge` are some.
        here: whether tiles run in the caller's thread, one after another, so that Ctrl-C stops within one.
    """

    tile: int
    overlap: int
    edge: int = 0
    threads: int = 1
    fixed: bool = False
    multiple: int = 1
    here: bool = False

    def halved(self) -> "Cut":
        """The same with tiles of half the side.

        Raises:
            MemoryError: tiles are fixed, or as small as they may become.
        """
        tile = self.tile // 2 // self.multiple * self.multiple
        if self.fixed or tile < SMALLEST:
            raise MemoryError(f"out of memory with tiles of {self.tile} pixels")
        _log.warning("out of memory with tiles of %d pixels: continuing with %d", self.tile, tile)
        return replace(self, tile=tile)


def bands(
    run: Run, image: np.ndarray, scale: int, cut: Cut, progress: Progress = ignore_progress
) -> Generator[np.ndarray, None, None]:
    """Upscale a picture tile by tile, and yield it by rows of tiles.

    While the caller deals with one row of tiles, the next is being run; no more than two exist at a time.

    Args:
        run: upscales a tile.
        image: `(H, W, C)`, any dtype.
        scale: of `run`.
        cut: how to cut the picture.
        progress: called after each tile with the fraction of pixels done.

    Yields:
        From top to bottom, `(scale h, scale W, C)` of the image's dtype; all h together are H.

    Raises:
        MemoryError: it does not suffice, and tiles cannot become smaller.
    """
    height, width = image.shape[:2]
    pool = _Here() if cut.here else ThreadPoolExecutor(cut.threads)
    top = 0
    band: _Band | None = None
    following: _Band | None = None
    try:
        while top < height:
            try:
                band = band or _start(pool, run, image, scale, cut, top)
                if band.bottom < height:
                    following = _start(pool, run, image, scale, cut, band.bottom)
                for right, future in band.tiles:
                    future.result()
                    progress((top * width + right * (band.bottom - top)) / (height * width))
            except MemoryError:
                _settle(band, following)
                band = following = None
                cut = cut.halved()
                continue
            finished, top = band.output, band.bottom
            band, following = following, None
            yield finished
            del finished  # or it would be kept while the next one is waited for
    finally:
        pool.shutdown(cancel_futures=True)


def tiled(
    run: Run, image: np.ndarray, scale: int, cut: Cut, progress: Progress = ignore_progress
) -> np.ndarray:
    """Upscale a picture tile by tile into one array: `bands`, put together.

    Returns:
        `(scale H, scale W, C)`, of the image's dtype.
    """
    return put_together(bands(run, image, scale, cut, progress), image, scale)


def put_together(bands: Iterable[np.ndarray], image: np.ndarray, scale: int) -> np.ndarray:
    """The bands of a picture's result as one array, of the image's dtype."""
    height, width, channels = image.shape
    output = np.empty((height * scale, width * scale, channels), image.dtype)
    top = 0
    for band in bands:
        output[top : top + len(band)] = band
        top += len(band)
    return output


def side_that_fits(memory: int, bytes_per_pixel: int, overlap: int, threads: int) -> int:
    """The side of tiles that `threads` can run at the same time in some memory, without their margins.

    Args:
        memory: in bytes.
        bytes_per_pixel: memory that a run takes for each input pixel.
        overlap: the margin, in input pixels.
        threads: tiles at the same time.
    """
    with_margin = int((memory / threads / bytes_per_pixel) ** 0.5)
    return max(with_margin - 2 * overlap, SMALLEST)


class _Here(Executor):
    """Runs what it is given at once, in the caller's thread."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@dataclass(frozen=True)
class _Band:
    """A row of tiles under way: where its input ends, its output, and the right edges of its tiles."""

    bottom: int
    output: np.ndarray
    tiles: list[tuple[int, Future[None]]]


def _start(pool: Executor, run: Run, image: np.ndarray, scale: int, cut: Cut, top: int) -> _Band:
    height, width, channels = image.shape
    bottom = min(top + cut.tile, height)  # not nearly equal rows: then memory would depend on the height
    output = np.empty(((bottom - top) * scale, width * scale, channels), image.dtype)

    def run_tile(left: int, right: int) -> None:
        y, above = _with_margin(top, bottom, height, cut)
        x, before = _with_margin(left, right, width, cut)
        larger = run(image[y][:, x])
        inner = larger[above * scale :, before * scale :][: len(output), : (right - left) * scale]
        output[:, left * scale : right * scale] = inner

    edges = _columns(width, cut)
    tiles = [(right, pool.submit(run_tile, left, right)) for left, right in pairwise(edges)]
    return _Band(bottom, output, tiles)


def _columns(width: int, cut: Cut) -> list[int]:
    """The edges of tiles along a row: nearly equal, and a share for every thread where that is worth it."""
    blocks = -(-width // cut.multiple)
    count = -(-blocks // max(cut.tile // cut.multiple, 1))
    shared = -(-count // cut.threads) * cut.threads
    if width // shared >= 2 * cut.overlap and shared <= blocks:
        count = shared
    return [min(round(index * blocks / count) * cut.multiple, width) for index in range(count + 1)]


def _with_margin(start: int, stop: int, length: int, cut: Cut) -> tuple[slice | np.ndarray, int]:
    """The rows (or columns) of a tile with its margin, and how many of them come before the tile."""
    first, last = max(start - cut.overlap, -cut.edge), min(stop + cut.overlap, length + cut.edge)
    if first >= 0 and last <= length:
        return slice(first, last), start - first
    return _reflected(np.arange(first, last), length), start - first


def _reflected(index: np.ndarray, length: int) -> np.ndarray:
    """Positions in a line for positions outside it, mirrored at its first and last pixel."""
    period = max(2 * (length - 1), 1)
    folded = np.abs(index) % period
    return np.minimum(folded, period - folded) if length > 1 else np.zeros_like(index)


def _settle(*under_way: _Band | None) -> None:
    """Wait until nothing of some bands is running any more."""
    futures = [future for band in under_way if band for _, future in band.tiles]
    for future in futures:
        future.cancel()
    wait(futures)
