from pathlib import Path

import numpy as np
import pytest

import srez
from srez import images, resample, upscaler, zoo
from srez.errors import ImageError, ModelError
from srez.upscaler import Upscaler


@pytest.fixture(scope="module")
def faces() -> Upscaler:
    return srez.load("faces")


@pytest.mark.parametrize(
    "shape", [(16, 16, 3), (17, 23, 3), (16, 16), (16, 16, 4), (1, 1, 3), (2, 40), (1, 3, 4)]
)
def test_any_picture_gives_the_same_kind_four_times_larger(
    faces: Upscaler, random, shape: tuple[int, ...]
) -> None:
    image = random.integers(0, 256, shape, dtype=np.uint8)
    before = image.copy()
    output = faces(image)
    assert output.shape == (shape[0] * 4, shape[1] * 4, *shape[2:])
    assert output.dtype == np.uint8
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((8, 8, 3), np.float32),
        np.zeros((8, 8, 2), np.uint8),
        np.zeros((1, 8, 8, 3), np.uint8),
        np.zeros((0, 8, 3), np.uint8),
        np.zeros(8, np.uint8),
    ],
)
def test_other_arrays_are_refused(faces: Upscaler, image: np.ndarray) -> None:
    with pytest.raises(ImageError, match="a picture is uint8"):
        faces(image)


def test_batch_refuses_other_arrays(faces: Upscaler) -> None:
    for images_ in (np.zeros((8, 8, 3), np.uint8), np.zeros((1, 8, 8, 3)), np.zeros((1, 8, 8, 4), np.uint8)):
        with pytest.raises(ImageError, match="a batch is uint8 or float32"):
            faces.batch(images_)


def test_batch_equals_one_at_a_time(faces: Upscaler, random: np.random.Generator) -> None:
    # More faces than are run at once.
    count = upscaler.BATCH_PIXELS // 256 + 3
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


def test_large_batches_are_tiled(faces: Upscaler, random: np.random.Generator) -> None:
    wide = random.integers(0, 256, (2, 4, upscaler.TILE + 8, 3), dtype=np.uint8)
    np.testing.assert_array_equal(faces.batch(wide), np.stack([faces(image) for image in wide]))


def test_tiled_equals_whole(faces: Upscaler, random: np.random.Generator, monkeypatch) -> None:
    image = random.integers(0, 256, (70, 50, 3), dtype=np.uint8)
    whole = faces(image)
    monkeypatch.setattr(upscaler, "TILE", 24)
    assert np.abs(faces(image).astype(int) - whole).max() <= 1


def test_gray_follows_colour(faces: Upscaler, random: np.random.Generator) -> None:
    gray = random.integers(0, 256, (16, 16), dtype=np.uint8)
    colour = faces.batch(images.to_float(np.repeat(gray[None, ..., None], 3, axis=3)))[0]
    assert np.abs(faces(gray) - colour.mean(axis=2) * 255).max() < 5


def test_alpha_follows_its_input(faces: Upscaler) -> None:
    image = np.zeros((8, 8, 4), np.uint8)
    image[:, 4:, 3] = 255
    alpha = faces(image)[..., 3]
    assert not alpha[:, :8].any()
    assert (alpha[:, 24:] == 255).all()


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"no model 'facez': take one of .*faces"):
        srez.load("facez")


def test_models_that_are_not_ours_are_refused(tmp_path: Path) -> None:
    model = tmp_path / "other.onnx"
    with pytest.raises(ModelError, match="does not exist"):
        srez.load(model)
    model.write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(ModelError, match=r"no model card other\.toml beside it"):
        srez.load(model)
    card = zoo.find("faces").with_suffix(".toml").read_text()
    model.with_suffix(".toml").write_text(card)
    with pytest.raises(ModelError, match="sha256 differs"):
        srez.load(model)
    from srez import card as cards

    model.with_suffix(".toml").write_text(card.replace(srez.load("faces").card.sha256, cards.sha256(model)))
    with pytest.raises(ModelError, match="cannot be loaded as an ONNX model"):
        srez.load(model)
    model.with_suffix(".toml").write_text("name = 'half a card'")
    with pytest.raises(ModelError, match=r"other\.toml is not a model card"):
        srez.load(model)
    model.with_suffix(".toml").write_text("not toml")
    with pytest.raises(ModelError, match=r"other\.toml is not a model card"):
        srez.load(model)


def test_the_box_is_in_order() -> None:
    assert "faces" in zoo.names()
    for name in zoo.names():
        card = srez.load(name).card
        assert card.name == name
        assert zoo.find(name).stat().st_size < 5e6
        assert "research" in card.licence
        assert {"nearest", "bicubic", name} <= {row["method"] for row in card.figures}
