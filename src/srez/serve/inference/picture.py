"""The work itself: bytes of a picture in, bytes of the larger one out, as the command line makes them."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from srez import images
from srez.errors import TooLargeError
from srez.images import Format, Picture
from srez.models import box
from srez.serve.errors import HttpError
from srez.serve.inference.models import Models
from srez.serve.limits import SMALL_PIXELS
from srez.upscaling import files
from srez.upscaling.files import Size
from srez.upscaling.tiling import Progress, ignore

NAME = "the picture"  # in errors; the client's file name is never used
FORMATS = tuple(each.name for each in images.WRITABLE if each.is_available)
ACCEPTED = (*(kind for each in images.FORMATS for kind in each.media_types), "application/octet-stream")
BYTES_PER_PIXEL = 4  # of a picture in memory, as an estimate before its channels are known


@dataclass(frozen=True)
class Options:
    """What is to be made of a picture.

    Attributes:
        model: a name of a model, or "auto" for the one that suits the picture.
        fidelity: the look, from 0 (vivid) to 1 (faithful); None for the model's own.
        size: of the result.
        format: a name of `FORMATS`.
        quality: of lossy formats, from 1 to 100.
    """

    model: str = box.AUTO
    fidelity: float | None = None
    size: Size = field(default_factory=Size)
    format: str = "png"
    quality: int = images.QUALITY

    @property
    def kind(self) -> Format:
        """The format, with all that is known of it."""
        return images.format_named(self.format)


@dataclass(frozen=True)
class UpscalePlan:
    """What a picture's header says, and what will come of it.

    Attributes:
        model: the name of the model to take.
        fidelity: that the model is to be loaded with.
        size: width and height of the input, in pixels.
        target: width and height of the result, in pixels.
    """

    model: str
    fidelity: float
    size: tuple[int, int]
    target: tuple[int, int]

    @property
    def pixels(self) -> int:
        """Of the input."""
        return self.size[0] * self.size[1]

    @property
    def is_small(self) -> bool:
        """Whether it may be decoded at once and run with others of its size."""
        return self.pixels <= SMALL_PIXELS

    @property
    def result_bytes(self) -> int:
        """Of the result in memory, at most or nearly so."""
        return self.target[0] * self.target[1] * BYTES_PER_PIXEL


def look(
    models: Models, body: bytes | Path, options: Options, max_pixels: int, max_memory: int
) -> UpscalePlan:
    """Read a picture's header and refuse what cannot be done, before anything is decoded.

    Args:
        models: to take the options's model from.
        body: the file, or its bytes.
        options: what is to be made of it.
        max_pixels: of the input.
        max_memory: bytes that a result may take where it cannot be written as it comes.

    Raises:
        SrezError: it is no picture, too large, or the options does not fit to it.
    """
    models.require(options.model)
    size = images.size(body, NAME, max_pixels)
    model = box.suited(options.model, size)
    fidelity = models.fidelity(model, options.fidelity)
    target = options.size.of(size, models.cards[model].scale)
    images.refuse_unwritable(NAME, options.kind, 1, target)
    plan = UpscalePlan(model, fidelity, size, target)
    if not options.kind.streamed and plan.result_bytes > max_memory:
        raise TooLargeError(
            f"a {target[0]}x{target[1]} {options.format} does not fit in memory: take png or tiff"
        )
    return plan


def decode(body: bytes | Path, options: Options, target: tuple[int, int], max_pixels: int) -> Picture:
    """Read a picture.

    Args:
        body: the file, or its bytes.
        options: what is to be made of it.
        target: width and height of the result, in pixels.
        max_pixels: of the input.

    Raises:
        SrezError: it is damaged, or the options's format cannot hold it.
    """
    picture = images.fitted(images.read(body, NAME, max_pixels), options.kind)
    images.refuse_unwritable(NAME, options.kind, picture.channels, target, picture.pixels.itemsize)
    return picture


def together(models: Models, plan: UpscalePlan) -> Callable[[list[Picture]], list[np.ndarray]]:
    """What upscales pictures of one size and kind, as one batch where the model takes them so.

    Returns:
        A function of pictures that gives for each what the model made of it, `(scale H, scale W[, C])`.
    """

    def run(pictures: list[Picture]) -> list[np.ndarray]:
        upscaler = models.get(plan.model, plan.fidelity)
        if len(pictures) == 1:
            return [upscaler(pictures[0].pixels)]
        return list(upscaler.batch(np.stack([picture.pixels for picture in pictures])))

    return run


def can_batch(picture: Picture) -> bool:
    """Whether a picture is of the kind that is run in batches: RGB in 8 bits."""
    return picture.channels == 3 and picture.pixels.dtype == np.uint8


def encode(
    larger: np.ndarray, picture: Picture, options: Options, scale: int, target: tuple[int, int]
) -> bytes:
    """What the model made of a picture, as a file.

    Args:
        larger: `(scale H, scale W[, C])`.
        picture: the input, whose profile, EXIF data and resolution are kept.
        options: format and quality.
        scale: the model's.
        target: width and height of the result, in pixels.

    Raises:
        OutputError: the format cannot hold it.
    """
    file = io.BytesIO()
    bands = [larger if larger.ndim == 3 else larger[..., None]]
    files.save(file, NAME, options.kind, bands, picture, scale, target, options.quality)
    return file.getvalue()


def convert(
    models: Models,
    body: bytes | Path,
    options: Options,
    plan: UpscalePlan,
    file: IO[bytes],
    max_pixels: int,
    progress: Progress = ignore,
) -> None:
    """Decode a picture, upscale it tile by tile, and write the result as it comes.

    Args:
        models: to take the options's model from.
        body: the file, or its bytes.
        options: what is to be made of it.
        plan: of `look`.
        file: to write to; it must be able to seek.
        max_pixels: of the input.
        progress: called after each tile with the fraction done; what it raises stops the work.

    Raises:
        SrezError: the picture is damaged, or the format cannot hold the result.
        MemoryError: it did not suffice.
    """
    picture = decode(body, options, plan.target, max_pixels)
    upscaler = models.get(plan.model, plan.fidelity)
    bands = upscaler.bands(picture.pixels, progress)
    files.save(file, NAME, options.kind, bands, picture, upscaler.card.scale, plan.target, options.quality)


def refuse_format(name: str) -> None:
    """Turn down a format that this server cannot write.

    Raises:
        HttpError: 422, naming those that it can.
    """
    if name not in FORMATS:
        raise HttpError(422, f"there is no format {name!r}: take one of {', '.join(FORMATS)}")
