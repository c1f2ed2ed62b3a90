"""ONNX files of any form are found out and run like our own."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import srez
from helpers import foreign
from helpers.foreign import KINDS, Kind
from helpers.pictures import smooth
from srez.errors import ModelError
from srez.models import box
from srez.upscaling.upscaler import Upscaler


@pytest.fixture(scope="module", params=KINDS)
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Kind, Path]:
    path = tmp_path_factory.mktemp("foreign") / f"{request.param}.onnx"
    return KINDS[request.param], foreign.write(path, KINDS[request.param], seed=1)


def test_the_form_is_found_out(found: tuple[Kind, Path]) -> None:
    kind, path = found
    card = box.card(path)
    form = card.form
    assert (form.layout, form.channels, form.type) == (kind.layout, kind.channels, kind.type)
    assert (card.scale, form.multiple) == (kind.scale, kind.block)
    assert form.takes == form.gives == (kind.black, kind.white)
    assert form.side == (kind.side, kind.side)[: 2 * bool(kind.side)]
    assert form.one_by_one == (kind.count == 1)
    assert 1 <= card.receptive_radius <= 3 * kind.block + 8


def test_tiled_equals_whole(found: tuple[Kind, Path], random: np.random.Generator) -> None:
    kind, path = found
    picture = random.integers(0, 256, (93, 131, 3), dtype=np.uint8)
    tiles = Upscaler(path, tile=32)(picture)
    whole = Upscaler(path, tile=1024)(picture)
    assert tiles.shape == (93 * kind.scale, 131 * kind.scale, 3)
    assert np.abs(tiles.astype(int) - whole).max() <= 1
    assert len(np.unique(whole)) > 100


@pytest.mark.parametrize("side", [8, 12])
def test_a_side_may_leave_no_room_for_overlap(side: int, tmp_path: Path, random: np.random.Generator) -> None:
    path = foreign.write(tmp_path / "small.onnx", Kind(side=side), seed=1)
    picture = random.integers(0, 256, (21, 30, 3), dtype=np.uint8)
    assert srez.load(path)(picture).shape == (42, 60, 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pictures_of_any_kind_come_back_nearly_as_they_are(found: tuple[Kind, Path], dtype: type) -> None:
    kind, path = found
    upscaler, top = srez.load(path), np.iinfo(dtype).max
    y, x = np.mgrid[:41, :38] / 40
    smooth = np.stack([y, x, (x + y) / 2, np.ones_like(x)], axis=2) * 0.4 + 0.3
    for channels in (1, 2, 3, 4):
        picture = np.rint(smooth[..., -channels:] * top).astype(dtype)
        picture = picture[..., 0] if channels == 1 else picture
        larger = upscaler(picture)
        assert larger.dtype == dtype
        expected = picture.repeat(kind.scale, 0).repeat(kind.scale, 1)
        border = 8 * kind.scale  # where a network sees its zero padding
        inside = (larger.astype(float) - expected)[border:-border, border:-border]
        assert np.abs(inside).mean() / top < 0.08
    for shape in ((1, 1, 3), (5, 40), (1, 70, 4)):
        larger = upscaler(np.full(shape, top // 2, dtype))
        assert larger.shape == (shape[0] * kind.scale, shape[1] * kind.scale, *shape[2:])


def changed(path: Path, **settings: str) -> Path:
    """A network of which something is changed so that it cannot be used."""
    network = foreign.network(Kind())
    if "domain" in settings:
        network.graph.node[2].domain = settings["domain"]
    if "type" in settings:
        network.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64
        network.graph.node.insert(0, helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT))
        network.graph.node[1].input[0] = "floats"
    if "count" in settings:
        network.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 4
    if "external" in settings:
        onnx.save_model(network, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    else:
        path.write_bytes(network.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"domain": "mine"}, r"operators that ONNX Runtime does not have: mine\.Conv"),
        ({"external": "yes"}, "keeps weights in another file: save it as one"),
        ({"type": "int64"}, "takes tensor.int64., not float"),
        ({"count": "4"}, "takes exactly 4 images"),
    ],
)
def test_what_cannot_be_used_is_told_in_a_sentence(
    tmp_path: Path, settings: dict[str, str], sentence: str
) -> None:
    path = changed(tmp_path / "model.onnx", **settings)
    with pytest.raises(ModelError, match=sentence) as error:
        srez.load(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_graph_that_makes_no_whole_factor_is_refused(tmp_path: Path) -> None:
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Resize", ["images", "", "scales"], ["out"], mode="linear")],
        "half",
        [info("images", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [info("out", TensorProto.FLOAT, ["n", 3, "H", "W"])],
        [helper.make_tensor("scales", TensorProto.FLOAT, [4], [1, 1, 1.5, 1.5])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path = tmp_path / "half.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=r"64x64 pixels into 96x96, not 1 to 16 times"):
        srez.load(path)


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors", "a.keras", "a.tflite"])
def test_weights_of_other_programs_are_named(name: str) -> None:
    with pytest.raises(ModelError, match=rf"{name} holds weights of .*: convert them"):
        srez.load(name)


def test_a_file_that_is_no_model_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    with pytest.raises(ModelError, match="does not exist"):
        srez.load(path)
    path.write_bytes(b"no model at all")
    with pytest.raises(ModelError, match="cannot be loaded as an ONNX model"):
        srez.load(path)


def test_a_weak_effect_of_borders_is_seen(tmp_path: Path) -> None:
    """Two pictures that begin a pixel apart hardly differ in it, but a tile and the whole picture do."""
    sides = [15] * 4
    nodes = [
        helper.make_node(
            "AveragePool", ["x"], ["mean"], kernel_shape=[31, 31], pads=sides, count_include_pad=1
        ),
        helper.make_node("Mul", ["mean", "little"], ["some"]),
        helper.make_node("Mul", ["x", "most"], ["rest"]),
        helper.make_node("Add", ["some", "rest"], ["y"]),
    ]
    shares = [helper.make_tensor(name, 1, [1], [value]) for name, value in (("little", 0.03), ("most", 0.97))]
    ends = [helper.make_tensor_value_info(name, 1, ["n", 3, f"{name}h", f"{name}w"]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "weak", ends[:1], ends[1:], shares)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, tmp_path / "weak.onnx")
    assert srez.load(tmp_path / "weak.onnx").card.receptive_radius >= 12
    picture = smooth((150, 140, 3)) // 2 + 127
    whole = srez.load(tmp_path / "weak.onnx")(picture).astype(int)
    assert np.abs(srez.load(tmp_path / "weak.onnx", tile=32)(picture) - whole).max() <= 1
