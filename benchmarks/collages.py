"""Collages of aligned faces, to train a model of faces in photographs on.

    python benchmarks/collages.py lfw_aligned.zip --out runs/collages.zip
    python benchmarks/collages.py img_align_celeba.zip --partition list_eval_partition.txt --out runs/more.zip

A collage shows as many faces as fit into about 288x288 pixels. Faces of 144x144 are reduced to one of several
sizes, another one in each of three rounds; others keep theirs. With a partition, only faces to train on are
taken; without one, the first nine tenths of the names.
"""

import io
import zipfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image
from rich.progress import track

import mistakes
from srez import images
from srez.datasets import partition as partitions
from srez.datasets import pictures
from srez.datasets.pictures import PictureFile

SIDE = 288  # pixels of a collage
LARGE, SIZES, ROUNDS = (144, 144), (48, 56, 64, 72, 80, 96, 112, 128, 144), 3
TRAINED_ON = 0.9  # of the names


def main(
    source: Annotated[Path, typer.Argument(help="A zip or folder of aligned faces.", exists=True)],
    out: Annotated[Path, typer.Option(help="A zip.")],
    partition: Annotated[
        Path | None, typer.Option(help="CelebA's list_eval_partition.txt.", exists=True)
    ] = None,
) -> None:
    files = pictures.find(source)
    if partition:
        assigned = partitions.read(partition)
        files = [file for file in files if assigned.get(file.name) == partitions.Part.TRAIN]
    else:
        files = files[: round(TRAINED_ON * len(files))]
    size = picture(files[0]).size
    random, number = np.random.default_rng(0), 0
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        rounds = ROUNDS if size == LARGE else 1
        for waiting in track([list(random.permutation(len(files))) for _ in range(rounds)], "rounds"):
            while len(waiting) >= (SIDE // min(SIZES)) ** 2:
                cell = (int(random.choice(SIZES)),) * 2 if size == LARGE else size
                columns, rows = (SIDE // side for side in cell)
                taken = [files[waiting.pop()] for _ in range(columns * rows)]
                archive.writestr(f"{number:05d}.png", collage(taken, cell, columns))
                number += 1


def collage(files: list[PictureFile], cell: tuple[int, int], columns: int) -> bytes:
    """A PNG with faces side by side, each brought to a size."""
    width, height = cell
    canvas = Image.new("RGB", (width * columns, height * (len(files) // columns)))
    for place, file in enumerate(files):
        down, across = divmod(place, columns)
        canvas.paste(picture(file).resize(cell, Image.Resampling.BICUBIC), (across * width, down * height))
    canvas.save(written := io.BytesIO(), "PNG")
    return written.getvalue()


def picture(file: PictureFile) -> Image.Image:
    return Image.fromarray(images.rgb(images.read(file.read(), file.name)))


if __name__ == "__main__":
    with mistakes.told():
        typer.run(main)
