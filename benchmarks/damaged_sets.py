"""Damage benchmark pictures to three degrees, light, medium and heavy: a folder with HR/ and LR_x4/ each.

    python benchmarks/damaged_sets.py BSD100 Set14 --every 3 --every 1 --out runs/damaged
    srez evaluate --benchmark runs/damaged/heavy --model photo --model photo-repair

Written apart from `srez.train.damage`, with SciPy and Pillow's JPEG codec, so that what is trained on one is
measured on the other. The same pictures every time.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image
from rich.progress import track
from scipy.ndimage import convolve

from srez.images import resample, to_uint8

KERNELS = (Image.Resampling.BICUBIC, Image.Resampling.BILINEAR, Image.Resampling.BOX)
Damage = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""`(H, W, 3)` in [0, 255] to a fourth of its width and height."""


def light(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Slight blur, noise of up to 2 levels, JPEG 80 to 95."""
    spread = random.uniform(0.2, 1.2)
    low = reduced(blurred(image, spread, spread, 0))
    return jpeg(noisy(low, random, random.uniform(0, 2)), random, 80, 95)


def medium(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Blur along one direction, noise of 2 to 8 levels, JPEG 50 to 80."""
    along, across, angle = random.uniform(0.8, 2.5), random.uniform(0.4, 1.5), random.uniform(0, np.pi)
    low = reduced(blurred(image, along, across, angle))
    return jpeg(noisy(low, random, random.uniform(2, 8)), random, 50, 80)


def heavy(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Twice through resizing, noise and JPEG, the second time of quality 30 to 60."""
    height, width = image.shape[:2]
    along, across, angle = random.uniform(0.8, 2.5), random.uniform(0.4, 2), random.uniform(0, np.pi)
    factor = random.uniform(1.5, 3)
    between = resized(blurred(image, along, across, angle), width / factor, height / factor, random)
    between = jpeg(noisy(between, random, random.uniform(2, 6)), random, 40, 80)
    low = resized(between, width / 4, height / 4, random)
    return jpeg(noisy(low, random, random.uniform(1, 5)), random, 30, 60)


DEGREES: dict[str, Damage] = {"light": light, "medium": medium, "heavy": heavy}


def blurred(image: np.ndarray, along: float, across: float, angle: float) -> np.ndarray:
    y, x = np.mgrid[-8:9, -8:9]
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    kernel = np.exp(-0.5 * ((u / along) ** 2 + (v / across) ** 2))
    kernel /= kernel.sum()
    return np.stack([convolve(image[..., colour], kernel, mode="mirror") for colour in range(3)], -1)


def reduced(image: np.ndarray) -> np.ndarray:
    return resample.bicubic_reduce(to_uint8(image / 255), 4).astype(float)


def resized(image: np.ndarray, width: float, height: float, random: np.random.Generator) -> np.ndarray:
    size, kernel = (round(width), round(height)), KERNELS[random.integers(len(KERNELS))]
    return np.asarray(Image.fromarray(to_uint8(image / 255)).resize(size, kernel)).astype(float)


def noisy(image: np.ndarray, random: np.random.Generator, levels: float) -> np.ndarray:
    shape = image.shape if random.random() < 0.6 else (*image.shape[:2], 1)
    return image + random.normal(0, levels, shape)


def jpeg(image: np.ndarray, random: np.random.Generator, least: int, most: int) -> np.ndarray:
    file = io.BytesIO()
    quality, subsampling = int(random.integers(least, most + 1)), 2 if random.random() < 0.7 else 0
    Image.fromarray(to_uint8(image / 255)).save(file, "JPEG", quality=quality, subsampling=subsampling)
    with Image.open(file) as again:
        return np.asarray(again.convert("RGB")).astype(float)


def main(
    benchmarks: list[Path],
    every: Annotated[list[int], typer.Option(help="Takes one picture in so many, for each benchmark.")],
    out: Annotated[Path, typer.Option()] = Path("runs/damaged"),
) -> None:
    pictures = [
        path
        for folder, step in zip(benchmarks, every, strict=True)
        for path in sorted((folder / "HR").glob("*.png"))[::step]
    ]
    for degree, damage in DEGREES.items():
        for folder in ("HR", "LR_x4"):
            (out / degree / folder).mkdir(parents=True, exist_ok=True)
        for seed, path in enumerate(track(pictures, degree)):
            high = np.asarray(Image.open(path).convert("RGB"))
            low = damage(high.astype(float), np.random.default_rng(seed))
            name = f"{path.parent.parent.name}_{path.name}"
            Image.fromarray(high).save(out / degree / "HR" / name)
            Image.fromarray(to_uint8(low / 255)).save(out / degree / "LR_x4" / name)


if __name__ == "__main__":
    typer.run(main)
