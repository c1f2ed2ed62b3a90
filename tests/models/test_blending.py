"""Several sets of weights of one network."""

from pathlib import Path

import numpy as np
import onnx
import pytest

import srez
from helpers import models
from srez.errors import ModelError, OptionError
from srez.images import Jpeg
from srez.models import blending, protobuf
from srez.models import card as cards
from srez.train.combine import combine


def as_bytes(model: onnx.ModelProto) -> bytes:
    return model.SerializeToString()


def values(data: bytes) -> list[np.ndarray]:
    graph = onnx.load_from_string(data).graph
    return [onnx.numpy_helper.to_array(weights) for weights in graph.initializer]


@pytest.fixture(scope="module")
def combined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with four sets of weights, its fidelity 0.75, beside the models that they come from."""
    folder = tmp_path_factory.mktemp("combined")
    names = ("faithful", "vivid", "repair", "vivid_repair")
    made = {name: models.write(folder / f"{name}.onnx", seed) for seed, name in enumerate(names)}
    whole = models.write(folder / "whole.onnx", seed=0)
    combine(whole, {name: made[name] for name in names[1:]}, fidelity=0.75)
    return whole


@pytest.mark.parametrize("fidelity", [0.0, 0.25, 0.7, 1.0])
def test_blended_weights_are_the_linear_mix(fidelity: float) -> None:
    one, other = as_bytes(models.network(1)), as_bytes(models.network(2))
    blended = blending.blend([(one, fidelity), (other, 1 - fidelity)])
    onnx.checker.check_model(onnx.load_from_string(blended))
    for mixed, faithful, vivid in zip(values(blended), values(one), values(other), strict=True):
        np.testing.assert_allclose(mixed, fidelity * faithful + (1 - fidelity) * vivid, atol=1e-6)


def test_the_ends_of_the_knob_are_the_two_files() -> None:
    one, other = as_bytes(models.network(1)), as_bytes(models.network(2))
    assert blending.blend([(one, 1), (other, 0)]) == one
    assert blending.blend([(one, 0), (other, 1)]) == other


def test_weights_are_transplanted_over_other_numbers_and_another_order() -> None:
    one, renumbered = as_bytes(models.network(1)), models.network(2, first_layer=9)
    renumbered.graph.initializer.sort(key=lambda weights: len(weights.raw_data))
    other = as_bytes(renumbered)
    with pytest.raises(ModelError, match="not of the same network"):
        blending.blend([(one, 0.5), (other, 0.5)])
    moved = blending.transplant(one, other)
    assert moved == as_bytes(models.network(2))
    assert len(blending.blend([(one, 0.5), (moved, 0.5)])) == len(one)


def test_other_networks_and_damaged_files_are_refused() -> None:
    one, other = as_bytes(models.network(1)), models.network(2)
    kernel = other.graph.initializer[0]
    kernel.CopyFrom(onnx.numpy_helper.from_array(np.zeros((16, 3, 5, 5), np.float32), kernel.name))
    for function in (lambda one, other: blending.blend([(one, 0.5), (other, 0.5)]), blending.transplant):
        with pytest.raises(ModelError, match="not of the same network"):
            function(one, as_bytes(other))
        with pytest.raises(ModelError, match="damaged"):
            function(one, one[:-100])
        with pytest.raises(ModelError, match=r"holds no weights|damaged"):
            function(b"version https://git-lfs.github.com/spec/v1", one)


@pytest.mark.parametrize(
    "data",
    [
        b"\x0b",  # a group, which ONNX does not use
        b"\x3a\x05\x01",  # five bytes that are not there
        b"\x08" + b"\xff" * 11,  # a number of more than 64 bits
        b"\x08",  # a number that is not there
        b"\x3d\x00",  # 32 bits of which 8 are there
    ],
)
def test_messages_that_cannot_be_parsed_are_damaged(data: bytes) -> None:
    with pytest.raises(ModelError, match="damaged"):
        list(protobuf.fields(data, slice(0, len(data))))


def test_fields_are_read_in_place() -> None:
    data = b"\xff" + b"\x08\x96\x01" + b"\x12\x02hi" + b"\x19" + bytes(8) + b"\x25" + bytes(4) + b"\xff"
    found = list(protobuf.fields(data, slice(1, len(data) - 1)))
    assert [field.number for field in found] == [1, 2, 3, 4]
    assert [field.value for field in found] == [150, None, None, None]
    assert [len(data[field.place]) for field in found] == [2, 2, 8, 4]
    assert data[found[1].place] == b"hi"


def loaded(
    model: Path, image: np.ndarray, fidelity: float | None = None, repair: float | None = None
) -> np.ndarray:
    return srez.load(model, fidelity, repair=repair)(image)


def test_the_corners_of_fidelity_and_repair_are_the_files(
    combined: Path, random: np.random.Generator
) -> None:
    image = random.integers(60, 190, (20, 24, 3), dtype=np.uint8)
    corners = {"faithful": (1, 0), "vivid": (0, 0), "repair": (1, 1), "vivid_repair": (0, 1)}
    for name, (fidelity, repair) in corners.items():
        expected = loaded(combined.with_name(f"{name}.onnx"), image)
        np.testing.assert_array_equal(loaded(combined, image, fidelity, repair), expected)


def test_a_loaded_model_is_between_its_corners(combined: Path, random: np.random.Generator) -> None:
    image = random.integers(60, 190, (20, 24, 3), dtype=np.uint8)
    outputs = {(f, r): loaded(combined, image, f, r).astype(float) for f in (0, 0.5, 1) for r in (0, 0.5, 1)}
    for one, between, other in [
        ((1, 0), (1, 0.5), (1, 1)),
        ((0, 0), (0.5, 0), (1, 0)),
        ((0, 1), (0.5, 1), (1, 1)),
    ]:
        far = np.abs(outputs[one] - outputs[other]).mean()
        assert 0 < np.abs(outputs[between] - outputs[one]).mean() < far
    np.testing.assert_array_equal(loaded(combined, image, repair=0), loaded(combined, image, 0.75, 0))
    assert srez.load(combined).fidelity == 0.75


def test_what_a_model_does_not_have_cannot_be_chosen(combined: Path) -> None:
    with pytest.raises(OptionError, match=r"fidelity 1\.5: "):
        srez.load(combined, fidelity=1.5)
    with pytest.raises(OptionError, match=r"repair -0\.5: "):
        srez.load(combined, repair=-0.5)
    plain = combined.with_name("faithful.onnx")
    with pytest.raises(ModelError, match="model faithful has no vivid weights"):
        srez.load(plain, fidelity=1)
    with pytest.raises(ModelError, match="model faithful does not repair"):
        srez.load(plain, repair=0)
    assert srez.load(plain).fidelity == 1
    assert srez.load(plain).repair_for(np.zeros((64, 64, 3), np.uint8), Jpeg(10)) == 0


def test_the_other_files_are_checked_too(tmp_path: Path) -> None:
    faithful, other = models.write(tmp_path / "a.onnx", seed=1), models.write(tmp_path / "b.onnx", seed=2)
    combine(faithful, {"vivid": other})
    vivid = tmp_path / "a-vivid.onnx"
    assert cards.as_dict(cards.read(faithful))["vivid"] == {"file": vivid.name, "sha256": cards.sha256(vivid)}
    kept = vivid.read_bytes()
    vivid.write_bytes(kept[:-1])
    with pytest.raises(ModelError, match=r"a-vivid\.onnx is not the file that a\.toml describes"):
        srez.load(faithful)
    vivid.unlink()
    with pytest.raises(ModelError, match=r"a-vivid\.onnx, the vivid weights of a\.onnx, does not exist"):
        srez.load(faithful)


def test_vivid_and_repair_need_the_weights_for_both(tmp_path: Path) -> None:
    one, other = models.write(tmp_path / "a.onnx", seed=1), models.write(tmp_path / "b.onnx", seed=2)
    with pytest.raises(ModelError, match=r"a\.toml .* vivid_repair"):
        combine(one, {"vivid": other, "repair": other})
    assert not list(tmp_path.glob("a-*"))
    text = one.with_suffix(".toml").read_text()
    entry = f'{{file = "b.onnx", sha256 = "{cards.sha256(other)}"}}'
    one.with_suffix(".toml").write_text(f"vivid = {entry}\nrepair = {entry}\n{text}")
    with pytest.raises(ModelError, match=r"a\.toml .* vivid_repair"):
        srez.load(one)


def test_weights_that_cannot_be_combined_leave_a_model_as_it_was(tmp_path: Path) -> None:
    one, other = models.write(tmp_path / "a.onnx", seed=1), models.write(tmp_path / "b.onnx", seed=2)
    combine(one, {"vivid": other})
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ModelError, match=r"none\.onnx cannot be read"):
        combine(one, {"vivid": one, "repair": tmp_path / "none.onnx", "vivid_repair": other})
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
