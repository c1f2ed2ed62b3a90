"""What a training step needs of PyTorch; see `srez.train.backend.Backend`."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any

import keras
import numpy as np
import torch  # pyright: ignore[reportMissingImports]

from srez import machine

Losses = list[torch.Tensor | None]


def version() -> str:
    """PyTorch's version."""
    return str(torch.__version__)


def prepare(deterministic: bool) -> None:
    """Choose deterministic operations, if asked; of those that have none on a GPU, PyTorch warns."""
    # By itself it takes all cores, also where the process may use fewer, and then waits for its own threads.
    torch.set_num_threads(min(machine.cores(), torch.get_num_threads()))
    torch.backends.cudnn.benchmark = not deterministic
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False


def compiled(function: Callable[..., Any], xla: bool = False) -> Callable[..., Any]:
    """The function itself, on tensors of the device."""
    del xla

    @wraps(function)
    def call(*arguments: Any) -> Any:
        with torch.no_grad():
            tensors: Any = keras.tree.map_structure(_as_tensor, arguments)
            return function(*tensors)

    return call


def _as_tensor(value: Any) -> Any:
    # NumPy's numbers stay on the host: they say where crops begin, and must not be waited for.
    return keras.ops.convert_to_tensor(value) if isinstance(value, np.ndarray) else value


def gradients(
    forward: Callable[[], tuple[dict[str, torch.Tensor], Losses]], variables: list[list[Any]]
) -> tuple[dict[str, torch.Tensor], list[list[torch.Tensor]]]:
    """Losses and their gradients; see `Backend`."""
    with torch.enable_grad():
        values, losses = forward()
        pairs = zip(losses, variables, strict=True)
        found = [[] if loss is None else _gradient(loss, mine) for loss, mine in pairs]
    return {name: value.detach() for name, value in values.items()}, found


def _gradient(loss: torch.Tensor, variables: list[Any]) -> list[torch.Tensor]:
    return list(torch.autograd.grad(loss, [variable.value for variable in variables], retain_graph=True))


def input_gradient(function: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor) -> torch.Tensor:
    """The gradient of a scalar function of images; see `Backend`."""
    images = images.detach().requires_grad_()
    return torch.autograd.grad(function(images), images, create_graph=True)[0]


def without_gradients() -> AbstractContextManager[Any]:
    """PyTorch's `no_grad`."""
    return torch.no_grad()
