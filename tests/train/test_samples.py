"""Training generators of samples: their network, their losses, a whole tiny run, and its place in a model."""

from pathlib import Path

import numpy as np
import pytest

import srez
from helpers import models
from helpers.training import log
from srez.errors import ModelError, OptionError
from srez.images import resample
from srez.models import blending, card, planes
from srez.train import combine, data, export, recipes, spread, trainer, weights
from srez.train.networks import faces

CHANGES = (
    "generator.channels=8",
    "generator.blocks=1",
    "generator.planes=2",
    "data.planes=2",
    "data.samples=2",
    "loss.l1=0",
    "loss.mean_l1=1",
    "loss.spread=100",
    "batch=4",
    "steps=6",
    "every.log=2",
    "every.validate=6",
)


def test_every_sample_is_consistent_and_another(random: np.random.Generator) -> None:
    generator = faces.generator(8, 1, planes=2)
    low = random.random((1, 16, 16, 3), np.float32)
    for variable in generator.trainable_variables:
        variable.assign_add(random.normal(0, 0.05, variable.shape))
    drawn = np.stack([planes.drawn(0, number, (16, 16, 2)) for number in range(3)])
    output = np.asarray(generator(np.concatenate([np.repeat(low, 3, axis=0), drawn], axis=3)))
    np.testing.assert_allclose(resample.area(output, 4), np.repeat(low, 3, axis=0), atol=1e-5)
    assert np.abs(output[0] - output[1]).mean() > 1e-3


def test_it_starts_from_weights_that_take_no_random_numbers(random: np.random.Generator) -> None:
    plain, sampling = faces.generator(8, 2), faces.generator(8, 2, planes=3)
    for variable in plain.trainable_variables:
        variable.assign(random.normal(0, 0.1, variable.shape))
    weights.InitialWeights("plain", plain.get_weights()).copy_into(sampling)
    low = random.random((1, 5, 6, 3), np.float32)
    without = np.concatenate([low, np.zeros((1, 5, 6, 3), np.float32)], axis=3)
    np.testing.assert_allclose(np.asarray(sampling(without)), np.asarray(plain(low)), atol=1e-6)
    with pytest.raises(OptionError, match="do not fit"):
        weights.InitialWeights("plain", plain.get_weights()).copy_into(faces.generator(6, 2, planes=3))


def test_samples_are_mixed_with_the_weights_of_the_faithful_look(
    random: np.random.Generator, tmp_path: Path
) -> None:
    about = {"name": "x", "description": "", "licence": "", "limits": "", "training": {}, "figures": []}
    plain, sampling, expected = faces.generator(8, 2), *(faces.generator(8, 2, planes=3) for _ in range(2))
    for generator in (plain, sampling):
        for variable in generator.trainable_variables:
            variable.assign(random.normal(0, 0.1, variable.shape))
    weights.InitialWeights("plain", plain.get_weights()).copy_into(expected)
    for mixed, own in zip(expected.trainable_variables, sampling.trainable_variables, strict=True):
        mixed.assign(1.5 * own if weights.RANDOM in mixed.path else 0.25 * mixed + 0.75 * own)
    for name, generator in (("plain", plain), ("sampling", sampling)):
        export.export(generator, tmp_path / f"{name}.onnx", about)
    plain_file, sampling_file = ((tmp_path / f"{name}.onnx").read_bytes() for name in ("plain", "sampling"))
    (tmp_path / "mixed.onnx").write_bytes(blending.sampler(sampling_file, plain_file, 0.25, 1.5))
    assert export.parity(expected, tmp_path / "mixed.onnx") < 1e-5
    with pytest.raises(ModelError, match="not of the same network"):
        blending.sampler(plain_file, sampling_file, 0.25)


def test_samples_of_the_truths_own_spread_cost_least(random: np.random.Generator) -> None:
    shape = 2000, 8, 8, 3

    def loss(deviation: float, share: float = 1.0) -> float:
        truth = random.normal(0, 1, shape).astype(np.float32)
        first, second = random.normal(0, max(deviation, 1e-6), (2, *shape)).astype(np.float32)
        pair, truths = np.concatenate([first, second]), np.concatenate([truth, truth])
        return float(spread.spread(pair, truths, 2, share))

    assert loss(1) < min(loss(0.7), loss(1.4)) / 3
    assert loss(0.5, share=0.25) < min(loss(0.2, share=0.25), loss(1, share=0.25)) / 3


def test_the_mean_of_samples_is_compared(random: np.random.Generator) -> None:
    truth = random.random((3, 8, 8, 3), np.float32)
    pair = np.concatenate([truth + 0.3, truth - 0.1])
    assert float(spread.mean_l1(pair, np.concatenate([truth, truth]), 2)) == pytest.approx(0.1, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (["generator.planes=2"], "data.planes and generator.planes must be the same"),
        (["data.planes=2"], "data.planes and generator.planes must be the same"),
        (["loss.spread=1"], "loss.spread needs data.samples of 2 or more"),
        (["loss.mean_l1=1"], "loss.mean_l1 needs data.samples of 2 or more"),
    ],
)
def test_recipes_that_make_no_sense(changes: list[str], sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        recipes.load("faces", changes)


def test_a_run_parts_the_samples_and_becomes_part_of_a_model(
    faces_zip: Path, partition: Path, tmp_path: Path
) -> None:
    chosen = recipes.load("faces", CHANGES)
    pictures = data.load(chosen.data, [str(faces_zip)], partition)
    result = trainer.train(trainer.prepare(chosen), pictures, tmp_path / "run")
    assert {"mean_l1", "spread"} <= log(tmp_path / "run")[-2].keys()
    about = {"name": "x", "description": "", "licence": "", "limits": "", "figures": []}
    settings = {"generator": chosen.generator.model_dump()}
    export.export(result.average, tmp_path / "run.onnx", {**about, "training": settings})
    model = models.write(tmp_path / "model.onnx")
    combine.add_samples(model, tmp_path / "run.onnx")
    read = card.read(model)
    assert read.samples
    assert read.samples.planes == 2
    first, second = srez.load(model).samples(np.full((16, 16, 3), 90, np.uint8), 2)
    assert first.shape == second.shape == (64, 64, 3)
    with pytest.raises(ModelError, match="makes no samples"):
        combine.add_samples(model, models.write(tmp_path / "plain.onnx"))
