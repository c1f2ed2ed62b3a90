"""Alpha is upscaled by the network: edges are as sharp as the inside, and nothing shines through."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

import srez
from srez.images import resample, to_float, to_uint8
from srez.upscaling.upscaler import Upscaler

SIDE = 192  # of the logo that is the truth, in pixels


@pytest.fixture(scope="module")
def photo() -> Upscaler:
    return srez.load("photo")


def reduced(straight: np.ndarray, scale: int) -> np.ndarray:
    """`(H, W, 4)` float by area: colours are means of what is seen of them."""
    means = resample.area(
        np.concatenate([straight[..., :3] * straight[..., 3:], straight[..., 3:]], 2), scale
    )
    return np.concatenate([means[..., :3] / np.maximum(means[..., 3:], 1e-9), means[..., 3:]], axis=2)


def over(straight: np.ndarray, ground: float) -> np.ndarray:
    return straight[..., :3] * straight[..., 3:] + ground * (1 - straight[..., 3:])


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(-10 * np.log10(((one.clip(0, 1) - other.clip(0, 1)) ** 2).mean()))


def logo() -> np.ndarray:
    """Ring, diamond, line and letters, `(SIDE, SIDE, 4)` uint8, drawn four times as large."""
    image = Image.new("RGBA", (4 * SIDE, 4 * SIDE))
    draw = ImageDraw.Draw(image)
    draw.ellipse((80, 80, 688, 688), (20, 90, 200, 255))
    draw.ellipse((180, 180, 588, 588), (0, 0, 0, 0))
    draw.polygon([(384, 40), (460, 380), (384, 720), (300, 380)], (240, 180, 30, 255))
    draw.line((40, 740, 740, 40), (200, 30, 60, 255), width=14)
    draw.text((230, 300), "srez", (10, 10, 10, 255))
    return to_uint8(reduced(to_float(np.asarray(image)), 4))


@pytest.mark.parametrize("ground", [0.0, 1.0])
def test_edges_in_alpha_are_as_sharp_as_in_colours(photo: Upscaler, ground: float) -> None:
    truth = to_float(logo())
    low = to_uint8(reduced(truth, 4))
    wanted = over(truth, ground)
    flattened = psnr(to_float(photo(to_uint8(over(to_float(low), ground)))), wanted)
    seen = to_float(low)
    seen = np.concatenate([seen[..., :3] * seen[..., 3:], seen[..., 3:]], axis=2)
    bicubic = resample.bicubic(seen[None], 4)[0]
    by_bicubic = psnr(bicubic[..., :3] + ground * (1 - bicubic[..., 3:]), wanted)
    reached = psnr(over(to_float(photo(low)), ground), wanted)
    assert reached > by_bicubic + 2
    assert reached > flattened - 0.2


def test_the_edge_of_alpha_has_no_fringe_of_another_colour(photo: Upscaler) -> None:
    colour = np.array([200, 120, 40])
    shape = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(shape).ellipse((20, 30, 170, 150), 255)
    alpha = to_uint8(resample.area(to_float(np.asarray(shape))[..., None], 4))
    low = np.where(alpha > 0, np.concatenate([np.broadcast_to(colour, (*alpha.shape[:2], 3)), alpha], 2), 0)
    larger = photo(low.astype(np.uint8)).astype(int)
    visible = larger[larger[..., 3] > 8]
    assert np.abs(visible[:, :3] - colour).max() <= 2


def test_alpha_that_is_opaque_is_not_run(photo: Upscaler, random: np.random.Generator) -> None:
    colours = random.integers(0, 256, (20, 30, 3), np.uint8)
    opaque = np.dstack([colours, np.full(colours.shape[:2], 255, np.uint8)])
    larger = photo(opaque)
    np.testing.assert_array_equal(larger[..., :3], photo(colours))
    assert (larger[..., 3] == 255).all()


def test_a_cut_out_picture_gets_smooth_edges(photo: Upscaler) -> None:
    shape = Image.new("L", (1024, 1024))
    ImageDraw.Draw(shape).ellipse((130, 220, 880, 790), fill=255)
    covered = to_float(np.asarray(shape))[..., None]
    truth = resample.area(covered, 4)
    steps = resample.area(covered, 16) >= 0.5
    low = np.concatenate([np.full((64, 64, 3), 90, np.uint8), steps * np.uint8(255)], axis=2)
    larger = to_float(photo(low)[..., 3:])
    coarse = resample.bicubic(steps[None].astype(np.float32), 4)[0]
    assert np.square(larger - truth).mean() < 0.8 * np.square(coarse - truth).mean()
    assert (photo(low)[..., :3] == 90).all()
