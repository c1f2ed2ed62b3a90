"""Runs that several tests look at, or resume in a copy."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from helpers.training import TINY, Listener, tiny, train
from srez.train import data, recipes, trainer


@dataclass(frozen=True)
class Whole:
    """A run of 12 steps that nothing has disturbed."""

    name: str
    out: Path
    result: trainer.Result
    heard: Listener


@pytest.fixture(scope="session")
def faces(faces_zip: Path, partition: Path) -> data.TrainingData:
    return data.load(recipes.load("faces").data, [str(faces_zip)], partition)


@pytest.fixture(scope="session", params=TINY)
def whole(
    request: pytest.FixtureRequest, faces: data.TrainingData, tmp_path_factory: pytest.TempPathFactory
) -> Whole:
    out, heard = tmp_path_factory.mktemp("whole") / request.param, Listener()
    return Whole(request.param, out, train(tiny(request.param, "steps=12"), faces, out, heard), heard)


@pytest.fixture(scope="session")
def finished(faces: data.TrainingData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of `faces` with 4 steps, checkpoints at 2 and 4. Only for looking at and for `copy`."""
    out = tmp_path_factory.mktemp("finished")
    train(tiny("faces", "steps=4", "every.checkpoint=2", "optimizer.cooldown=0"), faces, out)
    return out


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Callable[[], Path]:
    """Makes a copy of that run, to be damaged and resumed."""

    def make() -> Path:
        return Path(shutil.copytree(finished, tmp_path / "copy"))

    return make


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte; where the machine allows none, the test is skipped."""
    path = tmp_path / "disk"
    path.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("needs the right to mount a small file system")
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)  # an error may still hold a mapped file
