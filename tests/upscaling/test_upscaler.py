import io
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper
from PIL import Image

import srez
from helpers import models, pictures
from helpers.waiting import PATIENCE
from srez import images
from srez.datasets import cartoons
from srez.errors import ImageError, ModelError, OptionError
from srez.images import resample
from srez.models import blending, box
from srez.upscaling import cutting, tiling
from srez.upscaling.upscaler import Upscaler


@pytest.fixture(scope="module")
def faces() -> Upscaler:
    return srez.load("faces")


@pytest.mark.parametrize(
    "shape",
    [(16, 16, 3), (17, 23, 3), (16, 16), (16, 16, 2), (16, 16, 4), (1, 1, 3), (2, 40), (1, 3, 4), (1, 99, 3)],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_any_picture_gives_the_same_kind_four_times_larger(
    faces: Upscaler, random, shape: tuple[int, ...], dtype: type
) -> None:
    image = random.integers(0, np.iinfo(dtype).max + 1, shape, dtype=dtype)
    before = image.copy()
    output = faces(image)
    assert output.shape == (shape[0] * 4, shape[1] * 4, *shape[2:])
    assert output.dtype == dtype
    np.testing.assert_array_equal(image, before)


def test_arrays_of_the_other_byte_order(faces: Upscaler, random) -> None:
    image = random.integers(0, 65536, (16, 16, 3), dtype=np.uint16)
    for swapped in (image, image / 65535):
        output = faces(swapped.astype(swapped.dtype.newbyteorder()))
        np.testing.assert_array_equal(output, faces(swapped))


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((8, 8, 3), np.float16),
        np.zeros((8, 8, 5), np.uint8),
        np.zeros((8, 8, 1), np.uint8),
        np.zeros((1, 8, 8, 3), np.uint8),
        np.zeros((0, 8, 3), np.uint8),
        [[0, 255], [255, 0]],
        None,
        np.zeros(8, np.uint8),
    ],
)
def test_other_arrays_are_refused(faces: Upscaler, image: Any) -> None:
    with pytest.raises(ImageError, match="a picture is a PIL image, or an array of uint8, uint16"):
        faces(image)


def test_batch_refuses_other_arrays(faces: Upscaler) -> None:
    images_: Any
    for images_ in (
        *(np.zeros((8, 8, 3), np.uint8), np.zeros((1, 8, 8, 3)), np.zeros((1, 8, 8, 4), np.uint8)),
        *([np.zeros((8, 8, 3), np.uint8)], "a.png"),
    ):
        with pytest.raises(ImageError, match="a batch is an array of uint8 or float32"):
            faces.batch(images_)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 200, -0.1])
def test_values_that_are_no_pixels_are_the_batchs_fault(faces: Upscaler, wrong: float) -> None:
    batch = np.full((2, 16, 16, 3), 0.5, np.float32)
    batch[1, 2, 3] = wrong
    with pytest.raises(ImageError, match="values from 0 to 1"):
        faces.batch(batch)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_a_pil_image_gives_a_pil_image(faces: Upscaler, random: np.random.Generator, mode: str) -> None:
    image = Image.fromarray(random.integers(0, 256, (9, 12, 4), np.uint8)).convert(mode)
    image.info["icc_profile"] = pictures.profile("GRAY" if mode in ("L", "LA") else "RGB ")
    larger = faces(image)
    assert (larger.mode, larger.size) == (mode, (48, 36))
    np.testing.assert_array_equal(np.asarray(larger), faces(np.asarray(image)))
    np.testing.assert_array_equal(np.concatenate(list(faces.bands(image))).squeeze(), np.asarray(larger))
    assert larger.info["icc_profile"] == image.info["icc_profile"]


