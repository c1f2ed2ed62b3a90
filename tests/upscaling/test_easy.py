"""The API that people expect: one line, the same kind back, and processes that are forked or sent one."""

import multiprocessing
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import srez
from helpers import models, pictures
from srez.errors import ImageError, OptionError, SeveralError
from srez.upscaling.upscaler import Upscaler


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Upscaler:
    return srez.load(models.write(tmp_path_factory.mktemp("model") / "small.onnx"))


def test_a_picture_in_one_line(picture: Callable[..., Path], tmp_path: Path) -> None:
    path = picture("a.png", (12, 9, 3))
    larger = srez.upscale(path)
    assert isinstance(larger, Image.Image)
    assert larger.size == (36, 48)
    with Image.open(path) as image:
        array = srez.upscale(np.asarray(image))
        np.testing.assert_array_equal(np.asarray(srez.upscale(image)), array)
    np.testing.assert_array_equal(np.asarray(larger), array)
    target = srez.upscale(str(path), tmp_path / "large.png")
    assert target == tmp_path / "large.png"
    with Image.open(target) as image:
        np.testing.assert_array_equal(np.asarray(image), array)


def test_mistakes_are_srez_errors(picture: Callable[..., Path], tmp_path: Path) -> None:
    for image in (tmp_path / "absent.png", np.zeros(8, np.uint8), None, picture("a.png").read_bytes()):
        with pytest.raises(srez.SrezError):
            srez.upscale(image)  # type: ignore[call-overload]
    with pytest.raises(ImageError, match="not bytes"):
        srez.upscale(b"a.png")  # type: ignore[call-overload]
    with pytest.raises(srez.SrezError, match="no model 'facez'"):
        srez.upscale(picture("a.png"), model="facez")
    with pytest.raises(OptionError, match="to= is for pictures that are files"):
        srez.upscale(np.zeros((8, 8, 3), np.uint8), tmp_path / "a.png")  # type: ignore[call-overload]


def test_advice_is_for_python(tmp_path: Path, picture: Callable[..., Path]) -> None:
    page = Image.new("L", (8, 8))
    page.save(tmp_path / "a.gif", save_all=True, append_images=[Image.new("L", (8, 8), 99)])
    with pytest.raises(SeveralError, match=r'only single pictures .* without frames="first" or frames="all"'):
        srez.upscale(tmp_path / "a.gif", tmp_path / "b.png")
    whole = picture("a.jpg", (40, 40, 3)).read_bytes()
    (tmp_path / "short.jpg").write_bytes(whole[:-200])
    Image.new("RGBA", (8, 8), (9, 9, 9, 99)).save(tmp_path / "clear.png")
    for name in ("short.jpg", "clear.png"):
        with pytest.raises(srez.SrezError) as raised:
            srez.upscale(tmp_path / name, tmp_path / "b.jpg")
        assert "--" not in str(raised.value)


def test_a_file_keeps_its_colour_profile(small: Upscaler, picture: Callable[..., Path]) -> None:
    profile = pictures.profile("RGB ")  # which holds the time
    path = picture("a.png", (12, 9, 3), icc_profile=profile)
    assert small(path).info["icc_profile"] == profile
    Image.fromarray(np.full((8, 8), 300, np.uint16)).save(path)
    assert small(str(path)).mode == "I;16"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_floats_give_floats_that_are_not_rounded(
    small: Upscaler, random: np.random.Generator, dtype: type, channels: int
) -> None:
    image = random.uniform(0.2, 0.8, (20, 30, channels)).astype(dtype)
    image = image[..., 0] if channels == 1 else image
    larger = small(image)
    assert larger.dtype == dtype
    assert larger.shape == (80, 120, channels)[: image.ndim]
    bytes_ = small(np.rint(image * 255).astype(np.uint8))
    assert np.abs(larger * 255 - bytes_).max() < 8  # as far as rounded input leads
    assert len(np.unique(larger)) > 300


@pytest.mark.parametrize("wrong", [1.5, -0.1, np.nan, np.inf])
def test_floats_out_of_range_are_refused(small: Upscaler, wrong: float) -> None:
    image = np.full((8, 8, 3), 0.5, np.float32)
    image[2, 3] = wrong
    with pytest.raises(ImageError, match="values from 0 to 1"):
        small(image)


def test_an_upscaler_can_be_pickled(small: Upscaler, random: np.random.Generator) -> None:
    image = random.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    again = pickle.loads(pickle.dumps(small))
    np.testing.assert_array_equal(again(image), small(image))


def test_an_upscaler_survives_a_fork(small: Upscaler, random: np.random.Generator) -> None:
    image = random.integers(0, 256, (90, 70, 3), dtype=np.uint8)
    expected = small(image)
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=lambda: answers.put(small(image)))
    child.start()
    np.testing.assert_array_equal(answers.get(timeout=60), expected)
    child.join(30)
    assert child.exitcode == 0
