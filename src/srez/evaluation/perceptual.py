"""A perceptual distance: ST-LPIPS with its AlexNet.

Ghildyal and Liu, "Shift-tolerant perceptual similarity metric", ECCV 2022, arXiv 2207.13686: the distance
between the features of two pictures, weighted by human judgements, in a network that blurs before it
subsamples. The weights come with the package stlpips-pytorch; none of its code is run.
"""

from collections.abc import Callable
from importlib import import_module, resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from srez.errors import ModelError
from srez.models.card import sha256

Distance = Callable[[np.ndarray, np.ndarray], list[float]]

_PACKAGE, _WEIGHTS = "stlpips_pytorch", "weights/vST0.0/alex_shift_tolerant.pth"
_SHA256 = "b356b382f96010f77d085ee8343ecd9fd322d0a56e8de2b2d0549fafcad8b9ee"


def st_lpips() -> "StLpips | None":
    """The distance, or None where the extra `srez[perceptual]` is not installed.

    It takes two batches of `(N, H, W, 3)` RGB or `(N, H, W)` gray uint8, and returns N numbers, 0 for equal
    pictures.

    Raises:
        ModelError: the installed weights are not the published ones.
    """
    if not (find_spec("torch") and find_spec(_PACKAGE)):
        return None
    path = Path(str(resources.files(_PACKAGE))) / _WEIGHTS
    if sha256(path) != _SHA256:
        raise ModelError(f"{path} is not the published ST-LPIPS network (sha256 differs): install it again")
    return StLpips(path)


class StLpips:
    """AlexNet with blurred subsampling, and the weights of its layers in the distance."""

    def __init__(self, path: Path) -> None:
        """Load the network's weights."""
        self._torch: Any = import_module("torch")  # an optional package, which a type checker may lack
        self._functional = self._torch.nn.functional
        self._weights = self._torch.load(path, map_location="cpu", weights_only=True)

    def __call__(self, outputs: np.ndarray, truths: np.ndarray) -> list[float]:
        """The distance of each pair; see `st_lpips`."""
        with self._torch.inference_mode():
            total = self._torch.zeros(len(outputs))
            layers = zip(self._features(outputs), self._features(truths), strict=True)
            for number, (a, b) in enumerate(layers):
                weighted = self._functional.conv2d((a - b) ** 2, self._weights[f"lin{number}.model.1.weight"])
                total += weighted.mean(dim=(1, 2, 3))
            return total.tolist()

    def maps(self, outputs: np.ndarray, truths: np.ndarray) -> np.ndarray:
        """The distance place by place, `(N, H, W)` float32: its layers' maps enlarged to the picture."""
        size = outputs.shape[1:3]
        with self._torch.inference_mode():
            total = self._torch.zeros((len(outputs), 1, *size))
            layers = zip(self._features(outputs), self._features(truths), strict=True)
            for number, (a, b) in enumerate(layers):
                weighted = self._functional.conv2d((a - b) ** 2, self._weights[f"lin{number}.model.1.weight"])
                total += self._functional.interpolate(weighted, size, mode="bilinear", align_corners=False)
            return total[:, 0].numpy()

    def _features(self, images: np.ndarray) -> list[Any]:
        """The outputs of the five layers, with each pixel's features scaled to length 1."""
        relu = self._functional.relu
        first = relu(self._blur_and_halve(self._conv(self._input(images), "slice1.0", 2), "slice1.1"))
        second = relu(self._conv(self._blur_and_halve(self._pool(first), "slice2.4"), "slice2.5", 2))
        third = relu(self._conv(self._blur_and_halve(self._pool(second), "slice3.8"), "slice3.9", 1))
        fourth = relu(self._conv(third, "slice4.11", 1))
        fifth = relu(self._conv(fourth, "slice5.13", 1))
        layers = (first, second, third, fourth, fifth)
        return [layer / (layer.norm(dim=1, keepdim=True) + 1e-10) for layer in layers]

    def _input(self, images: np.ndarray) -> Any:
        colour = images if images.ndim == 4 else np.repeat(images[..., None], 3, axis=3)
        x = self._torch.from_numpy(np.ascontiguousarray(colour.transpose(0, 3, 1, 2))) / 127.5 - 1
        return (x - self._weights["scaling_layer.shift"]) / self._weights["scaling_layer.scale"]

    def _conv(self, x: Any, layer: str, padding: int) -> Any:
        weight, bias = self._weights[f"net.{layer}.weight"], self._weights[f"net.{layer}.bias"]
        return self._functional.conv2d(x, weight, bias, padding=padding)

    def _blur_and_halve(self, x: Any, layer: str) -> Any:
        padded = self._functional.pad(x, (2, 2, 2, 2), mode="reflect")
        weight = self._weights[f"net.{layer}.filt"]
        return self._functional.conv2d(padded, weight, stride=2, groups=x.shape[1])

    def _pool(self, x: Any) -> Any:
        return self._functional.max_pool2d(x, 3, stride=1)
