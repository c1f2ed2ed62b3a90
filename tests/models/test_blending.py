"""Two sets of weights of one network."""

from pathlib import Path

import numpy as np
import onnx
import pytest

import srez
from helpers import models
from srez.errors import ModelError, OptionError
from srez.models import blending, protobuf
from srez.models import card as cards
from srez.train.pair import write_pair


def as_bytes(model: onnx.ModelProto) -> bytes:
    return model.SerializeToString()


def values(data: bytes) -> list[np.ndarray]:
    graph = onnx.load_from_string(data).graph
    return [onnx.numpy_helper.to_array(weights) for weights in graph.initializer]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with two looks, its knob at 0.75."""
    folder = tmp_path_factory.mktemp("pair")
    faithful, vivid = models.write(folder / "both.onnx", seed=1), models.write(folder / "other.onnx", seed=2)
    models.write(folder / "faithful.onnx", seed=1)
    write_pair(faithful, vivid, fidelity=0.75)
    return faithful


@pytest.mark.parametrize("fidelity", [0.0, 0.25, 0.7, 1.0])
def test_blended_weights_are_the_linear_mix(fidelity: float) -> None:
    one, other = as_bytes(models.network(1)), as_bytes(models.network(2))
    blended = blending.blend(one, other, fidelity)
    onnx.checker.check_model(onnx.load_from_string(blended))
    for mixed, faithful, vivid in zip(values(blended), values(one), values(other), strict=True):
        np.testing.assert_allclose(mixed, fidelity * faithful + (1 - fidelity) * vivid, atol=1e-6)


def test_the_ends_of_the_knob_are_the_two_files() -> None:
    one, other = as_bytes(models.network(1)), as_bytes(models.network(2))
    assert blending.blend(one, other, 1) == one
    assert blending.blend(one, other, 0) == other


def test_weights_are_transplanted_over_other_numbers_and_another_order() -> None:
    one, renumbered = as_bytes(models.network(1)), models.network(2, first_layer=9)
    renumbered.graph.initializer.sort(key=lambda weights: len(weights.raw_data))
    other = as_bytes(renumbered)
    with pytest.raises(ModelError, match="not of the same network"):
        blending.blend(one, other, 0.5)
    moved = blending.transplant(one, other)
    assert moved == as_bytes(models.network(2))
    assert len(blending.blend(one, moved, 0.5)) == len(one)


def test_other_networks_and_damaged_files_are_refused() -> None:
    one, other = as_bytes(models.network(1)), models.network(2)
    kernel = other.graph.initializer[0]
    kernel.CopyFrom(onnx.numpy_helper.from_array(np.zeros((16, 3, 5, 5), np.float32), kernel.name))
    for function in (lambda one, other: blending.blend(one, other, 0.5), blending.transplant):
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


def test_a_loaded_model_is_between_its_looks(pair: Path, random: np.random.Generator) -> None:
    image = random.integers(60, 190, (20, 24, 3), dtype=np.uint8)
    outputs = {f: srez.load(pair, fidelity=f)(image).astype(float) for f in (0, 0.5, 0.75, 1)}
    np.testing.assert_array_equal(outputs[1], srez.load(pair.with_name("faithful.onnx"))(image))
    np.testing.assert_array_equal(outputs[0], srez.load(pair.with_name("other.onnx"))(image))
    far = np.abs(outputs[0] - outputs[1]).mean()
    assert 0 < np.abs(outputs[0.5] - outputs[1]).mean() < far
    np.testing.assert_array_equal(srez.load(pair)(image), outputs[0.75])
    assert srez.load(pair).fidelity == 0.75


def test_looks_that_are_not_there(pair: Path) -> None:
    with pytest.raises(OptionError, match=r"fidelity 1\.5: "):
        srez.load(pair, fidelity=1.5)
    with pytest.raises(ModelError, match="model photo-jpeg has only one look"):
        srez.load("photo-jpeg", fidelity=1)
    assert srez.load("photo-jpeg").fidelity == 1


def test_the_second_file_is_checked_too(tmp_path: Path) -> None:
    faithful, other = models.write(tmp_path / "a.onnx", seed=1), models.write(tmp_path / "b.onnx", seed=2)
    write_pair(faithful, other, fidelity=1)
    vivid = tmp_path / "a-vivid.onnx"
    assert cards.as_dict(cards.read(faithful))["vivid"] == {"file": vivid.name, "sha256": cards.sha256(vivid)}
    kept = vivid.read_bytes()
    vivid.write_bytes(kept[:-1])
    with pytest.raises(ModelError, match=r"a-vivid\.onnx is not the file that a\.toml describes"):
        srez.load(faithful)
    vivid.unlink()
    with pytest.raises(ModelError, match=r"a-vivid\.onnx, the vivid look of a\.onnx, does not exist"):
        srez.load(faithful)