def test_pil_images_of_other_modes(faces: Upscaler, random: np.random.Generator) -> None:
    deep = random.integers(0, 65536, (9, 12), np.uint16)
    np.testing.assert_array_equal(np.asarray(faces(Image.fromarray(deep))), faces(deep))
    colours = Image.fromarray(random.integers(0, 256, (9, 12, 3), np.uint8))
    palette = colours.quantize(8)
    for image, mode in ((palette, "RGB"), (colours.convert("CMYK"), "RGB"), (colours.convert("1"), "L")):
        assert (faces(image).mode, faces(image).size) == (mode, (48, 36))
    palette.info["transparency"] = 3
    larger = faces(palette)
    assert (larger.mode, "transparency" in larger.info) == ("RGBA", False)
    for image in (colours.convert("F"), colours.convert("I"), colours.convert("LAB")):
        with pytest.raises(ImageError, match="the image"):
            faces(image)


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_pil_images_without_pixels(size: tuple[int, int]) -> None:
    photo = srez.load("photo")
    for use in (photo, photo.bands, photo.repair_for, photo.uncertainty, srez.upscale):
        with pytest.raises(ImageError, match=f"the image has no pixels: it is {size[0]}x{size[1]}"):
            use(Image.new("RGB", size))


def test_pil_images_that_are_closed_or_cut_short(faces: Upscaler, tmp_path: Path) -> None:
    """In memory, in a file that is not loaded yet, and in a stream."""
    made = Image.new("RGB", (64, 48))
    made.save(path := tmp_path / "a.png")
    data = path.read_bytes()
    with Image.open(path) as left:
        pass
    (loaded := Image.open(path)).load()
    stream = io.BytesIO(data)
    behind = Image.open(stream)
    for each in (made, loaded, stream):
        each.close()
    closed = "the image, or the file that it is in, is closed: upscale it before that"
    for image in (made, left, loaded, behind):
        for use in (faces, faces.bands, srez.load("photo").repair_for, srez.upscale):
            with pytest.raises(ImageError, match=closed):
                use(image)
    with pytest.raises(ImageError, match="the image cannot be read: image file is truncated"):
        faces(Image.open(io.BytesIO(data[:-40])))


def test_batch_equals_one_at_a_time(faces: Upscaler, random: np.random.Generator) -> None:
    # More faces than are run at once.
    count = tiling.BATCH_PIXELS // 256 + 3
    batch = random.integers(0, 256, (count, 16, 16, 3), dtype=np.uint8)
    outputs = faces.batch(batch)
    for index in (0, 1, count - 2, count - 1):
        difference = outputs[index].astype(int) - faces(batch[index])
        assert np.abs(difference).max() <= 1  # another summation order may turn a rounding


def test_float_batch_is_not_rounded(faces: Upscaler, random: np.random.Generator) -> None:
    low = random.random((2, 16, 16, 3), np.float32) * 0.5 + 0.25
    output = faces.batch(low)
    assert output.dtype == np.float32
    assert output.min() >= 0
    assert output.max() <= 1
    # Had the input been rounded to uint8, the output's block means would be off by up to 0.5 grey levels.
    inside = np.abs(resample.area(output, 4) - low)[(resample.nearest(low, 4) == 0).sum((1, 2, 3)) == 0]
    unclipped = (resample.area((output == 0) | (output == 1), 4) == 0).all(-1)
    assert unclipped.mean() > 0.5
    assert inside[unclipped].max() * 255 < 0.001


def test_large_pictures_of_a_batch_are_tiled(faces: Upscaler, random: np.random.Generator) -> None:
    wide = random.integers(0, 256, (2, 4, cutting.LARGEST_TILE + 8, 3), dtype=np.uint8)
    np.testing.assert_array_equal(faces.batch(wide), np.stack([faces(image) for image in wide]))
    assert faces.batch(wide[:0]).shape == (0, 16, 4 * wide.shape[2], 3)


