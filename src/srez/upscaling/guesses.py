"""Files that show what a result guesses: several samples, or how far it may be from the truth."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np

from srez import images
from srez.errors import OptionError, OutOfMemoryError, SrezError
from srez.images import Metadata, Picture, resample
from srez.models import box
from srez.models.card import COVERAGE, Card
from srez.upscaling import convert, uncertainty
from srez.upscaling.batch import Work, foresee, result_file, source, upscale
from srez.upscaling.convert import Converted, Options, Target
from srez.upscaling.loading import Choose
from srez.upscaling.plan import Item, exists_error
from srez.upscaling.samples import check as check_samples
from srez.upscaling.samples import refuse_large
from srez.upscaling.settings import ModelSettings, chosen_fidelity
from srez.upscaling.sources import STANDARD
from srez.upscaling.tiling import Progress

SHEET = "sheet"  # the label of a picture's samples side by side
UNCERTAINTY = "uncertainty"
_GAP = 6  # pixels between pictures on a sheet
_UNIT = (
    f"In {round(10 * COVERAGE)} of 10 pixels, no channel of the result is farther from the truth than this. "
    "65535 is the distance from black to white, 257 one of 255 grey levels."
)
_REPAIRED = "The picture was repaired, for which this does not hold."


def samples(count: int, seed: int, model: str) -> Work:
    """The samples of each picture: face_x4.1.png and so on, and then its target, a sheet of all of them.

    Args:
        count: of samples.
        seed: of their random numbers.
        model: that makes them, by its name: "auto" has no card before it sees pixels.
    """
    return Work(partial(_make_samples, count, seed), partial(_foresee_samples, count, seed, model))


def _make_samples(
    count: int, seed: int, choose: Choose, item: Item, options: Options, progress: Progress
) -> Converted:
    numbered = _numbered_files(item, count)
    target = partial(_target, item)
    decoded = convert.decode(
        source(item.source, options), target(item.target), options, lambda pixels: choose(pixels).card
    )
    pixels = decoded.picture.pixels
    upscaler = choose(pixels)
    with _about(item):
        found = upscaler.samples(pixels, count, seed, progress)
    for path, sample in zip(numbered, found, strict=True):
        bands = [sample if sample.ndim == 3 else sample[..., None]]
        convert.encode(decoded, bands, target(path), options)
    with target(item.target).open() as file:
        size = write_sheet(file, target(item.target), options.quality, pixels, found, upscaler.card.scale)
    settings = ModelSettings(upscaler.card.name, fidelity=None, repair=0.0)
    return Converted(size, settings=settings, beside=tuple(numbered))


def _foresee_samples(
    count: int, seed: int, model: str, item: Item, options: Options, card: Card
) -> Converted:
    numbered = _numbered_files(item, count)
    foresee(item, options, card)  # whether each sample can be
    size = options.input_size(item.source)
    with _about(item):
        check_samples(_likely(model, size, card), count, seed)
        refuse_large(*size)
    sheet = _sheet_size(size, count, card.scale)
    images.refuse_unwritable(str(item.target), item.format, 3, sheet)
    return Converted(sheet, beside=tuple(numbered))


def with_uncertainty(model: str, fidelity: float | None, repair: float | None) -> Work:
    """The result of each picture, and beside it how far it may be from the truth.

    That file is photo_x4.uncertainty.png beside photo_x4.png, photo_x4.jpg.uncertainty.png beside
    photo_x4.jpg. It is gray with 16 bits, and says its unit in its text.

    Args:
        model: by its name: "auto" has no card before it sees pixels.
        fidelity: of the model; None for its default.
        repair: of the model; None for what suits each picture.
    """
    return Work(_make_uncertainty, partial(_foresee_uncertainty, model, fidelity, repair))


def _make_uncertainty(choose: Choose, item: Item, options: Options, progress: Progress) -> Converted:
    path = _uncertainty_file(item)
    picture = options.read(item.source, str(item.source), options.max_pixels)
    upscaler = choose(picture.pixels)
    with _about(item):
        found = upscaler.uncertainty(picture.pixels, lambda done: progress(done / 4))
    converted = upscale(choose, item, options, lambda done: progress(0.25 + 0.75 * done))
    repaired = bool(converted.settings and converted.settings.repair)
    with result_file(path, item.overwrite) as file:
        write_uncertainty(file, str(path), found, repaired)
    if repaired:
        damaged = "the claim of its uncertainty, which holds for pictures without damage"
        converted = replace(converted, warnings=(*converted.warnings, damaged))
    return replace(converted, beside=(path,))


def _foresee_uncertainty(
    model: str, fidelity: float | None, repair: float | None, item: Item, options: Options, card: Card
) -> Converted:
    path = _uncertainty_file(item)
    foreseen = foresee(item, options, card)
    likely = _likely(model, options.input_size(item.source), card)
    with _about(item):
        uncertainty.check(likely, chosen_fidelity(likely, fidelity), repair)
    return replace(foreseen, beside=(path,))


@contextmanager
def _about(item: Item) -> Iterator[None]:
    """Errors that begin with the name of a picture."""
    try:
        yield
    except SrezError as error:
        raise type(error)(f"{item.source}: {error}") from None
    except MemoryError:
        raise OutOfMemoryError(f"{item.source}: out of memory: try a smaller picture") from None


def _likely(model: str, size: tuple[int, int], usual: Card) -> Card:
    """The card of the model that a picture of a size will have, as far as that tells."""
    return box.card(box.find("faces")) if box.may_be_face(model, size) else usual


def write_sheet(
    file: IO[bytes],
    target: Target,
    quality: int,
    pixels: np.ndarray,
    samples: list[np.ndarray],
    scale: int,
) -> tuple[int, int]:
    """Write the input, enlarged as it is, and then its samples in their order, in rows.

    Args:
        file: to write to, which can seek.
        target: tells its name, for errors, and its format.
        quality: of lossy formats.
        pixels: of the input, `(h, w, C)`.
        samples: `(scale h, scale w[, C])` each.
        scale: of the model.

    Returns:
        Width and height in pixels.

    Raises:
        OutputError: the format cannot hold it.
    """
    sheet = Picture(_sheet(pixels, samples, scale))
    encoding = images.Encoding(target.format, quality, marked=True)
    images.save(file, target.name, encoding, [sheet.pixels], sheet.size, sheet)
    return sheet.size


def write_uncertainty(file: IO[bytes], name: str, distance: np.ndarray, repaired: bool) -> None:
    """Write how far a result may be from the truth, as a PNG that is gray, with 16 bits, and says its unit.

    Args:
        file: to write to, which can seek.
        name: of it, for errors.
        distance: `(H, W)` float32, of `Upscaler.uncertainty`.
        repaired: whether the result was, so that the distance does not hold.

    Raises:
        OutputError: it cannot be written.
    """
    sixteen = images.from_float(distance, np.uint16)
    said = f"{_UNIT} {_REPAIRED}" if repaired else _UNIT
    picture = Picture(sixteen, Metadata(text=((b"tEXt", b"Description\0" + said.encode("latin-1")),)))
    images.save(
        file, name, images.Encoding(images.PNG, marked=True), [sixteen[..., None]], picture.size, picture
    )


def is_of_repaired(uncertainty: Picture) -> bool:
    """Whether a file of `write_uncertainty` says that the distance does not hold, since a repair was made."""
    return any(_REPAIRED.encode("latin-1") in text for _, text in uncertainty.metadata.text)


def _numbered_files(item: Item, count: int) -> list[Path]:
    """Where the samples of an item go, if they may."""
    _refuse_pipe(item, "--samples")
    numbered = [_numbered(item.target, number) for number in range(1, count + 1)]
    _refuse_existing(item, numbered)
    return numbered


def _uncertainty_file(item: Item) -> Path:
    """Where the uncertainty of an item goes, if it may."""
    _refuse_pipe(item, "--uncertainty")
    # A PNG and a JPEG of one name have results of one name but for the ending.
    name = item.target.stem if item.target.suffix.lower() == ".png" else item.target.name
    path = item.target.with_name(f"{name}.{UNCERTAINTY}.png")
    _refuse_existing(item, [path])
    return path


def _numbered(sheet: Path, number: int) -> Path:
    """The file of a sample, given that of the sheet."""
    return sheet.with_name(f"{sheet.stem.removesuffix(f'.{SHEET}')}.{number}{sheet.suffix}")


def _target(item: Item, path: Path) -> Target:
    return Target(partial(result_file, path, item.overwrite), str(path), item.format)


def _refuse_pipe(item: Item, option: str) -> None:
    if STANDARD in (item.source, item.target):
        raise OptionError(f"{option} writes several files: give a file to read, and none or a file for -o")


def _refuse_existing(item: Item, paths: list[Path]) -> None:
    for path in paths:
        if path.exists() and not item.overwrite:
            raise exists_error(str(path))


def _sheet_size(size: tuple[int, int], samples: int, scale: int) -> tuple[int, int]:
    """Width and height of the sheet of a picture of that size, in pixels."""
    columns, rows = _columns_rows(1 + samples)
    return columns * (size[0] * scale + _GAP) + _GAP, rows * (size[1] * scale + _GAP) + _GAP


def _columns_rows(pictures: int) -> tuple[int, int]:
    columns = math.ceil(pictures**0.5)
    return columns, math.ceil(pictures / columns)


def _sheet(pixels: np.ndarray, samples: list[np.ndarray], scale: int) -> np.ndarray:
    """`(H, W, 3)` uint8."""
    shown = [resample.nearest(images.rgb(Picture(pixels)), scale), *(images.rgb(Picture(s)) for s in samples)]
    width, height = _sheet_size((pixels.shape[1], pixels.shape[0]), len(samples), scale)
    columns, _ = _columns_rows(len(shown))
    sheet = np.full((height, width, 3), 255, np.uint8)
    for number, picture in enumerate(shown):
        high, wide = picture.shape[:2]
        top, left = number // columns * (high + _GAP) + _GAP, number % columns * (wide + _GAP) + _GAP
        sheet[top : top + high, left : left + wide] = picture
    return sheet
