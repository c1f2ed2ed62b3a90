"""Every kind of picture, from a real file through the command to a real file: colours, alpha, formats."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from helpers.commands import refused, upscale, upscaled
from helpers.pictures import near, profile, smooth
from srez import images


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".avif"])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha(tmp_path: Path, suffix: str, mode: str) -> None:
    pixels = smooth((30, 40, len(mode)))
    pixels[..., -1] = np.where(np.arange(40) < 20, 0, 255)
    source = tmp_path / f"a{'.png' if mode == 'LA' else suffix}"
    Image.fromarray(pixels, mode).save(source, lossless=True)
    result = upscaled(source, tmp_path / f"b{suffix}")
    assert result.size == (160, 120)
    assert result.mode == (mode if suffix in (".png", ".tif") else "RGBA")
    alpha = np.asarray(result)[..., -1]
    assert not alpha[:, :72].any()  # two pixels of the input from the edge
    assert (alpha[:, 88:] == 255).all()
    assert (alpha[:, :76] < 12).all()
    assert (alpha[:, 84:] > 243).all()


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp"])
def test_gray(tmp_path: Path, suffix: str) -> None:
    pixels = smooth((30, 40))
    Image.fromarray(pixels).save(tmp_path / "a.png")
    result = upscaled(tmp_path / "a.png", tmp_path / f"b{suffix}")
    assert result.mode == ("RGB" if suffix == ".webp" else "L")  # WebP knows no gray
    assert near(np.asarray(result.convert("L")), pixels, 2)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".avif"])
def test_colour_profile(tmp_path: Path, suffix: str) -> None:
    own = profile("RGB ")  # made once: it holds the time
    Image.fromarray(smooth((20, 30, 3))).save(tmp_path / f"a{suffix}", icc_profile=own)
    assert upscaled(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}").info["icc_profile"] == own
    Image.fromarray(smooth((20, 30, 3))).save(tmp_path / f"c{suffix}", icc_profile=profile("CMYK"))
    assert "icc_profile" not in upscaled(tmp_path / f"c{suffix}", tmp_path / f"d{suffix}").info


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    cmyk = Image.fromarray(smooth((20, 30, 3))).convert("CMYK")
    cmyk.save(tmp_path / "a.tif")
    cmyk.save(tmp_path / "a.jpg", quality=95, icc_profile=b"damaged" * 30)
    for source in ("a.tif", "a.jpg"):
        result = upscaled(tmp_path / source, tmp_path / f"{source}.png")
        assert result.mode == "RGB"
        assert near(np.asarray(result), np.asarray(cmyk.convert("RGB")), 4)


def test_palette_becomes_rgb(tmp_path: Path) -> None:
    palette = Image.fromarray(smooth((20, 30, 3))).quantize(16)
    for suffix in (".png", ".gif", ".bmp", ".tif"):
        palette.save(tmp_path / f"a{suffix}")
        result = upscaled(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}.png")
        assert result.mode == "RGB"
        assert near(np.asarray(result), np.asarray(palette.convert("RGB")), 2)


def test_a_palette_with_a_hole_and_one_bit(tmp_path: Path) -> None:
    image = Image.new("P", (16, 16), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.paste(1, (8, 0, 16, 16))
    image.save(tmp_path / "a.gif", transparency=0)
    result = np.asarray(upscaled(tmp_path / "a.gif", tmp_path / "a.png"))
    assert (result[:, :28, 3] == 0).all()
    assert (result[:, 36:] == (0, 255, 0, 255)).all()
    Image.new("1", (16, 16), 1).save(tmp_path / "b.png")
    assert upscaled(tmp_path / "b.png", tmp_path / "c.png").getextrema() == (255, 255)


def test_a_camera_picture_with_a_preview_behind_it(tmp_path: Path) -> None:
    views = [Image.fromarray(smooth(shape)) for shape in ((20, 30, 3), (10, 15, 3))]
    views[0].save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=views[1:], quality=95)
    assert near(np.asarray(upscaled(tmp_path / "a.jpg", tmp_path / "b.png")), np.asarray(views[0]), 3)


def test_heic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.from_pillow(Image.fromarray(smooth((64, 80, 3)))).save(tmp_path / "a.heic", quality=90)
    assert upscale(tmp_path / "a.heic", "-o", tmp_path / "b.heic").exit_code == 0
    assert images.size(tmp_path / "b.heic") == (320, 256)
    assert near(images.read(tmp_path / "b.heic").pixels, smooth((64, 80, 3)), 6)
    monkeypatch.setattr("srez.images.formats.find_spec", lambda _: None)
    assert "pip install 'srez[heic]'" in refused(tmp_path / "a.heic", tmp_path / "c.png")
    Image.new("RGB", (9, 9)).save(tmp_path / "d.png")
    assert "pip install 'srez[heic]'" in refused(tmp_path / "d.png", tmp_path / "d.heic")


def test_the_contents_count_not_the_name(tmp_path: Path) -> None:
    Image.fromarray(smooth((20, 30, 3))).save(tmp_path / "a.jpg", format="PNG")
    assert upscaled(tmp_path / "a.jpg", tmp_path / "b.jpg").format == "JPEG"


@pytest.mark.parametrize("size", [(1, 1), (1, 10_000), (10_000, 1), (2, 3)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.effect_noise(size, 60).convert("RGB").save(tmp_path / "a.png")
    assert upscaled(tmp_path / "a.png", tmp_path / "b.png").size == (4 * size[0], 4 * size[1])


@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_that_hides_nothing_is_no_obstacle_to_a_jpeg(tmp_path: Path, channels: int) -> None:
    """Screenshots have an alpha channel, and all of it is opaque."""
    pixels = smooth((20, 30, channels))
    pixels[..., -1] = 255
    Image.fromarray(pixels, "LA" if channels == 2 else "RGBA").save(tmp_path / "a.png")
    result = upscaled(tmp_path / "a.png", tmp_path / "b.jpg")
    assert result.mode == ("L" if channels == 2 else "RGB")
    assert near(np.asarray(result), pixels[..., :-1], 3)
    pixels[3, 4, -1] = 254
    Image.fromarray(pixels, "LA" if channels == 2 else "RGBA").save(tmp_path / "a.png")
    assert "JPEG cannot hold transparency" in refused(tmp_path / "a.png", tmp_path / "c.jpg")


def test_an_avif_that_begins_as_a_heic(tmp_path: Path) -> None:
    buffer = BytesIO()
    Image.fromarray(smooth((20, 30, 3))).save(buffer, "AVIF", quality=95)
    data = bytearray(buffer.getvalue())
    assert data[8:12] == b"avif"
    data[8:12] = b"mif1"
    (tmp_path / "a.avif").write_bytes(data)
    assert near(np.asarray(upscaled(tmp_path / "a.avif", tmp_path / "b.png")), smooth((20, 30, 3)), 6)


def test_jpegs_as_windows_calls_them(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(smooth((20, 30, 3))).save(tmp_path / "in/a.jfif", format="JPEG")
    assert upscale(tmp_path / "in", "-o", tmp_path / "out").exit_code == 0
    with Image.open(tmp_path / "out/a.jfif") as image:
        assert image.format == "JPEG"


@pytest.mark.parametrize("top", [255, 65535])
def test_smaller_copies_in_a_tiff_are_no_pages(tmp_path: Path, top: int) -> None:
    pixels = smooth((40, 48, 3), top)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(pixels, photometric="rgb")
        for step in (2, 4):
            file.write(pixels[::step, ::step], photometric="rgb", subfiletype=1)
    np.testing.assert_array_equal(images.read(tmp_path / "a.tif").pixels, pixels)
    assert upscaled(tmp_path / "a.tif", tmp_path / "b.tif").size == (192, 160)
    with tifffile.TiffWriter(tmp_path / "c.tif") as file:
        file.write(pixels[::2, ::2], photometric="rgb", subfiletype=1)
        file.write(pixels, photometric="rgb")
    assert "has 2 pages" in refused(tmp_path / "c.tif", tmp_path / "d.tif")
