"""Packs of photographs: decoded once, in files that training maps into memory, whatever their size.

A pack holds `photos-NNNNN.bin`: for each picture its pixels, `(H, W, 3)` uint8, then the same reduced to a
fourth of the width and height; and `pack.json`, written last: where each picture is, what it is for, and the
sha256 of each file. See docs/adr/0028.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from srez.datasets.packs import INDEX
from srez.datasets.provenance import Provenance
from srez.errors import DataError, OutputError
from srez.output import atomic, make_folder
from srez.progress import Track, untracked

KIND = "photos"
SCALE = 4
FILE_BYTES = 1 << 30  # of a file, but for a picture that is larger


@dataclass(frozen=True)
class Place:
    """Where a picture is: the number of its file, the byte it starts at, its size in pixels."""

    file: int
    start: int
    height: int
    width: int

    @property
    def pixels(self) -> int:
        """Bytes of the picture itself."""
        return self.height * self.width * 3

    def views(self, files: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """The picture and its reduced version, as parts of mapped files."""
        data, middle = files[self.file], self.start + self.pixels
        high = data[self.start : middle].reshape(self.height, self.width, 3)
        low = data[middle : middle + self.pixels // SCALE**2]
        return high, low.reshape(self.height // SCALE, self.width // SCALE, 3)


@dataclass(frozen=True)
class PhotoPack:
    """What a pack's index says.

    Attributes:
        files: name and sha256 of each.
        train: where the pictures to train on are.
        validation: the same of those to validate on.
        provenance: of the pictures.
    """

    files: list[tuple[str, str]]
    train: list[Place]
    validation: list[Place]
    provenance: Provenance

    def as_json(self) -> dict[str, Any]:
        """The index as JSON holds it."""
        return asdict(self)


class Writer:
    """Writes pictures one after the other; none stays in memory."""

    def __init__(self, folder: Path, reduce: Callable[[np.ndarray], np.ndarray], written: list[Path]) -> None:
        """Make the folder.

        Args:
            folder: of the pack.
            reduce: makes of a picture its reduced version.
            written: gets the files, so that they can be removed if the pack is never finished.

        Raises:
            OutputError: it holds a pack already, or cannot be made.
        """
        if (folder / INDEX).is_file():
            raise OutputError(f"{folder} already holds a pack: choose another folder, or remove it")
        make_folder(folder)
        self._folder, self._reduce, self._written = folder, reduce, written
        self._files: list[np.ndarray] = []
        self._end = self._room = 0
        self._places: dict[int, Place] = {}
        self._kept: list[np.ndarray] = []

    def add(self, pixels: np.ndarray) -> np.ndarray:
        """Write a picture, and return it as it is in the file.

        Raises:
            OutputError: it cannot be written.
        """
        data = pixels.tobytes() + self._reduce(pixels).tobytes()
        try:
            if self._end + len(data) > self._room:
                self._close()
                self._open(max(FILE_BYTES, len(data)))
            with self._written[-1].open("r+b") as file:
                file.seek(self._end)
                file.write(data)
        except OSError as error:
            raise OutputError(f"{self._folder} cannot be written: {error.strerror}") from None
        place = Place(len(self._files) - 1, self._end, *pixels.shape[:2])
        self._end += len(data)
        kept, _ = place.views(self._files)
        self._places[id(kept)] = place
        self._kept.append(kept)  # so that no other array gets its id
        return kept

    def finish(
        self, train: list[np.ndarray], validation: list[np.ndarray], provenance: Provenance
    ) -> PhotoPack:
        """Write the index.

        Args:
            train: what `add` returned of the pictures to train on.
            validation: the same of those to validate on.
            provenance: of the pictures.

        Raises:
            OutputError: it cannot be written.
        """
        self._close()
        files = [(path.name, _sha256(path)) for path in self._written]
        places, held_out = ([self._places[id(kept)] for kept in part] for part in (train, validation))
        pack = PhotoPack(files, places, held_out, provenance)
        with atomic(self._folder / INDEX) as out:
            out.write(json.dumps({"version": 1, "kind": KIND, **pack.as_json()}).encode())
        return pack

    def _open(self, room: int) -> None:
        path = self._folder / f"photos-{len(self._written):05d}.bin"
        self._written.append(path)
        with path.open("wb") as file:
            file.truncate(room)  # takes no disk yet, and can be mapped as a whole
        self._files.append(np.memmap(path, np.uint8, "r"))
        self._end, self._room = 0, room

    def _close(self) -> None:
        if self._written:
            with self._written[-1].open("r+b") as file:
                file.truncate(self._end)


def is_photo_pack(folder: Path) -> bool:
    """Whether a folder holds the index of a pack of photographs."""
    try:
        return json.loads((folder / INDEX).read_bytes())["kind"] == KIND
    except (OSError, ValueError, KeyError, TypeError):
        return False


def read(folder: Path) -> PhotoPack:
    """A pack's index.

    Raises:
        DataError: it cannot be understood.
    """
    try:
        index = json.loads((folder / INDEX).read_bytes())
        provenance = index["provenance"]
        return PhotoPack(
            [(str(name), str(digest)) for name, digest in index["files"]],
            [Place(**place) for place in index["train"]],
            [Place(**place) for place in index["validation"]],
            Provenance(**{**provenance, "summary": tuple(provenance["summary"])}),
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(f"{folder / INDEX} is damaged: pack the pictures again") from None


def mapped(folder: Path, pack: PhotoPack) -> list[np.ndarray]:
    """The files of a pack, mapped into memory: nothing is read before it is used.

    Raises:
        DataError: a file is missing or too short.
    """
    needed = dict.fromkeys(range(len(pack.files)), 0)
    for place in (*pack.train, *pack.validation):
        needed[place.file] = max(needed[place.file], place.start + place.pixels + place.pixels // SCALE**2)
    files = []
    for number, (name, _) in enumerate(pack.files):
        path = folder / name
        try:
            data = np.memmap(path, np.uint8, "r")
        except (OSError, ValueError):
            raise DataError(f"{path} is missing: copy it again, or pack the pictures again") from None
        if len(data) < needed[number]:
            raise DataError(f"{path} is damaged or cut short: copy it again")
        files.append(data)
    return files


def check(folder: Path, pack: PhotoPack, track: Track = untracked) -> list[str]:
    """Read all of a pack and compare it with its index; a sentence for each file that is not what it was."""
    faults = []
    for name, digest in track(pack.files, len(pack.files)):
        path = folder / name
        if not path.is_file():
            faults.append(f"{path} is missing: copy it again, or pack the pictures again")
        elif _sha256(path) != digest:
            faults.append(f"{path} is damaged: its sha256 is not the index's")
    return faults


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
