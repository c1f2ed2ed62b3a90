"""Training data: examples to train on, pairs to validate on, and where both came from.

Examples are drawn with NumPy, by seed and position alone, so that every backend trains on the same bytes and
a run can resume anywhere. See docs/adr/0027.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from srez import machine
from srez.datasets.provenance import Provenance
from srez.evaluation.protocol import Protocol
from srez.wording import counted

SCALE = 4  # HR side over LR side, in every pair and every network
AHEAD = 4  # batches that are made while others are trained on

Raw = dict[str, np.ndarray]
"""An example as it was drawn, or a batch of them, stacked: crops as uint8, and random numbers for their
noise, damage and colours. `to_pairs` of its kind makes tensors of it, where the network computes."""

MakeExample = Callable[[int, np.random.Generator], Raw]
"""Draws an example of a picture, given its index."""

ToPairs = Callable[[dict[str, Any]], tuple[Any, Any, Any]]
"""Makes of a raw batch the network's input, clean LR and HR, `(N, height, width, 3)` float32 in [0, 1]."""

Pictures = Sequence[np.ndarray] | np.ndarray  # of any sizes, or stacked


@dataclass(frozen=True)
class TrainingSet:
    """What is trained on.

    Attributes:
        make_example: draws an example of a picture.
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
            return f"{self.title}, {counted(len(self.low), 'picture')}"
        side = self.truth[0].shape[1]
        return f"{counted(len(self.low), 'validation picture')} of {side}x{side}"


@dataclass(frozen=True)
class TrainingData:
    """All that a training needs of its pictures."""

    training: TrainingSet
    validation: ValidationSet
    provenance: Provenance


def batches(
    training: TrainingSet, size: int, seed: int, start: int, stop: int, rows: tuple[int, int] = (0, 1)
) -> Iterator[Raw]:
    """Batches of the examples from `start` to `stop`; each depends only on the seed and its position.

    Every epoch is a permutation of `training.order`. Threads make some batches ahead.

    Args:
        training: what to draw from.
        size: examples in a batch.
        seed: of order and augmentation.
        start: the first example.
        stop: the example to stop before; what does not fill a batch is left out.
        rows: `(i, n)` takes every n-th row of each batch, starting with row i; n must divide the size.
    """
    first, every = rows
    length = len(training.order)

    @lru_cache(maxsize=2)
    def permutation(epoch: int) -> np.ndarray:
        return generator(seed + _ORDER, epoch).permutation(training.order)

    def example(position: int) -> Raw:
        index = permutation(position // length)[position % length]
        return training.make_example(int(index), generator(seed, position))

    def batch(at: int) -> Raw:
        return stacked([example(position) for position in range(at + first, at + size, every)])

    pool = ThreadPoolExecutor(min(machine.cores(), AHEAD), thread_name_prefix="pictures")
    try:
        waiting: deque[Future[Raw]] = deque()
        for at in range(start, stop - size + 1, size):
            waiting.append(pool.submit(batch, at))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def generator(seed: int, position: int) -> np.random.Generator:
    """Random numbers that depend on nothing but a seed and a position, on any machine."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, position], np.uint64)))


def stacked(examples: list[Raw]) -> Raw:
    """A batch of examples."""
    return {name: np.stack([example[name] for example in examples]) for name in examples[0]}


_ORDER = 2**32  # added to the seed, so that the order of an epoch has numbers of its own
