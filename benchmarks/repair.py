"""How close the repair that is chosen comes to the best: PSNR over no repair, on photographs for training.

    python benchmarks/repair.py photos_train.zip

Each photograph is cut, reduced x4 and damaged in one of six ways, then upscaled with each repair. The
constants of `srez.upscaling.damage` were chosen on this table; report no figure of it as a test.
"""

import io
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image
from rich.progress import track

import mistakes
import srez
from machine import report
from srez import images
from srez.datasets import pictures
from srez.evaluation import damage, metrics
from srez.evaluation.protocol import Y_MATLAB_X4
from srez.images import resample, to_uint8
from srez.upscaling.damage import STEPS

SIDE = 512  # pixels of what is cut out
KINDS = ("clean", "JPEG 30 to 98", "noise to 12 levels", *damage.DEGREES)


def main(photographs: Annotated[Path, typer.Argument(exists=True)], model: str = "photo") -> None:
    choice = srez.load(model)
    fixed = [srez.load(model, repair=step / STEPS) for step in range(STEPS + 1)]
    gains: dict[str, list[list[float]]] = {kind: [] for kind in KINDS}
    for number, file in enumerate(track(pictures.find(photographs))):
        random, kind = np.random.default_rng(number), KINDS[number % len(KINDS)]
        high = cut(images.rgb(images.read(file.read(), file.name)), random)
        low, jpeg = damaged(high, kind, random, file.name)
        psnr = [metrics.psnr(each(low, jpeg=jpeg), high, Y_MATLAB_X4) for each in fixed]
        chosen = psnr[round(choice.repair_for(low, jpeg) * STEPS)]
        gains[kind].append([value - psnr[0] for value in (chosen, max(psnr), psnr[-1])])
    rows = [[kind, *(f"{value:.3f}" for value in np.mean(found, axis=0))] for kind, found in gains.items()]
    columns = ["input", "chosen", "best of quarters", "full repair"]
    report("PSNR over no repair, dB", columns, rows, Path("runs/benchmarks/repair.json"))


def cut(photograph: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """At half to all of its size, so that what its own JPEG left is small."""
    factor = random.uniform(0.5, 1)
    size = [round(side * factor) for side in photograph.shape[1::-1]]
    smaller = np.asarray(Image.fromarray(photograph).resize(size, Image.Resampling.BICUBIC))
    top, left = (random.integers(0, max(1, side - SIDE)) for side in smaller.shape[:2])
    part = smaller[top : top + SIDE, left : left + SIDE]
    height, width = (side // 4 * 4 for side in part.shape[:2])
    return np.ascontiguousarray(part[:height, :width])


def damaged(
    high: np.ndarray, kind: str, random: np.random.Generator, name: str
) -> tuple[np.ndarray, images.Jpeg | None]:
    """An input, and what its JPEG file tells if it has one."""
    if kind in damage.DEGREES:
        made = damage.damaged(high, kind, name)
        return made.pixels, made.jpeg
    low = resample.bicubic_reduce(high, 4)
    if kind == "clean":
        return low, None
    if kind.startswith("noise"):
        return to_uint8((low + random.normal(0, random.uniform(0.5, 12), low.shape)) / 255), None
    file = io.BytesIO()
    Image.fromarray(low).save(file, "JPEG", quality=int(random.integers(30, 99)))
    picture = images.read(file.getvalue())
    return picture.pixels, picture.jpeg


if __name__ == "__main__":
    with mistakes.told():
        typer.run(main)
