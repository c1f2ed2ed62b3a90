"""Picture files in zips and folders: finding them, and decoding them on all cores."""

import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from srez import images
from srez.errors import DataError, ImageError
from srez.progress import Track, untracked

AHEAD = 32  # pictures that may be decoded before they are taken


@dataclass(frozen=True)
class PictureFile:
    """A picture file in a zip or a folder: its path within, and a function that reads its bytes."""

    path: str
    read: Callable[[], bytes]

    @property
    def name(self) -> str:
        """The file's name, by which partitions know it."""
        return Path(self.path).name


@dataclass(frozen=True)
class DecodedPicture:
    """A decoded picture file, or why it could not be decoded.

    Attributes:
        file: the file.
        crc: CRC-32 of its bytes; 0 if they cannot be read.
        size: width and height of the picture in the file, in pixels; None if it cannot be decoded.
        pixels: what the caller's function made of the picture; None if that is not usable.
        error: why `pixels` is None.
    """

    file: PictureFile
    crc: int
    size: tuple[int, int] | None
    pixels: np.ndarray | None
    error: str = ""


def require(source: Path) -> None:
    """Refuse a source that is not there.

    Raises:
        DataError: it is neither a file nor a folder.
    """
    if not source.exists():
        raise DataError(f"{source} does not exist: expected a zip or a folder of pictures")


def find(source: Path) -> list[PictureFile]:
    """All picture files in a zip (read in place) or a folder (with its subfolders), sorted by path.

    Raises:
        DataError: the source does not exist, is neither a zip nor a folder, or holds no pictures.
    """
    if source.is_dir():
        return _find_in_folder(source)
    require(source)
    return _find_in_zip(source)


def decode(
    files: list[PictureFile],
    prepare: Callable[[images.Picture, str], np.ndarray],
    track: Track = untracked,
) -> Iterator[DecodedPicture]:
    """Decode picture files on all cores, in order.

    Args:
        files: the picture files.
        prepare: turns a picture and its path into an array, or raises ImageError.
        track: shows how many are done.
    """

    def decode_one(file: PictureFile) -> DecodedPicture:
        try:
            data = file.read()
        except OSError as error:
            return DecodedPicture(file, 0, None, None, f"{file.path} cannot be read: {error.strerror}")
        size = None
        try:
            picture = images.read(data, file.path)
            size = (picture.pixels.shape[1], picture.pixels.shape[0])
            return DecodedPicture(file, zlib.crc32(data), size, prepare(picture, file.path))
        except ImageError as error:
            return DecodedPicture(file, zlib.crc32(data), size, None, str(error))

    yield from track(_in_order(decode_one, files), len(files))


def _in_order(
    decode: Callable[[PictureFile], DecodedPicture], files: list[PictureFile]
) -> Iterator[DecodedPicture]:
    """All pictures, decoded by threads, of which few wait in memory to be taken."""
    with ThreadPoolExecutor() as pool:
        waiting: deque[Future[DecodedPicture]] = deque()
        for file in files:
            waiting.append(pool.submit(decode, file))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _find_in_folder(source: Path) -> list[PictureFile]:
    try:
        found = images.find(source, recursive=True)
    except ImageError as error:
        raise DataError(str(error)) from None
    if found.closed:
        raise DataError(str(next(iter(found.closed.values()))))
    return [PictureFile(str(path.relative_to(source)), path.read_bytes) for path in found.pictures]


def _find_in_zip(source: Path) -> list[PictureFile]:
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

    found = images.find_in_zip(archive)
    if not found.pictures:
        raise DataError(images.none_found(str(source), len(found.others)))
    return [PictureFile(path, reader(path)) for path in found.pictures]
