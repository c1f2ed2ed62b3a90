"""Is a picture of 16x16 pixels a face? A small network says, so that icons are not taken for faces."""

from functools import cache
from pathlib import Path

import numpy as np

from srez.images import to_float
from srez.models.runtime import Network

SIDE = 16  # pixels
FILE = Path(__file__).parent / "weights" / "face-detector.onnx"

_LEAST_CONTRAST = 4 / 255  # below, a picture is flat but for its noise
_THRESHOLD = -1.0  # of the network's output: 99.8 % of faces held out are above, 0.7 % of icons (ADR 0029)


def is_face(pixels: np.ndarray) -> bool:
    """Whether a picture is a face as `faces` knows them: aligned, and filling it.

    Args:
        pixels: `(16, 16)`, or `(16, 16, C)` with 1 to 4 channels; uint8, uint16 or float32 in [0, 1].

    Raises:
        ModelError: the network is damaged.
    """
    return float(_network().run(prepared(_gray(pixels)[None]))[0, 0]) > _THRESHOLD


def prepared(grays: np.ndarray) -> np.ndarray:
    """The network's input: brightness and contrast made equal.

    Args:
        grays: `(N, 16, 16)` float in [0, 1].

    Returns:
        `(N, 16, 16, 1)` float32, of mean 0 and variance 1.
    """
    values = grays - grays.mean(axis=(1, 2), keepdims=True)
    contrast = values.std(axis=(1, 2), keepdims=True)
    return (values / np.maximum(contrast, _LEAST_CONTRAST)).astype(np.float32)[..., None]


def _gray(pixels: np.ndarray) -> np.ndarray:
    """`(16, 16)` float; what is transparent gets the mean of what is not."""
    values = to_float(pixels.reshape(*pixels.shape[:2], -1))
    if values.shape[2] in (1, 3):
        return values.mean(axis=2)
    gray, alpha = values[..., :-1].mean(axis=2), values[..., -1]
    mean = (gray * alpha).sum() / max(float(alpha.sum()), 1e-6)
    return gray * alpha + mean * (1 - alpha)


@cache
def _network() -> Network:
    return Network(FILE, "the detector of faces", threads=1)
