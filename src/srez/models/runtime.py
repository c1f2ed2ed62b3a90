"""Running ONNX files: the only module that imports ONNX Runtime."""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from srez.errors import DeviceError, ModelError, SlowModelError, SrezError, first_line
from srez.models.devices import AUTO, CPU, Device
from srez.models.external import refuse_external

# What providers say when memory runs out: ONNX Runtime, CUDA, DirectML (E_OUTOFMEMORY).
_OUT_OF_MEMORY = ("alloc", "out of memory", "8007000e")


class Network:
    """An ONNX graph with one input and one output, ready to run. Thread safe.

    Attributes:
        name: what errors call the model.
        device: that runs it.
        inputs: the graph's inputs, each with a `name`, a `shape` and a `type`.
        outputs: its outputs, likewise.
    """

    def __init__(
        self,
        model: bytes | Path,
        name: str,
        threads: int | None = None,
        seconds: float | None = None,
        device: Device = CPU,
        precision: str = AUTO,
        sides: Mapping[str, int] | None = None,
    ) -> None:
        """Load a graph.

        Args:
            model: an .onnx file, or its contents.
            name: what errors call the model.
            threads: how many share one operation; all cores by default.
            seconds: that a run may take; no limit by default.
            device: that runs it.
            precision: that it computes in.
            sides: lengths of axes that the graph leaves open, by their names there.

        Raises:
            ModelError: it is not an ONNX model, or one that ONNX Runtime does not support, or it has weights
                in other files.
            DeviceError: the device is not there, or does not take the model.
        """
        refuse_external(model, name)
        options = runtime().SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.enable_mem_pattern = False  # patterns take a third more memory and save no time
        options.log_severity_level = _FATAL  # what goes wrong is raised too
        # Threads that wait for work keep a core busy, by default for longer than two pictures lie apart.
        options.add_session_config_entry("session.intra_op.spin_duration_us", _SPIN_MICROSECONDS)
        if device is CPU and os.getpid() == _shared_in():
            options.add_session_config_entry("session.use_env_allocators", "1")
        for axis, length in (sides or {}).items():
            options.add_free_dimension_override_by_name(axis, length)
        try:
            self._session = _session(model, options, device, device.options(precision, threads or 0))
        except DeviceError:
            raise
        except Exception as error:  # its exception classes are private
            if device is not CPU:
                raise DeviceError(f"{device.name} does not take {name}: {first_line(error)}") from None
            raise ModelError(f"{name} cannot be loaded as an ONNX model: {error}") from None
        self.name = name
        self.device = device
        self._seconds = seconds
        self.inputs = self._session.get_inputs()
        self.outputs = self._session.get_outputs()

    def run(self, images: np.ndarray) -> np.ndarray:
        """Run the graph.

        Args:
            images: of the type and shape of the graph's input.

        Returns:
            The graph's first output.

        Raises:
            MemoryError: memory did not suffice.
            ModelError: the graph cannot be run on this shape, or gives values that are not numbers.
            SlowModelError: the run took too long.
            DeviceError: the device failed.
        """
        return self.run_all(images)[0]

    def run_all(self, images: np.ndarray) -> list[np.ndarray]:
        """Run the graph and give all its outputs; arguments and errors are those of `run`."""
        with _time_limit(self._seconds) as options:
            try:
                outputs = self._session.run(None, {self.inputs[0].name: images}, options)
            except Exception as error:
                if options and options.terminate:
                    limit = f"{self._seconds:g} seconds"
                    raise SlowModelError(f"{self.name} takes more than {limit} for a tile") from None
                # Its exception classes are private, and it has none for memory.
                shape, text = images.shape, str(error).lower()
                if any(words in text for words in _OUT_OF_MEMORY):
                    raise MemoryError(f"{self.name} on an input of shape {shape}") from None
                if self.device is not CPU:
                    raise DeviceError(
                        f"{self.device.name} fails on an input of shape {shape}: {first_line(error)}"
                    ) from None
                raise ModelError(f"{self.name} cannot run on an input of shape {shape}: {error}") from None
        arrays = [np.asarray(output) for output in outputs]
        if any(array.size and np.isnan(array.max()) for array in arrays):  # they would become black
            if self.device is not CPU:
                raise DeviceError(f"{self.device.name} produces NaN")
            raise ModelError(f"{self.name} produces NaN: its weights are corrupt")
        return arrays


