"""Reading training data: pictures are found, decoded, split, and checked for repetitions."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from srez.datasets import cartoons, packs, pictures
from srez.datasets.faces import FACE_SIDE, RIM, frame
from srez.datasets.partition import Part
from srez.datasets.pictures import DecodedPicture
from srez.datasets.provenance import Provenance
from srez.errors import DataError, OptionError
from srez.progress import Track, untracked
from srez.train.data import faces, photos, split
from srez.train.data.pairs import TrainingData, TrainingSet
from srez.train.data.sources import Source, find_all
from srez.train.data.split import Candidate
from srez.train.recipe import FacesData, PhotosData


@dataclass(frozen=True)
class _Usable:
    """A picture that can be used, and where it is from."""

    candidate: Candidate
    pixels: np.ndarray

    @property
    def path(self) -> str:
        return self.candidate.file.path

    @property
    def digest(self) -> bytes:
        """Equal for equal pixels."""
        return hashlib.sha1(np.ascontiguousarray(self.pixels).data, usedforsecurity=False).digest()


@dataclass(frozen=True)
class _Pictures:
    """Pictures read, split and checked; `order` is that of `TrainingSet`."""

    train: list[np.ndarray]
    held: list[np.ndarray]
    order: np.ndarray
    provenance: Provenance


def load(
    settings: FacesData | PhotosData,
    places: list[str],
    partition: Path | None = None,
    track: Track = untracked,
) -> TrainingData:
    """Read, split and check all pictures of some sources; or open a pack, where all of this is done.

    Pictures that a partition names are trained on (0), validate (1) or are left out (2); all others are
    trained on. A TensorFlow Dataset brings its own split. With neither, one in twenty of the usable pictures
    validates, chosen by the hash of its file name. A training picture whose pixels equal those of a
    validation picture is left out.

    Args:
        settings: what the pictures are and how they are augmented.
        places: zips (read in place), folders, or `tfds:NAME`; `@WEIGHT` behind each if they are mixed. Or one
            folder that `pack` made.
        partition: a file in the format of CelebA's `list_eval_partition.txt`; see `split.partitioned`.
        track: shows how many pictures are read.

    Raises:
        OptionError: weights that do not fit, or a pack beside anything else.
        DataError: a source that is missing or holds no pictures, a partition that cannot be read or names
            absent pictures, no usable picture to train on or to validate on.
    """
    if any(packs.is_pack(Path(place)) for place in places):
        return _open_pack(settings, places, partition)
    return _training_data(settings, _read(settings, places, partition, track))


def draw(settings: FacesData) -> TrainingData:
    """As many cartoons of faces as the settings say, one in twenty to validate; see `datasets.cartoons`."""
    side = FACE_SIDE + 2 * RIM
    drawn = [cartoons.face(seed, side, side) for seed in range(settings.drawn)]
    train = [picture for index, picture in enumerate(drawn) if index % split.HELD_OUT]
    held = drawn[:: split.HELD_OUT]
    name = f"{len(drawn)} drawn faces"
    provenance = Provenance(
        sources=[name],
        skipped=[],
        summary=(f"{len(train)} to train on, {len(held)} to validate on", f"{name}, 72x72", "left out: none"),
        fingerprint=hashlib.sha256(np.stack(drawn).tobytes()).hexdigest(),
    )
    return _training_data(settings, _Pictures(train, held, np.arange(len(train)), provenance))


def pack(
    places: list[str],
    folder: Path,
    partition: Path | None = None,
    reading: Track = untracked,
    writing: Track = untracked,
) -> packs.Pack:
    """Cut all faces of some sources out and write them as a pack, with the same split as `load`.

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
        raise OptionError("a pack holds every face once: leave the weights out")
    read = _read(FacesData(pictures="faces"), places, partition, reading)
    return packs.write(folder, {"train": read.train, "validation": read.held}, read.provenance, writing)


def _open_pack(settings: FacesData | PhotosData, places: list[str], partition: Path | None) -> TrainingData:
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
    held = [face for shard in packs.faces(folder, index, "validation") for face in shard]
    count = index.count("train")
    training = TrainingSet(faces.example(train, settings), np.arange(count), count)
    return TrainingData(training, faces.validation(held), index.provenance)


def _training_data(settings: FacesData | PhotosData, found: _Pictures) -> TrainingData:
    if isinstance(settings, FacesData):
        example = faces.example([tf.constant(np.stack(found.train))], settings)
        validation = faces.validation(found.held)
    else:
        example = photos.example(found.train, settings)
        validation = photos.validation(found.held, settings)
    return TrainingData(TrainingSet(example, found.order, len(found.train)), validation, found.provenance)


