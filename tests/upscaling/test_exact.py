"""What needs no guess is exact: white beside ink, black beside light, and gray in RGB."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

import srez
from srez.images import resample
from srez.upscaling.upscaler import Upscaler


@pytest.fixture(scope="module", params=["photo", "faces"])
def model(request: pytest.FixtureRequest) -> Upscaler:
    return srez.load(request.param, fidelity=0.5)


def page(ink: int, paper: int) -> np.ndarray:
    """Text, `(40, 64)` uint8, its edges smooth."""
    image = Image.new("L", (256, 160), paper)
    ImageDraw.Draw(image).text((20, 40), "white paper\n stays white", ink, font_size=40)
    return np.rint(resample.area(np.asarray(image)[..., None], 4)[..., 0]).astype(np.uint8)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0), (90, 255)])
def test_paper_stays_as_it_is_two_pixels_from_ink(model: Upscaler, dtype: type, ink: int, paper: int) -> None:
    gray = page(ink, paper).astype(dtype) * (257 if dtype == np.uint16 else 1)
    white = paper * (257 if dtype == np.uint16 else 1)
    blank = np.ones(gray.shape, bool)
    for row, column in np.argwhere(gray != white):
        blank[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = False
    assert blank.mean() > 0.2
    assert (model(gray)[resample.nearest(blank[..., None], 4)[..., 0]] == white).all()


def test_a_channel_that_is_full_stays_full(model: Upscaler) -> None:
    red = np.zeros((24, 24, 3), np.uint8)
    red[..., 0] = 255
    red[:, 12:, 1] = 128
    larger = model(red)
    assert (larger[..., 0] == 255).all()
    assert (larger[..., 2] == 0).all()


def test_gray_in_rgb_stays_gray(model: Upscaler, random: np.random.Generator) -> None:
    gray = random.integers(0, 256, (20, 24), np.uint8)
    larger = model(np.repeat(gray[..., None], 3, axis=2))
    assert (larger == larger[..., :1]).all()
    np.testing.assert_array_equal(larger[..., 0], model(gray))


def test_gray_far_from_a_colour_stays_gray(random: np.random.Generator) -> None:
    model = srez.load("photo", tile=48)
    picture = np.repeat(random.integers(60, 200, (40, 120, 1), np.uint8), 3, axis=2)
    picture[10:20, :10, 0] += 50
    larger = model(picture)
    beyond = 4 * (10 + model.card.receptive_radius)
    assert (larger[:, beyond:] == larger[:, beyond:, :1]).all()
    assert (larger[40:80, :40] != larger[40:80, :40, :1]).any()
