"""Whether a JPEG ever comes out worse than by bicubic: PSNR and ST-LPIPS of each picture.

    pip install ".[perceptual]"
    python benchmarks/jpeg.py BSD100
    python benchmarks/jpeg.py photos_train.zip --photographs --fidelity 0.5

The inputs are written as JPEG files with colours at half resolution, as cameras do, and upscaled with the
default settings, or with a fidelity. Photographs are cut as in `repair.py`.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image
from rich.progress import track

import mistakes
import repair
import srez
from machine import report
from srez import images
from srez.datasets import pictures
from srez.evaluation import metrics, perceptual
from srez.evaluation.pairs import from_benchmark
from srez.evaluation.protocol import Y_MATLAB_X4
from srez.images import resample, to_float, to_uint8

QUALITIES = (30, 50, 65, 75, 85, 95)


def main(
    data: Annotated[Path, typer.Argument(exists=True)],
    photographs: bool = False,
    fidelity: float | None = None,
    quality: Annotated[list[int], typer.Option()] = list(QUALITIES),  # noqa: B006 - Typer takes no tuple
    limit: int | None = None,
) -> None:
    upscaler, distance = srez.load("photo", fidelity=fidelity), perceptual.st_lpips()
    if not distance:
        raise SystemExit("ST-LPIPS is needed: pip install 'srez[perceptual]'")
    pairs = list(_photographs(data, limit) if photographs else _benchmark(data, limit))
    rows = []
    for each in quality:
        gains = []
        for low, high in track(pairs, f"quality {each}"):
            picture = _jpeg(low, each)
            results = [to_uint8(resample.bicubic(to_float(picture.pixels[None]), 4)[0])]
            results.append(upscaler(picture.pixels, jpeg=picture.jpeg))
            psnr = [metrics.psnr(result, high, Y_MATLAB_X4) for result in results]
            far = distance(np.stack(results), np.stack([high] * 2))
            gains.append((psnr[1] - psnr[0], far[1] - far[0]))
        psnr, far = np.array(gains).T
        worse = f"{(psnr < 0).sum()} and {(far > 0).sum()} of {len(pairs)}"
        rows.append(
            [each, *(f"{value:+.3f}" for value in (psnr.mean(), psnr.min(), far.mean(), far.max())), worse]
        )
    columns = ["quality", "PSNR, dB", "at least", "ST-LPIPS", "at most", "worse"]
    report("Over bicubic", columns, rows, Path("runs/benchmarks/jpeg.json"))


def _benchmark(folder: Path, limit: int | None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for pair in from_benchmark(folder, limit).pairs:
        if pair.low.ndim == 3:
            yield to_uint8(to_float(pair.low)), pair.high


def _photographs(data: Path, limit: int | None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for number, file in enumerate(pictures.find(data)[:limit]):
        high = repair.cut(images.rgb(images.read(file.read(), file.name)), np.random.default_rng(number))
        yield resample.bicubic_reduce(high, 4), high


def _jpeg(low: np.ndarray, quality: int) -> images.Picture:
    file = io.BytesIO()
    Image.fromarray(low).save(file, "JPEG", quality=quality)
    return images.read(file.getvalue())


if __name__ == "__main__":
    with mistakes.told():
        typer.run(main)
