"""Training how sure a model is."""

from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
from typer.testing import CliRunner, Result

import srez
from helpers import models
from helpers.drawn_faces import write_faces
from srez import images
from srez.cli import app
from srez.errors import DataError, ModelError
from srez.evaluation import pairs
from srez.evaluation.certainty import Certainty
from srez.models import card
from srez.train import combine, export, onnx_graph, uncertainty
from srez.train.networks import uncertainty as networks


def noisy(random: np.random.Generator, count: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Inputs with more contrast on their right side, and errors in proportion to it."""
    contrast = np.where(np.arange(24) < 12, 6, 60)[None, :, None]
    lows = [(128 + contrast * random.uniform(-1, 1, (20, 24, 3))).astype(np.uint8) for _ in range(count)]
    scale = np.repeat(contrast[:, :, 0] / 3, 4, axis=1)
    errors = [random.exponential(scale, (80, 96)).clip(0, 255).astype(np.uint8) for _ in range(count)]
    return lows, errors


def test_it_learns_where_errors_are_large_and_how_many_hold_nine_in_ten(
    random: np.random.Generator, tmp_path: Path
) -> None:
    lows, errors = noisy(random, 4)
    network = uncertainty.train(lows, errors, crop=12, steps=60, batch=4)
    held_lows, held_errors = noisy(random, 4)
    factor, power = uncertainty.calibrated(network, held_lows[:2], held_errors[:2])
    onnx.save(onnx_graph.build(network), tmp_path / "sure.onnx")
    assert export.parity(network, tmp_path / "sure.onnx") < 1e-5
    model = models.write(tmp_path / "model.onnx")
    combine.add_uncertainty(model, tmp_path / "sure.onnx", factor, power)
    written = card.read(model).uncertainty
    assert written
    assert (written.factor, written.power) == (pytest.approx(factor, abs=1e-4), power)
    distances = np.stack([srez.load(model).uncertainty(low) for low in held_lows[2:]]) * 255
    covered = np.stack(held_errors[2:]) <= distances
    assert covered.mean() == pytest.approx(0.9, abs=0.03)
    assert distances[..., 48:].mean() > 2 * distances[..., :48].mean()


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["models", "uncertainty", *map(str, words)])


def test_the_command_gives_a_model_of_faces_an_uncertainty(
    faces_zip: Path, partition: Path, tmp_path: Path
) -> None:
    model = models.write(tmp_path / "model.onnx", trained_at=16)
    done = run(model, "--data", faces_zip, "--partition", partition, "--steps", 4)
    assert done.exit_code == 0, done.output
    written = card.read(model)
    assert written.uncertainty
    assert (tmp_path / written.uncertainty.file).is_file()
    made = written.training["uncertainty"]
    assert (made["pictures"], made["calibrated_on"], made["steps"]) == (18, 4, 4)
    held = pairs.from_faces(faces_zip, partition, 1).pairs
    upscaler, found = srez.load(model), Certainty()
    for pair in held:
        found.add(images.to_uint8(upscaler(pair.low)), pair.high, upscaler.uncertainty(pair.low))
    assert found.figures()["coverage"] == pytest.approx(90, abs=0.2)  # as calibrated on these


def test_the_command_gives_a_model_of_photographs_one(tmp_path: Path, random: np.random.Generator) -> None:
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in range(3):
        pixels = random.integers(0, 256, (200 + number, 203, 3), dtype=np.uint8)
        images.write(folder / f"{number}.png", images.Picture(pixels))
    model = models.write(tmp_path / "model.onnx")
    assert run(model, "--data", folder, "--steps", 2).exit_code == 0
    assert srez.load(model).uncertainty(np.zeros((8, 9, 3), np.uint8)).shape == (32, 36)


@pytest.mark.parametrize(
    ("changes", "count"),
    [({"scale": 2}, 8), ({}, 1)],  # too few to learn from and to calibrate with
)
def test_the_command_refuses_what_cannot_be(tmp_path: Path, changes: dict[str, int], count: int) -> None:
    model = models.write(tmp_path / "model.onnx", trained_at=16, **changes)
    before = model.with_suffix(".toml").read_bytes()
    done = run(model, "--data", write_faces(tmp_path / "few.zip", count), "--steps", 2)
    assert isinstance(done.exception, (ModelError, DataError)) or done.exit_code == 2
    assert done.exit_code != 0
    assert model.with_suffix(".toml").read_bytes() == before


def test_the_likelihood_is_best_at_the_mean_error(random: np.random.Generator) -> None:
    errors = random.exponential(0.1, (1, 100, 100, 1)).astype(np.float32)
    at = [float(uncertainty.laplace(errors, np.full_like(errors, scale))) for scale in (0.08, 0.1, 0.125)]
    assert at[1] < min(at[0], at[2])


def test_it_costs_a_fraction_of_the_models_in_the_box() -> None:
    kernels = [layer.kernel for layer in networks.network().layers if isinstance(layer, keras.layers.Conv2D)]
    arithmetic = sum(int(np.prod(kernel.shape)) for kernel in kernels)
    assert (
        arithmetic < 0.2 * card.read(Path(srez.__file__).parent / "models/weights/photo.onnx").multiply_adds
    )
