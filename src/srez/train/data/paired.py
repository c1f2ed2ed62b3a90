"""Pictures that come in two sizes: inputs and truths, matched by their names."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from srez import images
from srez.datasets import pictures
from srez.datasets.opaque import opaque
from srez.datasets.partition import Part
from srez.datasets.pictures import DecodedPicture, PictureFile
from srez.datasets.provenance import Provenance
from srez.errors import DataError
from srez.evaluation import layouts
from srez.evaluation.protocol import Y_PAIRS_X4
from srez.progress import Track
from srez.train.data import photos, split
from srez.train.data.pairs import SCALE, TrainingData, TrainingSet, ValidationSet
from srez.train.recipe import PairsData
from srez.wording import counted


@dataclass(frozen=True)
class _Pair:
    """An input and its truth, or why they cannot be used."""

    name: str
    source: str
    low: np.ndarray | None
    high: np.ndarray | None
    error: str
    crc: str


def load(
    settings: PairsData, folders: list[str], track: Track, named: ValidationSet | None = None
) -> TrainingData:
    """Read the pairs of some folders, and hold out one in twenty by the hash of its name.

    Args:
        settings: crops and augmentation.
        folders: each with truths and inputs, as `srez.evaluation.layouts` knows them: `HR/` and `LR_x4/`.
        track: shows how many pictures are read.
        named: what to validate on; nothing is held out then.

    Raises:
        DataError: a folder without inputs or truths, a picture without its partner, fewer than two pairs.
        ImageError: a folder that cannot be read.
    """
    read = [pair for folder in folders for pair in _read(Path(folder), settings, track)]
    usable = [pair for pair in read if not pair.error]
    names = {folder: [pair.name for pair in usable if pair.source == folder] for folder in folders}
    parts = (
        dict.fromkeys((pair.name for pair in usable), Part.TRAIN) if named else split.by_hash(names.values())
    )
    held_out = [pair for pair in usable if parts[pair.name] == Part.VALIDATION]
    training = [pair for pair in usable if parts[pair.name] == Part.TRAIN]
    skipped = [pair.error for pair in read if pair.error]
    if not training or not (named or held_out):
        reason = f"; the first of {len(skipped)} left out: {skipped[0]}" if skipped else ""
        raise DataError(f"{', '.join(folders)}: training needs at least two usable pairs{reason}")
    validation = named or _validation(held_out, settings)
    lows, highs = _arrays(training)
    sources = [Path(folder).name for folder in folders]
    summary = (
        f"{counted(len(training), 'pair')} to train on, {len(validation.low):,} to validate on, from "
        f"{', '.join(sources)}",
        f"{sum(high.shape[0] * high.shape[1] for high in highs) / 1e6:.1f} megapixels",
        f"left out: {len(skipped):,} unusable",
    )
    fingerprint = hashlib.sha256("".join(f"{pair.name} {pair.crc}\n" for pair in read).encode()).hexdigest()
    return TrainingData(
        TrainingSet(photos.example_maker(highs, lows, settings), photos.order(highs, settings), len(highs)),
        validation,
        Provenance(sources, skipped, summary, fingerprint),
    )


def _read(folder: Path, settings: PairsData, track: Track) -> Iterator[_Pair]:
    files = layouts.find(folder, SCALE)
    if files.inputs is None:
        raise DataError(f"{folder} has truths but no inputs: expected LR_x{SCALE}/ beside them")
    names = sorted(files.truths)
    paths = [*(files.inputs[name] for name in names), *(files.truths[name] for name in names)]
    found = list(pictures.decode([_file(path, folder) for path in paths], lambda one, _: opaque(one), track))
    for name, low, high in zip(names, found[: len(names)], found[len(names) :], strict=True):
        error = low.error or high.error or _misfit(low, high, settings.crop)
        yield _Pair(name, str(folder), low.pixels, high.pixels, error, f"{low.crc} {high.crc}")


def _file(path: Path, folder: Path) -> PictureFile:
    return PictureFile(str(path.relative_to(folder)), path.read_bytes)


def _misfit(low: DecodedPicture, high: DecodedPicture, crop: int) -> str:
    """Why two pictures are no pair; empty if they are one."""
    assert low.size
    assert high.size
    width, height = high.size
    if (width, height) != (SCALE * low.size[0], SCALE * low.size[1]):
        small = f"{low.size[0]}x{low.size[1]}"
        return f"{high.file.path} is {width}x{height}, not {SCALE} times the {small} of {low.file.path}"
    if min(width, height) < crop:
        return f"{high.file.path} is {width}x{height}, smaller than data.crop ({crop})"
    return ""


def _arrays(pairs: list[_Pair]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    lows = [pair.low for pair in pairs if pair.low is not None]
    return lows, [pair.high for pair in pairs if pair.high is not None]


def _validation(pairs: list[_Pair], settings: PairsData) -> ValidationSet:
    lows, highs = _arrays(pairs)
    chosen, side = photos.choose(highs, settings.crop, [pair.source for pair in pairs])
    low, high = photos.middles([lows[i] for i in chosen], [highs[i] for i in chosen], side)
    return ValidationSet(images.to_float(low), high, Y_PAIRS_X4)
