"""One picture on the server: bytes in, bytes of the larger one out, as the command line makes them."""

import io
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np

from srez import images
from srez.errors import OutOfMemoryError, TooLargeError
from srez.images import Picture
from srez.models import box
from srez.serve.inference.models import Models
from srez.serve.inference.options import Options
from srez.serve.limits import SMALL_PIXELS
from srez.upscaling import convert as conversion
from srez.upscaling.convert import Decoded, Source, Target
from srez.upscaling.tiling import Progress, ignore_progress

NAME = "the picture"  # in errors; the client's file name is never used
BYTES_PER_PIXEL = 4  # of a picture in memory, as an estimate before its channels are known


@dataclass(frozen=True)
class UpscalePlan:
    """What will be done with a picture, as far as its header tells.

    Attributes:
        model: name of the model.
        fidelity: to load the model with.
        size: width and height of the input, in pixels.
        target: width and height of the result, in pixels.
    """

    model: str
    fidelity: float
    size: tuple[int, int]
    target: tuple[int, int]

    @property
    def pixels(self) -> int:
        """Pixels of the input."""
        return self.size[0] * self.size[1]

    @property
    def is_small(self) -> bool:
        """Whether the picture may be decoded at once and run in a batch."""
        return self.pixels <= SMALL_PIXELS

    @property
    def result_bytes(self) -> int:
        """Bytes of the result in memory, at most or nearly so."""
        return self.target[0] * self.target[1] * BYTES_PER_PIXEL


def plan(
    models: Models, body: bytes | Path, options: Options, max_pixels: int, max_memory: int
) -> UpscalePlan:
    """Read a picture's header and refuse what cannot be done, before anything is decoded.

    Args:
        models: that the server offers.
        body: the file, or its bytes.
        options: what is asked for.
        max_pixels: of the input.
        max_memory: bytes that a result may take if its format cannot be written row by row.

    Raises:
        SrezError: it is no picture, it is too large, or the options do not suit it.
    """
    models.require(options.model)
    size = images.size(body, NAME, max_pixels)
    model = box.suited(options.model, size)
    fidelity = models.fidelity(model, options.fidelity)
    target = options.size.of(size, models.cards[model].scale)
    images.refuse_unwritable(NAME, options.file_format, 1, target)
    planned = UpscalePlan(model, fidelity, size, target)
    if not options.file_format.streamed and planned.result_bytes > max_memory:
        raise TooLargeError(
            f"a {target[0]}x{target[1]} {options.format} does not fit in memory: use png or tiff"
        )
    return planned


def decode(body: bytes | Path, options: Options, scale: int, max_pixels: int) -> Decoded:
    """Read a picture.

    Args:
        body: the file, or its bytes.
        options: what is asked for.
        scale: the model's.
        max_pixels: of the input.

    Raises:
        SrezError: it is damaged, or the format of the result cannot hold it.
    """
    target = _target(options, io.BytesIO())
    return conversion.decode(Source(body, NAME), target, _conversion(options, max_pixels), lambda _: scale)


def batch_runner(models: Models, planned: UpscalePlan) -> Callable[[list[Picture]], list[np.ndarray]]:
    """A function that upscales pictures of one plan, as one batch if the model takes them so.

    It gives for each picture what the model made of it, `(scale H, scale W[, C])`.
    """

    def run(pictures: list[Picture]) -> list[np.ndarray]:
        upscaler = models.get(planned.model, planned.fidelity)
        if len(pictures) == 1:
            return [upscaler(pictures[0].pixels)]
        return list(upscaler.batch(np.stack([picture.pixels for picture in pictures])))

    return run


def can_batch(picture: Picture) -> bool:
    """Whether a picture is of the kind that runs in batches: RGB in 8 bits."""
    return picture.channels == 3 and picture.pixels.dtype == np.uint8


def encode(larger: np.ndarray, decoded: Decoded, options: Options) -> bytes:
    """What the model made of a picture, as a file.

    Args:
        larger: `(scale H, scale W[, C])`.
        decoded: the input, whose metadata is kept.
        options: what is asked for.

    Raises:
        OutputError: the format cannot hold it.
    """
    file = io.BytesIO()
    bands = [larger if larger.ndim == 3 else larger[..., None]]
    conversion.encode(decoded, bands, _target(options, file), _conversion(options))
    return file.getvalue()


def convert(
    models: Models,
    body: bytes | Path,
    options: Options,
    planned: UpscalePlan,
    file: IO[bytes],
    max_pixels: int,
    progress: Progress = ignore_progress,
) -> None:
    """Decode a picture, upscale it tile by tile, and write the result as it comes.

    Args:
        models: that the server offers.
        body: the file, or its bytes.
        options: what is asked for.
        planned: of `plan`.
        file: to write to; it must be able to seek.
        max_pixels: of the input.
        progress: called after each tile with the fraction done; what it raises stops the work.

    Raises:
        SrezError: the picture is damaged, or the format cannot hold the result.
        MemoryError: it did not suffice.
    """
    upscaler = models.get(planned.model, planned.fidelity)
    source, target = Source(body, NAME), _target(options, file)
    try:
        conversion.convert(lambda _: upscaler, source, target, _conversion(options, max_pixels), progress)
    except OutOfMemoryError:
        raise MemoryError from None  # its sentence names an option of the command line


def _target(options: Options, file: IO[bytes]) -> Target:
    return Target(partial(nullcontext, file), NAME, options.file_format)


def _conversion(options: Options, max_pixels: int = images.MAX_PIXELS) -> conversion.Options:
    return conversion.Options(options.size, options.quality, max_pixels)
