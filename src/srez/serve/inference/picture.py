"""One picture on the server: planned from its header, then upscaled as the command line does it."""

import io
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from srez import images
from srez.errors import TooLargeError
from srez.models import box
from srez.models.card import Card
from srez.serve.inference.found import FoundFace, told
from srez.serve.inference.models import Models
from srez.serve.inference.options import Options
from srez.serve.inference.reading import Reader
from srez.serve.limits import FACES_WORK, SMALL_PIXELS
from srez.upscaling import convert as conversion
from srez.upscaling.convert import Decoded, Source, Target
from srez.upscaling.settings import ModelSettings
from srez.upscaling.tiling import Progress, ignore_progress
from srez.upscaling.upscaler import Upscaler

NAME = "the picture"  # in errors; the client's file name is never used
BYTES_PER_PIXEL = 4  # of a picture in memory, as an estimate before its channels are known


@dataclass(frozen=True)
class UpscalePlan:
    """What will be done with a picture, as far as its header tells.

    Attributes:
        source: the picture.
        options: that it was asked for with.
        max_pixels: of the input.
        model: name of the model.
        fidelity: to load the model with.
        card: of the model.
        size: width and height of the input, in pixels.
        target: width and height of the result, in pixels.
    """

    source: Source
    options: Options
    max_pixels: int
    model: str
    fidelity: float
    card: Card
    size: tuple[int, int]
    target: tuple[int, int]

    @property
    def pixels(self) -> int:
        """Pixels of the input."""
        return self.size[0] * self.size[1]

    @property
    def work(self) -> int:
        """Pixels of the input, once for each sample; more if its faces are found and enlarged too."""
        pixels = self.pixels * (self.options.samples or 1)
        return round(pixels * FACES_WORK) if self.options.faces else pixels

    @property
    def is_small(self) -> bool:
        """Whether the picture may be decoded at once, and a single result of it be made in a batch."""
        return self.pixels <= SMALL_PIXELS

    @property
    def is_batched(self) -> bool:
        """Whether it may run in a batch with others: one result of a small picture, without faces."""
        return self.is_small and not self.options.several and not self.options.faces

    @property
    def result_bytes(self) -> int:
        """Bytes of the result in memory, at most or nearly so; a sheet takes as much as its samples.

        To find faces, the picture is held twice more.
        """
        pictures = 2 * (self.options.samples or 1) if self.options.several else 1
        pixels = self.target[0] * self.target[1] * pictures + 2 * self.pixels * self.options.faces
        return pixels * BYTES_PER_PIXEL

    def load(self, models: Models) -> Upscaler:
        """The upscaler for it.

        Raises:
            ModelError: the model cannot be loaded.
        """
        options = self.options
        # Faces have a default of their own, so only a fidelity that was asked for is theirs too.
        fidelity = options.fidelity if options.faces else self.fidelity
        return models.get(self.model, fidelity, options.repair, options.faces)

    @property
    def conversion(self) -> conversion.Options:
        """The options, as `upscaling` takes them."""
        options = self.options
        return conversion.Options(
            options.size, options.quality, self.max_pixels, only_faces=options.chosen_faces
        )

    def to(self, open: Callable[[], AbstractContextManager[IO[bytes]]]) -> Target:
        """A result that goes to a file."""
        return Target(open, NAME, self.options.file_format)


