"""Networks of srez as LiteRT models (.tflite), https://ai.google.dev/edge/litert. Needs ai-edge-litert.

The graph is rewritten operation by operation; they are few. LiteRT's images are NHWC, so what ONNX turns into
NCHW in between is not turned at all.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from srez.errors import ModelError

SIDE = 64  # of images before somebody asks for another size, in pixels
_VERSION, _IDENTIFIER = 3, b"TFL3"  # of the schema
_TO_NCHW, _TO_NHWC = [0, 3, 1, 2], [0, 2, 3, 1]


def converted(network: Any, name: str) -> bytes:
    """A network as a LiteRT model, which takes and gives `(1, H, W, 3)` float32 in [0, 1], any H and W.

    Args:
        network: in srez's own form, an `onnx.ModelProto`.
        name: what errors call it.

    Raises:
        ModelError: it has an operation that is not converted.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema  # pyright: ignore[reportMissingImports]

    writer = _Writer(_with_shapes(network), name, schema)
    model = writer.model()
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def _with_shapes(network: Any) -> Any:
    """The network for images of one size, with the shapes of all values."""
    import onnx

    fixed = onnx.ModelProto()
    fixed.CopyFrom(network)
    for dim, length in zip(fixed.graph.input[0].type.tensor_type.shape.dim, (1, SIDE, SIDE, 3), strict=True):
        dim.dim_value = length
    for dim in fixed.graph.output[0].type.tensor_type.shape.dim:
        dim.Clear()
    del fixed.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(fixed, strict_mode=True)


