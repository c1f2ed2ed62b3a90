"""What a file says beside its pixels is kept, moved to another place, or named."""

import json
import os
import struct
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin
from typer.testing import CliRunner

from helpers.commands import upscale
from helpers.pictures import cmyk_profile, png_chunk, profile
from srez import images
from srez.cli import app
from srez.images import metadata

IPTC = b"\x1c\x02\x78\x00\x07harbour"


def with_text(path: Path, **texts: str) -> None:
    info = PngImagePlugin.PngInfo()
    for keyword, text in texts.items():
        info.add_itxt(keyword, text, zip=True)
    Image.new("RGB", (8, 8)).save(path, pnginfo=info)


def with_chunks(path: Path, *chunks: tuple[bytes, bytes]) -> None:
    Image.new("RGB", (8, 8)).save(path)
    data = path.read_bytes()
    path.write_bytes(data[:33] + b"".join(png_chunk(*each) for each in chunks) + data[33:])


def user_comment(path: Path) -> bytes:
    with Image.open(path) as image:
        return image.getexif().get_ifd(0x8769)[0x9286]


def lost(source: Path, target: Path) -> list[str]:
    """The warnings of an upscaling, as JSON has them and as standard error has them."""
    done = CliRunner().invoke(app, ["upscale", str(source), "-o", str(target), "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["done"][0]["warnings"]
    lines = [line for line in done.stderr.splitlines() if line.startswith("srez: warning: ")]
    assert len(lines) == bool(found)
    assert all(str(source) in line and what in line for line in lines for what in found)
    return found


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".tif", ".avif"])
def test_text_of_a_png_becomes_a_user_comment(tmp_path: Path, suffix: str) -> None:
    with_text(tmp_path / "a.png", parameters="a prompt")
    assert not lost(tmp_path / "a.png", tmp_path / f"a{suffix}")
    assert user_comment(tmp_path / f"a{suffix}") == b"ASCII\0\0\0a prompt"
    with_text(tmp_path / "b.png", Author="Æsop", Title="a fox")
    images.write(tmp_path / f"b{suffix}", images.read(tmp_path / "b.png"))
    expected = b"UNICODE\0" + "Author: Æsop\nTitle: a fox".encode("utf-16-be")
    assert user_comment(tmp_path / f"b{suffix}") == expected


def test_text_that_a_jpeg_cannot_hold_is_named(tmp_path: Path) -> None:
    with_text(tmp_path / "a.png", workflow="words " * 20_000)
    assert lost(tmp_path / "a.png", tmp_path / "a.jpg") == ["text"]


def test_iptc_data_are_kept_or_named(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", extra=metadata.iptc_segment(IPTC))
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.zeros((8, 8, 3), np.uint8),
        photometric="rgb",
        extratags=[(metadata.IPTC_TAG, 7, len(IPTC), IPTC, True)],
    )
    for source in ("a.jpg", "a.tif"):
        for suffix in (".jpg", ".tif"):
            assert not lost(tmp_path / source, tmp_path / f"{source}{suffix}")
            assert images.read(tmp_path / f"{source}{suffix}").metadata.iptc == IPTC
        assert lost(tmp_path / source, tmp_path / f"{source}.webp") == ["IPTC data"]


def test_xmp_of_a_tiff_and_to_a_heic(tmp_path: Path) -> None:
    pytest.importorskip("pillow_heif")
    tag = (700, 1, 14, b"<x>harbour</x>", True)
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((64, 64, 3), np.uint8), photometric="rgb", extratags=[tag])
    for name in ("a.heic", "b.heic", "a.png"):
        source = {"b.heic": "a.heic"}.get(name, "a.tif")
        images.write(tmp_path / name, images.read(tmp_path / source))
        assert images.read(tmp_path / name).metadata.xmp == b"<x>harbour</x>"


@pytest.mark.parametrize("suffix", [".webp", ".avif", ".heic"])
def test_pixels_per_inch_go_into_the_exif_data_and_back(tmp_path: Path, suffix: str) -> None:
    if suffix == ".heic":
        pytest.importorskip("pillow_heif")
    Image.new("RGB", (8, 8)).save(tmp_path / "a.tif", dpi=(300, 150))
    assert not lost(tmp_path / "a.tif", tmp_path / f"b{suffix}")
    with Image.open(tmp_path / f"b{suffix}") as image:
        assert [image.getexif()[tag] for tag in (282, 283, 296)] == [300, 150, 2]
    assert images.read(tmp_path / f"b{suffix}").metadata.dpi == (300, 150)


P3 = (b"cICP", bytes([12, 13, 0, 1]))
SRGB = (b"cICP", bytes([1, 13, 0, 1]))
LINEAR = (b"gAMA", struct.pack(">I", 100_000))


@pytest.mark.parametrize(
    ("chunk", "expected"),
    [
        (P3, ["colour description (cICP)"]),
        (LINEAR, ["colour description (gAMA)"]),
        (SRGB, []),
        ((b"gAMA", struct.pack(">I", 45_455)), []),
        ((b"sRGB", b"\0"), []),
    ],
)
def test_colours_are_kept_in_a_png_and_named_elsewhere(
    tmp_path: Path, chunk: tuple[bytes, bytes], expected: list[str]
) -> None:
    with_chunks(tmp_path / "a.png", chunk)
    assert not lost(tmp_path / "a.png", tmp_path / "b.png")
    assert images.read(tmp_path / "b.png").metadata.colours == (chunk,)
    assert lost(tmp_path / "a.png", tmp_path / "b.jpg") == expected


