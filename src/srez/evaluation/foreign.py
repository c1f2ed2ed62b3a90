"""ONNX files of other projects, measured as they are: one batch of RGB images in, larger ones out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from srez.errors import ModelError
from srez.images import resample, to_float, to_uint8
from srez.models.runtime import Network

RANGES = (1, 255)  # the largest values that images have in different projects
PROBE = 24  # side of the picture that finds out a model's value range, in pixels


@dataclass(frozen=True)
class Conventions:
    """How a model takes and gives images.

    Attributes:
        value_range: the largest value, 1 or 255; None to find it out.
        layout: "NHWC" or "NCHW"; None to read it off the shape of the model's input.
    """

    value_range: int | None = None
    layout: str | None = None


class ForeignModel:
    """A network whose conventions are known.

    Attributes:
        layout: "NHWC" or "NCHW".
        value_range: 1 or 255.
    """

    def __init__(self, path: Path, scale: int, conventions: Conventions) -> None:
        """Load a network and find out what is not known of its conventions.

        Args:
            path: the .onnx file.
            scale: how many times larger its output must be.
            conventions: as far as they are known.

        Raises:
            ModelError: it cannot be loaded, or does not upscale images by this scale.
        """
        self._path, self._scale = path, scale
        self._network = Network(path, str(path))
        inputs = self._network.inputs
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type != "tensor(float)":
            raise ModelError(
                f"{path} cannot be measured: its input and output are not each one batch of float images"
            )
        self.layout = conventions.layout or _layout_of(inputs[0].shape, path)
        self.value_range = conventions.value_range or self._find_range()

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Upscale pictures of one size.

        Args:
            images: `(N, h, w, 3)` or gray `(N, h, w)`, uint8, uint16 or float32 in [0, 1].

        Returns:
            The larger ones, uint8; of gray ones, which go in as three channels, the mean of the channels.

        Raises:
            ModelError: it cannot be run, or makes another size.
        """
        values = to_float(images)
        if values.ndim == 3:
            return to_uint8(self._run(np.repeat(values[..., None], 3, axis=3), self.value_range).mean(axis=3))
        return to_uint8(self._run(values, self.value_range))

    def _run(self, images: np.ndarray, value_range: int) -> np.ndarray:
        """`(N, h, w, 3)` in [0, 1] to the larger one in [0, 1]."""
        batch = images * np.float32(value_range)
        if self.layout == "NHWC":
            output = self._network.run(batch)
        else:
            output = self._network.run(np.ascontiguousarray(batch.transpose(0, 3, 1, 2)))
            output = output.transpose(0, 2, 3, 1) if output.ndim == 4 else output
        count, height, width, _ = images.shape
        if output.shape != (count, height * self._scale, width * self._scale, 3):
            raise ModelError(
                f"{self._path} does not upscale x{self._scale}: it turned {images.shape} into {output.shape}"
            )
        return output / np.float32(value_range)

    def _find_range(self) -> int:
        """Whichever range brings a smooth picture back closer to its enlargement."""
        ramp = np.linspace(0.2, 0.8, PROBE, dtype=np.float32)
        picture = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], np.float32(0.5)), axis=-1)[None]
        expected = resample.bicubic(picture, self._scale)
        far = {top: float(np.abs(self._run(picture, top) - expected).mean()) for top in RANGES}
        return min(far, key=far.__getitem__)


def _layout_of(shape: Sequence[int | str | None], path: Path) -> str:
    """The axes of an input: the colours are where the 3 is."""
    if shape[3] == 3 and shape[1] != 3:
        return "NHWC"
    if shape[1] == 3 and shape[3] != 3:
        return "NCHW"
    raise ModelError(f"{path} has an input of shape {shape}: add --layout NHWC or --layout NCHW")
