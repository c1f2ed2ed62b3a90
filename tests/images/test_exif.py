"""EXIF data, orientation and resolution, from file to file."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from helpers.commands import upscaled
from helpers.pictures import near, smooth
from srez import images


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", ".avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_and_its_orientation(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "a camera"
    exif.get_ifd(0x8769).update({0x9003: "2026:01:02 03:04:05", 0xA002: 30, 0xA003: 20})
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.5)})
    pixels = smooth((20, 30, 3))
    source = tmp_path / f"a{suffix}"
    if suffix == ".tif":  # Pillow writes a TIFF's EXIF data only this way
        tags = {**exif, 0x8769: exif.get_ifd(0x8769), 0x8825: exif.get_ifd(0x8825)}
        Image.fromarray(pixels).save(source, tiffinfo=tags)
    else:
        Image.fromarray(pixels).save(source, exif=exif, quality=95)
    result = upscaled(source, tmp_path / f"b{suffix}")
    # Pillow's own turning is the reference; the pixels must have been turned once, the tag must be gone.
    turned = Image.fromarray(pixels)
    flips = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
    if orientation > 1:
        turned = turned.transpose(Image.Transpose(flips[orientation]))
    assert near(np.asarray(result), np.asarray(turned), 6)
    found = result.getexif()
    assert found.get(0x0112, 1) == 1
    assert found[0x010F] == "a camera"
    inner = found.get_ifd(0x8769)
    assert inner[0x9003] == "2026:01:02 03:04:05"
    assert (inner[0xA002], inner[0xA003]) == result.size
    assert [float(part) for part in found.get_ifd(0x8825)[2]] == [52.0, 31.0, 12.5]
    assert [side * 4 for side in images.size(source)] == list(result.size)


def test_the_orientation_counts_when_other_exif_data_is_damaged(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    damaged = exif.tobytes().replace(b"\x01\x0f\x00\x02", b"\x01\x4c\x00\x02")  # words for a number
    Image.fromarray(smooth((20, 30, 3))).save(tmp_path / "a.jpg", exif=damaged, quality=95)
    assert upscaled(tmp_path / "a.jpg", tmp_path / "b.jpg").size == (80, 120)


@pytest.mark.parametrize("form", ['<a tiff:Orientation="6"/>', "<tiff:Orientation>6</tiff:Orientation>"])
def test_an_orientation_that_xmp_repeats_is_reset_too(tmp_path: Path, form: str) -> None:
    """Lightroom writes both; a reader that finds only that of the XMP data would turn the result again."""
    xmp = f"<x:xmpmeta>{form}<title>harbour</title></x:xmpmeta>".encode()
    tags = [(274, 3, 1, 6, True), (700, 1, len(xmp), xmp, True)]
    tifffile.imwrite(tmp_path / "a.tif", smooth((20, 30, 3)), photometric="rgb", extratags=tags)
    result = upscaled(tmp_path / "a.tif", tmp_path / "b.tif")
    assert result.size == (80, 120)
    assert b"harbour" in result.getexif()[700]


def test_what_tells_of_the_old_pixels_is_left_out(tmp_path: Path) -> None:
    layers, place = (37724, 7, 9, b"of before", True), (33550, 12, 3, (1.0, 1.0, 0.0), True)
    tifffile.imwrite(tmp_path / "a.tif", smooth((20, 30, 3)), photometric="rgb", extratags=[layers, place])
    for suffix in (".tif", ".png"):
        found = upscaled(tmp_path / "a.tif", tmp_path / f"b{suffix}").getexif()
        assert not {37724, 33550} & found.keys()


def test_both_sizes_in_the_exif_data_are_put_right(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0100], exif[0x0101] = 30, 20
    Image.fromarray(smooth((20, 30, 3))).save(tmp_path / "a.jpg", exif=exif)
    found = upscaled(tmp_path / "a.jpg", tmp_path / "b.jpg").getexif()
    assert (found[0x0100], found[0x0101]) == (120, 80)


def test_unreadable_exif_is_left_out(tmp_path: Path) -> None:
    for number, damaged in enumerate(
        (b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0words", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff")
    ):
        source = tmp_path / f"{number}.jpg"
        Image.fromarray(smooth((20, 30, 3))).save(source, exif=damaged, quality=95)
        assert near(np.asarray(upscaled(source, tmp_path / f"{number}.png")), smooth((20, 30, 3)), 4)


def test_exif_data_that_a_jpeg_cannot_hold_is_left_out(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F], exif.get_ifd(0x8769)[0x927C] = "a camera", bytes(90_000)  # a note of its maker
    Image.fromarray(smooth((20, 30, 3))).save(tmp_path / "a.png", exif=exif)
    assert 0x010F not in upscaled(tmp_path / "a.png", tmp_path / "b.jpg").getexif()
    assert upscaled(tmp_path / "a.png", tmp_path / "b.webp").getexif()[0x010F] == "a camera"


def test_resolution(tmp_path: Path) -> None:
    for suffix in (".png", ".jpg", ".tif"):
        Image.fromarray(smooth((10, 12, 3))).save(tmp_path / f"a{suffix}", dpi=(300, 150))
        for other in (".png", ".jpg", ".tif"):
            dpi = upscaled(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}{other}").info["dpi"]
            assert [round(float(value)) for value in dpi] == [300, 150]


def test_a_tiff_without_a_resolution_gets_none(tmp_path: Path) -> None:
    Image.fromarray(smooth((20, 30, 3))).save(tmp_path / "a.tif")
    assert "dpi" not in upscaled(tmp_path / "a.tif", tmp_path / "b.png").info
