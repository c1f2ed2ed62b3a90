"""What an ONNX file without a card costs: its weights and its multiply-adds."""

import math
from dataclasses import dataclass
from pathlib import Path

from srez.models.card import Form

PROBE = 32  # side of the input that arithmetic is counted for, in pixels


@dataclass(frozen=True)
class Cost:
    """What running a network costs; None for what is not known.

    Attributes:
        parameters: all its weights.
        multiply_adds: of its convolutions, per input pixel.
    """

    parameters: int | None = None
    multiply_adds: int | None = None


def count(path: Path, form: Form) -> Cost:
    """Count the parameters of an .onnx file and the multiply-adds of its convolutions.

    Needs the package onnx, which the training extra brings.

    Args:
        path: the .onnx file, with one input of images.
        form: of that input.

    Returns:
        What is known: nothing without onnx, no multiply-adds where shapes cannot be inferred.
    """
    try:
        import onnx
    except ModuleNotFoundError:
        return Cost()
    model = onnx.load(path)
    weights = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    parameters = sum(math.prod(dims) for dims in weights.values() if len(dims) > 0)
    if form.side:
        return Cost(parameters)
    sides = (1, PROBE, PROBE, form.channels) if form.layout == "NHWC" else (1, form.channels, PROBE, PROBE)
    for dimension, side in zip(model.graph.input[0].type.tensor_type.shape.dim, sides, strict=True):
        dimension.dim_value = side
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph.value_info
    shapes = {value.name: [d.dim_value for d in value.type.tensor_type.shape.dim] for value in inferred}
    total = 0
    for node in model.graph.node:
        if node.op_type == "Conv":
            shape = shapes.get(node.output[0], [])
            if len(shape) != 4 or not all(shape) or node.input[1] not in weights:
                return Cost(parameters)
            total += math.prod(weights[node.input[1]]) * shape[2] * shape[3]
        elif node.op_type == "ConvTranspose":
            return Cost(parameters)
    return Cost(parameters, total // PROBE**2)
