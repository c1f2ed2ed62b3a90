"""`srez upscale`: results of other sizes than the model's."""

import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

import srez
from helpers.commands import upscale
from srez import images
from srez.images import any_size, parts, resample


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
def test_smaller_results_are_reduced_by_bicubic(picture, tmp_path: Path, words, size) -> None:
    source = picture("a.png")
    planned = json.loads(upscale(source, "-o", tmp_path / "b.png", "--json", "--dry-run", *words).stdout)
    report = json.loads(upscale(source, "-o", tmp_path / "b.png", "--json", *words).stdout)
    for entry in (planned["planned"][0], report["done"][0]):
        assert (entry["width"], entry["height"]) == size
        assert entry["resized"] == (None if size == (36, 48) else "bicubic")
    output = images.read(tmp_path / "b.png").pixels
    assert output.shape == (size[1], size[0], 3)
    if size in ((18, 24), (9, 12)):
        large = srez.load("photo")(images.read(source).pixels)
        expected = resample.bicubic_reduce(large, 36 // size[0]).astype(int)
        assert np.abs(output - expected).max() <= 1


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


@pytest.fixture
def high() -> np.ndarray:
    return skimage.data.astronaut()[:384, 64:448]


def written(pixels: np.ndarray, path: Path) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def reduced(source: Path, *words: object) -> tuple[np.ndarray, str]:
    """What comes of a picture, and what it says it was resized by."""
    result = upscale(source, "-o", target := source.with_name("result.png"), "--overwrite", "--json", *words)
    return images.read(target).pixels, json.loads(result.stdout)["done"][0]["resized"]


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(-10 * np.log10((((one.astype(float) - other) / 255) ** 2).mean()))


def test_a_clean_photograph_comes_back_at_its_own_size(tmp_path: Path) -> None:
    low = resample.bicubic_reduce(skimage.data.chelsea()[:296, :384], 4)
    output, resized = reduced(written(low, tmp_path / "a.png"), "--scale", 1)
    assert resized == "bicubic"
    assert psnr(output, low) > 55  # by area it was 49.7


def test_twice_as_large_is_nearer_to_the_truth_than_area_means(high: np.ndarray, tmp_path: Path) -> None:
    truth, low = resample.bicubic_reduce(high, 2), resample.bicubic_reduce(high, 4)
    output, _ = reduced(source := written(low, tmp_path / "a.png"), "--scale", 2)
    means = resample.area(reduced(source)[0], 2)
    assert psnr(output, truth) > psnr(means, truth) + 0.05


@pytest.fixture
def art(random: np.random.Generator) -> np.ndarray:
    """Six colours, one of them transparent."""
    colours = random.integers(0, 256, (6, 4), np.uint8)
    colours[:, 3] = [0, 255, 255, 255, 255, 255]
    return colours[random.integers(0, 6, (20, 30))]


def seen(pixels: np.ndarray) -> np.ndarray:
    """Without the colours of what is transparent."""
    return np.where(pixels[..., 3:] > 0, pixels, 0)


@pytest.mark.parametrize("scale", [1, 2, 3, 5, 6, 7, 8, 16])
def test_pixel_art_stays_exact(scale: int, art: np.ndarray, tmp_path: Path) -> None:
    output, resized = reduced(written(art, tmp_path / "a.png"), "--model", "pixels", "--scale", scale)
    assert resized == ("area" if scale < 4 else "nearest")
    np.testing.assert_array_equal(seen(output), seen(resample.nearest(art, scale)))


@pytest.mark.parametrize("width", [121, 137, 149, 500])
def test_pixel_art_becomes_squares_at_any_larger_size(width: int, art: np.ndarray, tmp_path: Path) -> None:
    """No colour is new, and squares differ by a pixel at most."""
    output, resized = reduced(written(art, tmp_path / "a.png"), "--model", "pixels", "--width", width)
    assert resized == "nearest"
    height = output.shape[0]
    rows, columns = (
        (np.arange(length) * 2 + 1) * side // (2 * length) for length, side in ((height, 20), (width, 30))
    )
    np.testing.assert_array_equal(seen(output), seen(art[rows][:, columns]))
    for places in (rows, columns):
        sides = np.bincount(places)
        assert sides.max() - sides.min() <= 1


def test_a_face_comes_back_at_its_own_size(high: np.ndarray, tmp_path: Path) -> None:
    face = parts.resized(high[:200, 60:260], 16, 16)
    output, resized = reduced(written(face, tmp_path / "a.png"), "--model", "faces", "--scale", 1)
    assert resized == "area"
    assert np.abs(output.astype(int) - face).max() <= 1


def test_colours_under_transparency_do_not_show(tmp_path: Path) -> None:
    """A disk of one colour, with green hidden around it."""
    y, x = np.mgrid[:40, :40] - 19.5
    inside = (x**2 + y**2 < 200)[..., None]
    disk = np.where(inside, np.array([200, 60, 40, 255]), np.array([0, 255, 0, 0])).astype(np.uint8)
    source = written(disk, tmp_path / "a.png")
    for scale in (1, 2, 3):
        output, _ = reduced(source, "--scale", scale)
        seen = output[output[..., 3] > 0][:, :3].astype(int)
        assert np.abs(seen - [200, 60, 40]).max() <= 2


def test_a_seamless_texture_is_reduced_as_other_pictures_are(picture) -> None:
    assert reduced(picture("a.png", (40, 40, 3)), "--wrap", "--scale", 2)[1] == "bicubic"


@pytest.mark.parametrize("shape", [(1, 1, 3), (500, 3), (3, 500, 4)])
def test_thin_pictures_can_be_reduced(picture, shape: tuple[int, ...]) -> None:
    source = picture("a.png", shape)
    for words in (("--scale", 1), ("--scale", 3), ("--width", 1)):
        output, _ = reduced(source, *words)
        assert output.shape[2:] == shape[2:]
