"""Exported models elsewhere: other runtimes compute what ours does."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from srez.cli import app
from srez.models import box
from srez.models.runtime import Network

pytestmark = pytest.mark.exports
CLOSE, CLOSE_16 = 1e-3, 3e-3  # of the distance from black to white
SIZES = ((64, 64), (37, 50))  # height and width


def export(folder: Path, name: str, to: str, suffix: str = ".onnx") -> Path:
    out = folder / f"{name}-{to}{suffix}"
    done = CliRunner().invoke(app, ["models", "export", name, "--to", to, "-o", str(out), "--fidelity", "1"])
    assert done.exit_code == 0, done.output
    return out


def example(size: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(5).random((1, *size, 3), np.float32)


def ours(name: str, images: np.ndarray) -> np.ndarray:
    return Network(box.find(name), "ours", 1).run(images)


def planes(images: np.ndarray, dtype: Any = np.float32) -> np.ndarray:
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)).astype(dtype)


def difference(result: np.ndarray, expected: np.ndarray) -> float:
    larger = np.asarray(result, np.float32).transpose(0, 2, 3, 1)
    assert larger.shape == expected.shape
    return float(np.abs(larger - expected).max())


@pytest.mark.parametrize("name", ["photo", "faces"])
def test_onnx_runtime(tmp_path: Path, name: str) -> None:
    import onnxruntime

    for to, dtype, close in (("onnx-nchw", np.float32, CLOSE), ("float16", np.float16, CLOSE_16)):
        session = onnxruntime.InferenceSession(export(tmp_path, name, to))
        for size in SIZES:
            images = example(size)
            (result,) = session.run(None, {"input": planes(images, dtype)})
            assert difference(np.asarray(result), ours(name, images)) < close


@pytest.mark.parametrize("name", ["photo", "faces"])
def test_opencv(tmp_path: Path, name: str) -> None:
    import cv2  # pyright: ignore[reportMissingImports]

    network = cv2.dnn.readNetFromONNX(str(export(tmp_path, name, "onnx-nchw")))
    for size in SIZES:
        images = example(size)
        network.setInput(planes(images))
        assert difference(network.forward(), ours(name, images)) < CLOSE


@pytest.mark.parametrize("name", ["photo", "faces"])
def test_openvino(tmp_path: Path, name: str) -> None:
    import openvino  # pyright: ignore[reportMissingImports]

    for to, dtype, close in (("onnx-nchw", np.float32, CLOSE), ("float16", np.float16, CLOSE_16)):
        exact = {"INFERENCE_PRECISION_HINT": "f32"}  # else it computes in bfloat16 where a processor can
        network = openvino.Core().compile_model(str(export(tmp_path, name, to)), "CPU", exact)
        for size in SIZES:
            images = example(size)
            assert difference(network(planes(images, dtype))[0], ours(name, images)) < close


@pytest.mark.parametrize("name", ["photo", "faces"])
def test_litert(tmp_path: Path, name: str) -> None:
    from ai_edge_litert.interpreter import Interpreter  # pyright: ignore[reportMissingImports]

    interpreter = Interpreter(str(export(tmp_path, name, "litert", ".tflite")))
    entry, exit_ = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    assert (entry["name"], list(entry["shape"]), exit_["name"]) == ("input", [1, 64, 64, 3], "output")
    for size in SIZES:
        images = example(size)
        interpreter.resize_tensor_input(entry["index"], images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(entry["index"], images)
        interpreter.invoke()
        result = interpreter.get_tensor(exit_["index"])
        assert np.abs(result - ours(name, images)).max() < CLOSE


def test_a_look_in_litert(tmp_path: Path) -> None:
    from ai_edge_litert.interpreter import Interpreter  # pyright: ignore[reportMissingImports]

    results = []
    for fidelity in ("0", "1"):
        out = tmp_path / f"{fidelity}.tflite"
        words = ["models", "export", "photo", "--to", "litert", "-o", str(out), "--fidelity", fidelity]
        assert CliRunner().invoke(app, words).exit_code == 0
        interpreter = Interpreter(str(out))
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], example((64, 64)))
        interpreter.invoke()
        results.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    assert np.abs(results[0] - results[1]).max() > 0.02


def test_darktable_with_its_runtime(tmp_path: Path) -> None:
    """darktable runs models by ONNX Runtime, height and width set by their names."""
    import onnxruntime

    with zipfile.ZipFile(export(tmp_path, "photo", "darktable", ".dtmodel")) as package:
        (name,) = (each for each in package.namelist() if each.endswith("model_x4.onnx"))
        options = onnxruntime.SessionOptions()
        for axis, length in (("batch", 1), ("height", 64), ("width", 64)):
            options.add_free_dimension_override_by_name(axis, length)
        session = onnxruntime.InferenceSession(package.read(name), options)
    images = example((64, 64))
    (result,) = session.run(None, {"input": planes(images)})
    assert difference(np.asarray(result), ours("photo", images)) < CLOSE


def test_what_litert_does_not_take_is_a_sentence(tmp_path: Path) -> None:
    out = tmp_path / "pixels.tflite"
    result = CliRunner().invoke(app, ["models", "export", "pixels", "--to", "litert", "-o", str(out)])
    assert result.exit_code == 2
    assert "Resize" in result.stderr
    assert not out.exists()
