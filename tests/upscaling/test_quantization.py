"""Repaired results keep to what their JPEG file says."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

import srez
from helpers.pictures import as_jpeg
from srez import images
from srez.evaluation import metrics
from srez.evaluation.protocol import Y_MATLAB_X4
from srez.images import Jpeg, Picture, resample
from srez.images.orientation import upright
from srez.upscaling.quantization import kept
from srez.upscaling.upscaler import Upscaler

BASIS = np.array(
    [
        [np.sqrt((1 if k == 0 else 2) / 8) * np.cos((2 * n + 1) * k * np.pi / 16) for n in range(8)]
        for k in range(8)
    ]
)


@pytest.fixture(scope="module")
def upscaler() -> Upscaler:
    return srez.load("photo", repair=1)


@pytest.fixture(scope="module")
def bricks() -> np.ndarray:
    """Rows of bricks one pixel apart, which look much like what JPEG leaves, in HR; `(512, 480, 3)` uint8."""
    wall = np.repeat(data.brick()[:, :480, None], 3, axis=2)
    return np.ascontiguousarray(wall)


def luma(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(float) @ [0.299, 0.587, 0.114] - 128 if pixels.ndim == 3 else pixels - 128.0


def frequencies(pixels: np.ndarray) -> np.ndarray:
    """Of the whole blocks, `(rows, 8, columns, 8)`."""
    rows, columns = (side // 8 for side in pixels.shape[:2])
    blocks = luma(pixels)[: rows * 8, : columns * 8].reshape(rows, 8, columns, 8)
    return np.einsum("ki,aibj,lj->akbl", BASIS, blocks, BASIS)


def steps_off(result: np.ndarray, picture: Picture) -> np.ndarray:
    """How many steps the reduced result is from what the file holds, of each frequency."""
    assert picture.jpeg
    assert picture.jpeg.steps
    steps = np.reshape(picture.jpeg.steps, (8, 8))[:, None]
    held = np.round(frequencies(picture.pixels) / steps)
    return np.abs(frequencies(resample.bicubic_reduce(result, 4)) / steps - held)


def test_a_repaired_file_is_not_farther_from_the_truth_than_its_file_allows(
    upscaler: Upscaler, bricks: np.ndarray, tmp_path: Path
) -> None:
    low = resample.bicubic_reduce(bricks, 4)
    (tmp_path / "bricks.jpg").write_bytes(as_jpeg(low, 50))
    picture = images.read(tmp_path / "bricks.jpg")
    told = np.asarray(upscaler(tmp_path / "bricks.jpg"))
    untold = upscaler(picture.pixels)
    assert (steps_off(untold, picture) > 0.65).sum() > 20
    assert (steps_off(told, picture) > 0.65).sum() == 0  # half a step, and rounding to whole levels
    assert metrics.psnr(told, bricks, Y_MATLAB_X4) > metrics.psnr(untold, bricks, Y_MATLAB_X4) + 0.01


def test_blocks_that_reach_white_are_kept_to_as_well(bricks: np.ndarray) -> None:
    low = resample.bicubic_reduce(bricks, 4)
    bright = (low.astype(int) + 255 - int(np.percentile(low, 99))).clip(0, 255).astype(np.uint8)
    picture = images.read(as_jpeg(bright, 50, subsampling=0))
    assert picture.jpeg
    assert picture.jpeg.steps
    steps = np.reshape(picture.jpeg.steps, (8, 8))[:, None]
    decoded = frequencies(picture.pixels) / steps
    as_held = (np.abs(decoded - np.round(decoded)) * steps).max(axis=(1, 3)) < 2  # clipping changed little
    rows, columns = (side // 8 for side in picture.pixels.shape[:2])
    blocks = picture.pixels[: rows * 8, : columns * 8].reshape(rows, 8, columns, 8, 3)
    chosen = (blocks == 255).any(axis=(1, 3, 4)) & as_held
    assert chosen.sum() > 10
    smooth = images.to_uint8(
        resample.bicubic(resample.area(picture.pixels[None] / np.float32(255), 4), 16)[0]
    )
    result = np.concatenate(list(kept([smooth], picture.pixels, picture.jpeg, 4)))
    assert np.median(steps_off(smooth, picture).max(axis=(1, 3))[chosen]) > 1.5
    assert np.median(steps_off(result, picture).max(axis=(1, 3))[chosen]) < 0.65


def test_all_ways_to_upscale_a_file_keep_to_it(
    upscaler: Upscaler, bricks: np.ndarray, tmp_path: Path
) -> None:
    (tmp_path / "bricks.jpg").write_bytes(as_jpeg(resample.bicubic_reduce(bricks, 4), 50))
    picture = images.read(tmp_path / "bricks.jpg")
    whole = upscaler(picture.pixels, jpeg=picture.jpeg)
    assert (whole != upscaler(picture.pixels)).any()
    tiles = srez.load("photo", repair=1, tile=32).bands(picture.pixels, jpeg=picture.jpeg)
    assert np.abs(np.concatenate(list(tiles)).astype(int) - whole).max() <= 1
    twice = upscaler.batch(np.stack([picture.pixels] * 2), [1, 1], [picture.jpeg, None])
    assert (twice[0] == whole).all()
    assert (twice[1] == upscaler.batch(picture.pixels[None], [1])[0]).all()
    chosen = srez.load("photo").batch(picture.pixels[None], jpegs=[picture.jpeg])
    assert (chosen[0] == whole).all()  # fully, for its quality
    srez.upscale(tmp_path / "bricks.jpg", tmp_path / "large.png", model="photo")
    assert (images.read(tmp_path / "large.png").pixels == whole).all()
    assert (np.asarray(srez.upscale(tmp_path / "bricks.jpg", model="photo")) == whole).all()


def test_alpha_is_no_luma(upscaler: Upscaler, bricks: np.ndarray) -> None:
    picture = images.read(as_jpeg(resample.bicubic_reduce(bricks, 4), 50))
    alpha = np.full((*picture.pixels.shape[:2], 1), 128, np.uint8)
    result = upscaler(np.concatenate([picture.pixels, alpha], axis=2), jpeg=picture.jpeg)
    assert (result[..., 3] == 128).all()
    assert (result[..., :3] == upscaler(picture.pixels, jpeg=picture.jpeg)).all()


def test_without_repair_a_result_is_its_input_anyway(bricks: np.ndarray) -> None:
    picture = images.read(as_jpeg(resample.bicubic_reduce(bricks, 4), 50))
    plain = srez.load("photo", repair=0)
    assert (plain(picture.pixels, jpeg=picture.jpeg) == plain(picture.pixels)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_that_is_turned_keeps_to_its_file(bricks: np.ndarray, orientation: int) -> None:
    low = resample.bicubic_reduce(bricks[:500, :428], 4)  # 107x125: not whole blocks
    flat = images.read(as_jpeg(low, 50))
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = images.read(as_jpeg(low, 50, exif=exif))
    assert flat.jpeg
    assert turned.jpeg
    smooth = resample.bicubic(resample.area(flat.pixels[None, :124, :104] / np.float32(255), 4), 16)[0]
    smooth = np.pad(images.to_uint8(smooth), ((0, 4), (0, 12), (0, 0)), mode="edge")  # repaired too much
    as_stored = np.concatenate(list(kept([smooth], flat.pixels, flat.jpeg, 4)))
    assert (as_stored != smooth).any()
    bands = [upright(smooth, orientation)]
    as_turned = np.concatenate(list(kept(bands, turned.pixels, turned.jpeg, 4)))
    difference = as_turned.astype(int) - upright(as_stored, orientation)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("rows", [1, 7, 64, 1000])
def test_how_a_result_is_cut_does_not_matter(bricks: np.ndarray, rows: int) -> None:
    picture = images.read(as_jpeg(resample.bicubic_reduce(np.tile(bricks, (2, 1, 1)), 4), 50))
    assert picture.jpeg
    smooth = images.to_uint8(
        resample.bicubic(resample.area(picture.pixels[None] / np.float32(255), 8), 32)[0]
    )
    whole = np.concatenate(list(kept([smooth], picture.pixels, picture.jpeg, 4)))
    bands = (smooth[top : top + rows] for top in range(0, len(smooth), rows))
    assert (np.concatenate(list(kept(bands, picture.pixels, picture.jpeg, 4))) == whole).all()


def test_gray_stays_gray_and_white_stays_white(upscaler: Upscaler) -> None:
    page = np.full((64, 96), 255, np.uint8)
    page[20:44:3, 16:80] = 0
    for pixels in (page, np.repeat(page[..., None], 3, axis=2)):
        picture = images.read(as_jpeg(pixels, 30, subsampling=0))
        larger = upscaler(picture.pixels, jpeg=picture.jpeg)
        if larger.ndim == 3:
            assert np.ptp(larger.astype(int), axis=2).max() == 0
        assert (larger[:32] == 255).all()


@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (300, 7), (8, 8), (9, 70)])
def test_the_smallest_pictures(
    upscaler: Upscaler, random: np.random.Generator, shape: tuple[int, int]
) -> None:
    pixels = random.integers(60, 190, (*shape, 3), dtype=np.uint8)
    picture = images.read(as_jpeg(pixels, 30))
    assert upscaler(picture.pixels, jpeg=picture.jpeg).shape == (shape[0] * 4, shape[1] * 4, 3)


def test_steps_are_those_of_luma_and_only_where_it_is_stored() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    for options in ({}, {"subsampling": 0}, {"progressive": True}):
        file = as_jpeg(pixels, 40, **options)
        jpeg = images.read(file).jpeg
        with Image.open(io.BytesIO(file)) as image:
            tables: dict[int, list[int]] = image.quantization  # pyright: ignore[reportAttributeAccessIssue]
        assert jpeg
        halved = options.get("subsampling") != 0
        assert jpeg == Jpeg(jpeg.quality, tuple(tables[0]), chroma_step=tables[1][0], chroma_halved=halved)
    for file in (
        as_jpeg(pixels, 40, keep_rgb=True),
        as_jpeg(np.concatenate([pixels, pixels[..., :1]], axis=2)[..., :3], 40, keep_rgb=True),
    ):
        jpeg = images.read(file).jpeg
        assert jpeg
        assert jpeg.steps is None
    cmyk = io.BytesIO()
    Image.fromarray(pixels).convert("CMYK").save(cmyk, "JPEG")
    jpeg = images.read(cmyk.getvalue()).jpeg
    assert jpeg
    assert jpeg.steps is None
    assert replace(jpeg, begin=(1, 2)).upright(1, (48, 40)).begin == (0, 0)


def test_a_step_of_nothing_tells_nothing(upscaler: Upscaler) -> None:
    file = bytearray(as_jpeg(data.coffee()[:64, :64], 50))
    file[file.index(b"\xff\xdb") + 5 + 3] = 0  # in the first table
    picture = images.read(bytes(file))
    assert picture.jpeg
    assert picture.jpeg.steps is None
    assert upscaler(picture.pixels, jpeg=picture.jpeg).shape == (256, 256, 3)
