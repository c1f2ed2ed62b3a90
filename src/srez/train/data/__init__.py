"""Pictures to batches of LR/HR pairs: `load` or `draw`, then `batches`."""

import hashlib
import zlib
from collections import Counter
from pathlib import Path

import numpy as np

from srez import drawn, members
from srez.errors import DataError
from srez.evaluation.protocol import FACES_RGB, Y_MATLAB_X4
from srez.faces import FACE, RIM, frame
from srez.members import TEST, TRAIN, VALIDATION, Decoded
from srez.train.data import faces, photos
from srez.train.data.pairs import Data, batches
from srez.train.data.sources import Source, find_all
from srez.train.recipe import FacesData, PhotosData

__all__ = ["HELD_OUT", "Data", "batches", "draw", "load"]

HELD_OUT = 20  # one picture in so many, where nothing says which


def load(
    settings: FacesData | PhotosData,
    places: list[str],
    partition: Path | None = None,
    progress: members.Progress = members.silent,
) -> Data:
    """Read, split and check all pictures of some places.

    Pictures that a partition names go to training (0), validation (1) or nowhere (2); all others train. A
    TensorFlow Dataset brings its own parts. With neither, one in twenty by the hash of its name is held out.
    A training picture whose pixels equal those of a validation picture is left out.

    Args:
        settings: what the pictures are and how they are augmented.
        places: zips (read in place), folders, or `tfds:NAME`; `@WEIGHT` behind each if they are mixed.
        partition: a file in CelebA's `list_eval_partition.txt` format.
        progress: wraps the iteration over pictures, given their number, to show how far it is.

    Raises:
        OptionError: weights that do not fit.
        DataError: a place that is missing or holds no pictures, a partition that cannot be read or names
            absent pictures, no usable picture for training or for validation.
    """
    sources = find_all(places)
    split = _split(sources, partition)
    wanted = [member for source in sources for member in source.members if split(source, member) != TEST]
    owners = {id(member): source for source in sources for member in source.members}
    treat = frame if isinstance(settings, FacesData) else photos.treat(settings)
    train: list[tuple[Decoded, Source]] = []
    held: list[Decoded] = []
    skipped = []
    fingerprint = hashlib.sha256(repr([source.share for source in sources]).encode())
    sizes: Counter[tuple[int, int]] = Counter()
    for picture in members.decode(wanted, treat, progress):
        fingerprint.update(f"{picture.member.path} {picture.crc}\n".encode())
        if picture.pixels is None:
            skipped.append(picture.error)
            continue
        assert picture.size
        sizes[picture.size] += 1
        source = owners[id(picture.member)]
        if split(source, picture.member) == VALIDATION:
            held.append(picture)
        else:
            train.append((picture, source))
    unreadable = len(skipped)
    held_pixels = {_digest(picture): picture.member.path for picture in held}
    twins = {id(picture): held_pixels.get(_digest(picture)) for picture, _ in train}
    skipped += [f"{p.member.path} equals {twins[id(p)]}, which validates" for p, _ in train if twins[id(p)]]
    train = [(picture, source) for picture, source in train if not twins[id(picture)]]
    for part, what in ((train, "to train on"), (held, "to validate on")):
        if not part:
            reason = f"; the first of {len(skipped)} skipped: {skipped[0]}" if skipped else ""
            raise DataError(f"{', '.join(places)}: no usable picture {what}{reason}")
    names = [source.name for source in sources]
    summary = (
        f"{len(train):,} pictures to train on, {len(held):,} to validate on, from {', '.join(names)}",
        _sizes(sizes),
        f"left out: {unreadable:,} that cannot be used, {len(skipped) - unreadable:,} that equal a "
        "validation picture",
    )
    order = _order(
        [[index for index, (_, owner) in enumerate(train) if owner is s] for s in sources], sources
    )
    return _data(
        settings,
        [picture.pixels for picture, _ in train if picture.pixels is not None],
        [picture.pixels for picture in held if picture.pixels is not None],
        order=order,
        sources=names,
        skipped=skipped,
        summary=summary,
        fingerprint=fingerprint.hexdigest(),
    )


def draw(settings: FacesData) -> Data:
    """So many drawn faces as the settings say, one in twenty for validation; see `srez.drawn`."""
    side = FACE + 2 * RIM
    pictures = [drawn.face(seed, side, side) for seed in range(settings.drawn)]
    train = [picture for index, picture in enumerate(pictures) if index % HELD_OUT]
    held = pictures[::HELD_OUT]
    name = f"{len(pictures)} drawn faces"
    return _data(
        settings,
        train,
        held,
        order=np.arange(len(train)),
        sources=[name],
        skipped=[],
        summary=(f"{len(train)} to train on, {len(held)} to validate on", f"{name}, 72x72", "left out: none"),
        fingerprint=hashlib.sha256(np.stack(pictures).tobytes()).hexdigest(),
    )


def _data(
    settings: FacesData | PhotosData, train: list[np.ndarray], held: list[np.ndarray], **facts: object
) -> Data:
    if isinstance(settings, FacesData):
        (low, truths), protocol = faces.validation(held), FACES_RGB
        example = faces.example(train, settings)
    else:
        (low, truths), protocol = photos.validation(held, settings), Y_MATLAB_X4
        example = photos.example(train, settings)
    return Data(
        example=example,
        validation_low=low,
        validation=truths,
        protocol=protocol,
        pictures=len(train),
        **facts,
    )


def _split(sources: list[Source], partition: Path | None):
    """A function of a source and its member: the part it belongs to."""
    everything = [member for source in sources for member in source.members]
    named = members.parts(everything, partition) if partition else {}
    by_hash = not partition and not any(source.split for source in sources)
    hashes = {member.name: zlib.crc32(member.name.encode()) for member in everything} if by_hash else {}
    # Of few pictures it may be that none has such a hash: then the nearest is held out.
    held = {name for name in hashes if hashes[name] % HELD_OUT == 0} or set(
        sorted(hashes, key=hashes.get)[:1]
    )

    def part(source: Source, member: members.Member) -> int:
        if by_hash:
            return VALIDATION if member.name in held else TRAIN
        return source.split.get(member.path, named.get(member.name, TRAIN))

    return part


def _order(indices: list[list[int]], sources: list[Source]) -> np.ndarray:
    """The pictures of one epoch: each once, or as often as the shares of their sources ask."""
    if sources[0].share is None:
        return np.array(sorted(index for part in indices for index in part))
    length = max(len(part) / (source.share or 1) for part, source in zip(indices, sources, strict=True))
    repeated = [
        np.resize(part, round((source.share or 1) * length))
        for part, source in zip(indices, sources, strict=True)
        if part
    ]
    return np.concatenate(repeated)


def _digest(picture: Decoded) -> bytes:
    assert picture.pixels is not None
    return hashlib.sha1(np.ascontiguousarray(picture.pixels), usedforsecurity=False).digest()


def _sizes(sizes: Counter[tuple[int, int]]) -> str:
    megapixels = sum(width * height * count for (width, height), count in sizes.items()) / 1e6
    if len(sizes) <= 4:
        text = ", ".join(f"{width}x{height} ({count:,})" for (width, height), count in sizes.most_common())
    else:
        small, large = min(sizes, key=lambda s: s[0] * s[1]), max(sizes, key=lambda s: s[0] * s[1])
        text = f"{small[0]}x{small[1]} to {large[0]}x{large[1]}"
    return f"sizes: {text}; {megapixels:.1f} megapixels"
