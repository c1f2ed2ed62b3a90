"""Make photographs smaller, to train on beside themselves: the smaller a scene, the more there is to see.

    python benchmarks/reduced.py photos_train.zip 2
    python benchmarks/reduced.py photos_train.zip 3

Writes runs/photos_train-2.zip, of half the width and height, and runs/photos_train-3.zip. Names stay the
same, so that training holds out the same pictures of each.
"""

import io
import zipfile
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image
from rich.progress import track

import mistakes
from srez.output import atomic

QUALITY = 96


def main(
    photos: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    times: Annotated[int, typer.Argument(min=2)],
) -> None:
    """Write `runs/NAME-TIMES.zip`."""
    out = Path("runs", f"{photos.stem}-{times}.zip")
    out.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(photos) as source, atomic(out) as written, zipfile.ZipFile(written, "w") as target:
        for entry in track([each for each in source.infolist() if not each.is_dir()], "reducing"):
            image = Image.open(io.BytesIO(source.read(entry))).convert("RGB")
            smaller = image.resize((image.width // times, image.height // times), Image.Resampling.LANCZOS)
            file = io.BytesIO()
            smaller.save(file, "JPEG", quality=QUALITY, subsampling=0)
            target.writestr(entry.filename, file.getvalue())
    print(out)


if __name__ == "__main__":
    with mistakes.told():
        typer.run(main)
