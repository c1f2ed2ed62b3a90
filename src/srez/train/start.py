"""How a training starts, on this machine or as one of several processes: always in the same order.

Nothing here imports Keras before it has to: a user's mistakes are found, and the backend is chosen, before
that takes its seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from srez.errors import OptionError
from srez.runs.layout import RUN
from srez.train import backend as backends
from srez.train.backend import Name
from srez.train.reporter import Reporter

if TYPE_CHECKING:
    from srez.train.data import TrainingData
    from srez.train.recipe import Recipe
    from srez.train.replicas import Replicas


@dataclass(frozen=True)
class Request:
    """A training that a user asks for.

    Attributes:
        recipe: what to do.
        name: of the model.
        sources: as `srez.train.data.load` takes them; None for a recipe that draws its pictures.
        partition: the same.
        out: the run folder.
        init: as `srez.train.weights.load` takes it; None to start from random weights.
        validate_on: as `srez.train.data.load` takes it.
    """

    recipe: "Recipe"
    name: str
    sources: list[str] | None
    partition: Path | None
    out: Path
    init: str | None
    validate_on: Path | None = None


def on_this_machine(
    request: Request, reporter: Reporter, devices: int | None = None, backend: Name | None = None
) -> Path | None:
    """Train in this process.

    Args:
        request: what to train.
        reporter: is told of every step and validation.
        devices: how many devices of this machine share every batch; one by default.
        backend: see `srez.train.backend.choose`.

    Returns:
        The model, or None if the run was interrupted.

    Raises:
        SrezError: see `backend.choose`, `trainer.prepare`, `data.load` and `trainer.train`.
    """
    chosen = backends.choose(backend)
    return _train(request, reporter, lambda: _replicas(chosen, devices))


def as_one_of_several(request: Request, reporter: Reporter) -> Path | None:
    """Train as one of the processes that the environment's TF_CONFIG names; see `on_this_machine`."""
    backends.choose(Name.tensorflow)
    from srez.train import replicas_tensorflow

    return _train(request, reporter, replicas_tensorflow.across_processes)


def _replicas(backend: Name, devices: int | None) -> "Replicas":
    from srez.train.replicas import Replicas

    if not devices:
        return Replicas()
    if backend != Name.tensorflow:
        raise OptionError("--devices needs TensorFlow; with PyTorch one device trains: omit it")
    from srez.train import replicas_tensorflow

    return replicas_tensorflow.on_this_machine(devices)


def _train(request: Request, reporter: Reporter, replicas: "Callable[[], Replicas]") -> Path | None:
    shared = replicas()  # before anything else of TensorFlow's
    from srez.train import trainer, weights
    from srez.train.run import train_and_export

    init = weights.load(request.init) if request.init else None
    prepared = trainer.prepare(request.recipe, init, shared)
    data = _data(request, reporter)
    for line in data.provenance.lines(RUN):
        reporter.say(line)
    return train_and_export(prepared, request.name, data, request.out, reporter)


def _data(request: Request, reporter: Reporter) -> "TrainingData":
    from srez.train import data
    from srez.train.recipe import FacesData

    settings = request.recipe.data
    if request.sources:
        return data.load(settings, request.sources, request.partition, reporter.reading, request.validate_on)
    assert isinstance(settings, FacesData)  # no other recipe draws
    return data.draw(settings)
