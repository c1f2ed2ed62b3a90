"""Vivid repairs stay calm where the picture is even."""

import numpy as np
import pytest
from skimage import data

import srez
from helpers.pictures import as_jpeg
from srez import images
from srez.images import resample, to_uint8
from srez.upscaling.even_areas import calmed


@pytest.fixture(scope="module")
def noisy() -> np.ndarray:
    """An even half with faint dots and a textured half, as a result might be, `(256, 256, 3)` uint8."""
    random = np.random.default_rng(5)
    dots = random.normal(0, 2, (256, 256, 1)) * np.ones(3)
    even = 128 + 0.05 * np.mgrid[:256, :256][0][..., None] + dots
    texture = resample.bicubic(random.uniform(0, 1, (1, 64, 64, 3)).astype(np.float32), 4)[0] * 255 + dots
    return to_uint8(np.concatenate([even[:, :128], texture[:, 128:]], axis=1).clip(0, 255) / 255)


def all_of(picture: np.ndarray, amount: float, rows: int = 10_000) -> np.ndarray:
    bands = (picture[top : top + rows] for top in range(0, len(picture), rows))
    return np.concatenate(list(calmed(bands, len(picture) // 4, 4, amount)))


def test_even_areas_lose_their_dots_and_texture_stays(noisy: np.ndarray) -> None:
    calm = all_of(noisy, 1)
    even, textured = np.s_[:, :96], np.s_[:, 160:]
    assert noisy[even].std(axis=1).mean() > 1.9
    assert calm[even].std(axis=1).mean() < 0.6
    assert (calm[textured] == noisy[textured]).mean() > 0.95
    small, before = (resample.bicubic_to(each / np.float32(255), 64, 64) * 255 for each in (calm, noisy))
    assert np.abs(small - before).mean() < 0.5  # it is still a result for the same input


def test_half_of_it_and_nothing(noisy: np.ndarray) -> None:
    whole, half = all_of(noisy, 1).astype(int), all_of(noisy, 0.5).astype(int)
    assert np.abs(half * 2 - whole - noisy).max() <= 2
    assert (all_of(noisy, 0) == noisy).all()


@pytest.mark.parametrize("rows", [1, 30, 512])
def test_how_a_result_is_cut_does_not_matter(noisy: np.ndarray, rows: int) -> None:
    tall = np.tile(noisy, (4, 1, 1))
    assert (all_of(tall, 1, rows) == all_of(tall, 1)).all()


def test_alpha_stays_and_gray_stays_gray(noisy: np.ndarray) -> None:
    gray = noisy[..., :1]
    calm = all_of(gray, 1)
    assert (all_of(np.repeat(gray, 3, axis=2), 1) == calm).mean() > 0.999  # luma is rounded otherwise
    for colours in (gray, noisy):
        with_alpha = np.concatenate([colours, noisy[::-1, :, :1]], axis=2)
        result = all_of(with_alpha, 1)
        assert (result[..., -1] == with_alpha[..., -1]).all()
        assert (result[..., :-1] == all_of(colours, 1)).all()


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_other_dtypes(noisy: np.ndarray, dtype: type) -> None:
    most = 65535 if dtype is np.uint16 else 1.0
    calm = all_of((noisy / 255 * most).astype(dtype), 1)
    assert calm.dtype == dtype
    assert np.abs(calm / most * 255 - all_of(noisy, 1)).max() < 1


@pytest.mark.parametrize("shape", [(4, 4, 1), (4, 400, 3), (400, 4, 4)])
def test_the_smallest_results(random: np.random.Generator, shape: tuple[int, int, int]) -> None:
    result = random.integers(120, 130, shape, dtype=np.uint8)
    assert all_of(result, 1).shape == shape


def deviations(picture: np.ndarray) -> np.ndarray:
    """Within windows of 9x9 pixels, in grey levels."""
    luma = picture.astype(float).mean(axis=2)
    return np.lib.stride_tricks.sliding_window_view(luma, (9, 9)).std(axis=(2, 3))


def test_a_damaged_photograph_has_less_texture_than_the_network_draws_on_its_even_areas() -> None:
    photograph = data.astronaut()
    picture = images.read(as_jpeg(resample.bicubic_reduce(photograph, 4), 40))
    vivid = srez.load("photo", fidelity=0, repair=1)
    result = vivid(picture.pixels, jpeg=picture.jpeg)
    even = deviations(photograph) < 3
    assert even.mean() > 0.2
    assert deviations(result)[even].mean() < 2.3  # 2.5 as the network makes it
    assert (vivid.batch(picture.pixels[None], [1], [picture.jpeg])[0] == result).all()


def test_a_clean_picture_keeps_all_its_detail() -> None:
    low = resample.bicubic_reduce(data.astronaut()[:256, :256], 4)
    vivid = srez.load("photo", fidelity=0)
    assert vivid.repair_for(low) == 0
    assert (all_of(vivid(low), 1) != vivid(low)).mean() > 0.12  # 8 % of what is calm already
