import numpy as np
import pytest

from srez import resample
from srez.errors import ImageError


def test_area_is_the_mean_of_each_block() -> None:
    image = np.arange(4 * 8).reshape(1, 4, 8, 1)
    expected = [image[0, :, :4].mean(), image[0, :, 4:].mean()]
    np.testing.assert_allclose(resample.area(image, 4).ravel(), expected)


def test_area_refuses_broken_blocks() -> None:
    with pytest.raises(ImageError, match="7x8 picture has no whole 4x4 blocks"):
        resample.area(np.zeros((8, 7, 3)), 4)


def test_area_undoes_nearest(random: np.random.Generator) -> None:
    low = random.random((2, 5, 3, 3))
    np.testing.assert_allclose(resample.area(resample.nearest(low, 4), 4), low)


def test_bicubic_is_keys_cubic() -> None:
    # Eq. 15 of Keys 1981 for an impulse, away from the border: the kernel itself, at half-pixel centres.
    low = np.zeros((1, 1, 9, 1), np.float32)
    low[0, 0, 4] = 1
    x = np.abs((np.arange(36) + 0.5) / 4 - 0.5 - 4)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    expected = np.where(x < 1, near, np.where(x < 2, far, 0))
    inside = slice(8, -8)
    np.testing.assert_allclose(resample.bicubic(low, 4)[0, 0, inside, 0], expected[inside], atol=1e-6)


def test_bicubic_keeps_a_flat_picture_and_does_not_round() -> None:
    flat = np.full((1, 3, 5, 3), 0.12345678, np.float32)
    np.testing.assert_allclose(resample.bicubic(flat, 4), 0.12345678, atol=1e-7)
