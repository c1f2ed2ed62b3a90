import tracemalloc

import numpy as np
import pytest
from PIL import Image

from srez.errors import ImageError
from srez.images import any_size, hidden, masks, resample


def test_area_is_the_mean_of_each_block() -> None:
    image = np.arange(4 * 8).reshape(1, 4, 8, 1)
    expected = [image[0, :, :4].mean(), image[0, :, 4:].mean()]
    np.testing.assert_allclose(resample.area(image, 4).ravel(), expected)


def test_area_refuses_broken_blocks() -> None:
    with pytest.raises(ImageError, match="7x8 picture cannot be divided into 4x4 blocks"):
        resample.area(np.zeros((8, 7, 3)), 4)


def test_area_undoes_nearest(random: np.random.Generator) -> None:
    low = random.random((2, 5, 3, 3))
    np.testing.assert_allclose(resample.area(resample.nearest(low, 4), 4), low)


def test_bicubic_is_keys_cubic() -> None:
    # Eq. 15 of Keys 1981 for an impulse, away from the border: the kernel itself, at half-pixel centres.
    low = np.zeros((1, 1, 9, 1), np.float32)
    low[0, 0, 4] = 1
    x = np.abs((np.arange(36) + 0.5) / 4 - 0.5 - 4)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    expected = np.where(x < 1, near, np.where(x < 2, far, 0))
    inside = slice(8, -8)
    np.testing.assert_allclose(resample.bicubic(low, 4)[0, 0, inside, 0], expected[inside], atol=1e-6)


def test_bicubic_keeps_a_flat_picture_and_does_not_round() -> None:
    flat = np.full((1, 3, 5, 3), 0.12345678, np.float32)
    np.testing.assert_allclose(resample.bicubic(flat, 4), 0.12345678, atol=1e-7)


@pytest.mark.parametrize("radius", [1, 2, 5])
def test_flat_is_where_a_window_has_one_colour(random: np.random.Generator, radius: int) -> None:
    image = np.zeros((1, 30, 40, 2))
    for y, x in ((3, 4), (20, 33), (29, 0)):
        image[0, y, x, random.integers(2)] = 1
    y, x = np.mgrid[:30, :40]
    marks = zip(*np.nonzero(image[0].any(-1)), strict=True)
    distance = np.min([np.maximum(abs(y - at_y), abs(x - at_x)) for at_y, at_x in marks], axis=0)
    found = masks.flat(image, radius)[0]
    assert found[distance > radius].all()
    assert not found[distance < radius].any()


