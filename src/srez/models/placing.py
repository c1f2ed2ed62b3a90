"""Putting a model on a device that works, with the CPU behind it."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from srez import machine
from srez.errors import DeviceError, OptionError, SrezError
from srez.models import devices, runtime
from srez.models.devices import AUTO, CPU, Device, Place
from srez.models.runtime import Network

TRIAL = 64  # side of the picture that a device is tried with, in pixels
TOLERANCE = 0.05  # of the largest value, between a device and the CPU; bfloat16 differs by 0.02
GAIN = 0.9  # of the CPU's time, which "auto" wants a device to stay below

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
_log = logging.getLogger("srez")


@dataclass(frozen=True)
class _Networks:
    """A model on a device.

    Attributes:
        tile: for tiles that run at the same time.
        whole: for one that runs alone.
        load: another `whole`.
        stepped_back: `whole`, and others like it, by how far the threads step back that they are for: those
            that help them keep the priority of the thread that loaded the network.
    """

    tile: Network
    whole: Network
    load: Callable[[], Network]
    stepped_back: dict[int, Network]

    def alone(self) -> Network:
        """`whole` with helping threads that step back as far as this one."""
        niceness = machine.niceness()
        if niceness not in self.stepped_back:
            self.stepped_back.setdefault(niceness, self.load())  # or that of a thread which was faster
        return self.stepped_back[niceness]


class Placed:
    """A model on a device. Where the device fails, a line says so and the CPU goes on. Thread safe.

    Attributes:
        inputs: the graph's inputs, each with a `name`, a `shape` and a `type`.
    """

    def __init__(
        self, model: bytes, name: str, place: Place | None = None, seconds: float | None = None
    ) -> None:
        """Load a model on the best device that works.

        A device is tried before it is taken: on random pixels it must come close to the CPU, and for "auto"
        be faster.

        Args:
            model: the contents of an .onnx file.
            name: what errors call it.
            place: where it is to run; by default what SREZ_DEVICE says, else "auto".
            seconds: that a run may take; no limit by default.

        Raises:
            ModelError: it is not an ONNX model, or one that ONNX Runtime does not support.
            OptionError: the device that was asked for is not installed.
        """
        self._model, self._name, self._seconds = model, name, seconds
        self._lock = threading.Lock()
        place = place or Place()
        self._precision = place.precision
        self._networks = self._chosen(place)
        self.inputs = self._networks.whole.inputs

    @property
    def device(self) -> Device:
        """What runs the model."""
        return self._networks.whole.device

    @property
    def place(self) -> Place:
        """Where it was put, for others of its kind."""
        return Place(self.device.name, AUTO if self.device is CPU else self._precision)

    @property
    def fixed(self) -> int | None:
        """The side that all inputs must have on this device, in pixels."""
        return self.device.fixed

    @property
    def parallel(self) -> int:
        """How many tiles to run at the same time: one on each core, but one on a card."""
        return machine.cores() if self.device.is_processor else 1

    def tile(self, images: np.ndarray) -> np.ndarray:
        """Run one of several tiles that run at the same time; see `Network.run` for what it raises."""
        try:
            return self._networks.tile.run(images)
        except DeviceError as error:
            return self._on_cpu(error).tile.run(images)

    def whole(self, images: np.ndarray) -> np.ndarray:
        """Run a picture by all cores; see `Network.run` for what it raises."""
        try:
            return self._networks.alone().run(images)
        except DeviceError as error:
            return self._on_cpu(error).alone().run(images)

    def _chosen(self, place: Place) -> _Networks:
        cpu = self._opened(CPU, place.precision)
        if place.name == AUTO:
            wanted = list(filter(runtime.is_installed, devices.candidates(place.precision)))
            if not wanted and (others := _hidden_runtimes()):
                _say(
                    f"{' and '.join(others)} are installed together, which overwrite each other's files, so "
                    f"the CPU is used: uninstall all but one"
                )
        else:
            require(place)
            wanted = [device for device in [devices.named(place.name)] if device is not CPU]
        reasons = []
        for device in wanted:
            try:
                found = self._opened(device, place.precision)
                slowness = _try(found.whole, cpu.whole, timed=place.name == AUTO)
            except (DeviceError, MemoryError) as error:
                reasons.append(str(error))
                continue
            if slowness < GAIN or place.name != AUTO:
                return found
            reasons.append(f"{device.name} takes {slowness:.2f} of the CPU's time")
        if reasons:
            _say(f"{'; '.join(reasons)}: using the CPU")
        return cpu

    def _opened(self, device: Device, precision: str) -> _Networks:
        return _opened(device, precision, self._model, self._name, self._seconds)

    def _on_cpu(self, error: DeviceError) -> _Networks:
        with self._lock:
            if self.device is not CPU:
                _say(f"{error}: using the CPU")
                self._networks = self._opened(CPU, AUTO)
        return self._networks


def require(place: Place) -> None:
    """Refuse a device that is not installed.

    Raises:
        OptionError: it is not.
    """
    if place.name != AUTO:
        device = devices.named(place.name)
        if not runtime.is_installed(device):
            raise OptionError(f"device {device.name} is not installed: {device.install}")


def _opened(
    device: Device, precision: str, model: bytes, name: str, seconds: float | None = None
) -> _Networks:
    """A model on a device, which may be one that does not work."""
    load = partial(Network, model, name, seconds=seconds, device=device, precision=precision)
    if device.fixed:
        free = Network(model, name, 1).inputs[0].shape
        sides = {axis: device.fixed if number else 1 for number, axis in enumerate(free)}
        load = partial(load, sides={axis: side for axis, side in sides.items() if isinstance(axis, str)})
    if not device.is_processor:
        one = load()
        return _Networks(one, one, lambda: one, {})  # a card helps by itself
    # Several tiles are run at the same time by one thread each, a single one by all: docs/adr/0010.
    load_whole = partial(load, threads=machine.cores())
    whole = load_whole()
    return _Networks(load(threads=1), whole, load_whole, {machine.niceness(): whole})


@dataclass(frozen=True)
class Found:
    """What a device is worth on this machine.

    Attributes:
        device: which.
        is_installed: whether the runtime says that it has it.
        error: why it does not work; None if it does, or is not installed.
        milliseconds: for a tile; None if it does not work.
    """

    device: Device
    is_installed: bool
    error: str | None = None
    milliseconds: float | None = None


def survey(model: bytes, name: str) -> list[Found]:
    """Try every device, and time those that work.

    Args:
        model: the contents of an .onnx file to try them with.
        name: what errors call it.
    """
    return [_surveyed(device, model, name) for device in devices.DEVICES]


def _surveyed(device: Device, model: bytes, name: str) -> Found:
    if not runtime.is_installed(device):
        return Found(device, False)
    try:
        network = _opened(device, AUTO, model, name).whole
        _try(network, _opened(CPU, AUTO, model, name).whole, timed=False)
        times = [_seconds(network, _example(network)) for _ in range(5)]
        return Found(device, True, milliseconds=1000 * float(np.median(times)))
    except (SrezError, MemoryError) as error:
        return Found(device, True, str(error))


def _try(network: Network, cpu: Network, timed: bool) -> float:
    """Compare a network with that on the CPU; its share of the CPU's time, or 0 if it is not `timed`.

    Raises:
        DeviceError: it fails, or its results are others.
    """
    example = _example(network)
    output, expected = network.run(example), cpu.run(example)
    if output.shape != expected.shape:
        raise DeviceError(
            f"{network.device.name} makes {output.shape} of what is {expected.shape} on the CPU"
        )
    difference = np.abs(output.astype(np.float32) - expected).max()
    if not difference <= TOLERANCE * np.abs(expected).max():
        raise DeviceError(f"{network.device.name} computes something else than the CPU (by {difference:.2g})")
    if not timed:
        return 0.0
    times = [(_seconds(network, example), _seconds(cpu, example)) for _ in range(3)]  # in turn
    here, there = map(min, zip(*times, strict=True))
    return here / there


def _example(network: Network) -> np.ndarray:
    """Random pixels of the shape and type of a network's input."""
    entry = network.inputs[0]
    shape = [side if isinstance(side, int) else TRIAL if axis else 1 for axis, side in enumerate(entry.shape)]
    values = np.random.default_rng(0).random(shape, np.float32)
    kind = _TYPES.get(entry.type, np.float32)
    return (values * 255).astype(kind) if kind == np.uint8 else values.astype(kind)


def _seconds(network: Network, example: np.ndarray) -> float:
    start = time.perf_counter()
    network.run(example)
    return time.perf_counter() - start


def _hidden_runtimes() -> list[str]:
    """The runtimes installed here, if there are several."""
    from importlib import metadata  # slow to import

    def has(package: str) -> bool:
        try:
            return bool(metadata.version(package))
        except metadata.PackageNotFoundError:
            return False

    found = [package for package in devices.RUNTIMES if has(package)]
    return found if len(found) > 1 else []


@cache
def _say(line: str) -> None:
    """Log a line once in a process, however many models it is about."""
    _log.warning("%s", line)