@pytest.mark.parametrize("shape", [(101, 67, 3), (33, 201), (45, 70, 4)])
def test_tiled_equals_whole(random: np.random.Generator, shape: tuple[int, ...]) -> None:
    image = random.integers(0, 256, shape, dtype=np.uint8)
    whole = srez.load("faces", tile=1024)(image)
    for tile in (32, 48, 64, 128, 512):
        tiles = srez.load("faces", tile=tile)(image)
        assert np.abs(tiles.astype(int) - whole).max() <= 1, tile


def test_bands_are_the_picture_from_top_to_bottom(random: np.random.Generator) -> None:
    image = random.integers(0, 256, (100, 40, 3), dtype=np.uint8)
    model = srez.load("faces", tile=32)
    bands = list(model.bands(image))
    assert len(bands) == 4
    np.testing.assert_array_equal(np.concatenate(bands), model(image))


@pytest.mark.parametrize("tile", [0, 31, 5000])
def test_tiles_out_of_range_are_refused(tile: int) -> None:
    with pytest.raises(OptionError, match=f"tile {tile}: choose a side from 32 to 4096"):
        srez.load("faces", tile=tile)


@pytest.mark.parametrize("size", [(16, 16), (45, 60), (1, 70), (90, 90)])
def test_a_flat_picture_stays_flat(random: np.random.Generator, size: tuple[int, int]) -> None:
    model = srez.load("faces", tile=32)
    for channels in (1, 2, 3, 4):
        for top in (255, 65535):
            for colour in ([0] * channels, [top] * channels, random.integers(0, top + 1, channels)):
                flat = np.broadcast_to(np.array(colour, f"u{1 + (top > 255)}"), (*size, channels))
                image = flat[..., 0] if channels == 1 else flat
                np.testing.assert_array_equal(model(image), np.kron(image, np.ones((4, 4, 1)[: image.ndim])))


def test_white_paper_stays_white_around_what_is_on_it(faces: Upscaler) -> None:
    page = np.full((120, 120, 3), 255, np.uint8)
    page[50:55, 40:80] = 0
    output = faces(page).astype(int)
    reach = faces.card.receptive_radius
    outside = np.ones((120, 120), bool)
    outside[50 - reach : 55 + reach, 40 - reach : 80 + reach] = False
    assert (output[np.kron(outside, np.ones((4, 4), bool))] == 255).all()
    assert output[200:220, 200:280].max() < 60


def test_16_bits_are_finer_than_8(faces: Upscaler) -> None:
    ramp = np.linspace(20000, 20600, 40 * 40).reshape(40, 40).astype(np.uint16)
    output = faces(ramp)
    assert len(np.unique(output)) > 300  # there are 3 steps of 8 bits in there
    assert np.abs(output.astype(float) - np.kron(ramp, np.ones((4, 4)))).max() < 257


def test_hidden_colours_do_not_bleed_out(faces: Upscaler) -> None:
    """A white disc on transparent black must not get a gray rim."""
    y, x = np.mgrid[:48, :48] - 23.5
    disc = np.hypot(x, y) < 15
    image = np.zeros((48, 48, 4), np.uint8)
    image[disc] = 255
    output = faces(image)
    assert output[output[..., 3] > 0][:, :3].min() >= 250
    gray = faces(image[..., 2:])
    assert gray[gray[..., 1] > 0][:, 0].min() >= 250
    opaque = image.copy()
    opaque[..., 3] = 255
    assert np.abs(faces(opaque)[..., :3].astype(int) - faces(image[..., :3])).max() <= 1


def test_gray_follows_colour(faces: Upscaler, random: np.random.Generator) -> None:
    gray = random.integers(112, 144, (16, 16), dtype=np.uint8)  # so that no colour is clipped
    colour = faces.batch(images.to_float(np.repeat(gray[None, ..., None], 3, axis=3)))[0]
    assert np.abs(faces(gray) - colour.mean(axis=2) * 255).max() < 5


