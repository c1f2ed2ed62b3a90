"""Pictures of sources: found, decoded, split in two, to train on and to validate on, without duplicates."""

import hashlib
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from srez.datasets import pictures
from srez.datasets.faces import frame, without_rim
from srez.datasets.partition import Part
from srez.datasets.pictures import DecodedPicture
from srez.datasets.provenance import Provenance
from srez.errors import DataError, OptionError
from srez.progress import Track
from srez.train.data import photos, split
from srez.train.data.pairs import ValidationSet
from srez.train.data.sources import Source, find_all
from srez.train.data.split import Candidate
from srez.train.recipe import FacesData, PhotosData
from srez.wording import counted

LONGEST_EPOCH = 10_000_000  # examples; their order is kept in memory


@dataclass(frozen=True)
class Pictures:
    """Pixels to train on and to validate on, with the sources of these; `order` is that of `TrainingSet`."""

    training: list[np.ndarray]
    validation: list[np.ndarray]
    validation_sources: Sequence[Hashable]
    order: np.ndarray
    provenance: Provenance


@dataclass(frozen=True)
class _Usable:
    """A decoded picture, and the file it comes from."""

    candidate: Candidate
    pixels: np.ndarray

    @property
    def path(self) -> str:
        return self.candidate.file.path


def read(
    settings: FacesData | PhotosData,
    places: list[str],
    partition: Path | None,
    track: Track,
    named: ValidationSet | None = None,
    keep: Callable[[DecodedPicture], DecodedPicture] = lambda picture: picture,
) -> Pictures:
    """Find, decode and split the pictures of some sources, and drop duplicates.

    Args:
        settings: what the pictures are.
        places: as for `load`.
        partition: as for `load`.
        track: shows how many pictures are read.
        named: pictures to validate on; then all of these are trained on, but for equal ones.
        keep: is given every picture, and what it returns is kept.

    Raises:
        OptionError: weights that are invalid, incomplete or too uneven.
        DataError: as for `load`.
    """
    sources = find_all(places)
    candidates = split.candidates(sources, partition)
    of_faces = isinstance(settings, FacesData)
    prepare = frame if of_faces else photos.cropped_to_multiple(settings)
    truth_of = without_rim if of_faces else lambda pixels: pixels
    files = [candidate.file for candidate in candidates]
    decoded = [keep(picture) for picture in pictures.decode(files, prepare, track)]
    usable = [
        _Usable(candidate, picture.pixels)
        for candidate, picture in zip(candidates, decoded, strict=True)
        if picture.pixels is not None
    ]
    training, validation = (usable, []) if named else _split(usable)
    held_out = {picture.path: truth_of(picture.pixels) for picture in validation}
    if named:
        held_out = {f"picture {i} of {named.title}": truth for i, truth in enumerate(named.truth, 1)}
    training, duplicates = _without_duplicates(training, held_out, truth_of)
    unusable = [picture.error for picture in decoded if picture.pixels is None]
    skipped = unusable + duplicates
    _require_both(places, len(usable) + (named is not None), training, held_out, skipped)
    names = [source.name for source in sources]
    summary = (
        f"{counted(len(training), 'picture')} to train on, {len(held_out):,} to validate on, from "
        f"{', '.join(names)}",
        _sizes(decoded),
        f"left out: {len(unusable):,} unusable, {len(duplicates):,} equal to a validation picture"
        + _repeated(training),
    )
    return Pictures(
        [picture.pixels for picture in training],
        [picture.pixels for picture in validation],
        [picture.candidate.source for picture in validation],
        _order(training, sources, settings),
        Provenance(names, skipped, summary, _fingerprint(sources, candidates, decoded)),
    )


def _split(usable: list[_Usable]) -> tuple[list[_Usable], list[_Usable]]:
    """The pictures to train on and those to validate on."""
    names: dict[Source, list[str]] = {}
    for picture in usable:
        names.setdefault(picture.candidate.source, []).append(picture.candidate.file.name)
    part_by_hash = split.by_hash(names.values())
    training, validation = [], []
    for picture in usable:
        file, part = picture.candidate.file, picture.candidate.part
        if part is None:
            part = part_by_hash[file.name]
        (training if part == Part.TRAIN else validation).append(picture)
    return training, validation


