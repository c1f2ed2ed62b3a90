"""Who shares every batch of a training: here one device, which takes all of it.

`replicas_tensorflow` has several devices, and several processes.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from srez.train.data import TrainingSet, batches
from srez.train.recipe import Recipe

Rows = Iterator[list[tuple[dict[str, Any], Any]]]
"""For each batch, and each replica of this process: its rows as they were drawn, and the replica's number
among all."""


class Replicas:
    """One device.

    Attributes:
        count: how many replicas there are, in all processes.
        is_chief: whether this process writes checkpoints, logs and the model.
    """

    count = 1
    is_chief = True

    def require_distributable(self, recipe: Recipe, changed: list[Any]) -> None:
        """Refuse a training that would come out differently on several replicas; see `Several`."""

    def require_same_step(self, step: int, out: Path) -> None:
        """Make sure that all processes start at the same step; see `Several`."""

    def rows(self, training: TrainingSet, recipe: Recipe, start: int, stop: int) -> Rows:
        """Parts of batches, as this process's replicas take them.

        Args:
            training: what to draw from.
            recipe: its seed, and how large a part is.
            start: the first example.
            stop: the example to stop before.

        Yields:
            See `Rows`.
        """
        size = recipe.batch // recipe.optimizer.accumulate
        for batch in batches(training, size, recipe.seed, start, stop):
            yield [(batch, np.int32(0))]

    def averaged(self, function: Callable[..., Any], variables: list[Any]) -> Callable[..., Any]:
        """A function that runs another on each replica's rows and returns the mean over all replicas.

        Args:
            function: of rows, then of other arguments, to a structure of tensors: means over the rows.
            variables: that the function changes, to be averaged too.

        Returns:
            A function of the rows of each replica of this process, then of the other arguments.
        """
        del variables
        return lambda rows, *arguments: function(*rows[0], *arguments)
