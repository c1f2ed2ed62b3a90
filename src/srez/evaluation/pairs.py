"""What is measured on: inputs and their truths."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from srez import images
from srez.datasets import faces, members
from srez.errors import DataError
from srez.evaluation.protocol import Protocol


@dataclass(frozen=True)
class Pair:
    """An input and its truth.

    `low` is `(h, w, 3)` or gray `(h, w)`, uint8, or float32 in [0, 1] where it must not be rounded; `high`
    is uint8, `scale` times larger, of the same kind.
    """

    name: str
    low: np.ndarray
    high: np.ndarray


def from_benchmark(folder: Path, protocol: Protocol, limit: int | None = None) -> list[Pair]:
    """The pairs of a benchmark: `HR/NAME` and `LR_x4/NAME`, of the same file names.

    Args:
        folder: holds the two.
        protocol: gives the scale.
        limit: take this many, in the order of their names.

    Raises:
        DataError: another layout, a missing partner, sizes that do not fit, too few pictures.
        ImageError: a picture that cannot be read.
    """
    low_folder, high_folder = folder / f"LR_x{protocol.scale}", folder / "HR"
    if not (low_folder.is_dir() and high_folder.is_dir()):
        raise DataError(
            f"--benchmark {folder}: expected the folders HR and {low_folder.name} in it, with files of the "
            "same names"
        )
    highs = {path.stem: path for path in images.find(high_folder)}
    lows = {path.stem: path for path in images.find(low_folder)}
    for one, other, missing_in in ((highs, lows, low_folder), (lows, highs, high_folder)):
        alone = sorted(one.keys() - other.keys())
        if alone:
            raise DataError(f"{one[alone[0]]} has no partner in {missing_in}")
    names = _limited(sorted(highs), limit, str(folder))
    return [_benchmark_pair(lows[name], highs[name], protocol) for name in names]


def from_faces(source: Path, partition: Path | None, part: int, limit: int | None = None) -> list[Pair]:
    """Aligned faces and their 4x4 block means, not rounded.

    Args:
        source: a zip or a folder of faces; see `srez.datasets.faces`.
        partition: CelebA's partition file; all faces where there is none.
        part: the part to take.
        limit: take this many, in the order of their names.

    Raises:
        DataError: a source or partition that cannot be used, a damaged face, too few faces.
    """
    found = members.find(source)
    if partition:
        split = members.parts(found, partition)
        found = [member for member in found if split.get(member.name) == part]
    pairs = []
    for face in members.decode(_limited(found, limit, str(source)), faces.frame):
        if face.pixels is None:
            raise DataError(f"{source}: {face.error}")
        high = faces.without_rim(face.pixels)
        pairs.append(Pair(face.member.name, faces.reduced(high[None])[0], high))
    return pairs


def _limited(items: list, limit: int | None, where: str) -> list:
    if not items:
        raise DataError(f"{where} holds no pictures of the wanted part")
    if limit is not None and limit > len(items):
        raise DataError(f"{where} holds {len(items)} pictures, fewer than --limit {limit}")
    return items[:limit]


def _benchmark_pair(low_path: Path, high_path: Path, protocol: Protocol) -> Pair:
    low, high = images.read(low_path).pixels, images.read(high_path).pixels
    if low.shape[2:] != high.shape[2:]:
        kinds = {(): "gray", (3,): "RGB", (4,): "RGBA"}
        raise DataError(f"{low_path} is {kinds[low.shape[2:]]}, but {high_path} is {kinds[high.shape[2:]]}")
    expected = tuple(side * protocol.scale for side in low.shape[:2])
    if high.shape[:2] != expected:
        raise DataError(
            f"{high_path} is {high.shape[1]}x{high.shape[0]}, not {protocol.scale} times the "
            f"{low.shape[1]}x{low.shape[0]} of {low_path}"
        )
    return Pair(
        low_path.stem, low[..., :3] if low.ndim == 3 else low, high[..., :3] if high.ndim == 3 else high
    )
