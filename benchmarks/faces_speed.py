"""Faces a second: the faces model in the box against srez's generator, exported the same way.

    python benchmarks/faces_speed.py

srez's generator has its initial weights: its speed does not depend on them. All are timed in turn in one run,
next to a large matrix product, whose speed is the machine's limit.
"""

import tempfile
from pathlib import Path

import numpy as np

import srez
from machine import in_turn, matrix_gflops, report, seconds
from srez.train import export, networks, recipes
from srez.upscaling.upscaler import Upscaler

BATCHES = (1, 16, 256)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "srez.onnx"
        about = {
            "name": "srez",
            "description": "",
            "licence": "",
            "limits": "",
            "training": {},
            "figures": [],
        }
        export.export(networks.build_generator(recipes.load("srez").generator), path, about)
        models = {"faces": srez.load("faces"), "srez": srez.load(path)}

    low = np.random.default_rng(0).random((max(BATCHES), 16, 16, 3), np.float32)

    def rate(upscaler: Upscaler, batch: int) -> float:
        return batch / seconds(lambda: upscaler.batch(low[:batch]))

    works = {
        f"{name} {batch}": lambda u=upscaler, b=batch: rate(u, b)
        for batch in BATCHES
        for name, upscaler in models.items()
    }
    medians = in_turn({"limit": matrix_gflops, **works})
    rows = []
    for batch in BATCHES:
        for name, upscaler in models.items():
            faces = medians[f"{name} {batch}"]
            gflops = faces * 2 * upscaler.card.multiply_adds * 16 * 16 / 1e9
            ratio = faces / medians[f"srez {batch}"]
            rows.append([name, batch, faces, gflops, gflops / medians["limit"], ratio])
    columns = ["model", "batch", "faces/s", "GFLOP/s", "share of limit", "times srez"]
    title = f"16x16 to 64x64; limit {medians['limit']:.0f} GFLOP/s"
    report(title, columns, rows, Path("runs/benchmarks/faces_speed.json"))


if __name__ == "__main__":
    main()
