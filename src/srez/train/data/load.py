"""Reads training data: finds pictures, decodes and splits them, and drops duplicates."""

import hashlib
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from srez.datasets import cartoons, packs, photo_packs, pictures
from srez.datasets.faces import FACE_SIDE, RIM, frame, without_rim
from srez.datasets.partition import Part
from srez.datasets.pictures import DecodedPicture
from srez.datasets.provenance import Provenance
from srez.errors import DataError, OptionError
from srez.images import resample
from srez.progress import Track, untracked
from srez.train.data import benchmark, faces, paired, photos, split
from srez.train.data.pairs import SCALE, TrainingData, TrainingSet, ValidationSet
from srez.train.data.sources import Source, find_all
from srez.train.data.split import Candidate
from srez.train.recipe import Data, FacesData, PairsData, PhotosData

SMALLEST_CROP = 16  # side of the smallest photograph in a pack, in pixels
LONGEST_EPOCH = 10_000_000  # examples; their order is kept in memory


@dataclass(frozen=True)
class _Usable:
    """A decoded picture, and the file it comes from."""

    candidate: Candidate
    pixels: np.ndarray

    @property
    def path(self) -> str:
        return self.candidate.file.path


def _digest(pixels: np.ndarray) -> bytes:
    """Equal for equal pixels."""
    return hashlib.sha1(np.ascontiguousarray(pixels).data, usedforsecurity=False).digest()


@dataclass(frozen=True)
class _Pictures:
    """Pixels to train on and to validate on, with the sources of these; `order` is that of `TrainingSet`."""

    training: list[np.ndarray]
    validation: list[np.ndarray]
    validation_sources: Sequence[Hashable]
    order: np.ndarray
    provenance: Provenance


def load(
    settings: Data,
    places: list[str],
    partition: Path | None = None,
    track: Track = untracked,
    validate_on: Path | None = None,
) -> TrainingData:
    """Read and split all pictures of some sources, or open a pack, which is split already.

    A partition assigns the pictures it names to training (0), validation (1) or neither (2); all others are
    used for training. A TensorFlow Dataset has its own split. Without either, the hash of its file name puts
    one usable picture in twenty into validation, at least one of every source. Training pictures whose pixels
    equal those of a validation picture are left out.

    Args:
        settings: what the pictures are and how they are augmented.
        places: zips (read in place), folders, or `tfds:NAME`, each followed by `@WEIGHT` to mix them by
            weight; or one folder that `pack` made. Of pairs, folders: see `paired.load`.
        partition: a file in the format of CelebA's `list_eval_partition.txt`; see `split.partitioned`.
        track: shows how many pictures are read.
        validate_on: see `benchmark.load`; nothing is held out then, and all pictures are trained on.

    Raises:
        OptionError: weights that are invalid or incomplete, a pack beside anything else, or a partition
            beside `validate_on`.
        DataError: a source that is missing or holds no pictures, a partition that cannot be read or names
            absent pictures, no usable picture to train on or to validate on.
    """
    if partition and validate_on:
        raise OptionError("give either --partition or --validation")
    named = benchmark.load(validate_on, settings) if validate_on else None
    if isinstance(settings, PairsData):
        if partition:
            raise OptionError("--partition does not split pairs: omit it, or give --validation")
        found = paired.load(settings, places, track, named)
    elif any(packs.is_pack(Path(place)) for place in places):
        _require_alone(places, partition)
        is_of_photos = photo_packs.is_photo_pack(Path(places[0]))
        if is_of_photos != isinstance(settings, PhotosData):
            held, needed = ("photos", "faces") if is_of_photos else ("faces", "photos")
            raise OptionError(f"--data {places[0]}: a pack holds {held}, but the recipe needs {needed}")
        found = _open_photos(settings, places[0]) if is_of_photos else _open_pack(settings, places[0])
    else:
        found = _training_data(settings, _read(settings, places, partition, track, named), named)
    if not named:
        return found
    both = f"{found.provenance.fingerprint} {benchmark.fingerprint(named)}"
    provenance = replace(found.provenance, fingerprint=hashlib.sha256(both.encode()).hexdigest())
    return TrainingData(found.training, named, provenance)


def draw(settings: FacesData) -> TrainingData:
    """Draw as many cartoon faces as the settings say, one in twenty to validate on."""
    side = FACE_SIDE + 2 * RIM
    drawn = [cartoons.face(seed, side, side) for seed in range(settings.drawn)]
    training = [picture for index, picture in enumerate(drawn) if index % split.HELD_OUT]
    validation = drawn[:: split.HELD_OUT]
    name = f"{len(drawn)} drawn faces"
    provenance = Provenance(
        sources=[name],
        skipped=[],
        summary=(
            f"{len(training)} to train on, {len(validation)} to validate on",
            f"{name}, 72x72",
            "left out: none",
        ),
        fingerprint=hashlib.sha256(np.stack(drawn).tobytes()).hexdigest(),
    )
    pictures = _Pictures(training, validation, [name] * len(validation), np.arange(len(training)), provenance)
    return _training_data(settings, pictures)


