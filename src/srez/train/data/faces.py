"""Aligned faces to LR/HR pairs, as srez makes them."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import keras
import numpy as np

from srez.datasets.faces import FACE_SCALE, FACE_SIDE, RIM, reduced, without_rim
from srez.evaluation.protocol import FACES_RGB
from srez.models.planes import planes
from srez.train.data import split
from srez.train.data.pairs import MakeExample, Raw, ToPairs, ValidationSet
from srez.train.recipe import FacesData

VALIDATION_LIMIT = 500  # faces; more would only slow training down
LOW_SIDE = FACE_SIDE // FACE_SCALE

Tensor = Any
ops: Any = keras.ops  # Keras has no type hints: its defaults, None, are taken for types


def example_maker(shards: list[np.ndarray], settings: FacesData) -> MakeExample:
    """A function that draws examples of faces, with random shift, flip, colour and noise.

    Args:
        shards: faces with their rims, `(N, 72, 72, 3)` uint8 each; all but the last have the same N.
        settings: the augmentation.

    Returns:
        See `MakeExample`; the index counts through all shards.
    """
    face, shift = picker(shards), settings.shift

    def make(index: int, random: np.random.Generator) -> Raw:
        top, left = random.integers(RIM - shift, RIM + shift + 1, 2)
        high = face(index)[top : top + FACE_SIDE, left : left + FACE_SIDE]
        flipped = settings.flip and random.random() < 0.5
        spreads = np.array([settings.saturation, settings.brightness, settings.contrast])
        raw = {
            "high": np.ascontiguousarray(high[:, ::-1] if flipped else high),
            "colour": (spreads * random.uniform(-1, 1, 3)).astype(np.float32),
        }
        if settings.noise:
            raw["noise"] = random.standard_normal((LOW_SIDE, LOW_SIDE, 3), np.float32)
        if settings.planes:
            shape = settings.samples, LOW_SIDE, LOW_SIDE, settings.planes
            raw["planes"] = planes(random.random(shape, np.float32))
        return raw

    return make


def picker(shards: list[np.ndarray]) -> Callable[[int], np.ndarray]:
    """A function that returns the face of an index; see `example_maker`."""
    length = len(shards[0])
    return lambda index: shards[index // length][index % length]


def to_pairs(settings: FacesData) -> ToPairs:
    """A function that makes tensors of raw batches: inputs of 16x16, truths of 64x64.

    The noise of the input is not clipped. Where a face has several samples, the batch is repeated as often,
    each time with other planes of random numbers behind the input's channels.
    """

    def convert(raw: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        high = ops.cast(raw["high"], "float32") / 255.0
        saturation, brightness, contrast = (raw["colour"][:, i, None, None, None] for i in range(3))
        if settings.saturation:
            high = _saturated(high, 1 + saturation)
        if settings.brightness:
            high = high + brightness
        if settings.contrast:
            mean = ops.mean(high, axis=(1, 2), keepdims=True)
            high = (high - mean) * (1 + contrast) + mean
        high = ops.clip(high, 0.0, 1.0)
        clean = ops.average_pool(high, FACE_SCALE, FACE_SCALE, "valid", data_format="channels_last")
        made = clean + settings.noise * raw["noise"] if settings.noise else clean
        made, clean, high = (
            ops.concatenate([each] * settings.samples) if settings.samples > 1 else each
            for each in (made, clean, high)
        )
        if settings.planes:
            behind = ops.swapaxes(raw["planes"], 0, 1)
            made = ops.concatenate([made, ops.reshape(behind, (-1, *behind.shape[2:]))], axis=-1)
        return made, clean, high

    return convert


def validation(faces: list[np.ndarray], sources: Sequence[Hashable]) -> ValidationSet:
    """Held-out faces with their inputs, at most 500 of them, evenly chosen from all sources.

    Args:
        faces: with their rims.
        sources: that of each face.
    """
    truths = np.stack([without_rim(faces[index]) for index in split.spread(sources, VALIDATION_LIMIT)])
    return ValidationSet(reduced(truths), truths, FACES_RGB)


def _saturated(high: Tensor, factor: Tensor) -> Tensor:
    """With the saturation of HSV multiplied and cut at 1: each colour moves away from its largest channel."""
    value = ops.max(high, axis=-1, keepdims=True)
    chroma = value - ops.min(high, axis=-1, keepdims=True)
    most = ops.where(chroma > 0, value / ops.where(chroma > 0, chroma, 1.0), 1.0)
    return value - (value - high) * ops.minimum(factor, most)
