"""What a model can run on: the execution providers of ONNX Runtime, and the packages that bring them.

Options as in https://onnxruntime.ai/docs/execution-providers/.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass

from srez.errors import OptionError

AUTO = "auto"
PRECISIONS = (AUTO, "float32", "float16")

Options = Callable[[str, int], dict[str, str]]
"""A provider's options for a precision and a number of threads (0 for all cores)."""


@dataclass(frozen=True)
class Device:
    """Something that runs models.

    Attributes:
        name: what users call it.
        provider: what ONNX Runtime calls it.
        hardware: what it is, in words.
        install: the command that brings it.
        options: of the provider.
        precisions: that it can compute in, beside "auto", which is its own choice.
        plugin: the module that brings the provider into any ONNX Runtime, if there is one.
        is_processor: whether it computes on the cores of this machine.
        unasked: whether "auto" may take it.
        fixed: side that all its inputs must have, in pixels; None for any.
    """

    name: str
    provider: str
    hardware: str
    install: str
    options: Options = lambda _precision, _threads: {}
    precisions: tuple[str, ...] = ("float32",)
    plugin: str | None = None
    is_processor: bool = False
    unasked: bool = True
    fixed: int | None = None


def _instead(package: str) -> str:
    # Two runtimes in one environment overwrite each other's files: which one is left is chance.
    return f"pip uninstall -y onnxruntime && pip install {package}"


def _cuda(precision: str, _threads: int) -> dict[str, str]:
    return {
        "use_tf32": "0" if precision == "float32" else "1",
        "cudnn_conv_algo_search": "HEURISTIC",  # the default tries all algorithms, for each size of tile
        "arena_extend_strategy": "kSameAsRequested",
    }


def _openvino(kind: str, half: str) -> Options:
    def options(precision: str, threads: int) -> dict[str, str]:
        config: dict[str, str] = {}
        if precision != AUTO or kind == "CPU":
            config["INFERENCE_PRECISION_HINT"] = half if precision == "float16" else "f32"
        if threads and kind == "CPU":
            config["INFERENCE_NUM_THREADS"] = str(threads)
        return {"device_type": kind, **({"load_config": json.dumps({kind: config})} if config else {})}

    return options


_BOTH = ("float32", "float16")

CPU = Device("cpu", "CPUExecutionProvider", "any processor", "pip install srez", is_processor=True)

# In the order in which "auto" tries them; the CPU comes last, but see `candidates`.
DEVICES = (
    Device("cuda", "CUDAExecutionProvider", "NVIDIA", _instead("'onnxruntime-gpu[cuda,cudnn]'"), _cuda),
    Device(
        "tensorrt",
        "TensorrtExecutionProvider",
        "NVIDIA, with TensorRT",
        _instead("'onnxruntime-gpu[cuda,cudnn]' tensorrt"),
        lambda precision, _: {"trt_fp16_enable": "1" if precision == "float16" else "0"},
        _BOTH,
        unasked=False,  # it compiles a model for minutes
        fixed=256,
    ),
    Device(
        "rocm",
        "MIGraphXExecutionProvider",
        "AMD, Linux",
        _instead("onnxruntime-migraphx"),
        lambda precision, _: {"migraphx_fp16_enable": "1" if precision == "float16" else "0"},
        _BOTH,
        fixed=256,
    ),
    Device("directml", "DmlExecutionProvider", "any card, Windows", _instead("onnxruntime-directml")),
    Device(
        "coreml",
        "CoreMLExecutionProvider",
        "Apple",
        "pip install srez",
        lambda _precision, _threads: {"ModelFormat": "MLProgram", "RequireStaticInputShapes": "1"},
        fixed=256,
    ),
    Device(
        "webgpu",
        "WebGpuExecutionProvider",
        "any card",
        "pip install 'srez[webgpu]'",
        plugin="onnxruntime_ep_webgpu",
    ),
    Device(
        "openvino-gpu",
        "OpenVINOExecutionProvider",
        "Intel graphics",
        "pip install 'srez[openvino]'",
        _openvino("GPU", "f16"),
        _BOTH,
        "onnxruntime_ep_openvino",
    ),
    Device(
        "openvino",
        "OpenVINOExecutionProvider",
        "Intel and AMD processors",
        _instead("onnxruntime-openvino"),
        _openvino("CPU", "bf16"),
        _BOTH,
        "onnxruntime_ep_openvino",
        is_processor=True,
    ),
    CPU,
)
RUNTIMES = (  # which exclude each other
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-directml",
    "onnxruntime-migraphx",
    "onnxruntime-openvino",
)


@dataclass(frozen=True)
class Place:
    """Where a model is to run.

    Attributes:
        device: the name of a device, or "auto"; None for what the environment variable SREZ_DEVICE says,
            else "auto".
        precision: "float32", "float16" (on processors bfloat16), or "auto" for the device's own choice:
            float32, on NVIDIA with products in TF32.
    """

    device: str | None = None
    precision: str = AUTO

    def __post_init__(self) -> None:
        """Refuse what does not exist.

        Raises:
            OptionError: there is no such device or precision, or the device cannot compute so.
        """
        if self.precision not in PRECISIONS:
            raise OptionError(f"precision {self.precision!r}: choose one of {', '.join(PRECISIONS)}")
        if self.name != AUTO:
            device = named(self.name)
            if self.precision not in (AUTO, *device.precisions):
                raise OptionError(
                    f"{device.name} computes in float32 only, not {self.precision}: for half the bits, use a "
                    "float16 model"
                )

    @property
    def name(self) -> str:
        """The device's name, or "auto"."""
        return self.device or os.environ.get("SREZ_DEVICE") or AUTO


def names() -> list[str]:
    """All that `--device` takes."""
    return [AUTO, *(device.name for device in DEVICES)]


def named(name: str) -> Device:
    """A device by its name.

    Raises:
        OptionError: there is no such device.
    """
    for device in DEVICES:
        if device.name == name:
            return device
    raise OptionError(f"there is no device {name!r}: choose one of {', '.join(names())}")


def candidates(precision: str) -> list[Device]:
    """What "auto" tries before it takes the CPU, the best first."""
    return [
        device
        for device in DEVICES
        if device is not CPU and device.unasked and precision in (AUTO, *device.precisions)
    ]
