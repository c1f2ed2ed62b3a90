"""Which pictures are trained on and which validate: by a partition, by their source, or by hash."""

import zlib
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from srez.datasets import partition as partitions
from srez.datasets.partition import Part
from srez.datasets.pictures import PictureFile
from srez.errors import DataError
from srez.train.data.sources import Source

HELD_OUT = 20  # without a partition, one picture in so many validates


@dataclass(frozen=True)
class Candidate:
    """A picture file that may be used.

    Attributes:
        file: the file.
        source: where it is from.
        part: what it is for; None where nothing says so for any picture.
    """

    file: PictureFile
    source: Source
    part: Part | None


def candidates(sources: list[Source], partition: Path | None) -> list[Candidate]:
    """The pictures of all sources, without those that are kept for a test.

    A partition splits the source that it belongs to (see `partitioned`), and a TensorFlow Dataset splits
    itself; where either is given, every other picture is trained on.

    Args:
        sources: the sources.
        partition: see `srez.datasets.partition`.

    Raises:
        DataError: a partition that cannot be read, or names pictures that are nowhere or in two sources.
    """
    if not partition and not any(source.split for source in sources):
        return [Candidate(file, source, None) for source in sources for file in source.files]
    named = partitions.read(partition) if partition else {}
    owners = partitioned(sources, named, partition) if partition else []
    found = []
    for source in sources:
        parts = named if source in owners else {}
        for file in source.files:
            part = source.split.get(file.path, parts.get(file.name, Part.TRAIN))
            if part != Part.TEST:
                found.append(Candidate(file, source, part))
    return found


def partitioned(sources: list[Source], named: dict[str, Part], partition: Path) -> list[Source]:
    """The sources that a partition belongs to.

    That is the first source that holds all pictures the partition names. If none does, it is all sources
    that hold some of them, and no name may be in two of those.

    Args:
        sources: the sources.
        named: what the partition says.
        partition: its path.

    Raises:
        DataError: it names pictures that are nowhere, or in two sources neither of which holds all.
    """
    held = [named.keys() & {file.name for file in source.files} for source in sources]
    for source, names in zip(sources, held, strict=True):
        if names == named.keys():
            return [source]
    partitions.require_present(named, (name for names in held for name in names), partition)
    counts = Counter(name for names in held for name in names)
    name, count = counts.most_common(1)[0]
    if count > 1:
        raise DataError(
            f"--partition {partition}: no source holds all pictures it names, and {count} sources hold "
            f"{name}: put the pictures it names into one source"
        )
    return [source for source, names in zip(sources, held, strict=True) if names]


def by_hash(sources: Iterable[Collection[str]]) -> dict[str, Part]:
    """The part of every picture by the hash of its file name: one in twenty validates.

    At least one picture of every source that has two, and one in all, validates.

    Args:
        sources: the names of the pictures of each source.
    """
    hashes = {name: zlib.crc32(name.encode()) for names in sources for name in names}
    held = {name for name in hashes if hashes[name] % HELD_OUT == 0}
    for names in (*(own for own in sources if len(own) > 1), hashes):
        if names and held.isdisjoint(names):
            held.add(min(names, key=hashes.__getitem__))
    return {name: Part.VALIDATION if name in held else Part.TRAIN for name in hashes}


def spread(sources: Sequence[Hashable], limit: int) -> list[int]:
    """The indices of at most `limit` pictures, or one of each source, evenly chosen from every source.

    Args:
        sources: the source of each picture.
        limit: how many to choose, from each source in proportion to its pictures.
    """
    if len(sources) <= limit:
        return list(range(len(sources)))
    chosen = []
    for source in dict.fromkeys(sources):
        own = [index for index, other in enumerate(sources) if other == source]
        count = max(1, limit * len(own) // len(sources))
        chosen += [own[place] for place in np.linspace(0, len(own) - 1, count).astype(int)]
    return chosen
