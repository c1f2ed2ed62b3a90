from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from helpers import models
from srez.errors import ModelError
from srez.models import box
from srez.models.external import refuse_external
from srez.upscaling.loading import load


def external(tensor: TensorProto) -> TensorProto:
    """A tensor whose values are in a file beside."""
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    return tensor


def in_initializer(model: onnx.ModelProto) -> None:
    external(model.graph.initializer[0])


def in_constant(model: onnx.ModelProto) -> None:
    value = external(helper.make_tensor("a", TensorProto.FLOAT, [1], b"abcd", raw=True))
    model.graph.node.append(helper.make_node("Constant", [], ["constant"], value=value))


def in_branch(model: onnx.ModelProto) -> None:
    value = external(helper.make_tensor("a", TensorProto.FLOAT, [1], b"abcd", raw=True))
    branch = helper.make_graph([], "branch", [], [], [value])
    model.graph.node.append(helper.make_node("If", ["skip"], ["b"], then_branch=branch, else_branch=branch))


def in_function(model: onnx.ModelProto) -> None:
    value = external(helper.make_tensor("a", TensorProto.FLOAT, [1], b"abcd", raw=True))
    node = helper.make_node("Constant", [], ["c"], value=value)
    model.functions.append(helper.make_function("ours", "f", [], ["c"], [node], []))


@pytest.mark.parametrize("hide", [in_initializer, in_constant, in_branch, in_function])
def test_weights_in_other_files_are_refused(tmp_path: Path, hide) -> None:
    model = models.network(0)
    hide(model)
    path = tmp_path / "a.onnx"
    path.write_bytes(model.SerializeToString())
    models.write_card(path)
    with pytest.raises(ModelError, match=r"a\.onnx keeps weights in another file"):
        load(path)


@pytest.mark.parametrize("name", box.names())
def test_models_of_the_box_keep_theirs(name: str) -> None:
    refuse_external(box.find(name), name)


def test_a_card_with_another_scale_is_named(tmp_path: Path) -> None:
    path = models.write(tmp_path / "a.onnx", scale=2)
    picture = np.random.default_rng(0).integers(0, 256, (12, 9, 3), dtype=np.uint8)
    with pytest.raises(ModelError, match="scale"):
        load(path)(picture)
