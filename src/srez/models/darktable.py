"""Packages of models for darktable 5.6 and later (.dtmodel).

The format is that of https://github.com/darktable-org/darktable-ai: a zip of one folder with the name of the
model, in which config.json describes it. For upscaling darktable wants model_x2.onnx and model_x4.onnx, which
take and give `(1, 3, H, W)` float32 in sRGB.
"""

import io
import json
import re
import zipfile
from typing import Any

import numpy as np

from srez.errors import ModelError
from srez.images.resample import keys_cubic
from srez.models.card import Card

_SCALE = 4
_TASK = "upscale"
_STEM = "model_x"
_DATE = (2020, 1, 1, 0, 0, 0)  # of files in the zip, so that packages of one model are the same


def packed(network: Any, card: Card) -> bytes:
    """A package with a network for 4 times, and for 2 times the same reduced to half.

    Args:
        network: an `onnx.ModelProto` in NCHW.
        card: of the model.

    Raises:
        ModelError: the model's scale is not 4.
    """
    if card.scale != _SCALE:
        raise ModelError(f"{card.name} makes pictures {card.scale} times as large: darktable takes 2 and 4")
    name = re.sub(r"[^a-z0-9]+", "-", card.name.lower()).strip("-") or "model"
    identity = f"{_TASK}-{name.removeprefix(f'{_TASK}-')}"
    config = {
        "id": identity,
        "name": card.name,
        "description": card.description,
        "task": _TASK,
        "arch": "generic",
        "backend": "onnx",
        "version": "1.0",
        "tiling": True,
        "num_inputs": 1,
    }
    files = {
        "config.json": json.dumps(config, indent=4).encode(),
        f"{_STEM}4.onnx": network.SerializeToString(),
        f"{_STEM}2.onnx": _halved(network, card).SerializeToString(),
    }
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, data in files.items():
            entry = zipfile.ZipInfo(f"{identity}/{file}", _DATE)
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return package.getvalue()


def _halved(network: Any, card: Card) -> Any:
    """The network with its output reduced to half as `srez upscale --scale 2` does, by area or bicubic.

    Bicubic differs from that by the border alone, which is repeated instead of mirrored.
    """
    import onnx
    from onnx import helper, numpy_helper

    half = onnx.ModelProto()
    half.CopyFrom(network)
    output = half.graph.output[0]
    inside = f"{output.name}_x4"
    for node in half.graph.node:
        node.output[:] = [inside if each == output.name else each for each in node.output]
    if card.reduction == "area":
        half.graph.node.append(
            helper.make_node("AveragePool", [inside], [output.name], kernel_shape=[2, 2], strides=[2, 2])
        )
    else:
        taps = keys_cubic((np.arange(8) - 3.5) / 2) / 2
        kernel = np.tile(np.outer(taps, taps), (3, 1, 1, 1)).astype(np.float32)
        values = {"half_kernel": kernel, "half_pads": np.array([0, 0, 3, 3, 0, 0, 3, 3])}
        half.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in values.items())
        padded = helper.make_node("Pad", [inside, "half_pads"], [f"{inside}_padded"], mode="edge")
        reduced = helper.make_node(
            "Conv", [f"{inside}_padded", "half_kernel"], [output.name], group=3, strides=[2, 2]
        )
        half.graph.node.extend([padded, reduced])
    onnx.checker.check_model(half, full_check=True)
    return half
