"""Weights to start from: of a built-in model, an exported model, a run or a checkpoint."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import onnx
from onnx import numpy_helper

from srez.errors import ModelError, OptionError
from srez.models import box, card
from srez.runs.layout import RunLayout
from srez.train import checkpoint, onnx_graph
from srez.train.networks.faces import RANDOM

_PLACES = "srez.weights"  # metadata of our ONNX files: the initializers' names, in the order of the variables


@dataclass(frozen=True)
class InitialWeights:
    """Weights for the networks of a training to start from.

    Attributes:
        source: what `--init` named.
        arrays: the values of the generator's variables, in their order.
        discriminator: the same of the discriminator's; empty where `--init` holds none.
    """

    source: str
    arrays: list[np.ndarray]
    discriminator: list[np.ndarray] = field(default_factory=list)

    def copy_into(self, generator: keras.Model) -> None:
        """Give a generator these weights; one of samples may have them from one that takes no random numbers.

        Raises:
            OptionError: they are of another network.
        """
        variables = generator.variables
        if len(self.arrays) < len(variables):
            variables = [each for each in variables if RANDOM not in each.path]
        if [array.shape for array in self.arrays] != [tuple(each.shape) for each in variables]:
            raise OptionError(
                f"--init {self.source}: its weights do not fit the recipe's [generator]: use the "
                "generator settings it was trained with"
            )
        for variable, array in zip(variables, self.arrays, strict=True):
            variable.assign(array)

    def copy_discriminator_into(self, discriminator: keras.Model) -> None:
        """Give a discriminator these weights, if they are of a network like it; otherwise leave it new.

        A new discriminator knows nothing of what a trained generator does wrong. Until it does, the generator
        forgets.
        """
        variables = discriminator.variables
        if [array.shape for array in self.discriminator] == [tuple(each.shape) for each in variables]:
            for variable, array in zip(variables, self.discriminator, strict=True):
                variable.assign(array)

    @property
    def fingerprint(self) -> str:
        """Equal for equal weights."""
        digest = hashlib.sha256()
        for array in [*self.arrays, *self.discriminator]:
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def load(source: str) -> InitialWeights:
    """The generator's weights that `--init` names.

    Args:
        source: the name of a built-in model, else the path of an .onnx file of ours, of a run folder (its
            newest checkpoint), or of a checkpoint. Where a run keeps an average, that is taken.

    Raises:
        ModelError: there are none, or they are damaged.
    """
    path = Path(source)
    if source not in box.names() and (path.is_dir() or path.suffix == ".npz"):
        arrays = _from_checkpoint(path)
        return InitialWeights(source, averaged(arrays), _part(arrays, "discriminator/"))
    return InitialWeights(source, _from_onnx(box.find(source)))


def remember(model: onnx.ModelProto, generator: keras.Model) -> None:
    """Note in an exported model where each of the generator's variables is, for `load` to find them.

    Args:
        model: as `onnx_graph.build` made it; changed.
        generator: the network it was exported from.
    """
    shapes = [list(variable.shape) for variable in generator.variables]
    places = json.dumps([onnx_graph.weight_names(generator), shapes])
    onnx.helper.set_model_props(model, {_PLACES: places})


def _from_checkpoint(path: Path) -> dict[str, np.ndarray]:
    saved = checkpoint.load(RunLayout(path))[0] if path.is_dir() else checkpoint.read(path)
    if saved is None:
        raise ModelError(f"--init {path}: there is no readable checkpoint")
    return saved[0]


def averaged(arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The generator's weights in a checkpoint's arrays; their average, where a run keeps one."""
    return _part(arrays, "average/") or _part(arrays, "generator/")


def _part(arrays: dict[str, np.ndarray], part: str) -> list[np.ndarray]:
    return [arrays[name] for name in sorted(arrays) if name.startswith(part)]


def _from_onnx(path: Path) -> list[np.ndarray]:
    card.read(path)
    proto = onnx.load(path)
    noted = {entry.key: entry.value for entry in proto.metadata_props}.get(_PLACES)
    if noted is None:
        raise ModelError(
            f"--init {path}: this file does not say which weight is which: give the run folder it came from"
        )
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    return [_as_keras(stored[name], tuple(shape)) for name, shape in zip(*json.loads(noted), strict=True)]


def _as_keras(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if len(shape) == 4:
        height, width, inputs, outputs = shape
        return values.reshape(outputs, inputs, height, width).transpose(2, 3, 1, 0)
    return values.reshape(shape)
