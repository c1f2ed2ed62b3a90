"""What --data names: zips, folders and TensorFlow Datasets, and how much of each to train on."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from srez.datasets.partition import Part
from srez.datasets.pictures import PictureFile, find
from srez.errors import DataError, OptionError, first_line

TFDS = "tfds:"
_PARTS = {"train": Part.TRAIN, "validation": Part.VALIDATION, "test": Part.TEST}


@dataclass(frozen=True, eq=False)
class Source:
    """A zip, a folder or a TensorFlow Dataset.

    Attributes:
        name: how to call it.
        files: its pictures.
        share: the part of all training examples that come from it; None to take every picture equally often.
        split: the part of every file, by path, where the source itself holds pictures out; else empty.
    """

    name: str
    files: list[PictureFile]
    share: float | None
    split: dict[str, Part]


def find_all(texts: list[str]) -> list[Source]:
    """The sources that `--data` names, in order.

    Args:
        texts: each the path of a zip or a folder, or `tfds:NAME` for a TensorFlow Dataset; with `@WEIGHT`
            behind it to mix sources by weight.

    Raises:
        OptionError: a weight that is no positive number, or weights for some sources only.
        DataError: a source that is missing or holds no pictures.
    """
    named = [_weighted(text) for text in texts]
    weights = [weight for _, weight in named if weight is not None]
    if weights and len(weights) < len(named):
        raise OptionError("--data: give every source a weight (as in a.zip@2), or none")
    return [_find(name, weight and weight / sum(weights)) for name, weight in named]


def _weighted(text: str) -> tuple[str, float | None]:
    match = re.fullmatch(r"(.+)@([^@/]+)", text)
    if not match or Path(text).exists():
        return text, None
    try:
        weight = float(match[2])
    except ValueError:
        weight = 0.0
    if not 0 < weight < math.inf:
        raise OptionError(f"--data {text}: the weight behind @ must be a number above 0")
    return match[1], weight


def _find(name: str, share: float | None) -> Source:
    if name.startswith(TFDS):
        files = list(_tensorflow_dataset(name.removeprefix(TFDS)))
        split = {file.path: _PARTS[file.path.split("/")[-2]] for file in files}
        return Source(name, files, share, split if Part.VALIDATION in split.values() else {})
    return Source(Path(name).name, find(Path(name)), share, {})


def _tensorflow_dataset(name: str) -> Iterator[PictureFile]:
    """The encoded pictures of a TensorFlow Dataset's train and validation splits, all held in memory."""
    if not find_spec("tensorflow_datasets"):
        raise OptionError(f"--data {TFDS}{name} needs a package: pip install tensorflow-datasets")
    import tensorflow_datasets as tfds

    try:
        builder: Any = tfds.builder(name)
        builder.download_and_prepare()
        features = builder.info.features
    except Exception as error:  # whatever its downloading, reading or the network raises
        raise DataError(f"--data {TFDS}{name} cannot be loaded: {first_line(error)}") from None
    keys = [key for key, feature in features.items() if isinstance(feature, tfds.features.Image)]
    if not keys:
        raise DataError(f"--data {TFDS}{name} holds no pictures, only {', '.join(features)}")
    for split in ("train", "validation"):
        if builder.info.splits and split not in builder.info.splits:
            continue
        decoders = {keys[0]: tfds.decode.SkipDecoding()}
        examples: Any = tfds.as_numpy(builder.as_dataset(split=split, decoders=decoders, shuffle_files=False))
        for index, example in enumerate(examples):
            yield PictureFile(f"{name}/{split}/{index:08d}", lambda data=example[keys[0]]: bytes(data))
