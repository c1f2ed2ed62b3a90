"""What only a backend of Keras can do, for code that is written in `keras.ops`."""

import enum
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np

from srez.errors import OptionError

Tensor = Any
Losses = list[Tensor | None]


class Name(enum.StrEnum):
    """The backends, the first choice first."""

    tensorflow = "tensorflow"
    torch = "torch"


_EXTRAS = {Name.tensorflow: "train", Name.torch: "train-torch"}


class Backend(Protocol):
    """What `step_tensorflow` and `step_torch` offer; another backend would be one more such file."""

    def version(self) -> str:
        """The backend's version."""
        ...

    def prepare(self, deterministic: bool) -> None:
        """Let every run on this machine end with the same weights, which may cost time; or be fast."""
        ...

    def compiled(self, function: Callable[..., Any], xla: bool = False) -> Callable[..., Any]:
        """A function as fast as the backend can make it, without gradients of its own.

        Args:
            function: of tensors and bools, nested; NumPy arrays among its arguments become tensors.
            xla: whether XLA compiles it.
        """
        ...

    def gradients(
        self, forward: Callable[[], tuple[dict[str, Tensor], Losses]], variables: list[list[Any]]
    ) -> tuple[dict[str, Tensor], list[list[Tensor]]]:
        """Losses and their gradients, from one pass.

        Args:
            forward: computes what is logged, and losses.
            variables: those that each loss is derived by.

        Returns:
            What is logged, and the gradients of each loss; none for a loss that is None.
        """
        ...

    def input_gradient(self, function: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        """The gradient of a scalar function of images, which can be derived again."""
        ...

    def without_gradients(self) -> AbstractContextManager[Any]:
        """Within it, networks are only evaluated, and nothing is kept for gradients."""
        ...


def choose(name: Name | None = None) -> Name:
    """Decide which backend Keras uses, before anything imports Keras.

    Args:
        name: of the backend. By default that which KERAS_BACKEND names, else the first that is installed.

    Returns:
        The backend.

    Raises:
        OptionError: it is not installed, or this process has another already.
    """
    wanted = name or os.environ.get("KERAS_BACKEND") or next(filter(find_spec, Name), None)
    if wanted is None:
        raise OptionError(
            "training needs TensorFlow or PyTorch: pip install 'srez[train]' or 'srez[train-torch]'"
        )
    if wanted not in set(Name):
        raise OptionError(f"KERAS_BACKEND is {wanted!r}: choose --backend {' or '.join(Name)}")
    chosen = Name(wanted)
    if not find_spec(chosen):
        raise OptionError(f"{chosen} is not installed: pip install 'srez[{_EXTRAS[chosen]}]'")
    os.environ["KERAS_BACKEND"] = chosen
    # TensorFlow reports its own optimisation attempts as errors; what matters reaches us as exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    if keras.backend.backend() != chosen:
        raise OptionError(f"this process has {keras.backend.backend()} already: start another for {chosen}")
    return chosen


def current() -> Backend:
    """The backend that Keras uses."""
    import keras

    if keras.backend.backend() == Name.torch:
        from srez.train import step_torch as chosen
    else:
        from srez.train import step_tensorflow as chosen
    return chosen


def as_numpy(value: Any) -> np.ndarray:
    """The values of a tensor or a variable, on the host."""
    import keras

    tensor = value.value if isinstance(value, keras.Variable) else value
    return np.asarray(keras.ops.convert_to_numpy(tensor))
