"""ONNX files as other projects make them: many forms of one small network, without cards."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FEATURES = 8


@dataclass(frozen=True)
class Kind:
    """A form of a network.

    Attributes:
        scale: output size over input size.
        layout: "NHWC" or "NCHW".
        channels: of its input.
        type: of its input and output: "float32", "float16" or "uint8".
        black: the value of black.
        white: the value of white.
        block: side of the blocks that it works in; sizes are multiples of it.
        side: of all inputs; 0 for any.
        count: images that it takes at a time; 0 for any.
        gives_rgb: whether it gives three channels whatever it takes.
    """

    scale: int = 2
    layout: str = "NCHW"
    channels: int = 3
    type: str = "float32"
    black: int = 0
    white: int = 1
    block: int = 1
    side: int = 0
    count: int = 0
    gives_rgb: bool = False


KINDS = {
    "nchw": Kind(),
    "nhwc": Kind(layout="NHWC"),
    "x1": Kind(scale=1),
    "x3": Kind(scale=3),
    "x4": Kind(scale=4, layout="NHWC"),
    "x8": Kind(scale=8),
    "float16": Kind(type="float16"),
    "fixed": Kind(side=64, count=1),
    "gray": Kind(channels=1),
    "255": Kind(white=255),
    "signed": Kind(black=-1),
    "blocks": Kind(block=8),
    "one": Kind(count=1),
    "rgba": Kind(channels=4, gives_rgb=True),
    "bytes": Kind(layout="NHWC", type="uint8", white=255),
}


def write(path: Path, kind: Kind, seed: int = 0) -> Path:
    """A network of this kind as an .onnx file."""
    path.write_bytes(network(kind, seed).SerializeToString())
    return path


def network(kind: Kind, seed: int = 0) -> onnx.ModelProto:
    """A network of three 3x3 convolutions with a skip by nearest neighbour, which looks 3 blocks around.

    Like those that are trained, it gives back a picture that is nearly its enlargement, gray exactly so, in
    its own range of values and no other. One that works in blocks packs these into channels first, and so
    depends on where they begin.
    """
    random = np.random.default_rng(seed)
    outside = _type(kind.type)
    inside = TensorProto.FLOAT16 if kind.type == "float16" else TensorProto.FLOAT
    dtype = np.float16 if kind.type == "float16" else np.float32
    packed, colours = kind.block**2 * kind.channels, 3 if kind.gives_rgb else kind.channels
    values: dict[str, np.ndarray] = {}
    nodes: list[onnx.NodeProto] = []

    def node(name: str, inputs: list[str], output: str, **settings: Any) -> str:
        nodes.append(helper.make_node(name, inputs, [output], **settings))
        return output

    def constant(name: str, value: Any) -> str:
        values[name] = np.asarray(value, dtype)
        return name

    x = "images"
    if kind.type == "uint8":
        x = node("Cast", [x], "floats", to=inside)
    if kind.layout == "NHWC":
        x = node("Transpose", [x], "planes", perm=[0, 3, 1, 2])
    x = node("Sub", [x, constant("black", kind.black)], "shifted")
    x = node("Div", [x, constant("range", kind.white - kind.black)], "unit")
    y = x
    if kind.block > 1:
        y = node("SpaceToDepth", [y], "packed", blocksize=kind.block)
    out = kind.scale**2 * colours
    flat = np.full(packed, 0.5)
    if kind.channels == 4:
        flat[3::4] = 1  # alpha
    for name, entries, exits, size in (
        ("first", packed, FEATURES, 1 / (9 * packed) ** 0.5),
        ("second", FEATURES, FEATURES, 0.12),
        ("third", FEATURES, out * kind.block**2, 0.03),
    ):
        weights, bias = random.normal(0, size, (exits, entries, 3, 3)), random.normal(0, 1, exits)
        flat = weights.sum((2, 3)) @ flat
        bias = -flat if name == "third" else bias
        flat = np.maximum(flat + bias, 0)
        y = _conv(node, constant, y, weights, name, bias)
        if name != "third":
            y = node("Relu", [y], f"{name}.active")
    y = node("DepthToSpace", [y], "detail", blocksize=kind.scale * kind.block)
    skip = np.zeros((out, kind.channels, 1, 1))
    for row in range(out):
        skip[row, row % colours] = 1
    z = _conv(node, constant, x, skip, "skip", np.zeros(out), pad=0)
    z = node("DepthToSpace", [z], "base", blocksize=kind.scale)
    y = node("Add", [y, z], "sum")
    y = node("Mul", [y, "range"], "ranged")
    y = node("Add", [y, "black"], "values")
    if kind.layout == "NHWC":
        y = node("Transpose", [y], "pixels", perm=[0, 2, 3, 1])
    if kind.type == "uint8":
        y = node("Clip", [y, constant("least", 0), constant("most", 255)], "clipped")
        y = node("Round", [y], "rounded")
        y = node("Cast", [y], "bytes", to=outside)
    graph = helper.make_graph(
        nodes,
        "foreign",
        [_images("images", kind, kind.channels, outside, kind.side or None)],
        [_images(y, kind, colours, outside, None)],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def _conv(
    node: Any, constant: Any, entry: str, weights: np.ndarray, name: str, bias: np.ndarray, pad: int = 1
) -> str:
    inputs = [entry, constant(f"{name}.weight", weights), constant(f"{name}.bias", bias)]
    return node("Conv", inputs, name, pads=[pad] * 4)


def _images(name: str, kind: Kind, channels: int, type_: int, side: int | None) -> onnx.ValueInfoProto:
    sides: list[Any] = [side or f"{name}_h", side or f"{name}_w"]
    count: Any = kind.count or "n"
    shape = [count, channels, *sides] if kind.layout == "NCHW" else [count, *sides, channels]
    return helper.make_tensor_value_info(name, type_, shape)


def _type(name: str) -> int:
    return {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "uint8": TensorProto.UINT8}[name]
