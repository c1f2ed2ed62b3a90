"""What is taken for pixel art and for scans, and what becomes of it."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw, ImageFont
from typer.testing import CliRunner

import srez
from srez import images
from srez.cli import app
from srez.images import resample
from srez.models import box, drawn


def sprite(side: int = 32, scale: int = 1) -> np.ndarray:
    """`(side, side, 4)` uint8: a figure of a few colours on nothing."""
    image = Image.new("RGBA", (side, side))
    pen = ImageDraw.Draw(image)
    pen.rectangle((8, 4, 23, 19), (230, 180, 120, 255), (60, 30, 20, 255))
    pen.rectangle((11, 9, 13, 12), (20, 20, 60, 255))
    pen.rectangle((18, 9, 20, 12), (20, 20, 60, 255))
    pen.rectangle((6, 20, 25, 30), (200, 30, 40, 255), (60, 30, 20, 255))
    return np.asarray(image).repeat(scale, axis=0).repeat(scale, axis=1)


def on_white(art: np.ndarray) -> np.ndarray:
    return np.where(art[..., 3:] > 0, art[..., :3], np.uint8(255))


def assert_squares(larger: np.ndarray, art: np.ndarray) -> None:
    squares = resample.nearest(art[None], 4)[0]
    if art.shape[2] == 4:  # colours that nobody sees may be others
        assert (larger[..., 3] == squares[..., 3]).all()
        larger, squares = (each * (each[..., 3:] > 0) for each in (larger, squares))
    assert (larger == squares).all()


def scan() -> np.ndarray:
    """`(160, 240)` uint8: text in black on white, without grays."""
    image = Image.new("1", (240, 160), 1)
    pen = ImageDraw.Draw(image)
    for top in range(8, 150, 24):
        pen.text((6, top), "Received with thanks", 0, ImageFont.load_default(18))
    return np.where(np.asarray(image), np.uint8(255), np.uint8(0))


def smooth_text() -> np.ndarray:
    """`(160, 240)` uint8: the same as a screen shows it, with gray at its edges."""
    image = Image.new("L", (240, 160), 255)
    pen = ImageDraw.Draw(image)
    for top in range(8, 150, 24):
        pen.text((6, top), "Received with thanks", 0, ImageFont.load_default(18))
    return np.asarray(image)


@pytest.mark.parametrize("scale", [1, 3])
def test_pixel_art_becomes_squares(scale: int) -> None:
    art = sprite(scale=scale)
    for each in (art, on_white(art)):
        assert drawn.kind(each) == "pixels"
    for each in (art, on_white(art)):
        assert_squares(srez.load("pixels")(each), each)


def test_a_scan_is_told_from_an_icon_by_its_size() -> None:
    page = scan()
    assert drawn.kind(page) == drawn.kind(np.dstack([page] * 3)) == "scan"
    assert drawn.kind(sprite()[..., 3]) == "pixels"


def test_a_scan_is_enlarged_by_bicubic() -> None:
    page = scan()
    wanted = images.to_uint8(resample.bicubic(images.to_float(page)[None, ..., None], 4)[0, ..., 0])
    difference = np.abs(srez.load("scan")(page).astype(int) - wanted)
    assert difference.max() <= 1


def test_other_pictures_are_not_drawn() -> None:
    photograph = np.ascontiguousarray(skimage.data.astronaut()[:96, :120])
    for each in (
        *(photograph, photograph.astype(np.uint16) * 257, images.to_float(photograph), smooth_text()),
        np.asarray(Image.fromarray(photograph).quantize(64).convert("RGB")),  # few colours, but no areas
        np.full((64, 64, 3), 90, np.uint8),
        np.indices((128, 128)).sum(axis=0).astype(np.uint8) % 2 * 20 + 100,  # a faint pattern
    ):
        assert drawn.kind(each) is None


def test_auto_draws_what_is_drawn_unless_a_look_is_asked_for(tmp_path: Path) -> None:
    source = tmp_path / "sprite.png"
    images.write(source, images.Picture(sprite()))
    results = {}
    for name, options in {"auto": [], "vivid": ["--fidelity", "0"]}.items():
        target = tmp_path / f"{name}.png"
        result = CliRunner().invoke(app, ["upscale", str(source), "-o", str(target), *options])
        assert result.exit_code == 0, result.output
        results[name] = images.read(target).pixels
    assert_squares(results["auto"], sprite())
    assert (results["vivid"] != results["auto"]).any()


def test_large_pictures_are_not_read_to_choose() -> None:
    side = 1025
    assert box.suited("auto", (side, side), pytest.fail) == "photo"
