"""Models in the forms that other programs take. Needs the package onnx, for LiteRT ai-edge-litert too."""

import enum
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from srez.errors import ModelError, first_line
from srez.models import added, blending, darktable, litert
from srez.models import card as cards
from srez.models.card import Card, Form
from srez.output import atomic


class To(enum.StrEnum):
    """What a model is turned into."""

    onnx_nchw = "onnx-nchw"
    float16 = "float16"
    litert = "litert"
    darktable = "darktable"

    @property
    def suffix(self) -> str:
        """Of its files."""
        return {To.litert: ".tflite", To.darktable: ".dtmodel"}.get(self, ".onnx")


def export(model: Path, card: Card, to: To, target: Path, fidelity: float, repair: float) -> None:
    """Write a model of ours in another form; an ONNX file gets a card, with which srez runs it too.

    Args:
        model: the .onnx file.
        card: of it.
        to: `onnx_nchw` takes and gives `(N, 3, H, W)` float32 in [0, 1]; `float16` the same in float16;
            `litert` see `litert.converted`; `darktable` see `darktable.packed`.
        target: the file to write; a card gets the same name with .toml.
        fidelity: from 0 (vivid) to 1 (faithful); 1 if the model has no vivid weights.
        repair: from 0 (none) to 1 (full); 0 if the model does not repair.

    Raises:
        ModelError: the model is not of srez's own form, or has operations that the other form does not.
        OutputError: a file cannot be written.
    """
    if card.form != Form():
        raise ModelError(f"{model} is not in srez's own form: only such models are exported")
    import onnx

    network = onnx.load_model_from_string(blending.weights(model, card, fidelity, repair))
    if to == To.litert:
        _write(target, litert.converted(network, str(model)))
        return
    _to_nchw(network)
    if to == To.float16:
        _to_float16(network)
    try:
        onnx.checker.check_model(network, full_check=True)
    except Exception as error:  # its own, and of shape inference
        raise ModelError(f"{model} cannot be exported to {to}: {first_line(error)}") from None
    if to == To.darktable:
        _write(target, darktable.packed(network, replace(card, name=target.stem)))
        return
    data = network.SerializeToString()
    form = Form(layout="NCHW", type="float16" if to == To.float16 else "float32")
    others = dict.fromkeys(cards.weight_files(model, card))  # the exported model has one look, and no more
    written: Any = {**others, "fidelity": 1.0, "form": form, "sha256": hashlib.sha256(data).hexdigest()}
    _write(target, data)
    _write(target.with_suffix(".toml"), added.as_toml(replace(card, name=target.stem, **written)).encode())


def _write(target: Path, data: bytes) -> None:
    with atomic(target) as file:
        file.write(data)


def _to_nchw(network: Any) -> None:
    """Turn the input's and the output's axes, and name them, in place."""
    from onnx import helper

    graph = network.graph
    for value, perm in ((graph.input[0], [0, 2, 3, 1]), (graph.output[0], [0, 3, 1, 2])):
        is_input = value is graph.input[0]
        inside = f"{value.name}_nhwc"  # a name that is not the new one, which it may have had
        for node in graph.node:
            for names in (node.input, node.output):
                names[:] = [inside if name == value.name else name for name in names]
        value.name = "input" if is_input else "output"
        dims = value.type.tensor_type.shape.dim
        # Programs set height and width by these names, darktable for one.
        sides = ("height", "width") if is_input else ("height_out", "width_out")
        axes = ["batch", dims[3].dim_value, *sides]
        for dim, axis in zip(dims, axes, strict=True):
            dim.Clear()
            setattr(dim, "dim_param" if isinstance(axis, str) else "dim_value", axis)
        ends = ([value.name], [inside]) if is_input else ([inside], [value.name])
        turn = helper.make_node("Transpose", *ends, name=f"{value.name}_turned", perm=perm)
        graph.node.insert(0 if is_input else len(graph.node), turn)


def _to_float16(network: Any) -> None:
    """Turn all float32 values into float16, in place; those that overflow become the largest."""
    import numpy as np
    from onnx import TensorProto, numpy_helper

    graph = network.graph
    # By how much Resize enlarges is float32 in any case.
    kept = {name for node in graph.node if node.op_type == "Resize" for name in node.input[1:]}
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and tensor.name not in kept:
            most = np.finfo(np.float16).max
            values = numpy_helper.to_array(tensor).clip(-most, most).astype(np.float16)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    del graph.value_info[:]  # the types inside, which are inferred
    for value in (graph.input[0], graph.output[0]):
        value.type.tensor_type.elem_type = TensorProto.FLOAT16
