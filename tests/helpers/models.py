"""Small networks made on the spot, with their cards: a stand-in for models that are not in the box."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tomli_w
from onnx import TensorProto, helper, numpy_helper

from srez.models import card as cards

CHANNELS = 16


def network(seed: int, first_layer: int = 1, planes: int = 0) -> onnx.ModelProto:
    """A x4 network of two zero-padded 3x3 convolutions and a skip by nearest neighbour.

    Args:
        seed: decides the weights.
        first_layer: the number in the first layer's name, as Keras counts layers on through a process.
        planes: of random numbers behind the input's channels.
    """
    random = np.random.default_rng(seed)
    last = first_layer + 1
    weights = {
        f"conv2d_{first_layer}/kernel": random.normal(0, 0.2, (CHANNELS, 3 + planes, 3, 3)),
        f"conv2d_{first_layer}/bias": random.normal(0, 0.2, CHANNELS),
        f"conv2d_{last}/kernel": random.normal(0, 0.02, (48, CHANNELS, 3, 3)),
        f"conv2d_{last}/bias": random.normal(0, 0.01, 48),
        "skip": np.tile(np.eye(3, 3 + planes), (16, 1)).reshape(48, 3 + planes, 1, 1),
    }

    def conv(entry: str, number: int, out: str) -> onnx.NodeProto:
        names = [entry, f"conv2d_{number}/kernel", f"conv2d_{number}/bias"]
        return helper.make_node("Conv", names, [out], pads=[1, 1, 1, 1])

    nodes = [
        helper.make_node("Transpose", ["images"], ["x"], perm=[0, 3, 1, 2]),
        conv("x", first_layer, "a"),
        helper.make_node("Relu", ["a"], ["b"]),
        conv("b", last, "c"),
        helper.make_node("Conv", ["x", "skip"], ["d"]),
        helper.make_node("Add", ["c", "d"], ["e"]),
        helper.make_node("DepthToSpace", ["e"], ["f"], blocksize=4),
        helper.make_node("Transpose", ["f"], ["larger"], perm=[0, 2, 3, 1]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", "h", "w", 3 + planes])],
        [helper.make_tensor_value_info("larger", TensorProto.FLOAT, ["n", "H", "W", 3])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def write(path: Path, seed: int = 0, **card: Any) -> Path:
    """A model with its card."""
    path.write_bytes(network(seed).SerializeToString())
    write_card(path, **card)
    return path


def write_guessing(path: Path, planes: int = 2, error: float = 0.02, factor: float = 2.5) -> Path:
    """A model that makes samples, and expects the same error of every pixel."""
    path.write_bytes(network(0).SerializeToString())
    samples, sure = (path.with_name(f"{path.stem}-{key}.onnx") for key in ("samples", "uncertainty"))
    samples.write_bytes(network(1, planes=planes).SerializeToString())
    sure.write_bytes(_constant(error).SerializeToString())
    write_card(
        path,
        samples={"file": samples.name, "sha256": cards.sha256(samples), "planes": planes},
        uncertainty={"file": sure.name, "sha256": cards.sha256(sure), "factor": factor},
    )
    return path


def _constant(value: float) -> onnx.ModelProto:
    """A network that gives one value for every pixel of the x4 result."""
    nodes = [
        helper.make_node("Transpose", ["images"], ["x"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["x", "kernel", "bias"], ["a"]),
        helper.make_node("DepthToSpace", ["a"], ["b"], blocksize=4),
        helper.make_node("Transpose", ["b"], ["errors"], perm=[0, 2, 3, 1]),
    ]
    weights = {"kernel": np.zeros((16, 3, 1, 1)), "bias": np.full(16, value)}
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", "h", "w", 3])],
        [helper.make_tensor_value_info("errors", TensorProto.FLOAT, ["n", "H", "W", 1])],
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def write_card(path: Path, **card: Any) -> None:
    """The card of a small network, with more or other keys."""
    values = {
        "name": path.stem,
        "description": "a test",
        "licence": "none",
        "limits": "useless",
        "scale": 4,
        "minimum_size": 1,
        "receptive_radius": 2,
        "parameters": 7456,
        "multiply_adds": 7344,
        "sha256": cards.sha256(path),
        "training": {},
        "figures": [],
        **card,
    }
    path.with_suffix(".toml").write_text(tomli_w.dumps(values))


def write_endless(path: Path) -> Path:
    """A x4 model that loops for ever, with its card."""
    boolean, number = TensorProto.BOOL, TensorProto.FLOAT
    sides, larger = ["n", "h", "w", 3], ["n", "H", "W", 3]
    info = helper.make_tensor_value_info
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["again"], ["once_more"]),
            helper.make_node("Identity", ["x"], ["same"]),
        ],
        "body",
        [info("count", TensorProto.INT64, []), info("again", boolean, []), info("x", number, sides)],
        [info("once_more", boolean, []), info("same", number, sides)],
    )
    graph = helper.make_graph(
        [
            helper.make_node("Loop", ["", "yes", "images"], ["looped"], body=body),
            helper.make_node("Resize", ["looped", "", "scales"], ["larger"], mode="nearest"),
        ],
        "endless",
        [info("images", number, sides)],
        [info("larger", number, larger)],
        [
            numpy_helper.from_array(np.array(True), "yes"),
            numpy_helper.from_array(np.array([1, 4, 4, 1], np.float32), "scales"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    write_card(path)
    return path
