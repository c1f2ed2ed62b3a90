"""One training on several devices or machines: splitting batches, averaging gradients.

A replica is one device that takes some rows of every batch. Every process has its own plain variables: the
replicas compute losses and gradients on their rows, the strategy averages them, and every process makes the
same update. See docs/adr/0015.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf

from srez.errors import OptionError, TrainingError
from srez.train.data import TrainingSet, batches
from srez.train.recipe import Recipe

Strategy = Any  # a tf.distribute.Strategy, which TensorFlow's type stubs do not have
Rows = Iterator[list[tuple[dict[str, Any], tf.Tensor]]]
"""For each batch, and each replica of this process: its rows as they were drawn, and the replica's number
among all."""


def single_device() -> Strategy:
    """No distribution: one replica."""
    return tf.distribute.get_strategy()


def on_this_machine(devices: int) -> Strategy:
    """Several devices of this machine: its GPUs or, if it has none, as many logical CPUs.

    Raises:
        OptionError: it has fewer GPUs or, without any, fewer cores.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        if devices > len(gpus):
            raise OptionError(f"--devices {devices}: this machine has {len(gpus)} GPUs")
        return tf.distribute.MirroredStrategy([f"GPU:{index}" for index in range(devices)])
    cores = os.cpu_count() or 1
    if devices > cores:
        raise OptionError(f"--devices {devices}: this machine has no GPU and {cores} cores")
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices)
    return tf.distribute.MirroredStrategy([f"CPU:{index}" for index in range(devices)])


def across_processes() -> Strategy:
    """The processes that TF_CONFIG names; must be made before anything else of TensorFlow."""
    return tf.distribute.MultiWorkerMirroredStrategy()


def is_chief(strategy: Strategy) -> bool:
    """Whether this process writes checkpoints, logs and the model."""
    return _process(strategy) == 0


def require_distributable(recipe: Recipe, strategy: Strategy, changed: list[Any]) -> None:
    """Refuse a training that would come out differently on several replicas.

    Args:
        recipe: what to do.
        strategy: whose replicas.
        changed: what every pass through the networks changes: batch norm's averages, spectral norm's vectors.

    Raises:
        OptionError: the batch cannot be divided; minutes, in several processes; XLA, which is unsafe under
            tf.distribute; or batch or spectral norm on several devices of one process, each of which would
            change the same variables.
    """
    count = strategy.num_replicas_in_sync
    part = recipe.batch // recipe.optimizer.accumulate
    if part % count:
        raise OptionError(f"{count} devices cannot share batches of {part} evenly: --set batch to a multiple")
    if count > 1 and recipe.xla:
        raise OptionError("XLA does not support several devices: add --set xla=false")
    if recipe.minutes and strategy.cluster_resolver:
        raise OptionError("--minutes needs one clock: omit --workers, or use --steps")
    if changed and _local(strategy) > 1:
        raise OptionError(
            "--devices does not support batch norm or spectral norm, which this recipe's networks use: "
            "choose --workers, one for each device"
        )


def require_same_step(strategy: Strategy, step: int, out: Path) -> None:
    """Make sure that all processes start at the same step.

    Raises:
        TrainingError: they do not, because they see different run folders.
    """
    together = averaged(strategy, lambda value: value, [])
    mean = float(together([(tf.constant(step, tf.float64),)] * _local(strategy)))
    if mean != step:
        raise TrainingError(f"{out} is not the same folder on every machine: their checkpoints differ")


def rows_of_batches(strategy: Strategy, training: TrainingSet, recipe: Recipe, start: int, stop: int) -> Rows:
    """Parts of batches, as this process's replicas take them.

    Args:
        strategy: whose replicas.
        training: what to draw from.
        recipe: its seed, and how large a part is.
        start: the first example.
        stop: the example to stop before.

    Yields:
        See `Rows`.
    """
    count, local = strategy.num_replicas_in_sync, _local(strategy)
    size = recipe.batch // recipe.optimizer.accumulate
    numbers = [_process(strategy) * local + index for index in range(local)]
    streams = [batches(training, size, recipe.seed, start, stop, (n, count)) for n in numbers]
    for rows in zip(*streams, strict=True):
        yield [
            (tf.nest.map_structure(tf.constant, mine), tf.constant(number))
            for mine, number in zip(rows, numbers, strict=True)
        ]


def averaged(strategy: Strategy, function: Callable, variables: list[Any]) -> Callable:
    """A function that runs another on each replica's rows and returns the mean over all replicas.

    Args:
        strategy: whose replicas, in all processes.
        function: of rows, then of other arguments, to a structure of tensors that are means over the rows.
        variables: that the function changes, to be averaged too.

    Returns:
        A function of the rows of each replica of this process, then of the other arguments.
    """
    if strategy.num_replicas_in_sync == 1:
        return lambda rows, *arguments: function(*rows[0], *arguments)

    context = tf.distribute.get_replica_context
    local, first = _local(strategy), _process(strategy) * _local(strategy)

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
        means = context().all_reduce(tf.distribute.ReduceOp.MEAN, [placed(value) for value in values])
        for variable, mean in zip(variables, means[len(means) - len(variables) :], strict=True):
            variable.assign(mean)
        remaining = iter(means)
        return tf.nest.pack_sequence_as(found, [None if value is None else next(remaining) for value in flat])

    def run(rows: list[tuple[Any, ...]], *arguments: Any) -> Any:
        own = strategy.experimental_distribute_values_from_function(
            lambda place: rows[place.replica_id_in_sync_group - first]
        )
        found = strategy.run(replica, args=(own, *arguments))
        return tf.nest.map_structure(lambda value: strategy.experimental_local_results(value)[0], found)

    return run


def _local(strategy: Strategy) -> int:
    """How many replicas this process has."""
    return 1 if strategy.num_replicas_in_sync == 1 else len(strategy.extended.worker_devices)


def _process(strategy: Strategy) -> int:
    resolver = strategy.cluster_resolver
    return (resolver.task_id or 0) if resolver else 0
