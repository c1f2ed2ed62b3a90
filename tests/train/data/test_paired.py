"""Training on pictures that come in two sizes."""

from pathlib import Path

import numpy as np
import pytest

import helpers.training
from srez import images
from srez.datasets import cartoons
from srez.errors import DataError, OptionError
from srez.images import resample
from srez.train import data, recipes
from srez.train.data.pairs import batches
from srez.train.recipe import PairsData

SETTINGS = PairsData(pictures="pairs", crop=32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six pairs whose inputs are 20 levels darker than reduced truths."""
    for name in ("HR", "LR_x4"):
        (tmp_path / "set" / name).mkdir(parents=True)
    for seed in range(6):
        write(tmp_path / "set", f"{seed}", cartoons.face(seed, 80, 96))
    return tmp_path / "set"


def write(folder: Path, name: str, high: np.ndarray) -> None:
    low = resample.bicubic_reduce(high // 2 + 60, 4) - 20
    images.write(folder / f"HR/{name}.png", images.Picture(high))
    images.write(folder / f"LR_x4/{name}x4.png", images.Picture(low))


def test_inputs_are_those_of_the_folder(folder: Path) -> None:
    found = data.load(SETTINGS, [str(folder)])
    assert (found.training.pictures, len(found.validation.truth)) == (5, 1)
    assert found.validation.protocol.name == "y-pairs-x4"
    for noisy, clean, high in helpers.training.pairs(batches(found.training, 2, 1, 0, 20), SETTINGS):
        np.testing.assert_array_equal(noisy, clean)
        expected = resample.area(high, 4) / 2 + 40 / 255
        assert np.abs(noisy - expected).mean() < 0.02  # the same places, darker


def test_what_is_no_pair_is_left_out_and_named(folder: Path) -> None:
    write(folder, "small", cartoons.face(9, 16, 16))
    images.write(folder / "LR_x4/0x4.png", images.Picture(cartoons.face(1, 10, 10)))
    (folder / "HR/1.png").write_text("words")
    found = data.load(SETTINGS, [str(folder)])
    assert len(found.provenance.skipped) == 3
    assert "HR/0.png is 80x96, not 4 times the 10x10 of LR_x4/0x4.png" in found.provenance.skipped[0]
    assert found.training.pictures == 3


def test_refusals(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="does not split pairs"):
        data.load(SETTINGS, [str(folder)], tmp_path / "p.txt")
    (folder / "LR_x4/3x4.png").unlink()
    with pytest.raises(DataError, match=r"3\.png has no partner"):
        data.load(SETTINGS, [str(folder)])
    for path in (folder / "LR_x4").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="has truths but no inputs"):
        data.load(SETTINGS, [str(folder)])


def test_a_recipe_of_pairs_trains(folder: Path, tmp_path: Path) -> None:
    small = ["generator.channels=4", "generator.blocks=1", "steps=1", "data={pictures='pairs', crop=32}"]
    chosen = recipes.load("photo", [*small, *helpers.training.PACE])
    found = data.load(chosen.data, [str(folder)], validate_on=folder)
    assert len(found.validation.truth) == 6
    found = data.load(chosen.data, [str(folder)])
    assert helpers.training.train(chosen, found, tmp_path / "run").finished
