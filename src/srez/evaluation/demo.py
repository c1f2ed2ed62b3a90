"""The demo: the face of a portrait that scikit-image ships, reduced to 16x16 and upscaled again."""

import importlib.resources

import numpy as np

from srez import images
from srez.evaluation import metrics, report
from srez.evaluation.metrics import Figures
from srez.evaluation.protocol import FACES_RGB
from srez.images import resample, to_uint8
from srez.upscaling.upscaler import Upscaler

# Left, top and side of the face in skimage.data.astronaut (Eileen Collins; NASA, public domain), framed as
# CelebA's aligned faces are: eyes at 0.37 of the height.
_CROP = (159, 54, 128)
_ZOOM = 4


def portrait() -> np.ndarray:
    """The face, `(64, 64, 3)` uint8."""
    # Read from its file: scikit-image's own function imports half of SciPy.
    file = importlib.resources.files("skimage.data") / "astronaut.png"
    left, top, side = _CROP
    face = images.read(file.read_bytes(), file.name).pixels[top : top + side, left : left + side]
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
    """The sheet alone, without figures, which would need SciPy.

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
