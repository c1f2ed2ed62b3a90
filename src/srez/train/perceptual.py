"""Features of a network that was trained to recognise things, for the perceptual loss."""

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import keras

from srez.errors import DataError, OptionError, first_line
from srez.train.recipe import Perceptual

Tensor = Any
Features = Callable[[Tensor], list[Tensor]]


def features(settings: Perceptual) -> Features:
    """A function of pictures, `(N, H, W, 3)` in [0, 1], to the features of the layers that a recipe names.

    Args:
        settings: an application of Keras, whose weights Keras downloads and checks by hash, or a file.

    Raises:
        OptionError: no such application or layer.
        DataError: the weights cannot be loaded or read; the sentence says where to put them.
    """
    if settings.network.endswith(".keras"):
        model, prepare = _from_file(settings.network), lambda pictures: pictures
    else:
        model, preprocess = _application(settings)

        def prepare(pictures: Tensor) -> Tensor:
            return preprocess(pictures * 255.0)

    missing = [name for name in settings.layers if name not in {layer.name for layer in model.layers}]
    if missing:
        known = ", ".join(layer.name for layer in model.layers[-8:])
        raise OptionError(
            f"perceptual.layers: {settings.network} has no layer {missing[0]!r}; its last are {known}"
        )
    chosen = keras.Model(model.inputs, [model.get_layer(name).output for name in settings.layers])
    chosen.trainable = False
    return lambda pictures: keras.tree.flatten(chosen(prepare(pictures), training=False))


def _application(settings: Perceptual) -> tuple[keras.Model, Callable[[Tensor], Tensor]]:
    name = settings.network
    modules = inspect.getmembers(keras.applications, inspect.ismodule)
    module: ModuleType | None = next(
        (found for _, found in modules if inspect.isfunction(vars(found).get(name))), None
    )
    if module is None or not name[0].isupper():
        raise OptionError(
            f"perceptual.network: {name!r} is neither a Keras application (such as VGG19) nor a .keras file"
        )
    if settings.weights != "imagenet" and not Path(settings.weights).is_file():
        raise DataError(f"perceptual.weights: {settings.weights} does not exist")
    try:
        model = vars(module)[name](include_top=False, weights=settings.weights)
    except Exception as error:  # whatever the network, the file or the hash raises
        place = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"
        file = next((word.rpartition("/")[2] for word in str(error).split() if "://" in word), "the file")
        raise DataError(
            f"the weights of {name} cannot be loaded ({first_line(error)}): put {file.rstrip('.:,')} "
            f"into {place}, or name a file in perceptual.weights"
        ) from None
    return model, module.preprocess_input


def _from_file(path: str) -> keras.Model:
    if not Path(path).is_file():
        raise DataError(f"perceptual.network: {path} does not exist: see docs/training.md, Features")
    try:
        model: Any = keras.saving.load_model(path, compile=False)
    except Exception as error:  # whatever the file raises
        raise DataError(f"perceptual.network: {path} cannot be loaded: {first_line(error)}") from None
    return model