def pack(
    places: list[str],
    folder: Path,
    partition: Path | None = None,
    reading: Track = untracked,
    writing: Track = untracked,
) -> packs.Pack:
    """Crop the faces of some sources and write them as a pack, split as `load` splits them.

    Args:
        places: as for `load`, without weights.
        folder: of the pack.
        partition: as for `load`.
        reading: shows how many pictures are read.
        writing: shows how many shards are written.

    Raises:
        OptionError: a source has a weight.
        DataError: as for `load`.
        OutputError: the folder holds a pack already, or cannot be written.
    """
    packs.refuse_existing(folder)
    if any(source.share for source in find_all(places)):
        raise OptionError("a pack holds every face once: omit the weights")
    read = _read(FacesData(pictures="faces"), places, partition, reading)
    return packs.write(
        folder, {"train": read.training, "validation": read.validation}, read.provenance, writing
    )


def pack_photos(
    places: list[str], folder: Path, partition: Path | None = None, reading: Track = untracked
) -> photo_packs.PhotoPack:
    """Decode the photographs of some sources and write them as a pack, split as `load` splits them.

    See `pack`; no picture stays in memory.
    """
    if any(source.share for source in find_all(places)):
        raise OptionError("a pack holds every picture once: omit the weights")
    writer = photo_packs.Writer(folder, lambda pixels: resample.bicubic_reduce(pixels, SCALE))

    def write(picture: DecodedPicture) -> DecodedPicture:
        return picture if picture.pixels is None else replace(picture, pixels=writer.add(picture.pixels))

    smallest = PhotosData(pictures="photos", crop=SMALLEST_CROP)
    read = _read(smallest, places, partition, reading, keep=write)
    return writer.finish(read.training, read.validation, read.provenance)


def _require_alone(places: list[str], partition: Path | None) -> None:
    if len(places) > 1 or partition:
        raise OptionError(
            f"--data {places[0]}: a pack has its own split and cannot be mixed: omit --partition and other "
            "--data, or pack all sources together"
        )


def _open_photos(settings: FacesData | PhotosData, place: str) -> TrainingData:
    assert isinstance(settings, PhotosData)
    folder = Path(place)
    index = photo_packs.read(folder)
    files = photo_packs.mapped(folder, index)
    parts = []
    for part in (index.train, index.validation):
        large = [one for one in part if min(one.height, one.width) >= settings.crop]
        parts.append(list(zip(*(one.views(files) for one in large), strict=True)))
    if not all(parts):
        raise DataError(f"{folder}: no picture of a part is as large as data.crop ({settings.crop})")
    (high, low), (held_high, held_low) = parts
    training = TrainingSet(photos.example_maker(high, low, settings), photos.order(high, settings), len(high))
    validation = photos.validation(held_high, settings, [place] * len(held_high), held_low)
    return TrainingData(training, validation, index.provenance)


def _open_pack(settings: FacesData | PhotosData, place: str) -> TrainingData:
    assert isinstance(settings, FacesData)
    folder = Path(place)
    index = packs.read(folder)
    shards = packs.faces(folder, index, "train")
    held_out = [face for shard in packs.faces(folder, index, "validation") for face in shard]
    count = index.count("train")
    training = TrainingSet(faces.example_maker(shards, settings), np.arange(count), count)
    validation = faces.validation(held_out, [str(folder)] * len(held_out))
    return TrainingData(training, validation, index.provenance)


def _training_data(
    settings: FacesData | PhotosData, found: _Pictures, named: ValidationSet | None = None
) -> TrainingData:
    if isinstance(settings, FacesData):
        make_example = faces.example_maker([np.stack(found.training)], settings)
        validation = named or faces.validation(found.validation, found.validation_sources)
    else:
        make_example = photos.example_maker(found.training, photos.reduced(found.training), settings)
        validation = named or photos.validation(found.validation, settings, found.validation_sources)
    training = TrainingSet(make_example, found.order, len(found.training))
    return TrainingData(training, validation, found.provenance)


def _read(
    settings: FacesData | PhotosData,
    places: list[str],
    partition: Path | None,
    track: Track,
    named: ValidationSet | None = None,
    keep: Callable[[DecodedPicture], DecodedPicture] = lambda picture: picture,
) -> _Pictures:
    """Find, decode and split the pictures of some sources, and drop duplicates.

    Where a validation set is named, all are trained on, but for its own. `keep` is given every picture, and
    what it returns is kept.
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
        f"{len(training):,} pictures to train on, {len(held_out):,} to validate on, from {', '.join(names)}",
        _sizes(decoded),
        f"left out: {len(unusable):,} unusable, {len(duplicates):,} equal to a validation picture"
        + _repeated(training),
    )
    return _Pictures(
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
