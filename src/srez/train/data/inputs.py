"""The inputs of photographs: clean, or with noise, JPEG or other damage, as the recipe says.

Random numbers are drawn with NumPy; what is done with them is written in `keras.ops`, for whole batches.
"""

from typing import Any

import keras
import numpy as np

from srez.train import codecs, damage
from srez.train.data.pairs import Raw, ToPairs
from srez.train.recipe import PairsData, PhotosData

COMPRESSED = 0.5  # share of the inputs that go through JPEG, where the recipe has JPEG

Tensor = Any
ops: Any = keras.ops  # Keras has no type hints: its defaults, None, are taken for types


def numbers(
    settings: PhotosData | PairsData, side: int, random: np.random.Generator, always: bool = False
) -> Raw:
    """The random numbers of one example's input.

    Args:
        settings: what is done to inputs.
        side: of the input, in pixels.
        random: decides everything.
        always: whether it is damaged whatever the shares in the settings.
    """
    found: Raw = {}
    if isinstance(settings, PairsData):
        return found  # pairs are as damaged as they come
    if settings.noise:
        found["noise"] = random.standard_normal((side, side, 3), np.float32)
    if settings.jpeg:
        chosen = always or random.random() < COMPRESSED
        quality = random.uniform(settings.jpeg, 100)
        found["jpeg"] = np.array([chosen, quality, *random.random(3)], np.float32)
    if settings.damage:
        harm = settings.damage
        chosen = always or random.random() < harm.share
        degree = random.uniform(harm.least, harm.most)
        found["damage"] = np.array([chosen, degree, *random.random(damage.DRAWS)], np.float32)
        found["normals"] = random.standard_normal((damage.FIELDS, 2 * side, 2 * side, 3), np.float32)
    return found


def to_pairs(settings: PhotosData | PairsData) -> ToPairs:
    """A function that makes tensors of raw batches, with the inputs that the settings ask for."""

    def convert(raw: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        clean, high = (ops.cast(raw[name], "float32") / 255.0 for name in ("low", "high"))
        made = clean
        if isinstance(settings, PairsData):
            return made, clean, high
        if settings.damage:
            made = ops.map(_maybe_damaged, (clean, high, raw["damage"], raw["normals"]))
        if settings.noise:
            made = ops.clip(clean + settings.noise * raw["noise"], 0.0, 1.0)
        if settings.jpeg:
            made = ops.map(_maybe_compressed, (made, raw["jpeg"]))
        return made, clean, high

    return convert


def _maybe_damaged(example: tuple[Tensor, ...]) -> Tensor:
    clean, high, drawn, normals = example
    return ops.cond(
        drawn[0] > 0.5,
        lambda: damage.damaged(high, clean.shape[0], drawn[1], drawn[2:], normals),
        lambda: clean,
    )


def _maybe_compressed(example: tuple[Tensor, Tensor]) -> Tensor:
    x, drawn = example
    return ops.cond(
        drawn[0] > 0.5, lambda: codecs.jpeg(x, drawn[1], drawn[2] < 0.5, drawn[3], drawn[4]), lambda: x
    )
