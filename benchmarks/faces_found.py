"""Which faces --faces finds: turned ones, those that the border cuts, and those that overlap.

    python benchmarks/faces_found.py lfw_aligned.zip photos_train.zip

Faces of the last tenth are pasted into photographs as `faces_in_photographs.py` does: turned in the picture
by an angle to either side, with a share of their frame beyond a border, or two in one picture, the second
over the first, a share of their frames apart.
"""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image
from rich.progress import track

import mistakes
from faces_in_photographs import PART, SIDES, centre, pasted, read_faces
from machine import report
from srez import images
from srez.datasets import pictures
from srez.images import resample
from srez.upscaling import faces as find_faces

ANGLES = 0, 15, 30, 45, 60, 75, 90, 135, 180  # degrees
BEYOND = 0.1, 0.2, 0.3, 0.4  # of a frame
APART = 1.0, 0.75, 0.5  # frames from middle to middle

Places = list[tuple[float, np.ndarray]]
"""Angles and middles of faces."""


def main(
    faces: Annotated[
        Path, typer.Argument(help="A zip or folder of aligned faces, 89x109 or 144x144.", exists=True)
    ],
    photographs: Annotated[Path, typer.Argument(help="A zip or folder of photographs.", exists=True)],
    partition: Annotated[
        Path | None, typer.Option(help="CelebA's list_eval_partition.txt.", exists=True)
    ] = None,
    each: Annotated[int, typer.Option(help="Photographs for each case.")] = 80,
    out: Path = Path("runs/benchmarks/faces_found.json"),
) -> None:
    aligned = list(read_faces(faces, partition, 2 * each))
    sides = SIDES[aligned[0].size]
    parts = list(cut(photographs, each))
    rows = []
    for kind, value in track([*cases()], "cases"):
        random = np.random.default_rng(0)
        found = total = false = 0
        for number, (part, side) in enumerate(zip(parts, cycle(sides), strict=False)):
            picture, middles = part.copy(), []
            for person, (angle, middle) in enumerate(places(kind, value, 4 * side, random)):
                high, _ = pasted(
                    picture, aligned[(number + person * each) % len(aligned)], 4 * side, angle, middle
                )
                picture = Image.fromarray(high)
                middles.append(middle / 4)
            boxes = find_faces.find(resample.bicubic_reduce(np.asarray(picture), 4))
            near = [
                {at for at, middle in enumerate(middles) if np.hypot(*(centre(box) - middle)) < side / 3}
                for box in boxes
            ]
            found += len(set().union(*near))
            false += sum(not each for each in near)
            total += len(middles)
        rows.append([kind, value, total, found, false])
    report("Faces found", ["", "", "faces", "found", "false"], rows, out)


def cases() -> Iterator[tuple[str, float]]:
    yield from (("turned, degrees", angle) for angle in ANGLES)
    yield from (("beyond the border", share) for share in BEYOND)
    yield from (("apart, frames", share) for share in APART)


def cut(photographs: Path, count: int) -> Iterator[Image.Image]:
    """Parts of photographs."""
    files, random = pictures.find(photographs), np.random.default_rng(0)
    for _ in range(count):
        file = files[random.integers(len(files))]
        photograph = images.rgb(images.read(file.read(), file.name))
        top, left = (random.integers(side - PART + 1) for side in photograph.shape[:2])
        yield Image.fromarray(photograph[top : top + PART, left : left + PART])


def places(kind: str, value: float, side: int, random: np.random.Generator) -> Places:
    """Where faces go in a picture."""
    middle = random.uniform(1.3 * side, PART - 1.3 * side, 2)
    sign, slant = random.choice([-1, 1]), random.uniform(-12, 12)
    if kind.startswith("turned"):
        return [(sign * value + slant / 3, middle)]
    if kind.startswith("beyond"):
        inside = (0.5 - value) * side
        middle[random.integers(2)] = inside if sign < 0 else PART - inside
        return [(slant, middle)]
    turn = random.uniform(0, 2 * np.pi)
    apart = value * side * np.array([np.cos(turn), np.sin(turn)]) / 2
    middle = middle.clip(1.6 * side, PART - 1.6 * side)
    return [(slant, middle - apart), (-slant, middle + apart)]


if __name__ == "__main__":
    with mistakes.told():
        typer.run(main)