class _Writer:
    """Writes the tensors and operations of a graph one after the other."""

    def __init__(self, network: Any, name: str, schema: Any) -> None:
        from onnx import numpy_helper

        self._graph, self._name, self._schema = network.graph, name, schema
        self._constants = {each.name: numpy_helper.to_array(each) for each in self._graph.initializer}
        values = (*self._graph.input, *self._graph.value_info, *self._graph.output)
        self._shapes = {
            value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in values
        }
        self._buffers, self._tensors, self._operators = [schema.BufferT()], [], []
        self._codes: list[int] = []
        self._places: dict[str, int] = {}  # of values, among the tensors
        self._turned: dict[str, bool] = {}  # whether ONNX has them in NCHW

    def model(self) -> Any:
        """The whole model."""
        schema, graph = self._schema, self._graph
        entry = graph.input[0].name
        self._places[entry] = self._tensor("input", self._shapes[entry], None, moves=True)
        self._turned[entry] = False
        for node in graph.node:
            self._write(node)
        exit_ = graph.output[0].name
        self._tensors[self._places[exit_]].name = b"output"
        subgraph = schema.SubGraphT()
        subgraph.tensors, subgraph.operators = self._tensors, self._operators
        subgraph.inputs, subgraph.outputs = [self._places[entry]], [self._places[exit_]]
        subgraph.name = b"main"
        model = schema.ModelT()
        model.version, model.description = _VERSION, b"srez"
        model.subgraphs, model.buffers = [subgraph], self._buffers
        model.operatorCodes = [self._code(number) for number in self._codes]
        return model

    def _write(self, node: Any) -> None:
        from onnx import helper

        values = {each.name: helper.get_attribute_value(each) for each in node.attribute}
        source, target = node.input[0], node.output[0]
        self._turned[target] = self._turned.get(source, self._turned.get(node.input[-1], False))
        if node.op_type == "Transpose":
            turned = {tuple(_TO_NCHW): True, tuple(_TO_NHWC): False}.get(tuple(values["perm"]))
            if turned is None or turned == self._turned[source]:
                raise self._refusal(node)
            self._places[target], self._turned[target] = self._places[source], turned
            return
        writers: dict[str, Callable[[Any, dict[str, Any]], tuple[str, list[int], Any]]] = {
            "Add": self._arithmetic,
            "AveragePool": self._average,
            "Concat": self._concat,
            "Conv": self._conv,
            "DepthToSpace": self._depth_to_space,
            "LeakyRelu": self._leaky,
            "Mul": self._arithmetic,
            "Pad": self._pad,
            "Relu": self._plain,
            "Sub": self._arithmetic,
        }
        if node.op_type not in writers:
            raise self._refusal(node)
        code, inputs, options = writers[node.op_type](node, values)
        shape = self._shapes[target]
        nhwc = [shape[axis] for axis in _TO_NHWC] if self._turned[target] else shape
        self._places[target] = self._tensor(target, nhwc, None, moves=True)
        operator = self._schema.OperatorT()
        operator.opcodeIndex = self._code_index(code)
        operator.inputs, operator.outputs = inputs, [self._places[target]]
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(self._schema.BuiltinOptions, kind)
            operator.builtinOptions = options
        self._operators.append(operator)

    def _conv(self, node: Any, values: dict[str, Any]) -> tuple[str, list[int], Any]:
        weights = self._constants[node.input[1]].transpose(0, 2, 3, 1)
        bias = self._constants[node.input[2]] if len(node.input) > 2 else np.zeros(len(weights), np.float32)
        if values.get("group", 1) != 1:
            raise self._refusal(node)
        options = self._schema.Conv2DOptionsT()
        options.padding = self._padding(node, values, weights.shape[1:3])
        options.strideH, options.strideW = values.get("strides", [1, 1])
        options.dilationHFactor, options.dilationWFactor = values.get("dilations", [1, 1])
        data = [self._constant(node.input[1], weights), self._constant(f"{node.output[0]} bias", bias)]
        return "CONV_2D", [self._places[node.input[0]], *data], options

    def _average(self, node: Any, values: dict[str, Any]) -> tuple[str, list[int], Any]:
        options = self._schema.Pool2DOptionsT()
        options.padding = self._padding(node, values, values["kernel_shape"])
        options.filterHeight, options.filterWidth = values["kernel_shape"]
        options.strideH, options.strideW = values.get("strides", [1, 1])
        if values.get("count_include_pad"):
            raise self._refusal(node)
        return "AVERAGE_POOL_2D", [self._places[node.input[0]]], options

    def _padding(self, node: Any, values: dict[str, Any], kernel: Any) -> int:
        """Whether zeros are put around an image: enough to keep its size, or none."""
        pads, auto = values.get("pads", [0] * 4), values.get("auto_pad", b"NOTSET")
        keeping = [(side - 1) // 2 for side in kernel] * 2
        is_plain = all(side % 2 for side in kernel) and set(values.get("strides", [1])) == {1}
        is_plain = is_plain and set(values.get("dilations", [1])) == {1}
        if auto == b"SAME_UPPER" or (auto == b"NOTSET" and is_plain and list(pads) == keeping):
            return self._schema.Padding.SAME
        if auto in (b"NOTSET", b"VALID") and not any(pads):
            return self._schema.Padding.VALID
        raise self._refusal(node)

    def _arithmetic(self, node: Any, _values: dict[str, Any]) -> tuple[str, list[int], Any]:
        kind = node.op_type
        operands = [self._operand(name, self._turned[node.output[0]]) for name in node.input]
        return kind.upper(), operands, getattr(self._schema, f"{kind}OptionsT")()

    def _operand(self, name: str, turned: bool) -> int:
        if name not in self._constants:
            return self._places[name]
        data = self._constants[name]
        data = data.reshape((1,) * (4 - data.ndim) + data.shape)
        return self._constant(name, data.transpose(_TO_NHWC) if turned else data)

    def _concat(self, node: Any, values: dict[str, Any]) -> tuple[str, list[int], Any]:
        options = self._schema.ConcatenationOptionsT()
        options.axis = _TO_NHWC.index(values["axis"]) if self._turned[node.output[0]] else values["axis"]
        return "CONCATENATION", [self._places[name] for name in node.input], options

    def _depth_to_space(self, node: Any, values: dict[str, Any]) -> tuple[str, list[int], Any]:
        if values.get("mode", b"DCR") != b"DCR":
            raise self._refusal(node)
        options = self._schema.DepthToSpaceOptionsT()
        options.blockSize = values["blocksize"]
        return "DEPTH_TO_SPACE", [self._places[node.input[0]]], options

    def _leaky(self, node: Any, values: dict[str, Any]) -> tuple[str, list[int], Any]:
        options = self._schema.LeakyReluOptionsT()
        options.alpha = values.get("alpha", 0.01)
        return "LEAKY_RELU", [self._places[node.input[0]]], options

    def _pad(self, node: Any, values: dict[str, Any]) -> tuple[str, list[int], Any]:
        pads = self._constants[node.input[1]].reshape(2, 4).T.astype(np.int32)  # an axis in each row
        pads = pads[_TO_NHWC] if self._turned[node.output[0]] else pads
        inputs = [self._places[node.input[0]], self._constant(f"{node.output[0]} sides", pads)]
        if values.get("mode") == b"reflect":
            options = self._schema.MirrorPadOptionsT()
            options.mode = self._schema.MirrorPadMode.REFLECT
            return "MIRROR_PAD", inputs, options
        if values.get("mode", b"constant") != b"constant" or len(node.input) > 2:
            raise self._refusal(node)
        return "PAD", inputs, self._schema.PadOptionsT()

    def _plain(self, node: Any, _values: dict[str, Any]) -> tuple[str, list[int], Any]:
        return node.op_type.upper(), [self._places[node.input[0]]], None

    def _constant(self, name: str, data: np.ndarray) -> int:
        return self._tensor(name, list(data.shape), np.ascontiguousarray(data), moves=False)

    def _tensor(self, name: str, shape: list[int], data: np.ndarray | None, moves: bool) -> int:
        """Add a tensor; `moves` is for images, whose height and width are not fixed."""
        tensor = self._schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name.encode(), shape, 0
        types = self._schema.TensorType
        tensor.type = types.INT32 if data is not None and data.dtype == np.int32 else types.FLOAT32
        if moves:
            tensor.shapeSignature = [-1, -1, -1, shape[3]]
        if data is not None:
            buffer = self._schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            tensor.buffer = len(self._buffers)
            self._buffers.append(buffer)
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def _code_index(self, code: str) -> int:
        number = getattr(self._schema.BuiltinOperator, code)
        if number not in self._codes:
            self._codes.append(number)
        return self._codes.index(number)

    def _code(self, number: int) -> Any:
        code = self._schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = number
        code.version = 1
        return code

    def _refusal(self, node: Any) -> ModelError:
        return ModelError(f"{self._name}: the operation {node.op_type}, as it is there, has no LiteRT form")
