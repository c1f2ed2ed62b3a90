"""Finding pictures in folders and zips: one rule for upscaling, training and Ray.

Hidden is what a name in its path says: one that begins with a dot (`.thumbnails/`, `._photo.jpg`), or
`__MACOSX`, in which zips made on a Mac keep what is beside their files. Hidden files and folders are passed
over and not counted. Links to files are taken as the files; links to folders are not entered, for they may
lead back. A zip in a folder is a file of another kind.

A file with the suffix of a picture is taken for one: reading it will tell what is wrong with it. Of all
others the first bytes decide, so that `a.jpg_large` and a photo without any suffix are found.
"""

import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Generic, TypeVar

from srez.errors import ImageError
from srez.images.formats import FORMATS, START_BYTES, TIFF, format_of_bytes, format_of_suffix
from srez.wording import counted

P = TypeVar("P", Path, str)

# Raw files of cameras, which begin as a TIFF does but hold no picture that could be upscaled.
# fmt: off
_RAW = {
    ".3fr", ".arw", ".cr2", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".k25", ".kdc", ".mef",
    ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw",
}
# fmt: on


@dataclass(frozen=True)
class Found(Generic[P]):
    """What there is in a folder, as paths, or in a zip, as names of its members.

    Attributes:
        pictures: by name.
        others: files of another kind, by name; hidden ones are not counted.
        closed: why subfolders could not be listed, by their paths.
    """

    pictures: list[P]
    others: list[P]
    closed: dict[str, ImageError] = field(default_factory=dict)


def is_hidden(path: PurePath) -> bool:
    """Whether a path from the searched folder or zip down is hidden, itself or by a folder above it."""
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def is_picture(path: PurePath, read_start: Callable[[], bytes]) -> bool:
    """Whether a file is to be taken for a picture.

    Args:
        path: its name decides where it is one of a picture.
        read_start: gives its first `START_BYTES`, or none if they cannot be read; only called if needed.
    """
    if format_of_suffix(path) is not None:
        return True
    found = format_of_bytes(read_start())
    return found is not None and not (found == TIFF and path.suffix.lower() in _RAW)


def find(folder: Path, recursive: bool = False) -> Found[Path]:
    """Look for pictures in a folder.

    Args:
        folder: where to look; that it is hidden itself does not matter.
        recursive: whether to look in its subfolders too.

    Returns:
        The pictures, which may be none only where there are subfolders that cannot be listed; the files of
        another kind; and those subfolders. Paths begin with `folder`.

    Raises:
        ImageError: there are no pictures, or the folder cannot be listed.
    """
    closed: dict[str, ImageError] = {}

    def failed(error: OSError) -> None:
        problem = ImageError(f"{error.filename} cannot be read: {error.strerror}")
        if error.filename == str(folder):
            raise problem from None
        closed[error.filename] = problem

    pictures, others = [], []
    for parent, folders, names in os.walk(folder, onerror=failed):
        folders[:] = [name for name in folders if recursive and not is_hidden(PurePath(name))]
        for path in (Path(parent, name) for name in names if not is_hidden(PurePath(name))):
            (pictures if is_picture_file(path) else others).append(path)
    if not pictures and not closed:
        raise ImageError(none_found(str(folder), len(others)))
    return Found(sorted(pictures), sorted(others), closed)


def find_in_zip(archive: zipfile.ZipFile) -> Found[str]:
    """Look for pictures in a zip; there may be none."""

    def read_start(member: zipfile.ZipInfo) -> bytes:
        try:
            with archive.open(member) as file:
                return file.read(START_BYTES)
        except Exception:  # encrypted, or packed in a way or so damaged that it cannot be read
            return b""

    pictures, others = [], []
    for member in archive.infolist():
        path = PurePath(member.filename)
        if not member.is_dir() and not is_hidden(path):
            is_one = is_picture(path, lambda member=member: read_start(member))
            (pictures if is_one else others).append(member.filename)
    return Found(sorted(pictures), sorted(others))


def none_found(place: str, others: int) -> str:
    """What to say of a place without pictures: a sentence that counts the files of another kind."""
    holds = f"{place} holds no pictures" + (
        f", only {counted(others, 'file')} of another kind" if others else ""
    )
    return f"{holds}: {', '.join(each.label for each in FORMATS)} can be read"


def is_picture_file(path: Path) -> bool:
    """Whether a path is a file that is to be taken for a picture."""
    try:
        if not path.is_file():
            return False  # a pipe, a device, a link that leads nowhere
    except OSError:
        return format_of_suffix(path) is not None  # one may not even look: reading it will tell why
    return is_picture(path, lambda: _read_start(path))


def _read_start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(START_BYTES)
    except OSError:
        return b""
