"""Models in other forms compute the same: by the reference implementation of ONNX, and by srez."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator
from typer.testing import CliRunner, Result

import srez
from helpers import foreign, models
from srez.cli import app
from srez.images import any_size, resample
from srez.models import box
from srez.models.runtime import Network


def export(*words: object) -> Result:
    return CliRunner().invoke(app, ["models", "export", *map(str, words)])


@pytest.mark.parametrize(
    ("to", "dtype", "tolerance"), [("onnx-nchw", np.float32, 1e-3), ("float16", np.float16, 2e-2)]
)
@pytest.mark.parametrize("name", ["small", "photo", "pixels", "scan"])
def test_an_exported_model_computes_the_same_elsewhere(
    tmp_path: Path, random: np.random.Generator, name: str, to: str, dtype: type, tolerance: float
) -> None:
    model = models.write(tmp_path / "small.onnx") if name == "small" else box.find(name)
    out = tmp_path / "out.onnx"
    done = export(model, "--to", to, "-o", out)
    assert done.exit_code == 0, done.output
    image = random.random((1, 11, 14, 3), np.float32)
    expected = Network(model, "ours", 1).run(image)
    planes = image.transpose(0, 3, 1, 2).astype(dtype)
    result: Any
    (result,) = ReferenceEvaluator(onnx.load(out)).run(None, {"input": planes})
    assert result.dtype == dtype
    assert result.shape == (1, 3, 44, 56)
    assert np.abs(result.transpose(0, 2, 3, 1).astype(np.float32) - expected).max() < tolerance
    picture = random.integers(0, 256, (50, 41, 3), dtype=np.uint8)
    difference = np.abs(srez.load(out)(picture).astype(int) - srez.load(model)(picture))
    if to == "onnx-nchw":
        assert difference.max() <= 1
    else:  # what is clipped goes to pixels with room, and of noise one may round to another side
        assert (difference > 2).mean() < 2e-4
        assert difference.max() <= 12


def test_a_look_is_exported(tmp_path: Path, random: np.random.Generator) -> None:
    assert export("faces", "-o", tmp_path / "a.onnx", "--fidelity", 0).exit_code == 0
    picture = random.integers(0, 256, (20, 20, 3), dtype=np.uint8)
    vivid = srez.load("faces", fidelity=0)(picture)
    assert np.abs(srez.load(tmp_path / "a.onnx")(picture).astype(int) - vivid).max() <= 1


@pytest.mark.parametrize("model", ["photo", "faces"])
def test_a_package_for_darktable(tmp_path: Path, random: np.random.Generator, model: str) -> None:
    options = "--to", "darktable", "--fidelity", 1
    assert export(model, *options, "-o", tmp_path / "My photo.dtmodel").exit_code == 0
    image = random.uniform(0.4, 0.6, (1, 24, 30, 3)).astype(np.float32)  # so that nothing is clipped
    with zipfile.ZipFile(tmp_path / "My photo.dtmodel") as package:
        folder = "upscale-my-photo"
        config = json.loads(package.read(f"{folder}/config.json"))
        assert (config["id"], config["task"], config["backend"]) == (folder, "upscale", "onnx")
        assert {"name", "description", "version"} <= config.keys()
        networks = [Network(package.read(f"{folder}/model_x{scale}.onnx"), "theirs", 1) for scale in (4, 2)]
    assert all(network.inputs[0].shape == ["batch", 3, "height", "width"] for network in networks)
    four, two = (each.run(image.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1) for each in networks)
    assert np.abs(four - Network(box.find(model), "ours", 1).run(image)).max() < 1e-5
    if model == "faces":
        np.testing.assert_allclose(two, resample.area(four, 2), atol=1e-5)
    else:
        levels = np.rint(65535 * four[0]).astype(np.uint16)
        reduced = np.concatenate(list(any_size.resize([levels], (120, 96), (60, 48), any_size.BICUBIC)))
        inside = slice(2, -2)  # the border is repeated, not mirrored
        np.testing.assert_allclose(two[0, inside, inside], reduced[inside, inside] / 65535, atol=1e-4)
    again = tmp_path / "again/My photo.dtmodel"
    again.parent.mkdir()
    assert export(model, *options, "-o", again).exit_code == 0
    assert again.read_bytes() == (tmp_path / "My photo.dtmodel").read_bytes()


def test_what_cannot_be_exported(tmp_path: Path) -> None:
    for to, suffix in (("litert", ".onnx"), ("darktable", ".zip")):
        assert export("photo", "--to", to, "-o", tmp_path / f"a{suffix}").exit_code == 2
    assert export("photo", "-o", tmp_path / "a.bin").exit_code == 2
    other = foreign.write(tmp_path / "x.onnx", foreign.KINDS["nchw"], seed=1)
    assert export(other, "-o", tmp_path / "a.onnx").exit_code == 2
    plain = models.write(tmp_path / "plain.onnx")
    assert export(plain, "-o", tmp_path / "a.onnx", "--fidelity", 0).exit_code == 2
    assert not (tmp_path / "a.onnx").exists()
