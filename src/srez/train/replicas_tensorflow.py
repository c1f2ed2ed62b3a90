"""One training on several devices or machines with TensorFlow: splitting batches, averaging gradients.

A replica is one device that takes some rows of every batch. Every process has its own plain variables: the
replicas compute losses and gradients on their rows, the strategy averages them, and every process makes the
same update. See docs/adr/0015.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from srez.errors import OptionError, TrainingError
from srez.train.data import TrainingSet, batches
from srez.train.recipe import Recipe
from srez.train.replicas import Replicas, Rows
from srez.train.step_tensorflow import as_tensor
from srez.wording import counted


def on_this_machine(devices: int) -> Replicas:
    """Several devices of this machine: its GPUs or, if it has none, as many logical CPUs.

    Raises:
        OptionError: it has fewer GPUs or, without any, fewer cores.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        if devices > len(gpus):
            raise OptionError(f"--devices {devices}: this machine has {counted(len(gpus), 'GPU')}")
        return Several(tf.distribute.MirroredStrategy([f"GPU:{index}" for index in range(devices)]))
    cores = os.cpu_count() or 1
    if devices > cores:
        raise OptionError(f"--devices {devices}: this machine has no GPU and {counted(cores, 'core')}")
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices)
    return Several(tf.distribute.MirroredStrategy([f"CPU:{index}" for index in range(devices)]))


def across_processes() -> Replicas:
    """The processes that TF_CONFIG names; must be made before anything else of TensorFlow."""
    return Several(tf.distribute.MultiWorkerMirroredStrategy())


class Several(Replicas):
    """The replicas of a `tf.distribute.Strategy`."""

    def __init__(self, strategy: Any) -> None:
        """Share batches as a strategy does, which TensorFlow's type stubs do not have."""
        self._strategy = strategy
        self.count = strategy.num_replicas_in_sync
        self._local = len(strategy.extended.worker_devices)
        resolver = strategy.cluster_resolver
        self._process = (resolver.task_id or 0) if resolver else 0
        self.is_chief = self._process == 0

    def require_distributable(self, recipe: Recipe, changed: list[Any]) -> None:
        """Refuse a training that would come out differently on several replicas.

        Args:
            recipe: what to do.
            changed: what every pass through the networks changes: batch norm's averages.

        Raises:
            OptionError: the batch cannot be divided; minutes, in several processes; XLA, which is unsafe
                under tf.distribute; or batch norm on several devices of one process, each of which would
                change the same variables.
        """
        part = recipe.batch // recipe.optimizer.accumulate
        if part % self.count:
            raise OptionError(
                f"{self.count} devices cannot share batches of {part} evenly: --set batch to a multiple"
            )
        if self.count > 1 and recipe.xla:
            raise OptionError("XLA does not support several devices: add --set xla=false")
        if recipe.minutes and self._strategy.cluster_resolver:
            raise OptionError("--minutes needs one clock: omit --workers, or use --steps")
        if changed and self._local > 1:
            raise OptionError(
                "--devices does not support batch norm, which this recipe's networks use: choose --workers, "
                "one for each device"
            )

    def require_same_step(self, step: int, out: Path) -> None:
        """Make sure that all processes start at the same step.

        Raises:
            TrainingError: they do not, because they see different run folders.
        """
        together = self.averaged(lambda value: value, [])
        mean = float(together([(tf.constant(step, tf.float64),)] * self._local))
        if mean != step:
            raise TrainingError(f"{out} is not the same folder on every machine: their checkpoints differ")

    def rows(self, training: TrainingSet, recipe: Recipe, start: int, stop: int) -> Rows:
        """Parts of batches; see `Replicas`."""
        size = recipe.batch // recipe.optimizer.accumulate
        numbers = [self._process * self._local + index for index in range(self._local)]
        streams = [batches(training, size, recipe.seed, start, stop, (n, self.count)) for n in numbers]
        for rows in zip(*streams, strict=True):
            yield [
                (tf.nest.map_structure(tf.constant, mine), tf.constant(number))
                for mine, number in zip(rows, numbers, strict=True)
            ]

    def averaged(self, function: Callable[..., Any], variables: list[Any]) -> Callable[..., Any]:
        """A function that returns the mean over all replicas; see `Replicas`."""
        if self.count == 1:
            return super().averaged(function, variables)

        strategy, local, first = self._strategy, self._local, self._process * self._local

        def placed(value: tf.Tensor) -> tf.Tensor:
            if local > 1:
                return value
            # The only replica of a process must place its values explicitly, or they cannot be averaged.
            with tf.device(strategy.extended.worker_devices[0]):
                return tf.identity(value)

        @tf.function
        def replica(rows: tuple[Any, ...], *arguments: Any) -> Any:
            found = function(*rows, *arguments)
            flat = tf.nest.flatten(found)
            values = [value for value in flat if value is not None]
            with tf.control_dependencies(values):
                values += [tf.identity(variable) for variable in variables]
            context = tf.distribute.get_replica_context()
            means = context.all_reduce(tf.distribute.ReduceOp.MEAN, [placed(value) for value in values])
            for variable, mean in zip(variables, means[len(means) - len(variables) :], strict=True):
                variable.assign(mean)
            remaining = iter(means)
            filled = [None if value is None else next(remaining) for value in flat]
            return tf.nest.pack_sequence_as(found, filled)

        def run(rows: list[tuple[Any, ...]], *arguments: Any) -> Any:
            own = strategy.experimental_distribute_values_from_function(
                lambda place: rows[place.replica_id_in_sync_group - first]
            )
            arguments = tf.nest.map_structure(as_tensor, arguments)
            found = strategy.run(replica, args=(own, *arguments))
            return tf.nest.map_structure(lambda value: strategy.experimental_local_results(value)[0], found)

        return run