def test_code_points_of_an_avif_go_to_a_png(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.avif")
    data = bytearray((tmp_path / "a.avif").read_bytes())
    place = data.index(b"colrnclx") + 8
    data[place : place + 4] = struct.pack(">HH", 12, 13)
    (tmp_path / "a.avif").write_bytes(data)
    assert not lost(tmp_path / "a.avif", tmp_path / "a.png")
    assert images.read(tmp_path / "a.png").metadata.colours == (P3,)
    assert lost(tmp_path / "a.avif", tmp_path / "a.jpg") == ["colour description (cICP)"]


@pytest.mark.parametrize("damaged", [b"words " * 9, b"II*\0\xff\xff\xff\xff" + bytes(40)])
def test_exif_data_that_cannot_be_read_are_named(tmp_path: Path, damaged: bytes) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=b"Exif\0\0" + damaged)
    assert lost(tmp_path / "a.jpg", tmp_path / "b.jpg") == ["EXIF data, which cannot be read"]


@pytest.mark.parametrize(
    ("mode", "suffix", "is_kept"),
    [
        ("L", ".jpg", True),
        ("L", ".heic", True),
        ("LA", ".tif", True),
        ("L", ".webp", False),
        ("LA", ".avif", False),
        ("LA", ".heic", False),
    ],
)
def test_a_profile_for_gray_is_kept_or_named(tmp_path: Path, mode: str, suffix: str, is_kept: bool) -> None:
    """Where gray becomes RGB, programs would not take the profile: it is for other channels."""
    if suffix == ".heic":
        pytest.importorskip("pillow_heif")
    Image.new(mode, (8, 8)).save(tmp_path / "a.png", icc_profile=profile("GRAY"))
    told = lost(tmp_path / "a.png", tmp_path / f"b{suffix}")
    assert told == ([] if is_kept else [metadata.FOR_GRAY])
    assert bool(images.read(tmp_path / f"b{suffix}").metadata.icc) == is_kept


def test_a_profile_for_gray_does_not_go_with_a_background_of_colour(tmp_path: Path) -> None:
    Image.new("LA", (8, 8)).save(tmp_path / "a.png", icc_profile=profile("GRAY"))
    for colour, is_kept in (("gray", True), ("red", False)):
        assert upscale(tmp_path / "a.png", tmp_path / f"{colour}.jpg", "--background", colour).exit_code == 0
        assert bool(images.read(tmp_path / f"{colour}.jpg").metadata.icc) == is_kept


def test_a_profile_for_gray_does_not_go_into_a_tiff_of_rgb(tmp_path: Path) -> None:
    deep = images.Picture(np.zeros((8, 8, 2), np.uint16), images.Metadata(icc=profile("GRAY")))
    images.write(tmp_path / "a.png", deep)
    assert lost(tmp_path / "a.png", tmp_path / "b.tif") == [metadata.FOR_GRAY]
    assert images.read(tmp_path / "b.tif").metadata.icc is None


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_a_profile_of_cmyk_is_used_or_named(tmp_path: Path, suffix: str) -> None:
    cmyk = Image.new("CMYK", (8, 8), (200, 0, 0, 0))
    cmyk.save(tmp_path / f"a{suffix}", icc_profile=cmyk_profile())
    assert not lost(tmp_path / f"a{suffix}", tmp_path / "b.png")
    assert (
        np.ptp(images.read(tmp_path / "b.png").pixels.mean(axis=(0, 1))) < 2
    )  # gray, as this profile has it
    for number, unusable in enumerate((b"damaged" * 30, profile("CMYK"), profile("RGB "))):
        cmyk.save(tmp_path / f"a{suffix}", icc_profile=unusable)
        told = lost(tmp_path / f"a{suffix}", tmp_path / f"{number}.png")
        assert told == ["colour profile, which cannot be read"]
        assert images.read(tmp_path / f"{number}.png").metadata.icc is None
    cmyk.save(tmp_path / f"a{suffix}")
    assert not lost(tmp_path / f"a{suffix}", tmp_path / "c.png")


def test_an_orientation_alone_is_no_loss(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=exif)
    assert not lost(tmp_path / "a.jpg", tmp_path / "b.jpg")


def test_threads_leave_warnings_and_umask_as_they_are(tmp_path: Path) -> None:
    def umask() -> int:
        mask = os.umask(0o22)
        os.umask(mask)
        return mask

    def copy(number: int) -> None:
        path = tmp_path / f"{number}.png"
        images.write(path, images.Picture(np.zeros((8, 8, 3), np.uint8)))
        images.write(path.with_suffix(".jpg"), images.read(path))

    before = umask(), list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(copy, range(64)))
    assert (umask(), list(warnings.filters)) == before
    assert (tmp_path / "0.png").stat().st_mode & 0o777 == 0o666 & ~before[0]
