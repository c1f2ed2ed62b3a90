"""Aligned faces to LR/HR pairs, as srez makes them."""

from collections.abc import Callable, Hashable, Sequence

import numpy as np
import tensorflow as tf

from srez.datasets.faces import FACE_SCALE, FACE_SIDE, RIM, reduced, without_rim
from srez.evaluation.protocol import FACES_RGB
from srez.train.data import split
from srez.train.data.pairs import MakeExample, ValidationSet, noise
from srez.train.recipe import FacesData

VALIDATION_LIMIT = 500  # faces; more would only slow training down


def example_maker(shards: list[tf.Tensor], settings: FacesData) -> MakeExample:
    """A function that makes training pairs of faces, with random shift, flip and colour.

    Args:
        shards: faces with their rims, `(N, 72, 72, 3)` uint8 each; all but the last have the same N.
        settings: the augmentation.

    Returns:
        See `MakeExample`; the index counts through all shards, inputs are 16x16, truths 64x64.
    """
    face = picker(shards)
    return lambda index, seed: augment(face(index), settings, seed)


def picker(shards: list[tf.Tensor]) -> Callable[[tf.Tensor], tf.Tensor]:
    """A function that returns the face of an index; see `example_maker`."""
    length = len(shards[0])
    if len(shards) == 1:
        return lambda index: shards[0][index]

    def pick(index: tf.Tensor) -> tf.Tensor:
        within = tf.math.floormod(index, length)
        return tf.switch_case(
            tf.cast(index // length, tf.int32), [lambda shard=shard: shard[within] for shard in shards]
        )

    return pick


def as_tensors(shards: list[np.ndarray]) -> list[tf.Tensor]:
    """The shards of a pack as tensors, not copied: their pages are read from disk when they are needed.

    Args:
        shards: as `packs.faces` maps them; they start at a page, which gives the alignment TensorFlow needs.
    """
    return [tf.experimental.dlpack.from_dlpack(shard.__dlpack__()) for shard in shards]


def validation(faces: list[np.ndarray], sources: Sequence[Hashable]) -> ValidationSet:
    """Held-out faces with their inputs, at most 500 of them, evenly chosen from all sources.

    Args:
        faces: with their rims.
        sources: that of each face.
    """
    truths = np.stack([without_rim(faces[index]) for index in split.spread(sources, VALIDATION_LIMIT)])
    return ValidationSet(reduced(truths), truths, FACES_RGB)


def augment(face: tf.Tensor, settings: FacesData, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """One training pair from a face with its rim, as srez does it; the seed decides everything.

    Args:
        face: `(72, 72, 3)` uint8.
        settings: the augmentation.
        seed: `(2,)` int64.

    Returns:
        Network input, clean LR and HR, float32 in [0, 1]; the noise of the first is not clipped.
    """
    seeds = tf.unstack(tf.random.split(seed, 6))
    shift = settings.shift
    corner = tf.random.stateless_uniform([2], seeds[0], RIM - shift, RIM + shift + 1, tf.int32)
    high = tf.slice(face, tf.concat([corner, [0]], 0), [FACE_SIDE, FACE_SIDE, 3])
    if settings.flip:
        high = tf.image.stateless_random_flip_left_right(high, seeds[1])
    high = tf.cast(high, tf.float32) / 255.0
    if settings.saturation:
        low, top = 1 - settings.saturation, 1 + settings.saturation
        high = tf.image.stateless_random_saturation(high, low, top, seeds[2])
    if settings.brightness:
        high = tf.image.stateless_random_brightness(high, settings.brightness, seeds[3])
    if settings.contrast:
        low, top = 1 - settings.contrast, 1 + settings.contrast
        high = tf.image.stateless_random_contrast(high, low, top, seeds[4])
    high = tf.clip_by_value(high, 0.0, 1.0)
    clean = tf.nn.avg_pool2d(high[None], FACE_SCALE, FACE_SCALE, "VALID")[0]
    noisy = clean + noise(clean, settings.noise, seeds[5]) if settings.noise else clean
    return noisy, clean, high