def _read(
    settings: FacesData | PhotosData, places: list[str], partition: Path | None, track: Track
) -> _Pictures:
    sources = find_all(places)
    candidates = split.candidates(sources, partition)
    prepare = frame if isinstance(settings, FacesData) else photos.cropped_to_multiple(settings)
    decoded = list(pictures.decode([candidate.file for candidate in candidates], prepare, track))
    usable = [
        _Usable(candidate, picture.pixels)
        for candidate, picture in zip(candidates, decoded, strict=True)
        if picture.pixels is not None
    ]
    unusable = [picture.error for picture in decoded if picture.pixels is None]
    train, held = _split(usable)
    train, repeated = _without_repetitions(train, held)
    skipped = unusable + repeated
    _require_both(places, len(usable), train, held, skipped)
    names = [source.name for source in sources]
    provenance = Provenance(
        sources=names,
        skipped=skipped,
        summary=(
            f"{len(train):,} pictures to train on, {len(held):,} to validate on, from {', '.join(names)}",
            _sizes(decoded),
            f"left out: {len(unusable):,} that cannot be used, {len(repeated):,} that equal a validation "
            "picture",
        ),
        fingerprint=_fingerprint(sources, candidates, decoded),
    )
    return _Pictures(
        train=[picture.pixels for picture in train],
        held=[picture.pixels for picture in held],
        order=_order(train, sources),
        provenance=provenance,
    )


def _split(usable: list[_Usable]) -> tuple[list[_Usable], list[_Usable]]:
    """The pictures to train on and those to validate on."""
    hashed = split.by_hash(picture.candidate.file.name for picture in usable)
    train, held = [], []
    for picture in usable:
        part = picture.candidate.part
        part = hashed[picture.candidate.file.name] if part is None else part
        (train if part == Part.TRAIN else held).append(picture)
    return train, held


def _without_repetitions(train: list[_Usable], held: list[_Usable]) -> tuple[list[_Usable], list[str]]:
    """The training pictures that equal no validation picture, and a sentence for each other one."""
    validating = {picture.digest: picture.path for picture in held}
    kept, repeated = [], []
    for picture in train:
        twin = validating.get(picture.digest)
        if twin:
            repeated.append(f"{picture.path} equals {twin}, which validates")
        else:
            kept.append(picture)
    return kept, repeated


def _require_both(
    places: list[str], usable: int, train: list[_Usable], held: list[_Usable], skipped: list[str]
) -> None:
    """Raise DataError if there is nothing to train on or nothing to validate on."""
    reason = f"; the first of {len(skipped)} left out: {skipped[0]}" if skipped else ""
    if usable < 2:
        raise DataError(
            f"{', '.join(places)}: training needs at least two usable pictures, one to train on and one to "
            f"validate on, and there is {usable or 'none'}{reason}"
        )
    for part, purpose in ((train, "to train on"), (held, "to validate on")):
        if not part:
            raise DataError(f"{', '.join(places)}: no usable picture {purpose}{reason}")


def _order(train: list[_Usable], sources: list[Source]) -> np.ndarray:
    """The pictures of one epoch: each once, or as often as the shares of their sources ask."""
    if sources[0].share is None:
        return np.arange(len(train))
    owned = [
        (
            [index for index, picture in enumerate(train) if picture.candidate.source is source],
            source.share or 1,
        )
        for source in sources
    ]
    length = max(len(indices) / share for indices, share in owned)
    return np.concatenate([np.resize(indices, round(share * length)) for indices, share in owned if indices])


def _fingerprint(sources: list[Source], candidates: list[Candidate], decoded: list[DecodedPicture]) -> str:
    digest = hashlib.sha256(repr([source.share for source in sources]).encode())
    for candidate, picture in zip(candidates, decoded, strict=True):
        # Where nothing names the parts they follow from the files' names, and need not be hashed.
        part = "" if candidate.part is None else f" {int(candidate.part)}"
        digest.update(f"{candidate.file.path} {picture.crc}{part}\n".encode())
    return digest.hexdigest()


def _sizes(decoded: list[DecodedPicture]) -> str:
    """The sizes of the usable pictures, and their pixels together."""
    sizes = Counter(picture.size for picture in decoded if picture.size and picture.pixels is not None)
    megapixels = sum(width * height * count for (width, height), count in sizes.items()) / 1e6
    if len(sizes) <= 4:
        text = ", ".join(f"{width}x{height} ({count:,})" for (width, height), count in sizes.most_common())
    else:
        small, large = min(sizes, key=lambda s: s[0] * s[1]), max(sizes, key=lambda s: s[0] * s[1])
        text = f"{small[0]}x{small[1]} to {large[0]}x{large[1]}"
    return f"sizes: {text}; {megapixels:.1f} megapixels"
