"""Devices that are not there, do not work, or are slow: the CPU does the work, and a line says why.

What ONNX Runtime says of its providers is replaced; its sessions on the CPU are real.
"""

import json
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
from typer.testing import CliRunner

import srez
from helpers import models
from srez.cli import app
from srez.errors import OptionError
from srez.models import placing, runtime
from srez.models.devices import Place

CUDA = "CUDAExecutionProvider"
Run = Callable[[Any, np.ndarray, int], np.ndarray]


class Session:
    """A session of a provider that is not there: the CPU's, with runs of its own."""

    def __init__(self, real: Any, providers: list[str], run: Run) -> None:
        self._real, self._providers, self._run, self._runs = real, providers, run, 0
        self.get_inputs, self.get_outputs = real.get_inputs, real.get_outputs

    def disable_fallback(self) -> None:
        pass

    def get_providers(self) -> list[str]:
        return self._providers

    def run(self, _names: None, feed: dict[str, np.ndarray], _options: Any) -> list[np.ndarray]:
        self._runs += 1
        (image,) = feed.values()
        return [self._run(self._real, image, self._runs)]


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Let ONNX Runtime say that it has CUDA, and run on it as told."""

    def on_cuda(run: Run, has: bool = True) -> None:
        def session(model: bytes, options: Any, providers: list[Any]) -> Any:
            real = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
            names = [each if isinstance(each, str) else each[0] for each in providers]
            if CUDA not in names:
                return real
            return Session(real, names if has else names[1:], run)

        has_cuda = {"get_available_providers": lambda: [CUDA, "CPUExecutionProvider"]}
        fake = SimpleNamespace(**vars(onnxruntime) | {"InferenceSession": session} | has_cuda)
        monkeypatch.setattr(runtime, "runtime", lambda: fake)

    placing._say.cache_clear()
    yield on_cuda
    placing._say.cache_clear()


def right(session: Any, image: np.ndarray, number: int) -> np.ndarray:
    return session.run(None, {session.get_inputs()[0].name: image})[0]


KNOWN: dict[tuple[int, ...], np.ndarray] = {}  # results of `quick`, by shape


def quick(session: Any, image: np.ndarray, number: int) -> np.ndarray:
    """What the first run computed, so that it takes no time."""
    if image.shape not in KNOWN:
        KNOWN[image.shape] = right(session, image, number)
    return KNOWN[image.shape]


def slow(session: Any, image: np.ndarray, number: int) -> np.ndarray:
    time.sleep(0.1)
    return right(session, image, number)


def fails(session: Any, image: np.ndarray, number: int) -> np.ndarray:
    raise RuntimeError("CUDA failure 35: driver version is insufficient\nfile: cuda_call.cc")


def fails_later(session: Any, image: np.ndarray, number: int) -> np.ndarray:
    return (right if image.shape[1] == placing.TRIAL else fails)(session, image, number)


def wrong(session: Any, image: np.ndarray, number: int) -> np.ndarray:
    return right(session, image, number) * np.float32(0.5)


def black(session: Any, image: np.ndarray, number: int) -> np.ndarray:
    return right(session, image, number) * np.float32(np.nan)


def lacks_memory(session: Any, image: np.ndarray, number: int) -> np.ndarray:
    if image.shape[1] > 100:
        raise RuntimeError("CUDA failure 2: out of memory")
    return right(session, image, number)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return models.write(tmp_path / "small.onnx")


@pytest.fixture
def image(random: np.random.Generator) -> np.ndarray:
    return random.integers(0, 256, (50, 70, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("asked", "run", "has", "reason"),
    [
        ("auto", right, False, "no hardware"),
        ("cuda", right, False, "no hardware"),
        ("auto", fails, True, "CUDA failure 35"),
        ("cuda", fails, True, "CUDA failure 35"),
        ("cuda", fails_later, True, "CUDA failure 35"),
        ("auto", wrong, True, "something else than the CPU"),
        ("cuda", black, True, "NaN"),
    ],
)
def test_a_device_that_does_not_work_costs_one_line(
    pretend: Any, model: Path, image: np.ndarray, caplog: Any, asked: str, run: Run, has: bool, reason: str
) -> None:
    expected = srez.load(model, device="cpu")(image)
    pretend(run, has)
    for _ in range(2):
        np.testing.assert_array_equal(srez.load(model, device=asked)(image), expected)
    (line,) = caplog.messages
    assert "cuda" in line
    assert reason in line
    assert line.endswith("using the CPU")
    assert "\n" not in line


def test_auto_takes_the_faster_one(pretend: Any, model: Path, caplog: Any) -> None:
    KNOWN.clear()
    pretend(quick)
    assert placing.Placed(model.read_bytes(), "small").device.name == "cuda"
    assert not caplog.messages
    pretend(slow)
    assert placing.Placed(model.read_bytes(), "small").device.name == "cpu"
    assert "of the CPU's time: using the CPU" in caplog.text
    assert placing.Placed(model.read_bytes(), "small", Place("cuda")).device.name == "cuda"


def test_tiles_are_halved_where_a_card_has_too_little_memory(
    pretend: Any, model: Path, random: np.random.Generator, caplog: Any
) -> None:
    large = random.integers(0, 256, (150, 150, 3), dtype=np.uint8)
    expected = srez.load(model, device="cpu")(large)
    pretend(lacks_memory)
    assert np.abs(srez.load(model, device="cuda")(large).astype(int) - expected).max() <= 1
    assert caplog.messages == ["out of memory with tiles of 150 pixels: continuing with 75"]


def test_what_is_asked_for_must_exist(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OptionError, match=r"rocm is not installed: .*onnxruntime-migraphx"):
        srez.load(model, device="rocm")
    with pytest.raises(OptionError, match=r"no device 'gpu'.* cuda"):
        srez.load(model, device="gpu")
    with pytest.raises(OptionError, match="'half': choose one of auto, float32, float16"):
        srez.load(model, precision="half")
    with pytest.raises(OptionError, match="cpu computes in float32 only"):
        srez.load(model, device="cpu", precision="float16")
    monkeypatch.setenv("SREZ_DEVICE", "rocm")
    with pytest.raises(OptionError, match="rocm is not installed"):
        srez.load(model)
    assert srez.load(model, device="cpu")


def test_two_runtimes_in_one_environment_are_named(
    model: Path, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "version", lambda _: "1")
    placing._say.cache_clear()
    srez.load(model)
    assert "onnxruntime and onnxruntime-gpu" in caplog.text
    placing._say.cache_clear()


def test_devices_are_listed_with_a_time_or_what_brings_them(pretend: Any, caplog: Any) -> None:
    pretend(fails)
    done = CliRunner().invoke(app, ["devices", "--json"])
    assert done.exit_code == 0, done.output
    found = {each["name"]: each for each in json.loads(done.stdout)}
    assert found["cpu"]["milliseconds"] > 0
    assert found["cuda"]["installed"]
    assert "CUDA failure 35" in found["cuda"]["error"]
    assert not found["openvino"]["installed"]
    assert "onnxruntime-openvino" in found["openvino"]["install"]
    table = CliRunner().invoke(app, ["devices"], env={"COLUMNS": "80"}).stdout
    assert all(name in table for name in found)
    assert all(f"{each['install']}\n" in table for each in found.values() if not each["installed"])


def test_a_missing_device_stops_the_command_at_once(picture: Any, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["upscale", str(picture("a.png")), "--device", "rocm"])
    assert done.exit_code == 2
    assert "rocm is not installed" in done.stderr
    assert len(list(tmp_path.iterdir())) == 1
