"""Pictures, models and data that several tests share."""

import gc
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from helpers.drawn_faces import write_faces, write_partition

SHARED = Path(os.environ.get("SREZ_SHARED", Path(__file__).parents[2] / "shared")) / "data"

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's news would stand among our results
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before anything loads OpenMP: see srez.models.selfexsr

# Graphs of TensorFlow are many objects that stay; at the default, all of them are looked at often.
gc.set_threshold(50_000, 20, 100)

# pytest loads GNU readline, which gives processes started from there a terminal of 80 columns: those of
# `--numprocesses` too, in which Rich would keep to it whatever a test asks for.
for name in ("COLUMNS", "LINES"):
    os.environ.pop(name, None)

# A shell that starts the tests in the background has SIGINT ignored, and nohup SIGHUP; programs started here
# inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared images that only developers and CI have."""
    if not SHARED.is_dir():
        pytest.skip(f"the shared images are not here ({SHARED}; SREZ_SHARED names another folder)")
    return SHARED


@pytest.fixture
def random() -> np.random.Generator:
    """The same numbers for every test, whichever tests were run before it."""
    return np.random.default_rng(20161010)


@pytest.fixture(scope="session")
def faces_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 drawn faces of half-size CelebA's geometry."""
    return write_faces(tmp_path_factory.mktemp("faces") / "img_align_celeba.zip", 24)


@pytest.fixture(scope="session")
def partition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of those 24, 18 to train on, 4 to validate on, 2 left out."""
    parts = {number: 0 if number <= 18 else 1 if number <= 22 else 2 for number in range(1, 25)}
    return write_partition(tmp_path_factory.mktemp("partition") / "list_eval_partition.txt", parts)


@pytest.fixture
def picture(tmp_path: Path, random: np.random.Generator) -> Callable[..., Path]:
    """Writes a picture of random pixels: `picture("a.png", (H, W, 3))`."""

    def write(name: str, shape: tuple[int, ...] = (12, 9, 3), **options: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8)).save(path, **options)
        return path

    return write
