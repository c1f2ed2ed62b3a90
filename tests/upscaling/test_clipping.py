"""Bringing values into [0, 1] without making a picture darker or lighter."""

import numpy as np
import pytest

import srez
from srez.upscaling import clipping


def test_values_in_range_are_left_alone(random: np.random.Generator) -> None:
    images = random.random((2, 24, 32, 3), np.float32)
    np.testing.assert_array_equal(clipping.clip(images, 4), images)


def test_what_is_cut_off_goes_to_pixels_around(random: np.random.Generator) -> None:
    images = random.normal(0.5, 0.3, (1, 64, 64, 3)).astype(np.float32)
    images[:, :, 32:] -= 0.3
    clipped = clipping.clip(images, 4)
    assert clipped.min() >= 0
    assert clipped.max() <= 1
    left, right = np.s_[:, :, :32], np.s_[:, :, 32:]
    assert clipped[left].mean() == pytest.approx(images[left].mean(), abs=0.005)
    assert clipped[right].mean() == pytest.approx(images[right].mean(), abs=0.005)
    assert images.clip(0, 1)[right].mean() > images[right].mean() + 0.04


def test_what_has_no_room_around_is_cut_off() -> None:
    images = np.full((1, 16, 16, 1), 1.2, np.float32)
    np.testing.assert_array_equal(clipping.clip(images, 4), np.ones_like(images))


def stripes(width: int) -> np.ndarray:
    return np.broadcast_to((np.arange(96) % width > 0) * np.uint8(255), (96, 96))


ROWS, COLUMNS = np.mgrid[:96, :96]
PATTERNS = {
    "stripes of 2": stripes(2),
    "stripes of 3": stripes(3),
    "checkers": ((ROWS + COLUMNS) % 2).astype(np.uint8) * 255,
    "gray checkers": np.where((ROWS + COLUMNS) % 2, 155, 100).astype(np.uint8),
    "halftone": np.where(np.sin(COLUMNS * 1.1) + np.sin(ROWS * 1.3) > 0.3, 0, 255).astype(np.uint8),
    "grain": np.random.default_rng(0).integers(96, 176, (96, 96)).astype(np.uint8),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_patterns_keep_their_mean(name: str) -> None:
    pattern = np.repeat(PATTERNS[name][..., None], 3, axis=2)
    larger = srez.load("photo")(pattern)
    assert abs(larger.mean() - pattern.mean()) < 1.5
