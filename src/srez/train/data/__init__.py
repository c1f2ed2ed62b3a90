"""Pictures to batches of LR/HR pairs: `load` or `draw`, then `batches`; `pack` cuts faces out for later."""

import hashlib
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from srez.datasets import drawn, members, packs
from srez.datasets.faces import FACE, RIM, frame
from srez.datasets.members import TEST, TRAIN, VALIDATION, Decoded
from srez.errors import DataError, OptionError
from srez.evaluation.protocol import FACES_RGB, Y_MATLAB_X4
from srez.train.data import faces, photos
from srez.train.data.pairs import Data, batches
from srez.train.data.sources import Source, find_all
from srez.train.recipe import FacesData, PhotosData

__all__ = ["HELD_OUT", "Data", "batches", "draw", "load", "pack", "told"]

HELD_OUT = 20  # one picture in so many, where nothing says which
FEW = 3  # pictures left out that are told one by one


@dataclass(frozen=True)
class _Read:
    """Pictures read, split and checked; the attributes behind the first two are those of `Data`."""

    train: list[np.ndarray]
    held: list[np.ndarray]
    order: np.ndarray
    sources: list[str]
    skipped: list[str]
    summary: tuple[str, str, str]
    fingerprint: str


def load(
    settings: FacesData | PhotosData,
    places: list[str],
    partition: Path | None = None,
    progress: members.Progress = members.silent,
) -> Data:
    """Read, split and check all pictures of some places; or open a pack, where all of this is done.

    Pictures that a partition names go to training (0), validation (1) or nowhere (2); all others train. A
    TensorFlow Dataset brings its own parts. With neither, one in twenty of those that can be used is held
    out, by the hash of its name. A training picture whose pixels equal those of a validation picture is left
    out.

    Args:
        settings: what the pictures are and how they are augmented.
        places: zips (read in place), folders, or `tfds:NAME`; `@WEIGHT` behind each if they are mixed. Or one
            folder that `pack` made.
        partition: a file in CelebA's `list_eval_partition.txt` format.
        progress: wraps the iteration over pictures, given their number, to show how far it is.

    Raises:
        OptionError: weights that do not fit, or a pack beside anything else.
        DataError: a place that is missing or holds no pictures, a partition that cannot be read or names
            absent pictures, no usable picture for training or for validation.
    """
    if any(packs.is_pack(Path(place)) for place in places):
        return _open(settings, places, partition)
    read = _read(settings, places, partition, progress)
    return _data(settings, **vars(read))


def pack(
    places: list[str],
    folder: Path,
    partition: Path | None = None,
    reading: members.Progress = members.silent,
    writing: members.Progress = members.silent,
) -> packs.Pack:
    """Cut all faces of some places out and write them as a pack, with the same split as `load`.

    Args:
        places: as for `load`, without weights.
        folder: of the pack.
        partition: as for `load`.
        reading: wraps the iteration over pictures, given their number.
        writing: wraps the iteration over shards, given their number.

    Raises:
        OptionError: a place has a weight.
        DataError: as for `load`.
        OutputError: the folder holds a pack already, or cannot be written.
    """
    packs.refuse_full(folder)
    if any(source.share for source in find_all(places)):
        raise OptionError("a pack holds every face once: leave the weights out")
    read = vars(_read(FacesData(pictures="faces"), places, partition, reading))
    parts = {"train": read.pop("train"), "validation": read.pop("held")}
    del read["order"]
    return packs.write(folder, parts, read, writing)


def told(found: Data | packs.Pack, file: str) -> list[str]:
    """What to tell of pictures that were read: the first few that were left out, and the three lines.

    Args:
        found: the pictures.
        file: the name of the file that has all that were left out.
    """
    more = len(found.skipped) - FEW
    return [
        *(f"left out: {reason}" for reason in found.skipped[:FEW]),
        *([f"and {more:,} more: {file} has all"] if more > 0 else []),
        *found.summary,
    ]


