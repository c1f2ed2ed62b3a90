"""Seamless textures."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image
from typer.testing import CliRunner

from srez import images
from srez.cli import app
from srez.images import resample

SIZES = [("--scale", 1), ("--scale", 2), ("--width", 70), ("--width", 14)]


def upscale(*words: object) -> int:
    return CliRunner().invoke(app, ["upscale", *(str(word) for word in words)]).exit_code


@pytest.fixture
def texture(tmp_path: Path, random: np.random.Generator) -> Path:
    """Blobs that go on at the other side, with transparency."""
    noise = np.fft.fft2(random.normal(size=(40, 56, 4)), axes=(0, 1))
    y, x = np.fft.fftfreq(40)[:, None], np.fft.fftfreq(56)
    waves = np.fft.ifft2(noise * np.exp(-40 * (x**2 + y**2))[..., None], axes=(0, 1)).real
    pixels = np.rint((0.5 + waves / np.abs(waves).max() / 2) * 255).astype(np.uint8)
    Image.fromarray(pixels).save(path := tmp_path / "texture.png")
    return path


@pytest.mark.parametrize("words", [[], ["--tile", 32], *([option, value] for option, value in SIZES)])
def test_a_texture_stays_seamless(texture: Path, tmp_path: Path, words: list[object]) -> None:
    """Moved round, it gives the result moved round: so no edge is special."""
    moved, options = tmp_path / "moved.png", ["--wrap", "--repair", 0, "--model", "photo", *words]
    Image.fromarray(np.roll(images.read(texture).pixels, (20, 28), (0, 1))).save(moved)
    assert upscale(texture, tmp_path / "a.png", *options) == 0
    assert upscale(moved, tmp_path / "b.png", *options) == 0
    assert upscale(texture, tmp_path / "c.png", *options[1:]) == 0
    whole, other, plain = (images.read(tmp_path / f"{name}.png").pixels.astype(int) for name in "abc")
    height, width, _ = whole.shape
    expected = np.roll(whole, (height // 2, width // 2), (0, 1))
    assert np.abs(other - expected).max() <= 1
    assert np.abs(plain - whole).max() > 1  # it matters at the edges
    assert height * 56 == width * 40


def test_a_clean_texture_comes_back_at_its_own_size(tmp_path: Path) -> None:
    """As sharp as without --wrap, up to its edges."""
    photograph = skimage.data.chelsea()[:296, :384]
    seamless = np.block(
        [[[photograph], [photograph[:, ::-1]]], [[photograph[::-1]], [photograph[::-1, ::-1]]]]
    )
    low = resample.bicubic_reduce(seamless, 4)
    Image.fromarray(low).save(path := tmp_path / "a.png")
    assert upscale(path, tmp_path / "b.png", "--wrap", "--scale", 1) == 0
    output = images.read(tmp_path / "b.png").pixels
    assert np.square((output.astype(float) - low) / 255).mean() < 10**-5.5  # 55 dB; by area it was 49


def test_sizes_that_would_not_be_seamless(texture: Path, tmp_path: Path) -> None:
    assert upscale(texture, tmp_path / "a.png", "--wrap", "--scale", 5) == 1
    assert not (tmp_path / "a.png").exists()
