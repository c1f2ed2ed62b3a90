"""What the engine adds to the network: tiles, margins, rounding, files, start-up.

    python benchmarks/engine_overhead.py [MODEL]

The same pixels go through a plain ONNX Runtime session, whole and with all threads inside, through the same
session in tiles that run at the same time with one thread each, through `Upscaler`, and through the command
from start to exit. All are timed in turn in one run, and given as multiples of the first.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import skimage.data

import srez
from machine import in_turn, report
from srez import images
from srez.models import box

SIDES = (128, 250, 500)  # input pixels
ROUNDS = 5


def session(model: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "faces"
    model, cores = box.find(name), os.cpu_count() or 1
    inside, single, upscaler = session(model, cores), session(model, 1), srez.load(name)
    entry = inside.get_inputs()[0].name

    def run_single(tile: np.ndarray) -> Any:
        return single.run(None, {entry: tile})

    rows = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(cores) as pool:
        for side in SIDES:
            pixels = np.ascontiguousarray(skimage.data.astronaut()[:side, :side])
            values = images.to_float(pixels)[None]
            tiles = [np.ascontiguousarray(tile) for tile in np.array_split(values, cores, axis=2)]
            source, target = Path(folder) / f"{side}.png", Path(folder) / "large.png"
            images.write(source, images.Picture(pixels))
            command = [sys.executable, "-m", "srez", "upscale", str(source), "-o", str(target), "--overwrite"]
            works = {
                "session, threads inside": lambda v=values: inside.run(None, {entry: v}),
                "session, tiles at once": lambda t=tiles: list(pool.map(run_single, t)),
                "Upscaler": lambda p=pixels: upscaler(p),
                "srez upscale": lambda c=command: subprocess.run(
                    [*c, "--model", name], check=True, capture_output=True
                ),
            }
            medians = in_turn({key: lambda w=work: seconds(w) for key, work in works.items()}, ROUNDS)
            first = medians["session, threads inside"]
            rows += [
                [f"{side}x{side}", key, value, value / first, value - first] for key, value in medians.items()
            ]
    columns = ["picture", "what", "seconds", "times the session", "more, s"]
    report(f"{name} on {cores} cores", columns, rows, Path("runs/benchmarks/engine_overhead.json"))


if __name__ == "__main__":
    main()
