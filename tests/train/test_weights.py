"""Weights to start from."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

import srez
from helpers.training import gan, newest, tiny, train
from srez.errors import ModelError, OptionError
from srez.runs.layout import RunLayout
from srez.train import data, export, networks, recipes, trainer, weights

OTHER = {"faces": "generator.channels=6", "srez": "generator.tail=4"}


def test_fine_tuning_starts_from_a_run_its_model_or_a_checkpoint(
    whole, faces: data.TrainingData, tmp_path: Path
) -> None:
    layout = RunLayout(whole.out)
    about = {"name": "x", "description": "", "licence": "", "limits": "", "training": {}, "figures": []}
    model = tmp_path / "model.onnx"
    export.export(whole.result.average, model, about)
    expected = weights.load(str(whole.out))
    for start in (layout.checkpoint(12), model):
        for ours, theirs in zip(expected.arrays, weights.load(str(start)).arrays, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(OptionError, match=r"do not fit the recipe's \[generator\]"):
        trainer.prepare(
            tiny(whole.name, "generator." + {"faces": "channels=6", "srez": "tail=4"}[whole.name]), expected
        )


def test_a_run_that_starts_from_weights_has_them_and_remembers(
    finished: Path, faces: data.TrainingData, tmp_path: Path
) -> None:
    expected, still = weights.load(str(finished)), ("steps=1", "optimizer.learning_rate=1e-12")
    train(tiny("faces", *still), faces, tmp_path, init=expected)
    with pytest.raises(OptionError, match="use the same --init"):
        train(tiny("faces", *still), faces, tmp_path)
    arrays, _ = newest(tmp_path)
    kernels = [array for key, array in arrays.items() if key.startswith("generator/") and array.ndim == 4]
    for ours, theirs in zip([array for array in expected.arrays if array.ndim == 4], kernels, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_gan_goes_on_with_its_discriminator_where_that_fits(
    faces: data.TrainingData, tmp_path: Path
) -> None:
    train(gan("steps=2"), faces, tmp_path)
    start = weights.load(str(tmp_path))
    arrays, _ = newest(tmp_path)
    expected = [arrays[name] for name in sorted(arrays) if name.startswith("discriminator/")]

    def begun(*changes: str) -> list[np.ndarray]:
        discriminator = trainer.prepare(gan(*changes), start).state.discriminator
        assert discriminator
        return [np.asarray(variable) for variable in discriminator.variables]

    for ours, theirs in zip(begun(), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert begun("discriminator.units=[4, 6]")[-2].shape != expected[-2].shape
    other_discriminator = dataclasses.replace(start, discriminator=[array + 1 for array in expected])
    assert other_discriminator.fingerprint != start.fingerprint


def test_fine_tuning_starts_from_the_box() -> None:
    generator = networks.build_generator(recipes.load("faces").generator)
    weights.load("faces").copy_into(generator)
    # Of little contrast, so that nothing is clipped: what is cut off goes to pixels around.
    low = 0.45 + 0.1 * np.random.default_rng(1).random((2, 16, 16, 3), np.float32)
    expected = np.asarray(generator(low))
    assert 0 < expected.min() < expected.max() < 1
    np.testing.assert_allclose(srez.load("faces", fidelity=1).batch(low), expected, atol=1e-4)


def test_a_name_in_the_box_wins_over_a_folder(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(finished, tmp_path / "faces")
    monkeypatch.chdir(tmp_path)
    box, folder = weights.load("faces"), weights.load("./faces")
    assert [array.shape for array in box.arrays] != [array.shape for array in folder.arrays]
    assert folder.fingerprint == weights.load(str(finished)).fingerprint


def test_starts_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no readable checkpoint"):
        weights.load(str(tmp_path))
