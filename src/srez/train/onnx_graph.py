"""From a network of Keras layers to an ONNX graph, operation by operation, on any backend.

The graph takes and gives NHWC, as the network does, and is NCHW inside. Its initializers are named by the
number of their layer, so that two exports of one network differ in values alone.
"""

from collections.abc import Callable
from functools import reduce
from typing import Any

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from srez.errors import TrainingError
from srez.train.backend import as_numpy

OPSET, IR = 17, 8  # ONNX Runtime 1.20 reads both, and so do most other programs

_TO_NCHW, _TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]
_AXES = {0: 0, 1: 2, 2: 3, 3: 1, -1: 1, -2: 3, -3: 2, -4: 0}  # of NHWC in NCHW


def build(network: keras.Model) -> onnx.ModelProto:
    """The ONNX model of a network for inference.

    Args:
        network: of tensors `(N, H, W, C)`, of any N, H and W, each of whose layers is called once.

    Raises:
        TrainingError: it has an operation that is not in `_OPERATIONS`.
    """
    graph = _Graph(network)
    for number, tensor in enumerate(network.inputs):
        graph.name(tensor, graph.node("Transpose", [f"picture_{number}"], perm=_TO_NCHW))
    for operation in network.operations:
        kind = type(operation).__name__
        if kind == "InputLayer":
            continue
        if kind not in _OPERATIONS:
            raise TrainingError(f"{network.name} cannot be exported: no ONNX is known for {kind}")
        inputs = [graph.of(tensor) for tensor in keras.tree.flatten(operation.input)]
        graph.name(operation.output, _OPERATIONS[kind](graph, operation, inputs))
    for number, tensor in enumerate(network.outputs):
        graph.node("Transpose", [graph.of(tensor)], output=f"enlarged_{number}", perm=_TO_NHWC)
    return graph.model()


class _Graph:
    """The nodes and weights so far."""

    def __init__(self, network: keras.Model) -> None:
        self._network = network
        self._weights = dict(zip(map(id, network.variables), weight_names(network), strict=True))
        self._names: dict[int, str] = {}  # of Keras's tensors, by their id
        self._nodes: list[onnx.NodeProto] = []
        self._values: dict[str, np.ndarray] = {}

    def of(self, tensor: Any) -> str:
        return self._names[id(tensor)]

    def name(self, tensor: Any, name: str) -> None:
        self._names[id(tensor)] = name

    def node(self, kind: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        """Add a node with one output; returns the output's name."""
        output = output or f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output

    def weight(self, variable: Any) -> str:
        """A variable, in the axes of ONNX."""
        name = self._weights[id(variable)]
        self._values[name] = as_onnx(as_numpy(variable))
        return name

    def constant(self, values: Any, kind: Any = np.float32) -> str:
        name = f"constant_{len(self._values)}"
        self._values[name] = np.asarray(values, kind)
        return name

    def model(self) -> onnx.ModelProto:
        ends = [
            [_value(f"{word}_{number}", tensor.shape) for number, tensor in enumerate(tensors)]
            for word, tensors in (("picture", self._network.inputs), ("enlarged", self._network.outputs))
        ]
        weights = [
            numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in self._values.items()
        ]
        pictures, enlarged = ends
        graph = helper.make_graph(self._nodes, self._network.name, pictures, enlarged, weights)
        opsets = [helper.make_opsetid("", OPSET)]
        made = helper.make_model(graph, opset_imports=opsets, ir_version=IR, producer_name="srez")
        onnx.checker.check_model(made, full_check=True)
        return made


def weight_names(network: keras.Model) -> list[str]:
    """The initializers that hold a network's variables, in their order."""
    names = {
        id(variable): f"layer_{number:04d}_{variable.name}"
        for number, layer in enumerate(network.layers)
        for variable in layer.variables
    }
    return [names[id(variable)] for variable in network.variables]


def as_onnx(values: np.ndarray) -> np.ndarray:
    """A kernel `(height, width, in, out)` as `(out, in, height, width)`, a slope with its channels first."""
    axes = {4: (3, 2, 0, 1), 3: (2, 0, 1)}.get(values.ndim)
    return values.transpose(axes) if axes else values


def _value(name: str, shape: tuple[int | None, ...]) -> onnx.ValueInfoProto:
    free = [side or f"{name}_{axis}" for side, axis in zip(shape, "nhwc", strict=True)]
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, free)


