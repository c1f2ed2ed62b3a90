"""Networks that a model has beside its own, for samples and uncertainty: what they see and where they run."""

import os
from functools import lru_cache
from pathlib import Path

import numpy as np

from srez.images import hidden, to_float
from srez.models.devices import Place
from srez.models.placing import Placed


def placed(file: Path, place: Place | None, seconds: float | None = None) -> Placed:
    """A network on a device; the last few stay loaded.

    Args:
        file: the .onnx file.
        place: where to run it; by default as for `srez.load`.
        seconds: that a run may take; no limit by default.

    Raises:
        ModelError: the file is damaged.
    """
    return _placed(file, place, seconds, os.getpid())


@lru_cache(maxsize=4)
def _placed(file: Path, place: Place | None, seconds: float | None, process: int) -> Placed:
    del process  # the threads of ONNX Runtime do not outlive a fork
    return Placed(file.read_bytes(), f"model {file.name}", place, seconds)


def colours(pixels: np.ndarray) -> np.ndarray:
    """The colours of a picture of any kind, `(h, w, C)`, as `(h, w, 3)` float32 in [0, 1]."""
    values = to_float(pixels).astype(np.float32, copy=False)
    if pixels.shape[2] in (2, 4):
        values = hidden.fill_hidden(values[..., :-1], values[..., -1:])
    return values if values.shape[2] == 3 else np.repeat(values, 3, axis=2)