def _open(settings: FacesData | PhotosData, places: list[str], partition: Path | None) -> Data:
    if len(places) > 1 or partition:
        raise OptionError(
            f"--data {places[0]}: a pack stands alone and has its split inside: leave --partition out, and "
            "pack several sources together"
        )
    if not isinstance(settings, FacesData):
        raise OptionError(f'--data {places[0]}: a pack holds faces, and the recipe wants "photos"')
    folder = Path(places[0])
    index = packs.read(folder)
    train = faces.mapped(packs.faces(folder, index, "train"))
    low, truths = faces.validation(
        [face for shard in packs.faces(folder, index, "validation") for face in shard]
    )
    return Data(
        example=faces.example(train, settings),
        order=np.arange(index.count("train")),
        validation_low=low,
        validation=truths,
        protocol=FACES_RGB,
        pictures=index.count("train"),
        sources=index.sources,
        skipped=index.skipped,
        summary=index.summary,
        fingerprint=index.fingerprint,
    )


def _read(
    settings: FacesData | PhotosData, places: list[str], partition: Path | None, progress: members.Progress
) -> _Read:
    sources = find_all(places)
    named = _named(sources, partition)
    wanted = [member for source in sources for member in source.members if named.get(id(member)) != TEST]
    owners = {id(member): source for source in sources for member in source.members}
    treat = frame if isinstance(settings, FacesData) else photos.treat(settings)
    usable: list[Decoded] = []
    skipped = []
    fingerprint = hashlib.sha256(repr([source.share for source in sources]).encode())
    sizes: Counter[tuple[int, int]] = Counter()
    for picture in members.decode(wanted, treat, progress):
        # Where nothing names the parts they follow from the files' names, and need not be hashed.
        part = f" {named[id(picture.member)]}" if named else ""
        fingerprint.update(f"{picture.member.path} {picture.crc}{part}\n".encode())
        if picture.pixels is None:
            skipped.append(picture.error)
            continue
        assert picture.size
        sizes[picture.size] += 1
        usable.append(picture)
    unreadable = len(skipped)
    split = named or _hashed([picture.member for picture in usable])
    held = [picture for picture in usable if split[id(picture.member)] == VALIDATION]
    train = [picture for picture in usable if split[id(picture.member)] == TRAIN]
    held_pixels = {_digest(picture): picture.member.path for picture in held}
    twins = {id(picture): held_pixels.get(_digest(picture)) for picture in train}
    skipped += [f"{p.member.path} equals {twins[id(p)]}, which validates" for p in train if twins[id(p)]]
    train = [picture for picture in train if not twins[id(picture)]]
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
    owned = [owners[id(picture.member)] for picture in train]
    order = _order([[index for index, owner in enumerate(owned) if owner is s] for s in sources], sources)
    return _Read(
        [picture.pixels for picture in train if picture.pixels is not None],
        [picture.pixels for picture in held if picture.pixels is not None],
        order=order,
        sources=names,
        skipped=skipped,
        summary=summary,
        fingerprint=fingerprint.hexdigest(),
    )


def draw(settings: FacesData) -> Data:
    """So many drawn faces as the settings say, one in twenty for validation; see `srez.datasets.drawn`."""
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
        example = faces.example([tf.constant(np.stack(train))], settings)
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


def _named(sources: list[Source], partition: Path | None) -> dict[int, int]:
    """The part of every member, by its id, where a partition or a source names parts; else nothing."""
    if not partition and not any(source.split for source in sources):
        return {}
    everything = [member for source in sources for member in source.members]
    named = members.parts(everything, partition) if partition else {}
    return {
        id(member): source.split.get(member.path, named.get(member.name, TRAIN))
        for source in sources
        for member in source.members
    }


def _hashed(usable: list[members.Member]) -> dict[int, int]:
    """The part of every member, by its id: the hash of its name holds out one in twenty."""
    hashes = {member.name: zlib.crc32(member.name.encode()) for member in usable}
    held = {name for name in hashes if hashes[name] % HELD_OUT == 0}
    # Of few pictures it may be that none has such a hash: then the nearest is held out.
    held = held or set(sorted(hashes, key=hashes.__getitem__)[:1])
    return {id(member): VALIDATION if member.name in held else TRAIN for member in usable}


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
