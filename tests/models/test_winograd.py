"""Fewer multiplications, the same results; by ONNX Runtime."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from srez.models import blending, box, winograd

GENERATOR = np.random.default_rng(0)


def run(model: bytes, image: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (result,) = session.run(None, {session.get_inputs()[0].name: image})
    return np.asarray(result)


def replaced(model: bytes) -> int:
    return sum(node.domain == "srez" for node in onnx.load_from_string(model).graph.node)


def convolution(outputs: int, inputs: int, opset: int = 17, bias: bool = False, **attributes: Any) -> bytes:
    """A model that is a single convolution."""
    side = attributes.get("kernel_shape", [3, 3])[0]
    values = [numpy_helper.from_array(GENERATOR.normal(size=(outputs, inputs, side, side)).astype("f4"), "w")]
    if bias:
        values.append(numpy_helper.from_array(np.ones(outputs, "f4"), "b"))
    node = helper.make_node("Conv", ["x", *(value.name for value in values)], ["y"], **attributes)
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", channels, "H", "W"])
        for name, channels in (("x", inputs), ("y", outputs))
    ]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], values)
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


@pytest.mark.parametrize("size", [(5, 5), (6, 12), (29, 41), (64, 37)])
def test_photo_gives_the_same_with_fewer_multiplications(size: tuple[int, int]) -> None:
    model = box.find("photo").read_bytes()
    quicker = winograd.quicker(model)
    assert replaced(quicker) == 14
    image = GENERATOR.random((1, *size, 3), "f4")
    np.testing.assert_allclose(run(quicker, image), run(model, image), atol=1e-5)


def test_the_result_is_a_valid_model_with_the_same_weights(tmp_path: Path) -> None:
    model = box.find("photo").read_bytes()
    quicker = winograd.quicker(model)
    onnx.checker.check_model(onnx.load_from_string(quicker))
    ours, theirs = ([file[place] for place in blending.places(file)] for file in (quicker, model))
    assert ours == theirs


@pytest.mark.parametrize("opset", [15, 17])
def test_channels_may_differ(opset: int) -> None:
    model = convolution(48, 32, opset, pads=[1, 1, 1, 1])
    quicker = winograd.quicker(model)
    assert replaced(quicker) == 1
    image = GENERATOR.random((1, 32, 13, 9), "f4")
    np.testing.assert_allclose(run(quicker, image), run(model, image), atol=1e-4)


@pytest.mark.parametrize(
    "model",
    [
        convolution(64, 3, pads=[1, 1, 1, 1]),
        convolution(32, 32, kernel_shape=[5, 5], pads=[2, 2, 2, 2]),
        convolution(32, 32, strides=[2, 2], pads=[1, 1, 1, 1]),
        convolution(32, 32, dilations=[2, 2], pads=[2, 2, 2, 2]),
        convolution(32, 32),
        convolution(32, 32, auto_pad="VALID"),
        convolution(32, 32, pads=[1, 1, 1, 1], bias=True),
    ],
    ids=["few channels", "5x5", "strides", "dilations", "no padding", "valid", "bias"],
)
def test_other_convolutions_stay(model: bytes) -> None:
    quicker = winograd.quicker(model)
    assert replaced(quicker) == 0
    inputs = onnx.load_from_string(model).graph.input[0].type.tensor_type.shape.dim[1].dim_value
    image = GENERATOR.random((1, inputs, 9, 9), "f4")
    np.testing.assert_array_equal(run(quicker, image), run(model, image))
