"""Training data: examples to train on, pairs to validate on, and where both came from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from srez.datasets.provenance import Provenance
from srez.evaluation.protocol import Protocol

SCALE = 4  # HR side over LR side, in every pair and every network

MakeExample = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor, tf.Tensor]]
"""Makes an example of a picture's index and a seed, `(2,)` int64: the network's input, clean LR and HR, each
`(height, width, 3)` float32 in [0, 1]."""


Pictures = Sequence[np.ndarray] | np.ndarray  # of any sizes, or stacked


@dataclass(frozen=True)
class TrainingSet:
    """What is trained on.

    Attributes:
        make_example: makes an example of a picture.
        order: the indices of the pictures of one epoch, `(L,)` int64, not yet shuffled.
        pictures: how many there are.
    """

    make_example: MakeExample
    order: np.ndarray
    pictures: int


@dataclass(frozen=True)
class ValidationSet:
    """What a network is measured on while it trains.

    Attributes:
        low: the inputs, `(h, w, 3)` float32 in [0, 1] each.
        truth: what they should become, `(4h, 4w, 3)` uint8 each.
        protocol: how outputs are measured.
        title: the name of a benchmark; empty for pictures that were held out, which have one size.
    """

    low: Pictures
    truth: Pictures
    protocol: Protocol
    title: str = ""

    @property
    def name(self) -> str:
        """What it is called on a card."""
        if self.title:
            return f"{self.title}, {len(self.low)} pictures"
        side = self.truth[0].shape[1]
        return f"{len(self.low)} validation pictures of {side}x{side}"


@dataclass(frozen=True)
class TrainingData:
    """All that a training needs of its pictures."""

    training: TrainingSet
    validation: ValidationSet
    provenance: Provenance


def noise(picture: tf.Tensor, deviation: float, seed: tf.Tensor) -> tf.Tensor:
    """Gaussian noise of a picture's size."""
    return deviation * tf.random.stateless_normal(picture.shape, seed)  # pyright: ignore[reportArgumentType]


def batches(
    training: TrainingSet, size: int, seed: int, start: int, stop: int, rows: tuple[int, int] = (0, 1)
) -> tf.data.Dataset:
    """Batches of the examples from `start` to `stop`; each depends only on the seed and its position.

    Every epoch is a permutation of `training.order`. Order and augmentation are drawn by position, without
    state, so a run can resume anywhere.

    Args:
        training: what to draw from.
        size: examples in a batch.
        seed: of order and augmentation.
        start: the first example.
        stop: the example to stop before.
        rows: `(i, n)` takes every n-th row of each batch, starting with row i; n must divide the size.

    Returns:
        A dataset of (network input, clean LR, HR), the examples of `training.make_example` stacked.
    """
    order = tf.constant(training.order, tf.int64)
    length = len(training.order)
    shuffle = tf.random.experimental.index_shuffle  # pyright: ignore[reportAttributeAccessIssue]

    def example(position: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        epoch = tf.stack([tf.constant(seed, tf.int64), position // length])
        index = order[shuffle(tf.math.floormod(position, length), epoch, length - 1)]
        return training.make_example(index, tf.stack([tf.constant(seed, tf.int64), position]))

    first, every = rows
    positions = tf.data.Dataset.range(start + first, stop, every)
    pairs = positions.map(example, num_parallel_calls=tf.data.AUTOTUNE)
    return pairs.batch(size // every, drop_remainder=True).prefetch(tf.data.AUTOTUNE)
