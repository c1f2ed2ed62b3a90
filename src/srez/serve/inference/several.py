"""Answers of several pictures, as a zip: samples and a sheet of them, or a result and its uncertainty.

All of them are made in memory before they are sent, so they are bounded: each sample counts as a picture.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import IO
from zipfile import ZipFile, ZipInfo

import numpy as np

from srez.errors import ModelError, OptionError, TooLargeError
from srez.models.card import Card
from srez.serve.inference.models import Models
from srez.serve.inference.picture import NAME, UpscalePlan
from srez.upscaling import convert as conversion
from srez.upscaling import guesses, samples, uncertainty
from srez.upscaling.convert import Decoded
from srez.upscaling.settings import ModelSettings
from srez.upscaling.tiling import Progress, ignore_progress
from srez.upscaling.upscaler import Upscaler
from srez.wording import counted

RESULT, SHEET, UNCERTAINTY = "result", "sheet", "uncertainty.png"  # names in a zip

_Files = Iterator[tuple[str, bytes]]


def check(planned: UpscalePlan, card: Card, most_pixels: int) -> None:
    """Refuse what a model does not know or what would be too much.

    Args:
        planned: the picture.
        card: of the model.
        most_pixels: of the input, once for each sample.

    Raises:
        OptionError: the model makes no samples, or does not know how sure it is with these options.
        TooLargeError: the picture is too large for so many.
    """
    options = planned.options
    try:
        if options.samples:
            samples.check(card, options.samples, options.seed)
        else:
            uncertainty.check(card, planned.fidelity, options.repair)
    except ModelError as error:
        raise OptionError(str(error)) from None
    if planned.work > most_pixels:
        what = counted(options.samples, "sample") if options.samples else "the uncertainty"
        raise TooLargeError(
            f"{what} of a {planned.size[0]}x{planned.size[1]} picture: {planned.work:,} pixels, all counted, "
            f"are more than the {most_pixels:,} that are allowed (--max-direct-pixels)"
        )


def convert(
    models: Models,
    planned: UpscalePlan,
    open: Callable[[], AbstractContextManager[IO[bytes]]],
    progress: Progress = ignore_progress,
) -> tuple[ModelSettings, None]:
    """Make all pictures of an answer, and write them as a zip; the same ones give the same bytes.

    Args:
        models: that the server offers.
        planned: the picture.
        open: opens the file to write to, which can seek.
        progress: called now and then with the fraction done; what it raises stops the work.

    Returns:
        What the result was made with, and no faces.

    Raises:
        SrezError: the picture is damaged, memory does not suffice, or the result cannot be written.
    """
    upscaler, target = planned.load(models), planned.to(lambda: nullcontext(io.BytesIO()))
    decoded = conversion.decode(planned.source, target, planned.conversion, lambda _: planned.card)
    pixels = decoded.picture.pixels
    settings = upscaler.settings_for(pixels, decoded.picture.jpeg)
    make = _samples if planned.options.samples else _with_uncertainty
    with open() as file, ZipFile(file, "w") as archive:
        for name, body in make(upscaler, planned, decoded, settings, progress):
            archive.writestr(ZipInfo(name), body)  # a picture, which does not become smaller
    return settings, None


def _samples(
    upscaler: Upscaler, planned: UpscalePlan, decoded: Decoded, settings: ModelSettings, progress: Progress
) -> _Files:
    del settings
    options, pixels = planned.options, decoded.picture.pixels
    assert options.samples
    drawn = upscaler.samples(pixels, options.samples, options.seed, progress)
    suffix = options.file_format.suffix
    for number, sample in enumerate(drawn, 1):
        progress(1)  # it may be unwanted meanwhile
        bands = [sample if sample.ndim == 3 else sample[..., None]]
        yield f"{number}{suffix}", _encoded(planned, decoded, bands)
    sheet = io.BytesIO()
    target = planned.to(lambda: nullcontext(sheet))
    guesses.write_sheet(sheet, target, options.quality, pixels, drawn, upscaler.card.scale)
    yield SHEET + suffix, sheet.getvalue()


def _with_uncertainty(
    upscaler: Upscaler, planned: UpscalePlan, decoded: Decoded, settings: ModelSettings, progress: Progress
) -> _Files:
    pixels = decoded.picture.pixels
    jpeg = decoded.picture.jpeg
    bands = upscaler.bands(pixels, lambda done: progress(0.75 * done), settings.repair, jpeg=jpeg)
    yield RESULT + planned.options.file_format.suffix, _encoded(planned, decoded, bands)
    distance = upscaler.uncertainty(pixels, lambda done: progress(0.75 + 0.25 * done))
    file = io.BytesIO()
    guesses.write_uncertainty(file, NAME, distance, bool(settings.repair))
    yield UNCERTAINTY, file.getvalue()


def _encoded(planned: UpscalePlan, decoded: Decoded, bands: Iterable[np.ndarray]) -> bytes:
    file = io.BytesIO()
    conversion.encode(decoded, bands, planned.to(lambda: nullcontext(file)), planned.conversion)
    return file.getvalue()
