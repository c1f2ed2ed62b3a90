"""JPEG files lose the squares that JPEG leaves in their colours."""

import numpy as np
import pytest
from skimage import data

import srez
from helpers.pictures import as_jpeg
from srez import images
from srez.images import Picture, resample
from srez.upscaling import chroma

TO_CHROMA = np.array([[-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]).T
TO_LUMA = [0.299, 0.587, 0.114]


def saved(pixels: np.ndarray, quality: int, subsampling: int = 2) -> Picture:
    return images.read(as_jpeg(pixels, quality, subsampling=subsampling))


def smoothed(picture: Picture) -> np.ndarray:
    assert picture.jpeg
    return chroma.smoothed(picture.pixels.reshape(*picture.pixels.shape[:2], -1), picture.jpeg)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Of their colours, in grey levels."""
    return float(np.sqrt((((one.astype(float) - other) @ TO_CHROMA) ** 2).mean()))


@pytest.mark.parametrize(("quality", "subsampling"), [(30, 0), (50, 0), (30, 2), (50, 2), (75, 2)])
@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_colours_come_nearer_to_the_truth(name: str, quality: int, subsampling: int) -> None:
    truth = resample.bicubic_reduce(getattr(data, name)()[:300, :400], 2)
    picture = saved(truth, quality, subsampling)
    assert distance(smoothed(picture), truth) < 0.99 * distance(picture.pixels, truth)


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_colours_in_full_resolution_stay_as_near_to_the_truth(name: str) -> None:
    truth = resample.bicubic_reduce(getattr(data, name)()[:300, :400], 2)
    for quality in (75, 85, 90, 95):
        picture = saved(truth, quality, subsampling=0)
        assert distance(smoothed(picture), truth) < 1.004 * distance(picture.pixels, truth)


def test_luma_and_means_stay() -> None:
    picture = saved(data.coffee()[:201, :301], 30)
    result = smoothed(picture)
    assert (result != picture.pixels).any()
    change = (result.astype(float) - picture.pixels) @ TO_LUMA
    inside = ((result > 0) & (result < 255)).all(axis=2)
    assert np.abs(change[inside]).max() <= 0.51  # it is rounded to whole levels
    assert np.abs(change.mean()) < 0.05
    assert np.abs((result.astype(float) - picture.pixels).mean(axis=(0, 1))).max() < 0.2


def test_squares_of_colour_vanish_from_an_even_wall() -> None:
    rows, columns = np.mgrid[:128, :128]
    wall = np.stack([180 + rows / 16, 170 + columns / 16, 190 - rows / 20], axis=2)
    noisy = wall + np.random.default_rng(1).normal(0, 1.5, wall.shape)
    picture = saved(images.to_uint8(noisy / 255), 30)

    def largest_step(pixels: np.ndarray) -> float:
        return float(np.abs(np.diff(pixels.astype(float) @ TO_CHROMA, axis=1)[:, 15::16]).mean())

    assert largest_step(smoothed(picture)) < 0.7 * largest_step(picture.pixels)


def test_gray_clipped_and_clean_pixels_stay() -> None:
    gray = saved(data.camera()[:96, :96], 30)
    assert (smoothed(gray)[..., 0] == gray.pixels).all()
    in_three = saved(np.repeat(data.camera()[:96, :96, None], 3, axis=2), 30)
    assert (smoothed(in_three) == in_three.pixels).all()
    page = np.full((64, 64, 3), 255, np.uint8)
    page[16:48, 16:48] = 200, 30, 40
    picture = saved(page, 30)
    clipped = ((picture.pixels == 0) | (picture.pixels == 255)).any(axis=2)
    assert clipped.sum() > 1000
    assert (smoothed(picture)[clipped] == picture.pixels[clipped]).all()


def test_a_large_picture_is_smoothed_as_its_parts_are() -> None:
    picture = saved(np.tile(data.coffee(), (2, 1, 1)), 30)
    whole = smoothed(picture)
    assert picture.jpeg
    part = chroma.smoothed(picture.pixels[180:420], picture.jpeg)
    assert np.abs(part[40:-40].astype(int) - whole[220:380]).max() <= 1


def test_smoothing_is_part_of_a_repair_only() -> None:
    picture = saved(data.coffee()[:96, :128], 30)
    plain, repaired = srez.load("photo", repair=0), srez.load("photo", repair=1)
    assert (plain(picture.pixels, jpeg=picture.jpeg) == plain(picture.pixels)).all()
    truth = resample.bicubic(data.coffee()[:96, :128][None] / np.float32(255), 4)[0] * 255
    told, untold = repaired(picture.pixels, jpeg=picture.jpeg), repaired(picture.pixels)
    assert distance(told, truth) < distance(untold, truth)