def _digest(pixels: np.ndarray) -> bytes:
    """Equal for equal pixels."""
    return hashlib.sha1(np.ascontiguousarray(pixels).data, usedforsecurity=False).digest()


def _without_duplicates(
    training: list[_Usable], held_out: dict[str, np.ndarray], truth_of: Callable[[np.ndarray], np.ndarray]
) -> tuple[list[_Usable], list[str]]:
    """The training pictures that equal no validation picture, and a sentence about each of the others.

    Args:
        training: pictures that may be trained on.
        held_out: the truths of validation, by name.
        truth_of: cuts a picture to what would be its truth.
    """
    names = {_digest(truth): name for name, truth in held_out.items()}
    kept, duplicates = [], []
    for picture in training:
        twin = names.get(_digest(truth_of(picture.pixels)))
        if twin:
            duplicates.append(f"{picture.path} equals {twin}, which validates")
        else:
            kept.append(picture)
    return kept, duplicates


def _repeated(training: list[_Usable]) -> str:
    """How many pictures equal another that is trained on, as a clause; nothing if none does."""
    extra = len(training) - len({_digest(picture.pixels) for picture in training})
    return f"; kept: {extra:,} equal to another training picture" if extra else ""


def _require_both(
    places: list[str],
    usable: int,
    training: list[_Usable],
    held_out: dict[str, np.ndarray],
    skipped: list[str],
) -> None:
    """Raise DataError if there is nothing to train on or nothing to validate on."""
    reason = f"; the first of {len(skipped)} left out: {skipped[0]}" if skipped else ""
    if usable < 2:
        raise DataError(
            f"{', '.join(places)}: training needs at least two usable pictures, one to train on and one to "
            f"validate on, but there {'is one' if usable else 'are none'}{reason}"
        )
    for part, purpose in ((training, "to train on"), (held_out, "to validate on")):
        if not part:
            raise DataError(f"{', '.join(places)}: no usable picture {purpose}{reason}")


def _order(training: list[_Usable], sources: list[Source], settings: FacesData | PhotosData) -> np.ndarray:
    """The pictures of one epoch, by index: each face once, a photograph as often as it holds crops.

    With shares, the epoch is long enough to hold every picture; smaller sources are repeated.

    Raises:
        OptionError: the shares are so uneven that an epoch would be too long.
    """
    every = np.arange(len(training))
    if isinstance(settings, PhotosData):
        every = photos.order([picture.pixels for picture in training], settings)
    if sources[0].share is None:
        return every
    shares = [source.share or 1 for source in sources]
    numbers = np.array([sources.index(picture.candidate.source) for picture in training])
    indices = [every[numbers[every] == number] for number in range(len(sources))]
    length = max(len(own) / share for own, share in zip(indices, shares, strict=True))
    if length > LONGEST_EPOCH:
        raise OptionError(
            f"--data: with these weights an epoch would have {length:.1g} examples, for the rarest source to "
            "be seen once: choose weights that are closer to each other"
        )
    return np.concatenate(
        [
            np.resize(own, round(share * length))
            for own, share in zip(indices, shares, strict=True)
            if len(own)
        ]
    )


def _fingerprint(sources: list[Source], candidates: list[Candidate], decoded: list[DecodedPicture]) -> str:
    digest = hashlib.sha256(repr([source.share for source in sources]).encode())
    for candidate, picture in zip(candidates, decoded, strict=True):
        # Without a partition, the parts follow from the file names, which are hashed anyway.
        part = "" if candidate.part is None else f" {int(candidate.part)}"
        digest.update(f"{candidate.file.path} {picture.crc}{part}\n".encode())
    return digest.hexdigest()


def _sizes(decoded: list[DecodedPicture]) -> str:
    """The sizes of the usable pictures, and their pixels in all."""
    sizes = Counter(picture.size for picture in decoded if picture.size and picture.pixels is not None)
    megapixels = sum(width * height * count for (width, height), count in sizes.items()) / 1e6
    if len(sizes) <= 4:
        text = ", ".join(f"{width}x{height} ({count:,})" for (width, height), count in sizes.most_common())
    else:
        small, large = min(sizes, key=lambda s: s[0] * s[1]), max(sizes, key=lambda s: s[0] * s[1])
        text = f"{small[0]}x{small[1]} to {large[0]}x{large[1]}"
    return f"sizes: {text}; {megapixels:.1f} megapixels"
