"""The errors that a model makes on pictures: what its uncertainty is trained on and calibrated with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from srez import images
from srez.datasets import faces, pictures
from srez.datasets import partition as partitions
from srez.datasets.opaque import opaque
from srez.datasets.partition import Part
from srez.errors import DataError
from srez.evaluation.certainty import errors
from srez.images import Picture, resample
from srez.progress import Track
from srez.train.networks.uncertainty import SCALE
from srez.upscaling.upscaler import Upscaler

HELD_OUT = 8  # one in so many pictures calibrates, where no partition says which
REDUCED = (1, 2, 3)  # times, of photographs: small ones have more detail in each pixel
LARGEST, SMALLEST = 768, 192  # sides of a truth in pixels: larger ones are cut, smaller ones left out


@dataclass(frozen=True)
class Examples:
    """Inputs, and the errors of their upscaling.

    Attributes:
        lows: `(h, w, 3)` uint8, or float32 in [0, 1].
        errors: `(4h, 4w)` uint8.
    """

    lows: list[np.ndarray] = field(default_factory=list)
    errors: list[np.ndarray] = field(default_factory=list)


def examples(
    upscaler: Upscaler, sources: Sequence[Path], partition: Path | None, track: Track
) -> tuple[Examples, Examples]:
    """Upscale pictures at a model's default settings and compare them with the truth.

    Args:
        upscaler: the model; if it was trained on whole faces, the pictures are aligned faces.
        sources: zips or folders of pictures.
        partition: says which pictures to learn from and which to calibrate with; by default one in eight of
            each source calibrates.
        track: shows how many pictures of a source are done.

    Returns:
        What to learn from, and what to calibrate with.

    Raises:
        DataError: a source or the partition cannot be used, or one of the two would be empty.
    """
    learning, held = Examples(), Examples()
    parts = partitions.read(partition) if partition else {}
    is_of_faces = upscaler.card.trained_at > 0
    prepare = faces.frame if is_of_faces else _photograph
    for source in sources:
        for number, picture in enumerate(pictures.decode(pictures.find(source), prepare, track)):
            part = parts.get(picture.file.name, Part.TRAIN)
            is_held = number % HELD_OUT == 0 if not parts else part == Part.VALIDATION
            if picture.pixels is None or part == Part.TEST:
                continue
            into = held if is_held else learning
            for low, high in _face(picture.pixels) if is_of_faces else _pairs(picture.pixels):
                output = images.to_uint8(images.to_float(upscaler(low, repair=0.0)))
                into.lows.append(low)
                into.errors.append(errors(output, high))
    if not (learning.lows and held.lows):
        raise DataError(
            "--data holds too few pictures: some are needed to learn from, and some to calibrate with"
        )
    return learning, held


def _photograph(picture: Picture, name: str) -> np.ndarray:
    del name
    return opaque(picture)


def _face(framed: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    face = faces.without_rim(framed)
    yield faces.reduced(face[None])[0], face


def _pairs(photograph: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """A photograph at several sizes, of which no JPEG block is left in the small ones."""
    for factor in REDUCED:
        high = _cut(photograph, factor, factor)
        high = images.to_uint8(resample.area(images.to_float(high), factor)) if factor > 1 else high
        if min(high.shape[:2]) >= SMALLEST:
            high = _cut(high, SCALE, 1)
            yield resample.bicubic_reduce(high, SCALE), high


def _cut(pixels: np.ndarray, multiple: int, factor: int) -> np.ndarray:
    """The middle, with sides that are multiples of a number and not larger than needed."""
    most = LARGEST * factor // multiple * multiple
    height, width = (min(side // multiple * multiple, most) for side in pixels.shape[:2])
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]