def _conv(graph: _Graph, layer: Any, inputs: list[str]) -> str:
    weights = [graph.weight(layer.kernel), *([graph.weight(layer.bias)] if layer.use_bias else [])]
    pads: dict[str, Any] = {"auto_pad": "SAME_UPPER"} if layer.padding == "same" else {}
    if layer.padding == "same" and max(layer.strides) == 1 and all(side % 2 for side in layer.kernel_size):
        pads = {"pads": [side // 2 for side in layer.kernel_size] * 2}
    x = graph.node("Conv", [*inputs, *weights], strides=layer.strides, dilations=layer.dilation_rate, **pads)
    return _activated(graph, layer, x)


def _activated(graph: _Graph, layer: Any, x: str) -> str:
    name = layer.activation.__name__
    known = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "softplus": "Softplus"}
    if name not in {*known, "linear"}:
        raise TrainingError(f"{layer.name} cannot be exported: no ONNX is known for {name}")
    return graph.node(known[name], [x]) if name in known else x


def _batch_norm(graph: _Graph, layer: Any, inputs: list[str]) -> str:
    channels = layer.moving_mean.shape[0]
    scale = graph.weight(layer.gamma) if layer.scale else graph.constant(np.ones(channels))
    offset = graph.weight(layer.beta) if layer.center else graph.constant(np.zeros(channels))
    moments = [graph.weight(layer.moving_mean), graph.weight(layer.moving_variance)]
    return graph.node("BatchNormalization", [*inputs, scale, offset, *moments], epsilon=layer.epsilon)


def _average_pooling(graph: _Graph, layer: Any, inputs: list[str]) -> str:
    pads = {"auto_pad": "SAME_UPPER"} if layer.padding == "same" else {}
    return graph.node("AveragePool", inputs, kernel_shape=layer.pool_size, strides=layer.strides, **pads)


def _up_sampling(graph: _Graph, layer: Any, inputs: list[str]) -> str:
    nearest = {"mode": "nearest", "nearest_mode": "floor"}
    how = nearest if layer.interpolation == "nearest" else {"mode": "linear"}
    place = "asymmetric" if layer.interpolation == "nearest" else "half_pixel"
    scales = graph.constant([1, 1, *layer.size])
    return graph.node("Resize", [*inputs, "", scales], coordinate_transformation_mode=place, **how)


def _rescaling(graph: _Graph, layer: Any, inputs: list[str]) -> str:
    scaled = graph.node("Mul", [*inputs, graph.constant(layer.scale)])
    return graph.node("Add", [scaled, graph.constant(layer.offset)])


def _pad(graph: _Graph, operation: Any, inputs: list[str]) -> str:
    first, last = zip(*(operation.pad_width[axis] for axis in (0, 3, 1, 2)), strict=True)
    return graph.node("Pad", [*inputs, graph.constant([*first, *last], np.int64)], mode=operation.mode)


def _folded(kind: str) -> Callable[[_Graph, Any, list[str]], str]:
    """An operation of two tensors, on all of an operation's inputs from left to right."""

    def add(graph: _Graph, operation: Any, inputs: list[str]) -> str:
        if len(inputs) < 2:
            raise TrainingError(f"{operation.name} cannot be exported: use a Rescaling layer for constants")
        return reduce(lambda left, right: graph.node(kind, [left, right]), inputs)

    return add


def _plain(kind: str, **attributes: Callable[[Any], Any]) -> Callable[[_Graph, Any, list[str]], str]:
    """An operation that ONNX has too, with attributes that are taken from it."""

    def add(graph: _Graph, operation: Any, inputs: list[str]) -> str:
        return graph.node(kind, inputs, **{name: take(operation) for name, take in attributes.items()})

    return add


_OPERATIONS: dict[str, Callable[[_Graph, Any, list[str]], str]] = {
    "Activation": lambda graph, layer, inputs: _activated(graph, layer, *inputs),
    "Add": _folded("Add"),
    "AveragePooling2D": _average_pooling,
    "BatchNormalization": _batch_norm,
    "Concatenate": _plain("Concat", axis=lambda layer: _AXES[layer.axis]),
    "Conv2D": _conv,
    "DepthToSpace": _plain("DepthToSpace", blocksize=lambda operation: operation.block_size),
    "Exp": _plain("Exp"),
    "LeakyReLU": _plain("LeakyRelu", alpha=lambda layer: float(layer.negative_slope)),
    "Log": _plain("Log"),
    "Multiply": _folded("Mul"),
    "PReLU": lambda graph, layer, inputs: graph.node("PRelu", [*inputs, graph.weight(layer.alpha)]),
    "Pad": _pad,
    "ReLU": _plain("Relu"),
    "Rescaling": _rescaling,
    "Subtract": _folded("Sub"),
    "UpSampling2D": _up_sampling,
}
