"""A perceptual distance: ST-LPIPS with its AlexNet.

Ghildyal and Liu, "Shift-tolerant perceptual similarity metric", ECCV 2022, arXiv 2207.13686: the distance
between the features of two pictures, weighted as people judged them, on a network that blurs before it
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

_PACKAGE, _FILE = "stlpips_pytorch", "weights/vST0.0/alex_shift_tolerant.pth"
_SHA256 = "b356b382f96010f77d085ee8343ecd9fd322d0a56e8de2b2d0549fafcad8b9ee"


def st_lpips() -> Distance | None:
    """The distance, or None where the extra `srez[perceptual]` is not installed.

    It takes two batches of `(N, H, W, 3)` RGB or `(N, H, W)` gray uint8, and returns N numbers, 0 for equal
    pictures.

    Raises:
        ModelError: the installed weights are not the published ones.
    """
    if not (find_spec("torch") and find_spec(_PACKAGE)):
        return None
    torch: Any = import_module("torch")  # an extra that type checkers need not have
    functional = torch.nn.functional

    path = Path(str(resources.files(_PACKAGE))) / _FILE
    if sha256(path) != _SHA256:
        raise ModelError(f"{path} is not the published ST-LPIPS network (sha256 differs): install it anew")
    weights = torch.load(path, map_location="cpu", weights_only=True)

    def conv(x: Any, name: str, padding: int) -> Any:
        return functional.conv2d(
            x, weights[f"net.{name}.weight"], weights[f"net.{name}.bias"], padding=padding
        )

    def blur_and_halve(x: Any, name: str) -> Any:
        padded = functional.pad(x, (2, 2, 2, 2), mode="reflect")
        return functional.conv2d(padded, weights[f"net.{name}.filt"], stride=2, groups=x.shape[1])

    def pool(x: Any) -> Any:
        return functional.max_pool2d(x, 3, stride=1)

    def features(images: np.ndarray) -> list[Any]:
        colour = images if images.ndim == 4 else np.repeat(images[..., None], 3, axis=3)
        x = torch.from_numpy(np.ascontiguousarray(colour.transpose(0, 3, 1, 2))) / 127.5 - 1
        x = (x - weights["scaling_layer.shift"]) / weights["scaling_layer.scale"]
        first = functional.relu(blur_and_halve(conv(x, "slice1.0", 2), "slice1.1"))
        second = functional.relu(conv(blur_and_halve(pool(first), "slice2.4"), "slice2.5", 2))
        third = functional.relu(conv(blur_and_halve(pool(second), "slice3.8"), "slice3.9", 1))
        fourth = functional.relu(conv(third, "slice4.11", 1))
        fifth = functional.relu(conv(fourth, "slice5.13", 1))
        layers = (first, second, third, fourth, fifth)
        return [layer / (layer.norm(dim=1, keepdim=True) + 1e-10) for layer in layers]

    @torch.inference_mode()
    def distance(ours: np.ndarray, truths: np.ndarray) -> list[float]:
        total = torch.zeros(len(ours))
        for number, (a, b) in enumerate(zip(features(ours), features(truths), strict=True)):
            judged = functional.conv2d((a - b) ** 2, weights[f"lin{number}.model.1.weight"])
            total += judged.mean(dim=(1, 2, 3))
        return total.tolist()

    return distance
