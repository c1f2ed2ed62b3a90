"""What training data is, whatever the pictures are."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from srez.evaluation.protocol import Protocol

Example = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]]
"""A picture's index and a seed, `(2,)` int64, to one training pair: network input, clean LR and HR, each
`(height, width, 3)` float32 in [0, 1]."""

Held = tuple[np.ndarray, np.ndarray]
"""Validation inputs, `(M, h, w, 3)` float32 in [0, 1], and truths, `(M, 4h, 4w, 3)` uint8."""


@dataclass(frozen=True)
class Data:
    """Decoded pictures, ready to train on.

    Attributes:
        example: makes a training pair of a picture.
        order: the indices of the pictures of one epoch, `(L,)` int64, not yet shuffled.
        validation_low: the inputs of the validation pictures, `(M, h, w, 3)` float32 in [0, 1].
        validation: their truths, `(M, 4h, 4w, 3)` uint8.
        protocol: how they are measured.
        pictures: how many are trained on.
        sources: the names of the places they came from.
        skipped: each picture left out, with the reason.
        summary: what was found, in three lines.
        fingerprint: a hash of the names and contents of all pictures used, and of their parts, if named.
    """

    example: Example
    order: np.ndarray
    validation_low: np.ndarray
    validation: np.ndarray
    protocol: Protocol
    pictures: int
    sources: list[str]
    skipped: list[str]
    summary: tuple[str, str, str]
    fingerprint: str


def batches(
    data: Data, size: int, seed: int, start: int, stop: int, share: tuple[int, int] = (0, 1)
) -> tf.data.Dataset:
    """Batches of the examples from `start` to `stop`, each a function of the seed and its position alone.

    Every epoch is a permutation of `data.order`; it and the augmentation are drawn by position, without
    state, so a run can be taken up anywhere.

    Args:
        data: what to draw from.
        size: examples in a batch.
        seed: of order and augmentation.
        start: the first example.
        stop: the example to stop before.
        share: `(i, n)` takes every n-th row of each batch, from row i on; n divides the size.

    Returns:
        A dataset of (network input, clean LR, HR), the examples of `data.example` stacked.
    """
    order = tf.constant(data.order, tf.int64)
    length = len(data.order)

    def example(position: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        epoch = tf.stack([tf.constant(seed, tf.int64), position // length])
        index = order[tf.random.experimental.index_shuffle(position % length, epoch, length - 1)]
        return data.example(index, tf.stack([tf.constant(seed, tf.int64), position]))

    number, count = share
    positions = tf.data.Dataset.range(start + number, stop, count)
    pairs = positions.map(example, num_parallel_calls=tf.data.AUTOTUNE)
    return pairs.batch(size // count, drop_remainder=True).prefetch(tf.data.AUTOTUNE)
