"""What JPEG and noise in the input cost: PSNR and SSIM of bicubic and of models, in one table.

    python benchmarks/damaged.py --benchmark Set5 --model photo
    python benchmarks/damaged.py --faces celeba.zip --partition list_eval_partition.txt --model faces

The inputs are damaged, the truths are not; otherwise the protocol is the usual one.
"""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image

import mistakes
from machine import report
from srez import images
from srez.datasets.partition import Part
from srez.evaluation import evaluate, methods, pairs
from srez.evaluation.pairs import Pair
from srez.images import from_float, to_float, to_uint8
from srez.progress import untracked

Damage = Callable[[Pair, int], Pair]
"""A pair and a seed to one with a damaged input of the same shape and type."""


def jpeg(quality: int) -> Damage:
    """Through a JPEG file with colours at half resolution, as cameras write it."""

    def damage(pair: Pair, seed: int) -> Pair:
        del seed
        file = io.BytesIO()
        pixels = pair.low if pair.low.dtype == np.uint8 else to_uint8(pair.low)
        Image.fromarray(pixels).save(file, "JPEG", quality=quality)
        picture = images.read(file.getvalue())
        low = picture.pixels if pair.low.dtype == np.uint8 else to_float(picture.pixels)
        return replace(pair, low=low, jpeg=picture.jpeg)

    return damage


def noise(levels: float) -> Damage:
    """Gaussian, with a standard deviation in grey levels."""

    def damage(pair: Pair, seed: int) -> Pair:
        added = np.random.default_rng(seed).normal(0, levels / 255, pair.low.shape).astype(np.float32)
        return replace(pair, low=from_float(to_float(pair.low) + added, pair.low.dtype))

    return damage


DAMAGES: dict[str, Damage] = {
    "none": lambda pair, _: pair,
    "JPEG 90": jpeg(90),
    "JPEG 75": jpeg(75),
    "JPEG 60": jpeg(60),
    "noise 5": noise(5),
}


def main(
    model: Annotated[list[str], typer.Option()],
    benchmark: Annotated[Path | None, typer.Option(exists=True)] = None,
    faces: Annotated[Path | None, typer.Option(exists=True)] = None,
    partition: Annotated[Path | None, typer.Option(exists=True)] = None,
    fidelity: Annotated[float | None, typer.Option()] = None,
) -> None:
    if faces:
        clean = pairs.from_faces(faces, partition, Part.VALIDATION)
    else:
        assert benchmark
        clean = pairs.from_benchmark(benchmark)
    protocol = clean.protocol
    named = [methods.model(name, protocol.scale, fidelity=fidelity) for name in model]
    rows = []
    for name, damage in DAMAGES.items():
        damaged = [damage(pair, seed) for seed, pair in enumerate(clean.pairs)]
        chosen = [methods.baselines(protocol.scale)[1], *named]
        for found in evaluate.evaluate(chosen, replace(clean, pairs=damaged), untracked).results:
            rows.append([name, found.method.name, *(f"{found.mean[key]:.4f}" for key in ("psnr", "ssim"))])
    place = (faces or benchmark or Path()).stem
    columns = ["input", "method", "PSNR", "SSIM"]
    report(f"{place}, {protocol}", columns, rows, Path(f"runs/benchmarks/damaged-{place}.json"))


if __name__ == "__main__":
    with mistakes.told():
        typer.run(main)
