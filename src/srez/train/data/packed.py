"""Packs: made of sources, and opened for training."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from srez.datasets import packs, photo_packs
from srez.datasets.pictures import DecodedPicture
from srez.errors import DataError, OptionError
from srez.images import resample
from srez.output import removed_on_failure
from srez.progress import Track, untracked
from srez.train.data import faces, photos
from srez.train.data.pairs import SCALE, TrainingData, TrainingSet
from srez.train.data.reading import read
from srez.train.data.sources import find_all
from srez.train.recipe import FacesData, PhotosData

SMALLEST_CROP = 20  # side of the smallest photograph in a pack, in pixels


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
    found = read(FacesData(pictures="faces"), places, partition, reading)
    return packs.write(
        folder, {"train": found.training, "validation": found.validation}, found.provenance, writing
    )


def pack_photos(
    places: list[str], folder: Path, partition: Path | None = None, reading: Track = untracked
) -> photo_packs.PhotoPack:
    """Decode the photographs of some sources and write them as a pack, split as `load` splits them.

    See `pack`; no picture stays in memory. If it fails, no file is left.
    """
    if any(source.share for source in find_all(places)):
        raise OptionError("a pack holds every picture once: omit the weights")
    with removed_on_failure() as written:
        writer = photo_packs.Writer(folder, lambda pixels: resample.bicubic_reduce(pixels, SCALE), written)

        def write(picture: DecodedPicture) -> DecodedPicture:
            return picture if picture.pixels is None else replace(picture, pixels=writer.add(picture.pixels))

        smallest = PhotosData(pictures="photos", crop=SMALLEST_CROP)
        found = read(smallest, places, partition, reading, keep=write)
        return writer.finish(found.training, found.validation, found.provenance)


def opened(settings: FacesData | PhotosData, places: list[str], partition: Path | None) -> TrainingData:
    """A pack as data to train on.

    Args:
        settings: what the pictures are and how they are augmented.
        places: the folder of the pack.
        partition: that was asked for; a pack has its own split and takes none.

    Raises:
        OptionError: there is a partition or more than the pack, or the settings are of other pictures.
        DataError: it cannot be read, or holds no picture that is large enough.
    """
    if len(places) > 1 or partition:
        raise OptionError(
            f"--data {places[0]}: a pack has its own split and cannot be mixed: omit --partition and other "
            "--data, or pack all sources together"
        )
    is_of_photos = photo_packs.is_photo_pack(Path(places[0]))
    if is_of_photos != isinstance(settings, PhotosData):
        held, needed = ("photos", "faces") if is_of_photos else ("faces", "photos")
        raise OptionError(f"--data {places[0]}: a pack holds {held}, but the recipe needs {needed}")
    if isinstance(settings, PhotosData):
        return _opened_photos(settings, Path(places[0]))
    return _opened_faces(settings, Path(places[0]))


def _opened_photos(settings: PhotosData, folder: Path) -> TrainingData:
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
    validation = photos.validation(held_high, settings, [str(folder)] * len(held_high), held_low)
    return TrainingData(training, validation, index.provenance)


def _opened_faces(settings: FacesData, folder: Path) -> TrainingData:
    index = packs.read(folder)
    shards = packs.faces(folder, index, "train")
    held_out = [face for shard in packs.faces(folder, index, "validation") for face in shard]
    count = index.count("train")
    training = TrainingSet(faces.example_maker(shards, settings), np.arange(count), count)
    validation = faces.validation(held_out, [str(folder)] * len(held_out))
    return TrainingData(training, validation, index.provenance)
