import threading
from typing import Any

import numpy as np
import pytest

from srez.images import resample
from srez.upscaling import tiling
from srez.upscaling.tiling import Cut, bands, side_that_fits, tiled


def blur_and_enlarge(image: np.ndarray) -> np.ndarray:
    """A x2 "network" of receptive radius 2, zero-padded as networks are."""
    padded = np.pad(image, ((2, 2), (2, 2), (0, 0)))
    height, width = image.shape[:2]
    total = sum(padded[dy : dy + height, dx : dx + width] for dy in range(5) for dx in range(5))
    return resample.nearest(np.asarray(total), 2)


@pytest.mark.parametrize("size", [(1, 1), (7, 30), (30, 7), (16, 16), (33, 50)])
@pytest.mark.parametrize("tile", [1, 5, 16, 100])
def test_tiled_equals_whole(random: np.random.Generator, size: tuple[int, int], tile: int) -> None:
    image = random.integers(0, 1000, (*size, 3))
    np.testing.assert_array_equal(tiled(blur_and_enlarge, image, 2, Cut(tile, 2)), blur_and_enlarge(image))


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 30), (33, 50)])
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("edge", [1, 2, 9])
def test_edges_are_reflections(random, size: tuple[int, int], threads: int, edge: int) -> None:
    image = random.integers(0, 1000, (*size, 2))
    padded = np.pad(image, ((edge, edge), (edge, edge), (0, 0)), mode="reflect")
    whole = blur_and_enlarge(padded)[2 * edge : -2 * edge, 2 * edge : -2 * edge]
    for tile in (4, 16, 100):
        np.testing.assert_array_equal(tiled(blur_and_enlarge, image, 2, Cut(tile, 2, edge, threads)), whole)


class Memory:
    """A network that takes tiles up to a number of pixels, and says what it was given."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.seen: list[int] = []

    def run(self, tile: np.ndarray) -> np.ndarray:
        if tile.size > self.limit:
            raise MemoryError
        self.seen.append(tile.size)
        return blur_and_enlarge(tile)


@pytest.mark.parametrize("threads", [1, 4])
def test_out_of_memory_halves_the_tile_and_says_so(random, caplog, threads: int) -> None:
    image = random.integers(0, 1000, (150, 140, 1))
    output = tiled(Memory(30 * 30).run, image, 2, Cut(96, 2, 0, threads))
    np.testing.assert_array_equal(output, blur_and_enlarge(image))
    assert [record.getMessage() for record in caplog.records] == [
        "out of memory with tiles of 96 pixels: continuing with 48",
        "out of memory with tiles of 48 pixels: continuing with 24",
    ]


def test_out_of_memory_with_a_fixed_tile_or_the_smallest_ends_it(random) -> None:
    image = random.integers(0, 1000, (150, 140, 1))
    for memory, cut in ((Memory(900), Cut(96, 2, fixed=True)), (Memory(9), Cut(96, 2))):
        with pytest.raises(MemoryError):
            tiled(memory.run, image, 2, cut)


def test_a_caller_who_goes_away_leaves_nothing_running() -> None:
    before = set(threading.enumerate())
    stream = bands(blur_and_enlarge, np.zeros((400, 400, 1)), 2, Cut(32, 2, 0, 2))
    next(stream)
    started = [thread for thread in set(threading.enumerate()) - before if "ThreadPool" in thread.name]
    assert started
    stream.close()
    assert not any(thread.is_alive() for thread in started)


def test_every_thread_has_its_share_of_a_wide_picture() -> None:
    memory = Memory(10**9)
    tiled(memory.run, np.zeros((40, 100, 1)), 2, Cut(64, 2, 0, 4))
    assert len(memory.seen) == 4
    memory = Memory(10**9)
    tiled(memory.run, np.zeros((40, 100, 1)), 2, Cut(64, 40, 0, 4))
    assert len(memory.seen) == 2  # more tiles would be margins mostly


def test_tiles_fit_into_memory() -> None:
    side = side_that_fits(memory=800_000_000, bytes_per_pixel=2000, overlap=19, threads=2)
    assert 2 * 2000 * (side + 38) ** 2 <= 800_000_000 < 2 * 2000 * (side + 39) ** 2


def test_too_small_an_overlap_shows(random: np.random.Generator) -> None:
    image = random.integers(0, 1000, (20, 20, 1))
    assert (tiled(blur_and_enlarge, image, 2, Cut(8, 1)) != blur_and_enlarge(image)).any()


def test_progress_rises_to_one() -> None:
    seen: list[float] = []
    tiled(blur_and_enlarge, np.zeros((20, 30, 1)), 2, Cut(8, 2), seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert len(seen) == 3 * 4


class NoLargeArrays:
    """`np.empty`, but for arrays of more than some elements, for which memory does not suffice."""

    def __init__(self, limit: int) -> None:
        self.limit, self.empty = limit, np.empty

    def __call__(self, shape: tuple[int, ...], *arguments: Any, **options: Any) -> np.ndarray:
        if np.prod(shape) > self.limit:
            raise MemoryError
        return self.empty(shape, *arguments, **options)


def test_no_memory_for_a_row_of_results_halves_the_tile(random, monkeypatch: pytest.MonkeyPatch) -> None:
    image = random.integers(0, 1000, (150, 140, 1))
    expected = blur_and_enlarge(image)
    monkeypatch.setattr(tiling.np, "empty", NoLargeArrays(2 * 50 * 2 * 140))
    # The row under way when memory runs out for the next one counts too.
    for tile in (96, 49):
        cut = Cut(tile, 2, 0, 2)
        np.testing.assert_array_equal(np.concatenate(list(bands(blur_and_enlarge, image, 2, cut))), expected)
    with pytest.raises(MemoryError):
        list(bands(blur_and_enlarge, image, 2, Cut(96, 2, fixed=True)))


def test_no_memory_for_the_second_row_begins_again_with_it(random, monkeypatch: pytest.MonkeyPatch) -> None:
    image = random.integers(0, 1000, (150, 140, 1))
    expected = blur_and_enlarge(image)
    stream = bands(blur_and_enlarge, image, 2, Cut(64, 2, 0, 2))
    first = next(stream)
    monkeypatch.setattr(tiling.np, "empty", NoLargeArrays(2 * 20 * 2 * 140))
    np.testing.assert_array_equal(np.concatenate([first, *stream]), expected)
