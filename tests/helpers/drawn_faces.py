"""Faces that nobody has, as files."""

import zipfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from srez.datasets import cartoons


def drawn_face(seed: int, size: tuple[int, int] = (89, 109)) -> Image.Image:
    """A cartoon of a face of some (width, height)."""
    return Image.fromarray(cartoons.face(seed, *size))


def write_faces(path: Path, count: int) -> Path:
    """A zip of drawn faces, named as CelebA names them."""
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(1, count + 1):
            buffer = BytesIO()
            drawn_face(number).save(buffer, "JPEG", quality=95)
            archive.writestr(f"img_align_celeba/{number:06d}.jpg", buffer.getvalue())
    return path


def write_partition(path: Path, parts: dict[int, int]) -> Path:
    path.write_text("".join(f"{number:06d}.jpg {part}\n" for number, part in parts.items()))
    return path
