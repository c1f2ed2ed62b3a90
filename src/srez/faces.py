"""Aligned faces in zips and folders: reading, framing, and who belongs to which part."""

import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from srez import images, resample
from srez.errors import DataError, ImageError

FACE = 64  # side of the truth, in pixels
RIM = 4  # pixels kept around it, for random shifts
SCALE = 4

TRAIN, VALIDATION, TEST = 0, 1, 2  # the parts, as CelebA's partition numbers them

# The part of an aligned picture that holds the face and its rim: (left, top, right, bottom), by picture size.
# The face itself is srez's: 128x128 at (25, 60) of a full-size CelebA file.
FRAMINGS = {
    (178, 218): (17, 52, 161, 196),  # CelebA, aligned and cropped
    (89, 109): (8, 26, 80, 98),  # the same at half size
    (144, 144): (0, 0, 144, 144),  # a face already cut out, with its rim
    (72, 72): (0, 0, 72, 72),
}

Progress = Callable[[Iterable, int], Iterable]


@dataclass(frozen=True)
class Member:
    """A picture in a zip or a folder: its path in there, and a way to read its bytes."""

    path: str
    read: Callable[[], bytes]

    @property
    def name(self) -> str:
        """The file's name, by which partitions know it."""
        return Path(self.path).name


@dataclass(frozen=True)
class Face:
    """A decoded face, or why there is none.

    `pixels` is `(72, 72, 3)` uint8, the 64x64 face with its rim; None if the picture is not usable, and then
    `error` says why. `crc` is a checksum of the file.
    """

    member: Member
    crc: int
    pixels: np.ndarray | None
    error: str = ""


def silent(faces: Iterable, count: int) -> Iterable:
    """A wrapper of iterations for when nobody looks."""
    del count
    return faces


def find(sources: list[Path]) -> list[Member]:
    """All pictures in some zips (read in place) and folders (with their subfolders), by name.

    Raises:
        DataError: a source is missing, is neither, or holds no pictures.
    """
    return [member for source in sources for member in _find_in(source)]


def read(members: list[Member], progress: Progress = silent) -> Iterator[Face]:
    """Decode and cut faces, in order, on all cores.

    Args:
        members: the pictures.
        progress: wraps the iteration, given its length, to show how far it is.
    """
    with ThreadPoolExecutor() as pool:
        yield from progress(pool.map(_read_one, members), len(members))


def parts(members: list[Member], partition: Path) -> dict[str, int]:
    """The part of every picture that a partition names.

    Args:
        members: the pictures.
        partition: a file in CelebA's `list_eval_partition.txt` format: a name and 0, 1 or 2 on each line.

    Raises:
        DataError: the file cannot be read, a line has another form, or it names absent pictures.
    """
    try:
        lines = partition.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        raise DataError(f"--partition {partition} cannot be read as a text file") from None
    split = {}
    for number, line in enumerate(lines, 1):
        name, _, part = line.strip().rpartition(" ")
        if not line.strip():
            continue
        if not name or part not in ("0", "1", "2"):
            place = f"--partition {partition}, line {number}"
            raise DataError(f"{place}: expected a file name and 0, 1 or 2, not {line.strip()!r}")
        split[name.strip()] = int(part)
    absent = sorted(split.keys() - {member.name for member in members})
    if absent:
        raise DataError(
            f"--partition {partition} names {len(absent)} pictures that the data does not hold, "
            f"the first {absent[0]}"
        )
    return split


def without_rim(pixels: np.ndarray) -> np.ndarray:
    """`(72, 72, 3)` to the `(64, 64, 3)` face."""
    return pixels[RIM:-RIM, RIM:-RIM]


def reduced(faces: np.ndarray) -> np.ndarray:
    """The inputs of faces, `(N, 64, 64, 3)` uint8 to `(N, 16, 16, 3)` float32 in [0, 1], not rounded."""
    return resample.area(faces, SCALE) / np.float32(255)


def _find_in(source: Path) -> list[Member]:
    if source.is_dir():
        found = sorted(path for path in source.rglob("*") if path.is_file() and images.is_readable(path.name))
        members = [Member(str(path.relative_to(source)), path.read_bytes) for path in found]
    elif source.is_file():
        members = _find_in_zip(source)
    else:
        raise DataError(f"{source} does not exist: expected a zip or a folder of faces")
    if not members:
        raise DataError(f"{source} holds no pictures ({', '.join(images.READABLE)})")
    return members


def _find_in_zip(source: Path) -> list[Member]:
    try:
        archive = zipfile.ZipFile(source)
    except (zipfile.BadZipFile, OSError):
        raise DataError(f"{source} is neither a folder nor a zip that can be read") from None

    def reader(path: str) -> Callable[[], bytes]:
        def read_bytes() -> bytes:
            try:
                return archive.read(path)
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
                return b""  # damaged inside the zip: counted as an unreadable picture

        return read_bytes

    paths = sorted(path for path in archive.namelist() if images.is_readable(path))
    return [Member(path, reader(path)) for path in paths if not path.startswith("__MACOSX/")]


def _read_one(member: Member) -> Face:
    data = member.read()
    try:
        return Face(member, zlib.crc32(data), _frame(images.read(data, member.path), member.path))
    except ImageError as error:
        return Face(member, zlib.crc32(data), None, str(error))


def _frame(picture: images.Picture, name: str) -> np.ndarray:
    """The face with its rim, `(72, 72, 3)` uint8."""
    pixels = picture.pixels
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    height, width = pixels.shape[:2]
    if (height, width) == (FACE, FACE):
        return np.pad(pixels[..., :3], ((RIM, RIM), (RIM, RIM), (0, 0)), mode="edge")
    if (width, height) not in FRAMINGS:
        sizes = ", ".join(f"{w}x{h}" for w, h in [*FRAMINGS, (FACE, FACE)])
        raise ImageError(f"{name} is {width}x{height}; aligned faces are {sizes}")
    left, top, right, bottom = FRAMINGS[width, height]
    face = pixels[top:bottom, left:right, :3]
    scale = face.shape[0] // (FACE + 2 * RIM)
    return np.rint(resample.area(face, scale)).astype(np.uint8) if scale > 1 else face
