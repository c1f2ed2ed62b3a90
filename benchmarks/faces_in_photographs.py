"""What --faces brings: faces pasted into photographs, found, enlarged, and measured against photo alone.

    python benchmarks/faces_in_photographs.py img_align_celeba.zip photos_train.zip \
        --partition list_eval_partition.txt

Aligned faces of 89x109 or 144x144 pixels, turned by up to 12 degrees, are pasted into parts of photographs,
one in each, so that the 64x64 or 128x128 in their middle have one of several sizes; then all is reduced x4 by
bicubic. PSNR (RGB), ST-LPIPS and identity are those of that frame. ST-LPIPS needs srez[perceptual], identity
srez[identity]; what is not installed is left out. Without a partition, the last tenth of the names is taken,
which `collages.py` leaves out. """

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from PIL import Image
from rich.progress import track

import mistakes
import srez
from machine import report
from srez import images
from srez.datasets import partition as partitions
from srez.datasets import pictures
from srez.evaluation import identity, metrics, perceptual
from srez.evaluation.protocol import FACES_RGB
from srez.images import parts, resample
from srez.models.face_finder import Face

SIDES = {
    (89, 109): (12, 14, 16),
    (144, 144): (16, 20, 24, 32),
}  # of frames in the input, in pixels
FRAMES = {
    (89, 109): (12, 30, 64),
    (144, 144): (8, 8, 128),
}  # left, top, side
PART = 384  # pixels of a part of a photograph
SOFT = 5  # pixels of a face's border that fade into the photograph
COLUMNS = ["frame, pixels", "", "faces", "found", "false", "PSNR, dB", "ST-LPIPS", "identity"]


class Scene(NamedTuple):
    """A photograph with a face in it: the truth, the input, and the matrix from the frame to the truth."""

    high: np.ndarray
    low: np.ndarray
    matrix: np.ndarray


def main(
    faces: Annotated[Path, typer.Argument(help="A zip or folder of aligned faces, 89x109.", exists=True)],
    photographs: Annotated[Path, typer.Argument(help="A zip or folder of photographs.", exists=True)],
    partition: Annotated[
        Path | None, typer.Option(help="CelebA's list_eval_partition.txt.", exists=True)
    ] = None,
    each: Annotated[int, typer.Option(help="Faces in all.")] = 96,
    fidelity: float | None = None,
    out: Path = Path("runs/benchmarks/faces_in_photographs.json"),
) -> None:
    plain, helped = (srez.load("photo", fidelity, repair=0, faces=faces_too) for faces_too in (False, True))
    distances = [perceptual.st_lpips(), identity.distance()]
    aligned = list(read_faces(faces, partition, each))
    sides = SIDES[aligned[0].size]
    counts, figures = defaultdict(lambda: np.zeros(3, int)), defaultdict(list)
    for number, scene in enumerate(track(scenes(aligned, photographs), "photographs", len(aligned))):
        side, found = sides[number % len(sides)], helped.faces_in(scene.low)
        middle = scene.matrix @ [0.5, 0.5, 1] / 4
        right = [face for face in found if np.hypot(*(centre(face) - middle)) < side / 3]
        counts[side] += [1, bool(right), len(found) - len(right)]
        if not right:
            continue
        truth = framed(scene.high, scene.matrix, 4 * side)
        for name, larger in (("photo", plain(scene.low)), ("--faces", helped(scene.low, faces=right))):
            result = framed(larger, scene.matrix, 4 * side)
            pair = [parts.resized(one, 64, 64)[None] for one in (result, truth)]
            measured = [float(distance(*pair)[0]) if distance else np.nan for distance in distances]
            figures[side, name].append([metrics.psnr(result, truth, FACES_RGB), *measured])
    rows = [
        [side, name, *counts[side].tolist(), *np.mean(figures[side, name], axis=0).tolist()]
        for side in sides
        for name in ("photo", "--faces")
    ]
    report("Faces in photographs", COLUMNS, rows, out)


def read_faces(source: Path, partition: Path | None, count: int) -> Iterator[Image.Image]:
    """Aligned faces that were not trained on."""
    files = pictures.find(source)
    if partition:
        assigned = partitions.read(partition)
        files = [file for file in files if assigned.get(file.name) == partitions.Part.VALIDATION]
    else:
        files = files[round(0.9 * len(files)) :]
    for index in np.random.default_rng(1).permutation(len(files))[:count]:
        yield Image.fromarray(images.rgb(images.read(files[index].read(), files[index].name)))


def scenes(faces: list[Image.Image], photographs: Path) -> Iterator[Scene]:
    """Photographs with a face in each, of the sizes in turn."""
    files, random = pictures.find(photographs), np.random.default_rng(0)
    for number, face in enumerate(faces):
        file = files[random.integers(len(files))]
        photograph = images.rgb(images.read(file.read(), file.name))
        top, left = (random.integers(side - PART + 1) for side in photograph.shape[:2])
        part = Image.fromarray(photograph[top : top + PART, left : left + PART])
        sides = SIDES[face.size]
        side, angle = 4 * sides[number % len(sides)], random.uniform(-12, 12)
        middle = random.uniform(1.3 * side, PART - 1.3 * side, 2)
        high, matrix = pasted(part, face, side, angle, middle)
        yield Scene(high, resample.bicubic_reduce(high, 4), matrix)


def pasted(
    photograph: Image.Image, face: Image.Image, side: int, degrees: float, middle: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A photograph with a face whose frame has a side in pixels, and the matrix from that frame to it."""
    angle = np.deg2rad(degrees)
    turn = side * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([turn, middle - turn @ [0.5, 0.5]])
    left, top, length = FRAMES[face.size]
    width, height = (round(each * side / length) for each in face.size)
    y, x = np.ogrid[:height, :width]
    edge = np.minimum(np.minimum(x + 1, width - x), np.minimum(y + 1, height - y)) / SOFT
    cut = face.resize((width, height), Image.Resampling.BICUBIC)
    cut.putalpha(Image.fromarray((edge.clip(0, 1) * 255).astype(np.uint8)))
    # From pixels of the photograph to shares of the frame, and from there to pixels of the face.
    inverse = np.linalg.inv(turn) * side
    shift = np.array([left, top]) * side / length - inverse @ matrix[:, 2]
    place = np.column_stack([inverse, shift]).ravel().tolist()
    size = photograph.size
    moved = cut.transform(size, Image.Transform.AFFINE, place, Image.Resampling.BICUBIC)
    photograph.paste(moved, mask=moved.getchannel("A"))
    return np.asarray(photograph), matrix


def framed(image: np.ndarray, matrix: np.ndarray, side: int) -> np.ndarray:
    """What a frame shows of a picture, `(side, side, 3)` uint8."""
    place = (matrix / [side, side, 1]).ravel().tolist()
    shown = Image.fromarray(image).transform(
        (side, side), Image.Transform.AFFINE, place, Image.Resampling.BICUBIC
    )
    return np.asarray(shown)


def centre(face: Face) -> np.ndarray:
    return np.array(face.box).reshape(2, 2).mean(axis=0)


if __name__ == "__main__":
    with mistakes.told():
        typer.run(main)
