"""16 bits a channel, from file to file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

import srez
from helpers.commands import upscale, upscaled
from helpers.pictures import deep_png, near, smooth
from srez import images


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bit_png(tmp_path: Path, channels: int, suffix: str) -> None:
    pixels = smooth((20, 30, channels), 65535)
    pixels = pixels[..., 0] if channels == 1 else pixels
    (tmp_path / "a.png").write_bytes(deep_png(pixels))
    np.testing.assert_array_equal(images.read(tmp_path / "a.png").pixels, pixels)
    assert upscale(tmp_path / "a.png", "-o", tmp_path / f"b{suffix}").exit_code == 0
    expected = srez.load("photo")(pixels)
    if suffix == ".tif":
        written = tifffile.imread(tmp_path / "b.tif")
        if channels == 2:  # gray with alpha is written as RGB, which others can read
            written = written[..., [0, 3]]
        np.testing.assert_array_equal(written, expected)
    else:
        np.testing.assert_array_equal(images.read(tmp_path / "b.png").pixels, expected)
    colours = slice(None) if channels in (1, 3) else slice(-1)
    assert near(expected.reshape(80, 120, -1)[..., colours], pixels.reshape(20, 30, -1)[..., colours], 257)
    assert len(np.unique(expected)) > 256 * 4


def test_16_bit_png_with_a_transparent_colour(tmp_path: Path) -> None:
    pixels = smooth((5, 6, 3), 65535)
    (tmp_path / "a.png").write_bytes(deep_png(pixels, pixels[2, 3].astype(">u2").tobytes()))
    read = images.read(tmp_path / "a.png").pixels
    np.testing.assert_array_equal(read[..., :3], pixels)
    assert list(zip(*np.nonzero(read[..., 3] == 0), strict=True)) == [(2, 3)]


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("packing", [{}, {"compression": "zlib", "predictor": True}, {"tile": (16, 16)}])
def test_16_bit_tiff(tmp_path: Path, channels: int, order: Any, packing: dict[str, Any]) -> None:
    pixels = smooth((20, 30, channels), 65535)
    pixels = pixels[..., 0] if channels == 1 else pixels
    options = {"photometric": "rgb" if channels > 1 else "minisblack", "byteorder": order, **packing}
    if channels == 4:
        options["extrasamples"] = ["unassalpha"]
    tifffile.imwrite(tmp_path / "a.tif", pixels, **options)
    np.testing.assert_array_equal(images.read(tmp_path / "a.tif").pixels, pixels)
    assert upscale(tmp_path / "a.tif", "-o", tmp_path / "b.tif").exit_code == 0
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "b.tif"), srez.load("photo")(pixels))


def test_16_bit_tiff_with_white_at_zero(tmp_path: Path) -> None:
    pixels = smooth((20, 30), 65535)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    np.testing.assert_array_equal(images.read(tmp_path / "a.tif").pixels, 65535 - pixels)


def test_16_bits_become_8_where_the_format_has_no_more(tmp_path: Path) -> None:
    pixels = smooth((20, 30, 3), 65535)
    (tmp_path / "a.png").write_bytes(deep_png(pixels))
    result = upscaled(tmp_path / "a.png", tmp_path / "b.jpg")
    assert near(np.asarray(result), pixels / 257, 2)


def test_deep_gray_with_alpha_is_rgb_in_a_tiff(tmp_path: Path) -> None:
    """Neither Pillow nor we would read it as gray."""
    pixels = smooth((9, 12, 2), 65535)
    images.write(tmp_path / "a.tif", images.Picture(pixels))
    expected = np.concatenate([np.repeat(pixels[..., :1], 3, axis=2), pixels[..., 1:]], axis=2)
    np.testing.assert_array_equal(images.read(tmp_path / "a.tif").pixels, expected)
    with Image.open(tmp_path / "a.tif") as image:
        assert image.mode == "RGBA"
