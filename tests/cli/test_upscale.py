"""`srez upscale`: from pictures to larger ones, by the model and in the look that is asked for."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import srez
from helpers import models, pictures
from helpers.commands import upscale
from srez import images


def test_upscale_one_file(picture, tmp_path: Path) -> None:
    source = picture("a.png", (12, 9, 3))
    result = upscale(source, "-o", tmp_path / "b.png")
    assert result.exit_code == 0, result.output
    expected = srez.load("photo")(images.read(source).pixels)
    np.testing.assert_array_equal(images.read(tmp_path / "b.png").pixels, expected)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_upscale_reads_and_writes(picture, tmp_path: Path, suffix: str) -> None:
    source = picture(f"in/a{suffix}", (12, 9, 3))
    assert upscale(source, "-o", tmp_path / f"out{suffix}").exit_code == 0
    with Image.open(tmp_path / f"out{suffix}") as image:
        assert image.size == (36, 48)
        assert f".{image.format}".lower() in (suffix, ".jpeg")


def test_upscale_many_counts_and_goes_on(picture, tmp_path: Path) -> None:
    good = [picture("in/a.png"), picture("in/b.jpg"), picture("in/c.bmp")]
    text = tmp_path / "in/words.jpg"
    text.write_text("these are words")
    missing, empty = tmp_path / "missing.png", tmp_path / "empty"
    empty.mkdir()
    out = tmp_path / "out"
    result = upscale(*good, text, missing, empty, "-o", out)
    assert result.exit_code == 1
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "b.jpg", "c.png"]
    for bad in (text, missing, empty):
        assert f"srez: {bad}" in result.stderr.replace("\n", "")
    assert "3 upscaled, 3 failed" in result.stdout


def test_upscale_a_folder_as_json(picture, tmp_path: Path) -> None:
    picture("in/a.png")
    picture("in/b.png")
    result = upscale(tmp_path / "in", "-o", tmp_path / "out", "--json")
    assert result.exit_code == 0
    assert [Path(entry["target"]).name for entry in json.loads(result.stdout)["done"]] == ["a.png", "b.png"]


def test_faces_are_told_from_icons_and_from_other_sizes(picture, tmp_path: Path) -> None:
    sources = [picture("in/icon.png", (16, 16, 3)), picture("in/other.png", (16, 17, 3))]
    sources.append(tmp_path / "in/portrait.png")
    Image.fromarray(pictures.portrait()).save(sources[-1])
    result = upscale(tmp_path / "in", "-o", tmp_path / "out", "--json")
    assert [done["model"] for done in json.loads(result.stdout)["done"]] == ["photo", "photo", "faces"]
    for source, model in zip(sources, ("photo", "photo", "faces"), strict=True):
        expected = srez.load(model)(images.read(source).pixels)
        np.testing.assert_array_equal(images.read(tmp_path / "out" / source.name).pixels, expected)


def test_upscale_with_a_model_of_ones_own(picture, tmp_path: Path) -> None:
    mine = models.write(tmp_path / "mine.onnx")
    result = upscale(picture("a.png"), "-o", tmp_path / "b.png", "--model", mine)
    assert result.exit_code == 0, result.output


def test_each_model_that_is_chosen_has_the_look_that_is_asked_for(picture, tmp_path: Path) -> None:
    sources = {"faces": tmp_path / "face.png", "photo": picture("other.png")}
    Image.fromarray(pictures.portrait()).save(sources["faces"])
    assert upscale(*sources.values(), "-o", tmp_path / "out", "--fidelity", 0.2).exit_code == 0
    for model, source in sources.items():
        expected = srez.load(model, fidelity=0.2)(images.read(source).pixels)
        np.testing.assert_array_equal(images.read(tmp_path / "out" / source.name).pixels, expected)


def test_a_background_for_what_cannot_be_transparent(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:, 4:] = 0, 0, 255, 255
    Image.fromarray(pixels).save(source := tmp_path / "a.png")
    without = upscale(source, tmp_path / "b.jpg")
    assert (without.exit_code, "or fill it (--background white)" in without.stderr) == (1, True)
    assert upscale(source, tmp_path / "b.jpg", "--background", "nocolour").exit_code == 2
    assert not (tmp_path / "b.jpg").exists()
    assert upscale(source, tmp_path / "b.jpg", "--background", "#ff0000").exit_code == 0
    with Image.open(tmp_path / "b.jpg") as image:
        red, blue = (np.array(image.getpixel((x, 16))) for x in (2, 29))
    assert np.abs(red - [255, 0, 0]).max() < 12
    assert np.abs(blue - [0, 0, 255]).max() < 12
    assert upscale(source, tmp_path / "b.webp", "--background", "red").exit_code == 0
    with Image.open(tmp_path / "b.webp") as image:
        assert image.mode == "RGBA"


def test_gray_on_a_gray_background_stays_gray(tmp_path: Path) -> None:
    Image.new("LA", (8, 8), (0, 0)).save(source := tmp_path / "a.png")
    for colour, mode in (("#808080", "L"), ("#ff8000", "RGB")):
        assert upscale(source, tmp_path / "b.jpg", "--background", colour, "--overwrite").exit_code == 0
        with Image.open(tmp_path / "b.jpg") as image:
            assert image.mode == mode
            assert image.convert("RGB").getpixel((9, 9)) == pytest.approx(
                tuple(bytes.fromhex(colour[1:])), abs=2
            )


def test_what_there_is_of_a_file_that_is_cut_short(picture, tmp_path: Path) -> None:
    source = picture("a.png", (40, 30, 3))
    source.write_bytes(source.read_bytes()[:2000])
    without = upscale(source, "-o", tmp_path / "b.png")
    assert (without.exit_code, "--salvage" in without.stderr) == (1, True)
    result = upscale(source, "-o", tmp_path / "b.png", "--salvage", "--json")
    assert result.exit_code == 0, result.output
    (warning,) = json.loads(result.stdout)["done"][0]["warnings"]
    assert re.fullmatch(r"\d+ of 40 rows, which cannot be read", warning)
    with Image.open(tmp_path / "b.png") as image:
        assert (image.size, image.getpixel((60, 150))) == ((120, 160), (128, 128, 128))
    source.write_bytes(source.read_bytes()[:33])
    assert "--salvage" not in upscale(source, "-o", tmp_path / "b.png", "--overwrite").stderr
