"""Pictures in zips and folders: finding them, who belongs to which part, decoding them on all cores."""

import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from srez import images
from srez.errors import DataError, ImageError

TRAIN, VALIDATION, TEST = 0, 1, 2  # the parts, as CelebA's partition numbers them

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
class Decoded:
    """A decoded picture, or why there is none.

    `pixels` is what the caller's treatment made of it, None if the picture is not usable; then `error` says
    why. `size` is the file's width and height, None if unreadable. `crc` is a checksum of the file, 0 if its
    bytes cannot be had.
    """

    member: Member
    crc: int
    size: tuple[int, int] | None
    pixels: np.ndarray | None
    error: str = ""


def silent(pictures: Iterable, count: int) -> Iterable:
    """A wrapper of iterations for when nobody looks."""
    del count
    return pictures


def find(source: Path) -> list[Member]:
    """All pictures in a zip (read in place) or a folder (with its subfolders), by name.

    Raises:
        DataError: the source is missing, is neither, or holds no pictures.
    """
    if source.is_dir():
        found = sorted(path for path in source.rglob("*") if path.is_file() and images.is_readable(path.name))
        members = [Member(str(path.relative_to(source)), path.read_bytes) for path in found]
    elif source.is_file():
        members = _find_in_zip(source)
    else:
        raise DataError(f"{source} does not exist: expected a zip or a folder of pictures")
    if not members:
        raise DataError(f"{source} holds no pictures ({images.suffixes()})")
    return members


def decode(
    members: list[Member],
    treat: Callable[[images.Picture, str], np.ndarray],
    progress: Progress = silent,
) -> Iterator[Decoded]:
    """Read and treat pictures, in order, on all cores.

    Args:
        members: the pictures.
        treat: makes an array of a picture and its path, or raises ImageError.
        progress: wraps the iteration, given its length, to show how far it is.
    """

    def one(member: Member) -> Decoded:
        try:
            data = member.read()
        except OSError as error:
            return Decoded(member, 0, None, None, f"{member.path} cannot be read: {error.strerror}")
        size = None
        try:
            picture = images.read(data, member.path)
            size = (picture.pixels.shape[1], picture.pixels.shape[0])
            return Decoded(member, zlib.crc32(data), size, treat(picture, member.path))
        except ImageError as error:
            return Decoded(member, zlib.crc32(data), size, None, str(error))

    with ThreadPoolExecutor() as pool:
        yield from progress(pool.map(one, members), len(members))


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