def picture_in_bands(image: np.ndarray) -> list[np.ndarray]:
    return np.split(image, [1, 8, 9, 30, 100][: len(image) // 30 + 2])


@pytest.mark.parametrize("target", [(80, 60), (40, 30), (53, 41), (160, 120), (159, 119), (1, 1), (160, 7)])
def test_area_is_the_mean_of_what_a_pixel_covers(random, target: tuple[int, int]) -> None:
    image = random.integers(0, 256, (120, 160, 3), dtype=np.uint8)
    output = np.concatenate(list(any_size.resize(picture_in_bands(image), (160, 120), target, any_size.AREA)))
    assert output.shape == (target[1], target[0], 3)
    # The same by brute force: every pixel repeated as often as makes blocks whole.
    rows = np.repeat(image.astype(float), target[1], axis=0).reshape(target[1], 120, 160, 3).mean(1)
    exact = np.repeat(rows, target[0], axis=1).reshape(target[1], target[0], 160, 3).mean(2)
    assert np.abs(output - exact).max() <= 0.5 + 1e-9


def test_area_keeps_flat_pictures_and_16_bits() -> None:
    for value, dtype in ((255, np.uint8), (65535, np.uint16), (12345, np.uint16)):
        flat = np.full((50, 70, 1), value, dtype)
        output = np.concatenate(list(any_size.resize([flat], (70, 50), (33, 47), any_size.AREA)))
        assert output.dtype == dtype
        assert (output == value).all()


def test_hidden_pixels_get_the_nearest_visible_colours() -> None:
    reach = hidden.HIDDEN_REACH
    side, middle = 2 * reach + 3, reach + 1
    colours = np.zeros((side, side, 3), np.float32)
    colours[middle, middle] = (0.2, 0.4, 0.6)
    colours[0, 0] = 1  # hidden, and out of reach
    alpha = np.zeros((side, side, 1), np.float32)
    alpha[middle, middle] = 0.5
    filled = hidden.fill_hidden(colours, alpha)
    inside = filled[1:-1, 1:-1]
    np.testing.assert_allclose(inside, np.broadcast_to(colours[middle, middle], inside.shape), atol=1e-6)
    np.testing.assert_array_equal(filled[0], colours[0])
    assert hidden.fill_hidden(colours, np.ones_like(alpha)) is colours


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("target", [(64, 48), (41, 31), (40, 30), (200, 150), (41, 700), (1000, 30)])
def test_lanczos_is_pillows(random, target: tuple[int, int], dtype: type) -> None:
    image = random.integers(0, np.iinfo(dtype).max + 1, (30, 40, 3), dtype=dtype)
    bands = list(any_size.resize(picture_in_bands(image), (40, 30), target, any_size.LANCZOS))
    output = np.concatenate(bands)
    planes = [Image.fromarray(plane.astype(np.float32)) for plane in np.moveaxis(image, -1, 0)]
    for size in ((40, target[1]), target):  # clipped after each direction
        larger = [np.asarray(plane.resize(size, Image.Resampling.LANCZOS)) for plane in planes]
        planes = [Image.fromarray(plane.clip(0, np.iinfo(dtype).max)) for plane in larger]
    expected = np.stack([np.asarray(plane) for plane in planes], axis=-1)
    assert output.dtype == dtype
    assert output.shape == (target[1], target[0], 3)
    assert np.abs(output - expected).max() <= 0.51 + 1e-4 * np.iinfo(dtype).max / 255
    assert max(map(len, bands)) <= 64


def test_lanczos_needs_little_memory_for_a_tall_result() -> None:
    rows = (np.full((16, 8, 1), band, np.uint8) for band in range(250))
    tops = [band[0, 0, 0] for band in any_size.resize(rows, (8, 4000), (80, 40000), any_size.LANCZOS)]
    assert len(tops) >= 40000 // 64
    assert (np.diff(np.array(tops, int)) >= 0).all()


@pytest.mark.parametrize("side", [1, 2, 3])
def test_lanczos_keeps_a_flat_picture(side: int) -> None:
    flat = np.full((side, side, 1), 201, np.uint8)
    (output,) = any_size.resize([flat], (side, side), (7 * side, 7 * side), any_size.LANCZOS)
    assert (output == 201).all()


def by_bicubic(image: np.ndarray, target: tuple[int, int]) -> np.ndarray:
    bands = any_size.resize(
        picture_in_bands(image), (image.shape[1], image.shape[0]), target, any_size.BICUBIC
    )
    return np.concatenate(list(bands))


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_bicubic_is_that_of_the_benchmarks(random: np.random.Generator, scale: int, channels: int) -> None:
    image = random.integers(0, 256, (120, 160, channels), dtype=np.uint8)
    expected = resample.bicubic_reduce(image, scale).astype(int)  # which is rounded after each direction
    output = by_bicubic(image, (160 // scale, 120 // scale))
    assert output.dtype == np.uint8
    assert np.abs(output - expected).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("size", "target"),
    [
        ((96, 120), (48, 60)),
        ((96, 120), (32, 40)),
        ((96, 120), (24, 30)),
        ((96, 120), (95, 119)),
        ((96, 120), (37, 46)),
        ((96, 120), (1, 1)),
        ((4, 4), (1, 1)),
        ((4, 4), (3, 3)),
        ((12, 2000), (3, 500)),
        ((12, 2000), (1, 125)),
        ((1, 9), (1, 2)),
    ],
)
def test_bicubic_is_keys_cubic_of_the_mirrored_picture(
    random: np.random.Generator, size: tuple[int, int], target: tuple[int, int], dtype: type
) -> None:
    most = np.iinfo(dtype).max
    image = random.integers(0, most + 1, (size[1], size[0], 2), dtype=dtype)
    rows = np.tensordot(cubic_matrix(size[1], target[1]), image, (1, 0)).clip(0, most)
    exact = np.tensordot(cubic_matrix(size[0], target[0]), rows, (1, 1)).swapaxes(0, 1).clip(0, most)
    output = by_bicubic(image, target)
    assert output.shape == (target[1], target[0], 2)
    assert output.dtype == dtype
    assert np.abs(output - exact).max() <= 0.5 + 1e-6


def cubic_matrix(length: int, to_length: int) -> np.ndarray:
    """What each pixel takes, one row for each, of a picture that is written out with its mirror images."""
    ratio, copies = length / to_length, 9
    centres = (np.arange(to_length) + 0.5) * ratio - 0.5 + copies // 2 * length
    weights = resample.keys_cubic((centres[:, None] - np.arange(copies * length)) / ratio)
    pieces = [
        piece[:, ::-1] if number % 2 else piece for number, piece in enumerate(np.split(weights, copies, 1))
    ]
    return sum(pieces) / weights.sum(1, keepdims=True)


@pytest.mark.parametrize("value", [0, 1, 200, 255, 12345, 65535])
@pytest.mark.parametrize("target", [(35, 25), (33, 24), (1, 1), (69, 49), (70, 7)])
def test_bicubic_keeps_a_flat_picture_exactly(value: int, target: tuple[int, int]) -> None:
    flat = np.full((50, 70, 1), value, np.uint8 if value < 256 else np.uint16)
    assert (by_bicubic(flat, target) == value).all()


def test_bands_do_not_matter(random: np.random.Generator) -> None:
    image = random.integers(0, 256, (120, 160, 3), dtype=np.uint8)
    whole = np.concatenate(list(any_size.resize([image], (160, 120), (53, 40), any_size.BICUBIC)))
    np.testing.assert_array_equal(by_bicubic(image, (53, 40)), whole)


def test_bicubic_needs_little_memory_for_a_tall_picture() -> None:
    rows = (np.full((64, 40, 1), 200, np.uint8) for _ in range(1000))
    tracemalloc.start()
    count = sum(map(len, any_size.resize(rows, (40, 64000), (20, 32000), any_size.BICUBIC)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 32000
    assert peak < 64000 * 40 * 8  # what all rows would take, as they are summed


@pytest.mark.parametrize("kernel", [any_size.AREA, any_size.BICUBIC])
@pytest.mark.parametrize("target", [(48, 36), (31, 23), (7, 5), (1, 1)])
def test_pixels_beyond_the_border_are_as_good_as_a_larger_picture(
    random: np.random.Generator, target: tuple[int, int], kernel: any_size.Kernel
) -> None:
    """A picture repeated in both directions, and its middle alone with a margin of the others."""
    image = random.integers(0, 65536, (48, 64, 2), dtype=np.uint16)
    (width, height), copies = target, 7
    repeated = np.tile(image, (copies, copies, 1))
    whole = any_size.resize([repeated], (64 * copies, 48 * copies), (width * copies, height * copies), kernel)
    middle = copies // 2
    expected = np.concatenate(list(whole))[middle * height :][:height, middle * width :][:, :width]
    beyond = any_size.seen_beyond((64, 48), target, kernel)
    margin = np.pad(image, ((beyond, beyond), (beyond, beyond), (0, 0)), mode="wrap")
    bands = any_size.resize(picture_in_bands(margin), (64, 48), target, kernel, beyond)
    assert np.abs(np.concatenate(list(bands)).astype(int) - expected).max() <= 1  # halves, rounded either way


def test_overshoot_is_clipped_not_wrapped() -> None:
    edge = np.repeat(np.array([0, 255], np.uint8), 40)[None].repeat(8, 0)[..., None]
    output = by_bicubic(edge, (40, 4))[0, :, 0]
    assert (output[:18] == 0).all()
    assert (output[-18:] == 255).all()
    assert (np.diff(output.astype(int)) >= 0).all()
