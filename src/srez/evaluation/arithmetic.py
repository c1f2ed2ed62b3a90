"""What a foreign ONNX file costs: its weights and its multiply-adds."""

import math
from pathlib import Path

PROBE = 32  # side of the input that arithmetic is counted for, in pixels


def count(path: Path, layout: str) -> dict[str, int]:
    """Parameters, and multiply-adds of the convolutions per input pixel.

    Needs the package onnx, which the training extra brings; without it, or where shapes cannot be inferred,
    what is not known is left out.

    Args:
        path: the .onnx file, with one input of images.
        layout: "NHWC" or "NCHW", of that input.

    Returns:
        `parameters` and `multiply_adds`, as far as they are known.
    """
    try:
        import onnx
    except ModuleNotFoundError:
        return {}
    model = onnx.load(path)
    weights = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    found = {"parameters": sum(math.prod(dims) for dims in weights.values() if len(dims) > 0)}
    sides = (1, PROBE, PROBE, 3) if layout == "NHWC" else (1, 3, PROBE, PROBE)
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
                return found
            total += math.prod(weights[node.input[1]]) * shape[2] * shape[3]
        elif node.op_type == "ConvTranspose":
            return found
    return found | {"multiply_adds": total // PROBE**2}
