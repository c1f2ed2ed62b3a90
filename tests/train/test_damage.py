"""Damage: compared with what Pillow's codec does, and with what its docstrings promise."""

import io

import numpy as np
import pytest
from PIL import Image

from srez.train import codecs, damage

SIDE = 40


@pytest.fixture
def sharp(random: np.random.Generator) -> np.ndarray:
    """A picture with edges and slopes, `(160, 160, 3)` in [0, 1]."""
    coarse = Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8))
    blocks = np.asarray(coarse.resize((4 * SIDE, 4 * SIDE), Image.Resampling.NEAREST))
    slopes = np.asarray(coarse.resize((4 * SIDE, 4 * SIDE), Image.Resampling.BICUBIC))
    return ((blocks.astype(np.float32) + slopes) / 510).astype(np.float32)


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    normals = random.normal(size=(damage.FIELDS, 2 * SIDE, 2 * SIDE, 3))
    return random.random(damage.DRAWS, np.float32), normals.astype(np.float32)


def damaged(sharp: np.ndarray, degree: float, seed: int) -> np.ndarray:
    return np.asarray(damage.damaged(sharp, SIDE, np.float32(degree), *drawn(seed)))


@pytest.mark.parametrize(("quality", "subsampled"), [(30, False), (60, True), (90, False)])
def test_jpeg_does_what_the_codec_does(sharp: np.ndarray, quality: int, subsampled: bool) -> None:
    pixels = np.rint(255 * sharp[::4, ::4]).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=2 if subsampled else 0)
    theirs = np.asarray(Image.open(file)).astype(float)
    ours = 255 * np.asarray(
        codecs.jpeg(pixels.astype(np.float32) / 255, np.float32(quality), subsampled, 0.0, 0.0)
    )
    assert np.abs(ours - theirs).mean() < 0.35 * np.abs(pixels - theirs).mean() + 1


@pytest.mark.parametrize("quality", [20, 60, 90])
def test_webp_costs_what_the_codec_costs(sharp: np.ndarray, quality: int) -> None:
    pixels = np.rint(255 * sharp[::2, ::2]).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=quality)
    theirs = np.asarray(Image.open(file)).astype(float)
    ours = 255 * np.asarray(codecs.webp(pixels.astype(np.float32) / 255, np.float32(quality), 0.0, 0.0))
    ratio = np.abs(ours - pixels).mean() / np.abs(theirs - pixels).mean()
    assert 0.6 < ratio < 1.6
    assert np.abs(ours - theirs).mean() < 1.5 * np.abs(theirs - pixels).mean()


def test_a_palette_has_few_levels_and_dithering_keeps_the_mean(sharp: np.ndarray) -> None:
    flat = np.full((64, 64, 3), 0.4, np.float32)
    plain, dithered = (np.asarray(codecs.palette(flat, np.float32(4), how)) for how in (False, True))
    assert np.ptp(plain) == 0
    assert np.ptp(dithered) > 0.3
    assert abs(dithered.mean() - 0.4) < 0.01 < abs(plain.mean() - 0.4)
    assert len(np.unique(codecs.palette(sharp, np.float32(4), True))) <= 4


def test_the_grid_of_blocks_can_begin_anywhere(sharp: np.ndarray) -> None:
    low = sharp[::4, ::4]
    results = [np.asarray(codecs.jpeg(low, 40.0, False, at, at)) for at in (0.0, 0.5)]
    assert np.abs(results[0] - results[1]).max() > 0.01
    assert all(np.abs(result - low).mean() < 0.05 for result in results)


def test_the_same_numbers_give_the_same_picture(sharp: np.ndarray) -> None:
    assert np.array_equal(damaged(sharp, 0.7, 3), damaged(sharp, 0.7, 3))
    assert not np.array_equal(damaged(sharp, 0.7, 3), damaged(sharp, 0.7, 4))


def test_a_higher_degree_costs_more(sharp: np.ndarray) -> None:
    clean = sharp.reshape(SIDE, 4, SIDE, 4, 3).mean(axis=(1, 3))
    errors = [
        np.mean([np.abs(damaged(sharp, degree, seed) - clean).mean() for seed in range(8)])
        for degree in (0.0, 0.5, 1.0)
    ]
    assert errors == sorted(errors)
    assert errors[2] > 1.5 * errors[0]


def test_results_have_the_levels_of_a_file(sharp: np.ndarray) -> None:
    levels = 255 * damaged(sharp, 1.0, 0)
    assert levels.shape == (SIDE, SIDE, 3)
    assert 0 <= levels.min() <= levels.max() <= 255
    assert np.abs(levels - np.rint(levels)).max() < 1e-3


def test_blurring_keeps_flat_colours_and_the_mean(random: np.random.Generator) -> None:
    kernel = np.outer(*2 * [np.hanning(15)[1:-1]]).astype(np.float32)
    kernel /= kernel.sum()
    flat = np.full((32, 24, 3), 0.7, np.float32)
    assert np.allclose(damage.convolved(flat, kernel), 0.7, atol=1e-5)
    noise = random.random((64, 64, 3), np.float32)
    assert np.abs(np.asarray(damage.convolved(noise, kernel)).mean() - noise.mean()) < 0.01


def test_soft_noise_is_as_strong_as_white_noise(random: np.random.Generator) -> None:
    white = random.normal(size=(64, 64, 3)).astype(np.float32)
    soft = np.asarray(damage.softened(white))
    assert soft.shape == white.shape
    assert soft.std() == pytest.approx(1, abs=0.05)
    beside = [np.corrcoef(each[:, 1:].ravel(), each[:, :-1].ravel())[0, 1] for each in (white, soft)]
    assert beside[0] < 0.1
    assert beside[1] > 0.5
