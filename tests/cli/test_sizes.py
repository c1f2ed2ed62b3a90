"""`srez upscale`: results of other sizes than the model's."""

import json
from pathlib import Path

import numpy as np
import pytest

import srez
from helpers.commands import upscale
from srez import images
from srez.images import any_size, resample


@pytest.mark.parametrize(
    ("words", "size"),
    [
        (["--scale", 2], (18, 24)),
        (["--scale", 3], (27, 36)),
        (["--scale", 1], (9, 12)),
        (["--width", 20], (20, 27)),
        (["--height", 20], (15, 20)),
        (["--width", 30, "--height", 20], (15, 20)),
        (["--width", 36], (36, 48)),
    ],
)
def test_smaller_results_are_area_means_of_the_large_one(picture, tmp_path: Path, words, size) -> None:
    source = picture("a.png")
    report = json.loads(upscale(source, "-o", tmp_path / "b.png", "--json", *words).stdout)
    assert (report["done"][0]["width"], report["done"][0]["height"]) == size
    output = images.read(tmp_path / "b.png").pixels
    assert output.shape == (size[1], size[0], 3)
    if 36 % size[0] == 0 and 48 % size[1] == 0:
        large = srez.load("photo")(images.read(source).pixels)
        assert np.abs(output - resample.area(large, 36 // size[0])).max() <= 0.5


@pytest.mark.parametrize(
    ("words", "size", "name"),
    [
        (["--scale", 8], (72, 96), "a_x8.png"),
        (["--width", 37], (37, 49), "a_w37.png"),
        (["--width", 900, "--height", 60], (45, 60), "a_900x60.png"),
    ],
)
def test_larger_results_are_enlarged_by_lanczos(picture, tmp_path: Path, words, size, name: str) -> None:
    source = picture("a.png")
    for planned in (["--dry-run"], []):
        said = upscale(source, *words, *planned).stdout.replace("\n", "")
        assert f"{name}: {size[0]}x{size[1]} (" in said
        assert "resized by Lanczos)" in said
    large = srez.load("photo")(images.read(source).pixels)
    expected = np.concatenate(list(any_size.resize([large], (36, 48), size, any_size.LANCZOS)))
    np.testing.assert_array_equal(images.read(tmp_path / name).pixels, expected)
    report = json.loads(upscale(source, *words, "--overwrite", "--json").stdout)
    assert report["done"][0]["resized"] == "Lanczos"
