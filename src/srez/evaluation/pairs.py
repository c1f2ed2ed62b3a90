"""What is measured on: inputs and their truths."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from srez.datasets import faces, pictures
from srez.datasets import partition as partitions
from srez.errors import DataError
from srez.evaluation import damage, layouts, pixels
from srez.evaluation.protocol import FACES_RGB, Y_MATLAB_X4, Protocol
from srez.images import Jpeg, resample

_T = TypeVar("_T")


@dataclass(frozen=True)
class Pair:
    """An input and its truth.

    Attributes:
        name: of the picture.
        stem: the name without a file's suffix, by which results are found.
        low: the input, `(h, w, 3)` or gray `(h, w)`; uint8, uint16, or float32 in [0, 1].
        high: the truth, uint8, `scale` times larger, with the same channels.
        changes: what was done to the files' pictures, as clauses.
        jpeg: what the JPEG file tells that the input comes from, if it does.
    """

    name: str
    stem: str
    low: np.ndarray
    high: np.ndarray
    changes: tuple[str, ...] = ()
    jpeg: Jpeg | None = None


@dataclass(frozen=True)
class PairSet:
    """Pairs, and how to measure on them.

    Attributes:
        name: of the data.
        protocol: how to measure.
        pairs: at least one, with distinct names.
        stems: of all pictures of the data, also of those that a limit left out.
    """

    name: str
    protocol: Protocol
    pairs: list[Pair]
    stems: list[str]

    @property
    def notes(self) -> list[str]:
        """Sentences that say how the pairs differ from the files."""
        counts = Counter(change for pair in self.pairs for change in pair.changes)
        return [f"{count} of {len(self.pairs)} images: {change}." for change, count in counts.items()]


def from_benchmark(folder: Path, limit: int | None = None, degree: str | None = None) -> PairSet:
    """The pairs of a benchmark, for the protocol `y-matlab-x4`, or with damaged inputs in place of its own.

    Truths whose sides are no multiple of the scale are cropped at the right and the bottom. Where there are
    no inputs, they are made from the truths by MATLAB's bicubic reduction.

    Args:
        folder: in a layout that `srez.evaluation.layouts` knows.
        limit: take this many, in the order of their names.
        degree: of the damage, one of `srez.evaluation.damage.DEGREES`.

    Raises:
        DataError: an unknown layout, a missing partner, pictures that do not fit together, too few pictures.
        ImageError: a picture that cannot be read.
    """
    files = layouts.find(folder, Y_MATLAB_X4.scale)
    names = _limited(sorted(files.truths), limit, str(folder))
    inputs = files.inputs if files.inputs and not degree else {}
    pairs = [_from_files(name, files.truths[name], inputs.get(name), Y_MATLAB_X4.scale) for name in names]
    if degree is None:
        return PairSet(folder.resolve().name, Y_MATLAB_X4, pairs, list(files.truths))
    name, words = f"{Y_MATLAB_X4.name}-{degree}", damage.DEGREES[degree].words
    protocol = replace(Y_MATLAB_X4, name=name, reduction=words)
    damaged_pairs = [_damaged(pair, degree) for pair in pairs]
    return PairSet(folder.resolve().name, protocol, damaged_pairs, list(files.truths))


def from_faces(source: Path, partition: Path | None, part: int, limit: int | None = None) -> PairSet:
    """Aligned faces and their 4x4 block means, not rounded, for the protocol `faces-rgb`.

    Args:
        source: a zip or a folder of faces; see `srez.datasets.faces`.
        partition: CelebA's partition file; all faces where there is none.
        part: the part to take.
        limit: take this many, in the order of their names.

    Raises:
        DataError: a source or partition that cannot be used, a damaged face, too few faces, two of one name.
    """
    found = pictures.find(source)
    if partition:
        split = partitions.read(partition)
        partitions.require_present(split, (file.name for file in found), partition)
        found = [file for file in found if split.get(file.name) == part]
    pairs: dict[str, Pair] = {}
    for face in pictures.decode(_limited(found, limit, str(source)), faces.frame):
        name = face.file.name
        if face.pixels is None:
            raise DataError(f"{source}: {face.error}")
        if name in pairs:
            raise DataError(f"{source} holds two pictures named {name}: rename one of them")
        high = faces.without_rim(face.pixels)
        pairs[name] = Pair(name, Path(name).stem, faces.reduced(high[None])[0], high)
    stems = [Path(file.name).stem for file in found]
    return PairSet(source.resolve().name, FACES_RGB, list(pairs.values()), stems)


def _damaged(pair: Pair, degree: str) -> Pair:
    """A pair with a damaged input, in colours: noise and JPEG have some even in gray pictures."""
    high = pair.high if pair.high.ndim == 3 else np.repeat(pair.high[..., None], 3, axis=2)
    made = damage.damaged(high, degree, pair.name)
    return replace(pair, low=made.pixels, high=high, changes=(), jpeg=made.jpeg)


def _limited(items: list[_T], limit: int | None, where: str) -> list[_T]:
    if not items:
        raise DataError(f"{where} holds no pictures of the chosen part")
    if limit is not None and limit > len(items):
        raise DataError(f"{where} holds {len(items)} pictures, fewer than --limit {limit} asks for")
    return items[:limit]


def _from_files(name: str, high_path: Path, low_path: Path | None, scale: int) -> Pair:
    changes = []
    high = pixels.read_opaque(high_path).pixels
    if high.dtype != np.uint8:
        high = pixels.eight_bits(high)
        changes.append("the truth was rounded to 8 bits")
    height, width = (side // scale * scale for side in high.shape[:2])
    least = -(-Y_MATLAB_X4.least_side // scale) * scale  # of a truth, before it is cropped
    if min(height, width) < least:
        size = f"{high.shape[1]}x{high.shape[0]}"
        raise DataError(f"{high_path} is {size}: the protocol needs {least}x{least} or more")
    if high.shape[:2] != (height, width):
        high = high[:height, :width]
        changes.append(f"the truth was cropped to a multiple of {scale}")
    jpeg = None
    if low_path:
        picture = pixels.read_opaque(low_path)
        jpeg = picture.jpeg
        low, high = _of_one_kind(picture.pixels, high, low_path, high_path)
        if high.shape[:2] != tuple(side * scale for side in low.shape[:2]):
            raise DataError(
                f"{high_path} is {high.shape[1]}x{high.shape[0]}, not {scale} times the "
                f"{low.shape[1]}x{low.shape[0]} of {low_path}"
            )
    else:
        low = resample.bicubic_reduce(high.reshape(height, width, -1), scale)
        low = low.reshape(*low.shape[:2], *high.shape[2:])
        changes.append("the input was made from the truth by MATLAB's bicubic reduction")
    return Pair(name, name, low, high, tuple(changes), jpeg)


def _of_one_kind(
    low: np.ndarray, high: np.ndarray, low_path: Path, high_path: Path
) -> tuple[np.ndarray, np.ndarray]:
    """Both gray where one is gray and the other without colours."""
    if low.ndim == high.ndim:
        return low, high
    gray_low, gray_high = pixels.gray(low), pixels.gray(high)
    if gray_low is None or gray_high is None:
        raise DataError(f"{low_path} is {_kind(low)}, but {high_path} is {_kind(high)}")
    return gray_low, gray_high


def _kind(picture: np.ndarray) -> str:
    return "gray" if picture.ndim == 2 else "RGB"
