"""Weights of PyTorch to ONNX: the package spandrel knows the networks that many of them belong to.

Needs the extra `srez[convert]`. spandrel reads a .pth without running what a pickle may hold.
"""

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from srez.errors import ModelError, first_line
from srez.models.foreign import Hints
from srez.models.runtime import Network

PACKAGES = "onnx", "onnxscript", "spandrel", "torch"
HINTS = Hints((0, 1), "NCHW")  # what spandrel's networks have in common
SUFFIXES = frozenset((".pth", ".pt", ".ckpt", ".safetensors"))

_SIDE = 64  # of pictures to try with, in pixels, or more where a network needs it
_CLOSE = 1e-3  # between PyTorch and ONNX Runtime, of the distance from black to white


def converted(path: Path, target: Path) -> None:
    """Write a model as ONNX, in NCHW and float32; where other sizes would come out wrong, for one size alone.

    Args:
        path: the weights.
        target: the .onnx file to write.

    Raises:
        ModelError: spandrel does not know the network, it makes no pictures of pictures, or the ONNX file
            computes something else.
    """
    import spandrel  # pyright: ignore[reportMissingImports]

    if not path.is_file():
        raise ModelError(f"model {path} does not exist")
    try:
        found = spandrel.ModelLoader(device="cpu").load_from_file(path)
    except Exception as error:  # a damaged file raises anything
        raise ModelError(f"{path}: spandrel knows no network for it ({first_line(error)})") from None
    if not isinstance(found, spandrel.ImageModelDescriptor):
        raise ModelError(f"{path} is a network that takes more than a picture ({found.architecture.name})")
    wants = found.size_requirements
    step = wants.multiple_of
    side = -(-max(_SIDE, wants.minimum) // step) * step
    other = (side, side) if wants.square else (side + 2 * step, side + step)
    reasons = []
    for is_free in (True, False):
        try:
            _export(found, side, target, is_free)
            sizes = [(side, side), other] if is_free else [(side, side)]
            differs = max(_difference(found, target, size) for size in sizes)
        except Exception as error:  # the exporter raises anything
            reasons.append(first_line(error))
            continue
        if differs <= _CLOSE * max(found.scale, 1):
            return
        reasons.append(f"ONNX differs from PyTorch by {differs:.2g}")
    raise ModelError(f"{path} cannot be converted to ONNX: {'; '.join(dict.fromkeys(reasons))}")


def _export(found: Any, side: int, target: Path, is_free: bool) -> None:
    import torch  # pyright: ignore[reportMissingImports]

    free = torch.export.Dim.DYNAMIC
    example = torch.rand(1, found.input_channels, side, side)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            found.model.eval(),
            (example,),
            target,
            input_names=["input"],
            output_names=["output"],
            dynamic_shapes=({2: free, 3: free},) if is_free else None,
            external_data=False,
            dynamo=True,
            verbose=False,
        )


def _difference(found: Any, target: Path, size: tuple[int, int]) -> float:
    """The largest between PyTorch and ONNX Runtime on random pixels."""
    import torch  # pyright: ignore[reportMissingImports]

    images = np.random.default_rng(0).random((1, found.input_channels, *size), np.float32)
    with torch.no_grad():
        expected = found.model(torch.from_numpy(images)).numpy()
    result = Network(target, f"model {target.name}").run(images)
    return float(np.abs(result - expected).max()) if result.shape == expected.shape else float("inf")