def test_alpha_follows_its_input(faces: Upscaler) -> None:
    image = np.zeros((8, 8, 4), np.uint8)
    image[:, 4:, 3] = 255
    alpha = faces(image)[..., 3]
    assert not alpha[:, :8].any()
    assert (alpha[:, 24:] == 255).all()


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"'auto' is for srez\.upscale and `srez upscale`.*: name .*faces"):
        srez.load("auto")
    with pytest.raises(ModelError, match=r"no model 'facez': use one of .*faces"):
        srez.load("facez")


def test_models_that_are_not_ours_are_refused(tmp_path: Path) -> None:
    model = tmp_path / "other.onnx"
    with pytest.raises(ModelError, match="does not exist"):
        srez.load(model)
    model.write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(ModelError, match=r"other\.onnx cannot be loaded as an ONNX model"):
        srez.load(model)
    plain = models.write(tmp_path / "plain.onnx")
    card = plain.with_suffix(".toml").read_text()
    model.with_suffix(".toml").write_text(card)
    with pytest.raises(ModelError, match="sha256 differs"):
        srez.load(model)
    from srez.models import card as cards

    model.with_suffix(".toml").write_text(card.replace(cards.sha256(plain), cards.sha256(model)))
    with pytest.raises(ModelError, match="cannot be loaded as an ONNX model"):
        srez.load(model)
    model.with_suffix(".toml").write_text("name = 'half a card'")
    with pytest.raises(ModelError, match=r"other\.toml is not a valid model card"):
        srez.load(model)
    model.with_suffix(".toml").write_text("not toml")
    with pytest.raises(ModelError, match=r"other\.toml is not a valid model card"):
        srez.load(model)


def test_the_box_is_in_order() -> None:
    assert "faces" in box.names()
    for name in box.names():
        card = srez.load(name).card
        assert card.name == name
        assert box.find(name).stat().st_size < 5e6
        assert re.search("research|commercial", card.licence)
        methods = {"nearest", "bicubic", name} if card.parameters else set()
        assert methods <= {row["method"] for row in card.figures}


def test_a_model_whose_weights_are_corrupt_makes_no_black_picture(tmp_path: Path) -> None:
    path = models.write(tmp_path / "corrupt.onnx")
    network = models.network(seed=0)
    weights = next(each for each in network.graph.initializer if each.name.endswith("kernel"))
    weights.CopyFrom(
        numpy_helper.from_array(numpy_helper.to_array(weights) * np.float32(np.nan), weights.name)
    )
    path.write_bytes(network.SerializeToString())
    models.write_card(path)
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    with pytest.raises(ModelError, match=r"model corrupt\.onnx produces NaN"):
        srez.load(path)(picture)


@pytest.mark.parametrize("fidelity", [0, 0.1, 0.3, 0.5, 0.8, 1])
def test_faces_are_consistent_with_their_input_at_any_fidelity(fidelity: float) -> None:
    truths = np.stack([cartoons.face(seed, 64, 64) for seed in range(8)])
    low = resample.area(truths, 4) / np.float32(255)
    output = srez.load("faces", fidelity).batch(low)
    assert np.abs(resample.area(output, 4) - low).mean() * 255 < 0.15


def test_a_repair_that_is_being_loaded_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    photo, load = srez.load("photo"), blending.weights
    begun, gate = threading.Event(), threading.Event()

    def slow(*arguments: Any) -> bytes:
        begun.set()
        assert gate.wait(PATIENCE)
        return load(*arguments)

    monkeypatch.setattr(blending, "weights", slow)
    image = pictures.smooth((8, 8, 3))
    waiting = threading.Thread(target=photo, args=[image], kwargs={"repair": 1.0})
    waiting.start()
    assert begun.wait(PATIENCE)
    other = threading.Thread(target=photo, args=[image], kwargs={"repair": 0.0}, daemon=True)
    other.start()
    other.join(PATIENCE)
    assert not other.is_alive()
    gate.set()
    waiting.join(PATIENCE)
    assert not waiting.is_alive()
