"""How damaged a picture is."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from skimage import data

import srez
from helpers import models, pictures
from srez import images
from srez.errors import ModelError, OptionError
from srez.images import resample
from srez.train.combine import combine
from srez.upscaling import damage


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """A sharp photograph, reduced until JPEG's and the camera's own marks are gone."""
    return resample.area(data.astronaut()[None] / np.float32(255), 2)[0]


def eight_bits(values: np.ndarray) -> np.ndarray:
    return images.to_uint8(values)


def as_jpeg(values: np.ndarray, quality: int) -> bytes:
    return pictures.as_jpeg(eight_bits(values), quality)


@pytest.mark.parametrize("quality", [20, 50, 75, 90, 95])
def test_the_quality_of_a_jpeg_is_read_from_its_tables(photo: np.ndarray, quality: int) -> None:
    told = images.read(as_jpeg(photo, quality)).jpeg
    assert told is not None
    assert told.quality == pytest.approx(quality, abs=1)


def test_other_files_have_no_jpeg_quality(photo: np.ndarray) -> None:
    file = io.BytesIO()
    Image.fromarray(eight_bits(photo)).save(file, "PNG")
    assert images.read(file.getvalue()).jpeg is None


def test_a_clean_picture_is_not_repaired(photo: np.ndarray) -> None:
    assert damage.estimate(eight_bits(photo)) == 0
    assert damage.estimate(photo) == 0


def test_repair_grows_as_the_quality_of_a_jpeg_falls(photo: np.ndarray) -> None:
    repairs = [damage.estimate(eight_bits(photo), quality) for quality in (100, 95, 90, 85, 80, 70, 30)]
    assert repairs == sorted(repairs)
    assert repairs[0] == 0
    assert repairs[4:] == [1, 1, 1]  # from 80 on
    assert set(repairs) <= {step / damage.STEPS for step in range(damage.STEPS + 1)}


def test_jpeg_is_seen_in_the_pixels(photo: np.ndarray) -> None:
    pixels = images.read(as_jpeg(photo, 40)).pixels
    assert damage.estimate(pixels) == 1
    assert damage.estimate(pixels[..., 0]) > 0  # gray


def test_noise_is_seen_in_the_pixels(photo: np.ndarray, random: np.random.Generator) -> None:
    smooth = resample.bicubic(resample.area(photo[None], 2), 2)[0]  # so that noise is all that is fine
    noisy = smooth * 0.9 + random.normal(0.05, 8 / 255, smooth.shape)
    assert damage.estimate(eight_bits(noisy)) == 1


def test_the_more_noise_the_more_repair(photo: np.ndarray, random: np.random.Generator) -> None:
    noise = random.normal(0, 1 / 255, photo.shape)
    repairs = [damage.estimate(eight_bits(photo * 0.8 + 0.1 + levels * noise)) for levels in (0, 1, 5, 10)]
    assert repairs == sorted(repairs)
    assert repairs[:2] == [0, 0]  # so little is worth less than the detail that repairing takes
    assert 0 < repairs[2] < repairs[3] == 1


def test_noise_is_seen_in_small_pictures(random: np.random.Generator) -> None:
    for photograph in (data.astronaut(), data.coffee()):
        small = resample.area(photograph[None, :384, :384] / np.float32(255), 6)[0]
        assert damage.estimate(eight_bits(small)) == 0
        assert damage.estimate(eight_bits(small + random.normal(0, 10 / 255, small.shape))) == 1
    assert damage.estimate(eight_bits(random.normal(0.5, 10 / 255, (64, 64, 3)))) == 1  # nothing but noise


def test_bars_and_frames_hide_no_noise(photo: np.ndarray, random: np.random.Generator) -> None:
    smooth = resample.bicubic(resample.area(photo[None], 2), 2)[0]
    noisy = eight_bits(smooth * 0.9 + random.normal(0.05, 8 / 255, smooth.shape))
    for sides in (((21, 21), (0, 0)), ((0, 0), (30, 0)), ((9, 9), (9, 9))):
        assert damage.estimate(np.pad(noisy, (*sides, (0, 0)))) == 1
        assert damage.estimate(np.pad(eight_bits(photo), (*sides, (0, 0)))) == 0


def test_what_tells_nothing_is_not_repaired(random: np.random.Generator) -> None:
    for picture in (
        np.full((200, 300, 3), 255, np.uint8),
        np.zeros((1, 1), np.uint8),
        random.integers(0, 256, (16, 16, 3), dtype=np.uint8),
        np.kron(random.integers(0, 2, (20, 20)), np.ones((8, 8))).astype(np.uint8) * 255,  # pixel art
    ):
        assert damage.estimate(picture) == 0


def test_a_screenshot_is_clean_until_it_is_saved_as_jpeg(random: np.random.Generator) -> None:
    page = Image.new("RGB", (960, 960), (30, 31, 34))
    for top in range(20, 920, 128):
        letters = "".join(map(chr, random.integers(33, 127, 20)))
        ImageDraw.Draw(page).text((24, top), letters, (220, 220, 220), ImageFont.load_default(90))
    screenshot = np.asarray(page.reduce(4))
    assert damage.estimate(screenshot) == 0  # its letters look like white noise
    saved = images.read(as_jpeg(images.to_float(screenshot), 30))
    assert saved.jpeg
    assert damage.estimate(saved.pixels, saved.jpeg.quality) == 1


def test_a_large_picture_takes_no_longer() -> None:
    rows = np.broadcast_to(np.linspace(0, 255, 40_000).astype(np.uint8)[:, None, None], (40_000, 40_000, 3))
    assert damage.estimate(rows) == 0  # would take minutes and gigabytes as a whole


def test_a_pil_image_knows_its_own_quality(photo: np.ndarray, tmp_path: Path) -> None:
    model, other = models.write(tmp_path / "a.onnx", seed=1), models.write(tmp_path / "b.onnx", seed=2)
    combine(model, {"repair": other})
    upscaler = srez.load(model)
    with Image.open(io.BytesIO(as_jpeg(photo, 30))) as image:
        assert upscaler.repair_for(image) == 1
    assert srez.load(model, repair=0.3).repair_for(eight_bits(photo)) == 0.3


def test_a_repair_that_there_is_not_is_refused_in_a_call(photo: np.ndarray, tmp_path: Path) -> None:
    model, other = models.write(tmp_path / "a.onnx", seed=1), models.write(tmp_path / "b.onnx", seed=2)
    with pytest.raises(ModelError, match="does not repair"):
        srez.load(model)(photo, repair=0.5)
    combine(model, {"repair": other})
    upscaler, small = srez.load(model), eight_bits(photo)
    for repair in (5, -0.1, float("nan")):
        with pytest.raises(OptionError, match="choose one from 0"):
            upscaler(small, repair=repair)
    with pytest.raises(OptionError, match="2 repairs for 1 picture:"):
        upscaler.batch(small[None], [0, 1])
