"""The demo: the face of an astronaut, reduced to 16x16 and upscaled again."""

from pathlib import Path

import numpy as np

from srez import images
from srez.evaluation import metrics, report
from srez.evaluation.metrics import Figures
from srez.evaluation.protocol import FACES_RGB
from srez.images import resample, to_uint8
from srez.upscaling.upscaler import Upscaler

# Eileen Collins (NASA, public domain), cut from the portrait that scikit-image ships, and framed as CelebA's
# aligned faces are: eyes at 0.37 of the height.
_PORTRAIT = Path(__file__).parent / "astronaut.png"
_ZOOM = 4


def portrait() -> np.ndarray:
    """The face, `(64, 64, 3)` uint8."""
    face = images.read(_PORTRAIT).pixels
    return np.rint(resample.area(face, 2)).astype(np.uint8)


def run(upscaler: Upscaler) -> tuple[np.ndarray, dict[str, Figures]]:
    """Upscale the face from 16x16 and measure the result.

    Args:
        upscaler: a x4 model.

    Returns:
        The sheet, `(H, W, 3)` uint8 (input, bicubic, srez, truth), and the figures of each method under the
        protocol `FACES_RGB`.
    """
    columns = _columns(upscaler)
    truth, low = columns["truth"], _low()
    outputs = {"nearest": columns["input"], "bicubic": columns["bicubic"], "srez": columns["srez"]}
    rows = {name: metrics.measure_faces(output, truth, low) for name, output in outputs.items()}
    return report.sheet(columns, _ZOOM), rows


def sheet(upscaler: Upscaler) -> np.ndarray:
    """The sheet alone, without figures.

    Args:
        upscaler: a x4 model.

    Returns:
        `(H, W, 3)` uint8: input, bicubic, srez, truth.
    """
    return report.sheet(_columns(upscaler), _ZOOM)


def _columns(upscaler: Upscaler) -> dict[str, np.ndarray]:
    low = _low()
    return {
        "input": to_uint8(resample.nearest(low, FACES_RGB.scale)),
        "bicubic": to_uint8(resample.bicubic(low, FACES_RGB.scale)),
        "srez": to_uint8(upscaler.batch(low)),
        "truth": portrait()[None],
    }


def _low() -> np.ndarray:
    """The face at 16x16, `(1, 16, 16, 3)` float32 in [0, 1]."""
    return resample.area(portrait()[None], FACES_RGB.scale) / np.float32(255)
