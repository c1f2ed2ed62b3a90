"""Training data: of sources, of a pack, of pairs, or drawn."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from srez.datasets import cartoons, packs
from srez.datasets.faces import FACE_SIDE, RIM
from srez.datasets.provenance import Provenance
from srez.errors import OptionError
from srez.progress import Track, untracked
from srez.train.data import benchmark, faces, packed, paired, photos, split
from srez.train.data.pairs import TrainingData, TrainingSet, ValidationSet
from srez.train.data.reading import Pictures, read
from srez.train.recipe import Data, FacesData, PairsData, PhotosData


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
        found = packed.opened(settings, places, partition)
    else:
        found = _training_data(settings, read(settings, places, partition, track, named), named)
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
    pictures = Pictures(training, validation, [name] * len(validation), np.arange(len(training)), provenance)
    return _training_data(settings, pictures)


def _training_data(
    settings: FacesData | PhotosData, found: Pictures, named: ValidationSet | None = None
) -> TrainingData:
    if isinstance(settings, FacesData):
        make_example = faces.example_maker([np.stack(found.training)], settings)
        validation = named or faces.validation(found.validation, found.validation_sources)
    else:
        make_example = photos.example_maker(found.training, photos.reduced(found.training), settings)
        validation = named or photos.validation(found.validation, settings, found.validation_sources)
    training = TrainingSet(make_example, found.order, len(found.training))
    return TrainingData(training, validation, found.provenance)
