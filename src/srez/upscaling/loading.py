"""From the name of a model, or the picture alone, to an upscaler."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from srez.models import box
from srez.models.devices import AUTO, Place
from srez.models.placing import require
from srez.upscaling.arrays import as_channels
from srez.upscaling.cutting import check_tile
from srez.upscaling.upscaler import Upscaler

Choose = Callable[[np.ndarray], Upscaler]
"""Gives the upscaler for a picture, `(H, W)` or `(H, W, C)`."""


def load(
    model: str | Path = "photo",
    fidelity: float | None = None,
    tile: int | None = None,
    repair: float | None = None,
    device: str | None = None,
    precision: str = AUTO,
    faces: bool = False,
) -> Upscaler:
    """Load a built-in model by its name, or one of your own by its path.

    Args:
        model: a name that `srez models` lists, or an .onnx file with its card beside it.
        fidelity: from 0 (vivid) to 1 (faithful), for a model with vivid weights; the card's by default.
        tile: the largest side of a tile in input pixels; by default, what fits into free memory. A tile that
            is given is kept even if memory does not suffice.
        repair: from 0 (none) to 1 (full), for a model that repairs; by default what suits each picture.
        device: what runs it: a name that `srez devices` lists, or "auto" for the best that works; by default
            what the environment variable SREZ_DEVICE says, else "auto".
        precision: "float32", "float16", or "auto" for the device's own choice.
        faces: whether faces in photographs are found and enlarged by the model of faces.

    Raises:
        ModelError: there is no such model, it is corrupt or not a model of srez, or the model has no fidelity
            or no repair to choose; or faces are to be found, and srez[faces] is not installed.
        OptionError: the fidelity, the repair or the tile is out of range, or the device is not installed, or
            does not compute in the precision.
    """
    return Upscaler(box.find(model), fidelity, tile, repair, place=Place(device, precision), faces=faces)


def chooser(
    model: str,
    fidelity: float | None = None,
    tile: int | None = None,
    repair: float | None = None,
    place: Place | None = None,
    faces: bool = False,
) -> Choose:
    """A function that gives the upscaler for a picture; each model is loaded once.

    It raises ImageError for what is no picture.

    Args:
        model: "auto" for the built-in model that suits the picture, or as for `load`.
        fidelity: as for `load`.
        tile: as for `load`.
        repair: as for `load`.
        place: where models are to run; by default as for `load`.
        faces: as for `load`; pictures that are nothing but a face have none in them.

    Raises:
        ModelError: as for `load`; with "auto", when the function is called.
        OptionError: the tile or the fidelity is out of range; with "auto", the latter when the function is
            called. Or the device is not installed.
    """
    check_tile(tile)
    require(place or Place())

    @cache
    def loaded(name: str) -> Upscaler:
        return Upscaler(box.find(name), fidelity, tile, repair, place=place, faces=faces)

    if model != box.AUTO:
        loaded(model)
    network = fidelity is not None or repair is not None  # which only networks have

    def choose(image: np.ndarray) -> Upscaler:
        pixels = as_channels(image)
        return loaded(box.suited(model, pixels.shape[1::-1], lambda: pixels, network))

    return choose