def plan(
    models: Models,
    reader: Reader,
    body: bytes | Path,
    options: Options,
    max_pixels: int,
    max_memory: int,
) -> UpscalePlan:
    """Read a picture's header and refuse what cannot be done, before anything large is decoded.

    Args:
        models: that the server offers.
        reader: of the picture, now and later.
        body: the file, or its bytes.
        options: what is asked for.
        max_pixels: of the input.
        max_memory: bytes that a result may take if its format cannot be written row by row.

    Raises:
        SrezError: it is no picture, it is too large, or the options do not suit it.
    """
    models.require(options.model)
    options.check()
    size = reader.size(body, NAME, max_pixels)
    network = options.fidelity is not None or options.repair is not None  # which only networks have
    model = box.suited(options.model, size, lambda: reader.read(body, NAME, max_pixels).pixels, network)
    fidelity, card = models.fidelity(model, options.fidelity), models.cards[model]
    models.check_repair(model, options.repair)
    if options.faces:
        models.check_faces(model)
    target = conversion.Options(options.size, options.quality, max_pixels).result_size(size, card.scale)
    images.refuse_unwritable(NAME, options.file_format, 1, target)
    planned = UpscalePlan(
        Source(body, NAME, reader.read), options, max_pixels, model, fidelity, card, size, target
    )
    if options.several and planned.result_bytes > max_memory:
        raise TooLargeError(
            "so many pictures of this size do not fit in memory: ask for fewer or smaller ones"
        )
    if not options.file_format.streamed and planned.result_bytes > max_memory:
        raise TooLargeError(
            f"a {target[0]}x{target[1]} {options.format} does not fit in memory: use png or tiff"
        )
    return planned


def convert(
    models: Models,
    planned: UpscalePlan,
    open: Callable[[], AbstractContextManager[IO[bytes]]],
    progress: Progress = ignore_progress,
) -> tuple[ModelSettings, tuple[FoundFace, ...] | None]:
    """Upscale a picture tile by tile, and write the result as it comes.

    Args:
        models: that the server offers.
        planned: the picture.
        open: opens the file to write to, which can seek.
        progress: called after each tile with the fraction done; what it raises stops the work.

    Returns:
        What the result was made with, and the faces, if they were looked for.

    Raises:
        SrezError: the picture is damaged, memory does not suffice, or the result cannot be written.
    """
    upscaler = planned.load(models)
    converted = conversion.convert(
        lambda _: upscaler, planned.source, planned.to(open), planned.conversion, progress
    )
    assert converted.settings
    return converted.settings, told(converted.faces) if planned.options.faces else None


def decode(planned: UpscalePlan) -> Decoded:
    """Read a small picture, to be upscaled with others.

    Raises:
        SrezError: it is damaged, or the format of the result cannot hold it.
    """
    target = planned.to(io.BytesIO)
    return conversion.decode(planned.source, target, planned.conversion, lambda _: planned.card)


def can_batch(decoded: Decoded) -> bool:
    """Whether a picture is of the kind that runs in batches: RGB in 8 bits."""
    return decoded.picture.channels == 3 and decoded.picture.pixels.dtype == np.uint8


def upscale_batch(
    models: Models, planned: UpscalePlan, batch: list[Decoded]
) -> list[tuple[np.ndarray, ModelSettings]]:
    """Upscale pictures of one size, as one batch if the model takes them so.

    Args:
        models: that the server offers.
        planned: any of the pictures.
        batch: the pictures; if they are several, each of them `can_batch`.

    Returns:
        For each picture what the model made of it, `(scale H, scale W[, C])`, and what with.
    """
    upscaler, pictures = planned.load(models), [decoded.picture for decoded in batch]
    settings = [upscaler.settings_for(picture.pixels, picture.jpeg) for picture in pictures]
    repairs = [each.repair for each in settings]
    if len(batch) == 1:
        larger = [upscaler(pictures[0].pixels, repair=repairs[0], jpeg=pictures[0].jpeg)]
    else:
        jpegs = [picture.jpeg for picture in pictures]
        larger = list(upscaler.batch(np.stack([picture.pixels for picture in pictures]), repairs, jpegs))
    return list(zip(larger, settings, strict=True))


def encode(planned: UpscalePlan, decoded: Decoded, larger: np.ndarray) -> bytes:
    """What the model made of a picture, as a file.

    Args:
        planned: the picture.
        decoded: the same, decoded; its metadata is kept.
        larger: `(scale H, scale W[, C])`.

    Raises:
        OutputError: the format cannot hold it.
    """
    file = io.BytesIO()
    bands = [larger if larger.ndim == 3 else larger[..., None]]
    conversion.encode(decoded, bands, planned.to(lambda: nullcontext(file)), planned.conversion)
    return file.getvalue()
