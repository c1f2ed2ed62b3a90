"""What each part of SelfExSR brings, and its time against pixels.

    python benchmarks/selfexsr.py parts benchmarks/BSD100
    python benchmarks/selfexsr.py parts photos_train.zip --photographs
    python benchmarks/selfexsr.py facades
    python benchmarks/selfexsr.py time

`parts` measures pictures with straight lines in perspective. Which these are, a rule says that knows nothing
of results: those with planes, and the longest segments in all that point to vanishing points, for their size.
`facades` measures drawn buildings instead.
"""

import resource
import time as clock
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import skimage.data
import typer
from rich.progress import track

import facades as buildings
import mistakes
from machine import report
from srez import images
from srez.datasets import pictures
from srez.evaluation import metrics
from srez.evaluation.protocol import Y_MATLAB_X4
from srez.images import resample, to_float, to_uint8
from srez.models.selfexsr import method, planes
from srez.models.selfexsr.lines import segments
from srez.models.selfexsr.planes import Geometry

MOST = 20  # pictures
SIDE = 512  # pixels of a photograph, at most
SIDES = (32, 64, 128, 256)  # pixels of the inputs that are timed

app = typer.Typer()


@app.command()
def parts(
    data: Annotated[Path, typer.Argument(exists=True)], photographs: bool = False, most: int = MOST
) -> None:
    """Compare translation, affine and planes by PSNR."""
    found = list(_photographs(data) if photographs else _benchmark(data))
    ranked = sorted(found, key=lambda pair: -straightness(_luma(pair[2])))
    _compare([pair for pair in ranked[:most] if straightness(_luma(pair[2])) > 0], "parts")


@app.command()
def facades(seeds: int = 2, height: int = 320, width: int = 384) -> None:
    """The same of drawn facades: each scene with some seeds."""
    scenes = [(scene, seed) for seed in range(seeds) for scene in buildings.SCENES]
    drawn = [(f"{scene} {seed}", buildings.drawn(scene, seed, height, width)) for scene, seed in scenes]
    _compare([(name, high, resample.bicubic_reduce(high, 4)) for name, high in drawn], "facades")


def _compare(chosen: list[tuple[str, np.ndarray, np.ndarray]], name: str) -> None:
    rows = []
    for picture, high, low in track(chosen):
        bicubic = resample.bicubic(to_float(low[None]), 4)[0]
        results = [bicubic, *(method.upscale(to_float(low), geometry=each) for each in Geometry)]
        rows.append([picture, *(metrics.psnr(to_uint8(each), high, Y_MATLAB_X4) for each in results)])
    rows.append([f"mean of {len(rows)}", *np.mean([row[1:] for row in rows], axis=0)])
    rows = [[picture, *(f"{value:.3f}" for value in values)] for picture, *values in rows]
    target = Path(f"runs/benchmarks/selfexsr_{name}.json")
    report("PSNR, dB", ["picture", "bicubic", *Geometry], rows, target)


@app.command()
def time(sides: list[int] = list(SIDES)) -> None:  # noqa: B006 - Typer takes no tuple
    """Time square pictures of several sizes, after one that compiles."""
    photograph = np.tile(skimage.data.astronaut(), (2, 2, 1))
    method.upscale(to_float(photograph[:16, :16]))
    rows = []
    for side in sides:
        low = to_float(photograph[:side, :side])
        wall, processor = clock.perf_counter(), clock.process_time()
        method.upscale(low)
        wall, processor = clock.perf_counter() - wall, clock.process_time() - processor
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows.append([f"{side}x{side}", wall, processor, 1e6 * processor / side**2, round(peak)])
    columns = ["input", "seconds", "CPU seconds", "CPU microseconds a pixel", "peak memory, MB"]
    report("Time against pixels", columns, rows, Path("runs/benchmarks/selfexsr_time.json"))


def straightness(luma: np.ndarray) -> float:
    """The length of what points to vanishing points, over the side of the picture; 0 without planes."""
    if len(planes.find(luma).lines) == 1:
        return 0.0
    found = segments(luma)
    inside = np.zeros(len(found), bool)
    for point in planes.vanishing_points(found, luma.shape):
        inside |= planes.toward(found, point)
    return float(planes.lengths(found)[inside].sum() / luma.size**0.5)


def _benchmark(folder: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Names, truths and inputs."""
    for file in images.find(folder / "HR").pictures:
        high, low = (images.rgb(images.read(folder / part / file.name)) for part in ("HR", "LR_x4"))
        yield file.stem, high, low


def _photographs(data: Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The same of the middle of each photograph, halved by area: what JPEG left is then small."""
    for file in track(pictures.find(data)):
        photograph = images.rgb(images.read(file.read(), file.name))
        height, width = (side // 8 * 8 for side in photograph.shape[:2])
        half = to_uint8(resample.area(to_float(photograph[:height, :width]), 2))
        top, left = (max(side - SIDE, 0) // 2 for side in half.shape[:2])
        high = np.ascontiguousarray(half[top : top + SIDE, left : left + SIDE])
        yield file.name, high, resample.bicubic_reduce(high, 4)


def _luma(image: np.ndarray) -> np.ndarray:
    return to_float(image) @ np.array([0.299, 0.587, 0.114], np.float32)


if __name__ == "__main__":
    with mistakes.told():
        app()
