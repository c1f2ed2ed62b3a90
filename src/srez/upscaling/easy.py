"""`srez.upscale`: a picture in one line."""

from functools import lru_cache
from pathlib import Path
from typing import overload

import numpy as np

from srez import images, output
from srez.errors import OptionError
from srez.images.pillow import PillowImage, from_pillow
from srez.models import box
from srez.models.devices import AUTO, Place
from srez.upscaling.convert import Options, Source, Target, convert
from srez.upscaling.loading import Choose, chooser


@overload
def upscale(image: np.ndarray, to: None = ..., *, model: str | Path = ...) -> np.ndarray: ...


@overload
def upscale(image: str | Path | PillowImage, to: None = ..., *, model: str | Path = ...) -> PillowImage: ...


@overload
def upscale(image: str | Path, to: str | Path, *, model: str | Path = ...) -> Path: ...


def upscale(
    image: str | Path | PillowImage | np.ndarray,
    to: str | Path | None = None,
    *,
    model: str | Path = box.AUTO,
    device: str | None = None,
) -> PillowImage | np.ndarray | Path:
    """Make a picture larger: `srez.upscale("small.jpg").save("large.png")`.

    The last models used stay loaded. `srez.load` gives an `Upscaler` with more to choose.

    Args:
        image: a file, a PIL image, or an array as an `Upscaler` takes it.
        to: a file to write, with all that `srez upscale` keeps; an existing one is replaced.
        model: "auto" for the built-in model that suits the picture, or as for `srez.load`.
        device: as for `srez.load`.

    Returns:
        A PIL image for a file or a PIL image, an array for an array, and `to` if that is given.

    Raises:
        SrezError: the picture, the model or the device cannot be used, or the result cannot be written.
    """
    choose = _chooser(str(model), device)
    if to is None:
        return choose(_pixels(image))(image)
    if not isinstance(image, str | Path):
        raise OptionError("to= is for pictures that are files: save the result instead")
    target = Path(to)
    format_ = images.format_to_write(target)
    source = Source(Path(image), str(image))
    convert(choose, source, Target(lambda: output.atomic(target), str(target), format_), Options())
    return target


@lru_cache(maxsize=4)
def _chooser(model: str, device: str | None) -> Choose:
    return chooser(model, place=Place(device, AUTO))


def _pixels(image: str | Path | PillowImage | np.ndarray) -> np.ndarray:
    """What decides on the model."""
    if isinstance(image, str | Path):
        return images.read(Path(image)).pixels
    return from_pillow(image) if isinstance(image, PillowImage) else np.asarray(image)
