"""Pictures that cannot be read, or results that cannot be written: one sentence, and no file."""

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from helpers.commands import refused, upscale, upscaled
from helpers.pictures import empty_png, smooth
from srez import images


def floating_point() -> bytes:
    buffer = BytesIO()
    Image.fromarray(np.zeros((9, 9), np.float32)).save(buffer, "TIFF")
    return buffer.getvalue()


def planar() -> bytes:
    buffer = BytesIO()
    tifffile.imwrite(
        buffer, np.moveaxis(smooth((20, 30, 3), 65535), 2, 0), photometric="rgb", planarconfig="separate"
    )
    return buffer.getvalue()


def lab() -> bytes:
    buffer = BytesIO()
    Image.new("LAB", (9, 9)).save(buffer, "TIFF")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"these are words", "is not a PNG, JPEG,"),
        (empty_png(0, 0), "is not a PNG, JPEG,|damaged"),
        (empty_png(40_000, 40_000), "has more than 178,956,970 pixels: if you trust it, allow more"),
        (empty_png(100, 100), "damaged or cut short"),
        (floating_point(), "has floating-point or 32-bit values"),
        (planar(), "stores its 16-bit channels in a way that cannot be read"),
        (lab(), r"has a colour mode that cannot be upscaled \(LAB\)"),
    ],
    ids=["empty", "words", "no size", "bomb", "cut", "float", "planar", "lab"],
)
def test_bad_input_gets_one_sentence(tmp_path: Path, data: bytes, sentence: str) -> None:
    source = tmp_path / "a.png"
    source.write_bytes(data)
    said = refused(source, tmp_path / "b.png")
    assert str(source) in said
    assert re.search(sentence, said), said


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".tif", ".avif"])
def test_animations_and_pages_are_refused(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    source = tmp_path / f"a{suffix}"
    frames[0].save(source, save_all=True, append_images=frames[1:])
    what = "has 2 pages" if suffix == ".tif" else r"is animated (2 frames)"
    assert f"{source} {what}: only single pictures can be upscaled" in refused(source, tmp_path / "b.png")


def test_signed_values_are_refused(tmp_path: Path) -> None:
    """Pillow reads them as if they had no sign."""
    for name, kind in (("a.tif", np.int8), ("b.tif", np.int16)):
        tifffile.imwrite(tmp_path / name, np.full((9, 9), -100, kind))
    assert "has negative values" in refused(tmp_path / "a.tif", tmp_path / "c.tif")
    assert "8 or 16 bits" in refused(tmp_path / "b.tif", tmp_path / "c.tif")


def test_a_bomb_can_be_let_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "a.png", tmp_path / "b.png"
    Image.new("RGB", (50, 50)).save(source)
    with monkeypatch.context() as patched:
        patched.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # Pillow's own limit must not be in the way
        assert "more than 2,000 pixels" in refused(source, target, "--max-pixels", 2000)
        assert upscale(source, "-o", target, "--max-pixels", 2500).exit_code == 0
    assert images.size(target) == (200, 200)


def test_sides_that_a_format_cannot_hold_are_refused_before_the_work(tmp_path: Path) -> None:
    Image.new("L", (17_000, 1)).save(tmp_path / "a.png")
    assert "JPEG cannot hold a side of more than 65,535" in refused(tmp_path / "a.png", tmp_path / "b.jpg")
    assert "WebP cannot hold a side of more than 16,383" in refused(tmp_path / "a.png", tmp_path / "b.webp")


def test_a_tiff_that_may_become_too_large_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("srez.images.tiff.MOST", 40 * 30 * 16 * 3)
    monkeypatch.setattr("srez.upscaling.upscaler.Upscaler.bands", lambda *_: pytest.fail("it has begun"))
    Image.fromarray(smooth((40, 30, 4))).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "b.tif", smooth((40, 30, 3), 65535), photometric="rgb")
    for name in ("a.png", "b.tif"):
        said = refused(tmp_path / name, tmp_path / "c.tif")
        assert f"{tmp_path / 'c.tif'}: TIFF cannot hold more than 4 GB; write a .png instead" in said
    monkeypatch.undo()
    assert upscaled(tmp_path / "a.png", tmp_path / "c.tif").size == (120, 160)


def test_a_folder_that_nobody_can_write_to(tmp_path: Path) -> None:
    if not Path("/proc/self").exists():
        pytest.skip("this system has no /proc")
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    assert "/proc" in refused(tmp_path / "a.png", Path("/proc/b.png"))