_SPIN_MICROSECONDS = "100"
_FATAL = 4  # of ONNX Runtime's levels of its log


@cache
def runtime() -> Any:
    """ONNX Runtime, imported when it is first needed: that takes longer than the rest of `import srez`.

    Raises:
        SrezError: it is not installed.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it reports to its makers unless told not to before
    try:
        import onnxruntime
    except ImportError as error:
        raise SrezError(f"ONNX Runtime is not installed ({error}): pip install onnxruntime") from None
    onnxruntime.set_default_logger_severity(_FATAL)
    return onnxruntime


@cache
def _shared_in() -> int:
    """The process whose networks share one arena: each would keep the most that a run of its has taken.

    A fork's networks have their own again, because a thread may have locked the shared one meanwhile.
    """
    kinds = runtime()
    arena = kinds.OrtAllocatorType.ORT_ARENA_ALLOCATOR
    memory = kinds.OrtMemoryInfo("Cpu", arena, 0, kinds.OrtMemType.DEFAULT)
    kinds.create_and_register_allocator(memory, None)
    return os.getpid()


def is_installed(device: Device) -> bool:
    """Whether the runtime says that it has a device, which need not be true."""
    return device.provider in runtime().get_available_providers() or _has_plugin(device)


def _has_plugin(device: Device) -> bool:
    return device.plugin is not None and find_spec(device.plugin) is not None


def _session(model: bytes | Path, options: Any, device: Device, settings: dict[str, str]) -> Any:
    """A session on a device, which ONNX Runtime would leave out silently where it is not there."""
    onnxruntime = runtime()
    if device.provider in onnxruntime.get_available_providers():
        providers: list[Any] = [(device.provider, settings)] if settings else [device.provider]
        if device is not CPU:
            providers.append(CPU.provider)  # for operations that the device lacks
        session = onnxruntime.InferenceSession(model, options, providers=providers)
    elif _has_plugin(device):
        options.add_provider_for_devices(_plugin_devices(device), settings)
        session = onnxruntime.InferenceSession(model, options)
    else:
        raise DeviceError(f"{device.name} is not installed: {device.install}")
    session.disable_fallback()  # it would run the model on the CPU without a word
    if device.provider not in session.get_providers():
        raise DeviceError(f"{device.name} finds no hardware or no driver that it can use")
    return session


@cache
def _register(plugin: str) -> None:
    """Make a plug-in's providers known to ONNX Runtime."""
    runtime().register_execution_provider_library(plugin, import_module(plugin).get_library_path())


def _plugin_devices(device: Device) -> list[Any]:
    """What a plug-in finds on this machine.

    Raises:
        DeviceError: nothing that it can use.
    """
    assert device.plugin
    _register(device.plugin)
    kinds = runtime().OrtHardwareDeviceType
    kind = kinds.CPU if device.is_processor else kinds.GPU
    found = [
        each
        for each in runtime().get_ep_devices()
        if each.ep_name == device.provider and each.device.type == kind
    ]
    if not found:
        raise DeviceError(f"{device.name} finds no hardware or no driver that it can use")
    return found[:1]


@contextmanager
def _time_limit(seconds: float | None) -> Iterator[Any]:
    """Options with which a run fails after some time, a graph that loops for ever too; None for no limit."""
    if seconds is None:
        yield None
        return
    options = runtime().RunOptions()
    timer = threading.Timer(seconds, setattr, [options, "terminate", True])
    timer.daemon = True
    timer.start()
    try:
        yield options
    finally:
        timer.cancel()
