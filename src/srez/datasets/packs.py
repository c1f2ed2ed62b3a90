"""Packs: folders of faces that were cut out once, in shards that training maps into memory.

A pack holds `train-NNNNN.npy` and `validation-NNNNN.npy`, `(N, 72, 72, 3)` uint8 each, and `pack.json`, which
is written last: the number of faces and the sha256 of each shard, and the provenance of the pictures. See
docs/adr/0016.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from srez.datasets.faces import FACE_SIDE, RIM
from srez.datasets.provenance import Provenance
from srez.errors import DataError, OutputError
from srez.output import atomic, make_folder, removed_on_failure
from srez.progress import Track, untracked
from srez.wording import counted

INDEX = "pack.json"
VERSION = 1
SIDE = FACE_SIDE + 2 * RIM
SHARD_FACES = 65_536  # one GB: few enough to map them all, small enough to copy one after the other


@dataclass(frozen=True)
class Shard:
    """One file of a pack: its name, "train" or "validation", how many faces, their sha256 as a file."""

    file: str
    part: str
    faces: int
    sha256: str


@dataclass(frozen=True)
class Pack:
    """What a pack's index says.

    Attributes:
        shards: its files, the faces to train on first.
        provenance: of the faces; training on the pictures themselves has the same.
    """

    shards: tuple[Shard, ...]
    provenance: Provenance

    def count(self, part: str) -> int:
        """How many faces a part has: "train" or "validation"."""
        return sum(shard.faces for shard in self.shards if shard.part == part)

    def as_json(self) -> dict[str, Any]:
        """The index as JSON holds it."""
        return {"shards": [asdict(shard) for shard in self.shards], **asdict(self.provenance)}


def write(
    folder: Path,
    parts: dict[str, list[np.ndarray]],
    provenance: Provenance,
    track: Track = untracked,
    shard_faces: int = SHARD_FACES,
) -> Pack:
    """Write a pack; it counts as one only when the index, its last file, is there.

    If that fails, no shard is left.

    Args:
        folder: made if absent.
        parts: "train" and "validation", the faces of each, `(72, 72, 3)` uint8.
        provenance: of the faces.
        track: shows how many shards are done.
        shard_faces: how many faces a shard holds at most.

    Raises:
        OutputError: the folder holds a pack already, or cannot be written.
    """
    refuse_existing(folder)
    make_folder(folder)
    pieces = [
        (f"{part}-{start // shard_faces:05d}.npy", part, faces[start : start + shard_faces])
        for part, faces in parts.items()
        for start in range(0, len(faces), shard_faces)
    ]
    shards = []
    with removed_on_failure() as written:
        for file, part, faces in track(pieces, len(pieces)):
            with atomic(folder / file) as out:
                _save(out, np.stack(faces))
            written.append(folder / file)
            shards.append(Shard(file, part, len(faces), _sha256(folder / file)))
        pack = Pack(tuple(shards), provenance)
        with atomic(folder / INDEX) as out:
            out.write(json.dumps({"version": VERSION, **pack.as_json()}, indent=1).encode())
    return pack


def is_pack(folder: Path) -> bool:
    """Whether a folder holds a whole pack's index."""
    return (folder / INDEX).is_file()


def refuse_existing(folder: Path) -> None:
    """Raise OutputError if a folder holds a pack already."""
    if is_pack(folder):
        raise OutputError(f"{folder} already holds a pack: choose another folder, or remove it")


def read(folder: Path) -> Pack:
    """A pack's index.

    Raises:
        DataError: there is none, or it cannot be understood.
    """
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        if index.pop("version") != VERSION:
            raise DataError(f"{folder} was made by another version of srez: pack the pictures again")
        shards = tuple(Shard(**shard) for shard in index.pop("shards"))
        return Pack(shards, Provenance(summary=tuple(index.pop("summary")), **index))
    except FileNotFoundError:
        raise DataError(
            f"{folder} is not a pack (it has no {INDEX}): create one with `srez data pack`"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise DataError(f"{folder / INDEX} is damaged: pack the pictures again") from None


def faces(folder: Path, pack: Pack, part: str) -> list[np.ndarray]:
    """The shards of a part, mapped into memory: nothing is read before it is used.

    Args:
        folder: of the pack.
        pack: its index.
        part: "train" or "validation".

    Returns:
        `(N, 72, 72, 3)` uint8 each.

    Raises:
        DataError: a shard is missing, or has another length than the index says.
    """
    return [_mapped(folder, shard) for shard in pack.shards if shard.part == part]


def check(folder: Path, pack: Pack, track: Track = untracked) -> list[str]:
    """Read all of a pack and compare it with its index.

    Args:
        folder: of the pack.
        pack: its index.
        track: shows how many shards are done.

    Returns:
        A sentence for each shard that is not what it was.
    """
    return list(_faults(folder, track(pack.shards, len(pack.shards))))


def _faults(folder: Path, shards: Iterable[Shard]) -> Iterable[str]:
    for shard in shards:
        try:
            _mapped(folder, shard)
            if _sha256(folder / shard.file) != shard.sha256:
                yield f"{folder / shard.file} is damaged: its sha256 is not the index's"
        except DataError as error:
            yield str(error)


def _mapped(folder: Path, shard: Shard) -> np.ndarray:
    path = folder / shard.file
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise DataError(f"{path} is missing: copy it again, or pack the pictures again") from None
    except (OSError, ValueError, EOFError):
        raise DataError(f"{path} is damaged or cut short: copy it again") from None
    if array.shape != (shard.faces, SIDE, SIDE, 3) or array.dtype != np.uint8:
        raise DataError(
            f"{path} holds {array.shape} {array.dtype}, not {counted(shard.faces, 'face')} of {SIDE}x{SIDE}"
        )
    return array


def _save(out: IO[bytes], array: np.ndarray) -> None:
    """As `np.save` does, whose error on a full disk does not say so."""
    np.lib.format.write_array_header_1_0(out, np.lib.format.header_data_from_array_1_0(array))
    out.write(array.data)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
