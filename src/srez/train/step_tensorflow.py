"""What a training step needs of TensorFlow; see `srez.train.backend.Backend`."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Any

import numpy as np
import tensorflow as tf

Losses = list[tf.Tensor | None]


def version() -> str:
    """TensorFlow's version."""
    return tf.__version__


def prepare(deterministic: bool) -> None:
    """Choose deterministic operations, on a GPU too, if asked."""
    if deterministic:
        tf.config.experimental.enable_op_determinism()


def compiled(function: Callable[..., Any], xla: bool = False) -> Callable[..., Any]:
    """A function as a graph."""
    # What a step does depends on no tensor's value: AutoGraph would take time to translate what needs none.
    graph = tf.function(function, jit_compile=xla, autograph=False)

    @wraps(function)
    def call(*arguments: Any) -> Any:
        return graph(*tf.nest.map_structure(as_tensor, arguments))

    return call


def as_tensor(value: Any) -> Any:
    """NumPy's arrays and numbers as tensors; anything else as it is."""
    # As they are, NumPy's numbers would be constants of the graph, which would be built again for each.
    is_numpy = isinstance(value, np.ndarray | np.generic)
    return tf.constant(np.asarray(value)) if is_numpy else value


def gradients(
    forward: Callable[[], tuple[dict[str, tf.Tensor], Losses]], variables: list[list[Any]]
) -> tuple[dict[str, tf.Tensor], list[list[tf.Tensor]]]:
    """Losses and their gradients; see `Backend`."""
    with tf.GradientTape(persistent=True) as tape:
        values, losses = forward()
    pairs = zip(losses, variables, strict=True)
    found: Any = [[] if loss is None else tape.gradient(loss, mine) for loss, mine in pairs]
    return values, found


def input_gradient(function: Callable[[tf.Tensor], tf.Tensor], images: tf.Tensor) -> tf.Tensor:
    """The gradient of a scalar function of images; see `Backend`."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        value = function(images)
    found: Any = tape.gradient(value, images)
    return found


def without_gradients() -> AbstractContextManager[Any]:
    """Nothing: outside a tape, TensorFlow keeps nothing."""
    return nullcontext()
