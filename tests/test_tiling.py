import numpy as np
import pytest

from srez import resample
from srez.tiling import tiled


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
    np.testing.assert_array_equal(tiled(blur_and_enlarge, image, 2, tile, 2), blur_and_enlarge(image))


def test_too_small_an_overlap_shows(random: np.random.Generator) -> None:
    image = random.integers(0, 1000, (20, 20, 1))
    assert (tiled(blur_and_enlarge, image, 2, 8, 1) != blur_and_enlarge(image)).any()


def test_progress_rises_to_one() -> None:
    seen: list[float] = []
    tiled(blur_and_enlarge, np.zeros((20, 30, 1)), 2, 8, 2, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert len(seen) == 3 * 4
