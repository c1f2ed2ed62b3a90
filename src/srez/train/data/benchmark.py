"""A folder to validate on that is named for it, instead of pictures held out from the data."""

import hashlib
from pathlib import Path

import numpy as np

from srez import images
from srez.evaluation import pairs
from srez.evaluation.pairs import PairSet
from srez.train.data.pairs import ValidationSet
from srez.train.recipe import Data, FacesData


def load(folder: Path, settings: Data) -> ValidationSet:
    """The pairs of a benchmark's folder or, for faces, all faces of a folder or zip.

    Args:
        folder: as `srez evaluate --benchmark` or `--faces` takes it.
        settings: what the pictures are. Inputs are not damaged here: a benchmark has its own.

    Raises:
        SrezError: what `evaluation.pairs` raises.
    """
    if isinstance(settings, FacesData):
        found = pairs.from_faces(folder, None, 1)
    else:
        found = pairs.from_benchmark(folder)
    return _validation(found)


def fingerprint(validation: ValidationSet) -> str:
    """Equal for equal pairs."""
    digest = hashlib.sha256()
    for low, truth in zip(validation.low, validation.truth, strict=True):
        digest.update(low.tobytes())
        digest.update(truth.tobytes())
    return digest.hexdigest()


def _validation(found: PairSet) -> ValidationSet:
    low = [_rgb(images.to_float(pair.low)) for pair in found.pairs]
    truth = [_rgb(pair.high) for pair in found.pairs]
    return ValidationSet(low, truth, found.protocol, found.name)


def _rgb(picture: np.ndarray) -> np.ndarray:
    return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
