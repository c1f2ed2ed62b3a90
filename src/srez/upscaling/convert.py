"""One picture from a file to a larger one: read, fit, check, upscale, save."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np

from srez import images
from srez.errors import CutShortError, ModelError, OptionError, OutOfMemoryError, SeveralError
from srez.images import Format, Frames, Picture
from srez.models.card import Card
from srez.upscaling.faces import Treated, treated
from srez.upscaling.loading import Choose
from srez.upscaling.resizing import Resizing, resized_bands
from srez.upscaling.settings import ModelSettings
from srez.upscaling.size import Size, is_enlarged
from srez.upscaling.tiling import Progress, ignore_progress
from srez.upscaling.upscaler import Upscaler
from srez.upscaling.wrapping import wrapped_bands


@dataclass(frozen=True)
class Source:
    """A picture to upscale.

    Attributes:
        data: the file, or its bytes.
        name: what errors call it.
        read: reads it, given the data, the name and the most pixels.
    """

    data: Path | bytes
    name: str
    read: Callable[[Path | bytes, str, int], Picture] = images.read


@dataclass(frozen=True)
class Target:
    """Where a result goes.

    Attributes:
        open: opens a file to write to, which can seek; called when the picture is known to be fine.
        name: what errors call it.
        format: to write.
    """

    open: Callable[[], AbstractContextManager[IO[bytes]]]
    name: str
    format: Format


@dataclass(frozen=True)
class Options:
    """How pictures are upscaled.

    Attributes:
        size: of results.
        quality: of lossy formats, from 1 to 100.
        max_pixels: larger inputs are refused before they are decoded.
        background: red, green and blue, 0 to 255, behind what is transparent where a format cannot be.
        wrap: whether a picture goes on at its other side, as a seamless texture does.
        salvage: whether what there is of files that are cut short is upscaled.
        frames: which pictures of files that have several; None refuses such files.
        only_faces: numbers of the faces to enlarge, from 1, the surest first; by default all that are found.
    """

    size: Size = field(default_factory=Size)
    quality: int = images.QUALITY
    max_pixels: int = images.MAX_PIXELS
    background: tuple[int, int, int] | None = None
    wrap: bool = False
    salvage: bool = False
    frames: Frames | None = None
    only_faces: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse options that contradict each other.

        Raises:
            OptionError: they do.
        """
        if self.salvage and self.frames == Frames.all:
            raise OptionError("--salvage and --frames all cannot be combined: take the first frame")
        if self.only_faces is not None and self.frames == Frames.all:
            raise OptionError("--only-faces and --frames all cannot be combined: take the first frame")

    def source(self, data: Path | bytes, name: str) -> Source:
        """A picture that is read in this process, as the options ask.

        Args:
            data: the file, or its bytes.
            name: what errors call it.
        """
        return Source(data, name, self.read)

    def read(self, data: Path | bytes, name: str, max_pixels: int) -> Picture:
        """Read a picture, or the first of several; see `images.read`."""
        first = self.frames is not None
        try:
            with _advised():
                return images.read(data, name, max_pixels, salvage=self.salvage, first=first)
        except CutShortError as error:
            advice = "" if self.salvage else "; --salvage upscales what there is"
            raise CutShortError(f"{error}{advice}") from None

    def input_size(self, path: Path) -> tuple[int, int]:
        """Width and height of a picture, or of the first of several, from its header; see `images.size`."""
        with _advised():
            return images.size(path, max_pixels=self.max_pixels, first=self.frames is not None)

    def result_size(self, size: tuple[int, int], scale: int) -> tuple[int, int]:
        """Width and height of a result, in pixels.

        Args:
            size: width and height of the input, in pixels.
            scale: the model's.

        Raises:
            OptionError: the result would have more pixels than the model makes of the largest input.
        """
        target = self.size.of(size, scale)
        most = self.max_pixels * scale**2
        if self.wrap and is_enlarged(size, scale, target):
            raise OptionError(f"--wrap makes pictures at most {scale} times as large, as the model does")
        if target[0] * target[1] > most:
            raise OptionError(
                f"a {size[0]}x{size[1]} picture cannot become {target[0]}x{target[1]}: results have at most "
                f"{most:,} pixels; choose a smaller size"
            )
        return target


@contextmanager
def _advised() -> Iterator[None]:
    """Say what can be done about an animation."""
    try:
        yield
    except SeveralError as error:
        raise SeveralError(f"{error} without --frames first or --frames all") from None


@dataclass(frozen=True)
class Decoded:
    """A picture between `decode` and `encode`: checked, but not yet upscaled.

    Attributes:
        picture: the input, as the result's format can hold it.
        card: the model's.
        size: width and height of the result, in pixels.
    """

    picture: Picture
    card: Card
    size: tuple[int, int]


@dataclass(frozen=True)
class Converted:
    """What became of a picture.

    Attributes:
        size: width and height of the result, in pixels.
        resized: how the model's result was brought to that size; None if it has it.
        settings: what it was made with, or its first frame; None if it is only foreseen.
        warnings: what the source says beside its pixels and the result does not, a phrase each.
        frames: how many frames or pages it has.
        faces: that were found, where they were looked for, and what was done to them.
        beside: files made beside the result: samples, or how far it may be from the truth.
    """

    size: tuple[int, int]
    resized: Resizing | None = None
    settings: ModelSettings | None = None
    warnings: tuple[str, ...] = ()
    frames: int = 1
    faces: tuple[Treated, ...] = ()
    beside: tuple[Path, ...] = ()


def convert(
    choose: Choose,
    source: Source,
    target: Target,
    options: Options,
    progress: Progress = ignore_progress,
) -> Converted:
    """Upscale one picture from anywhere to anywhere; nothing is written unless all is well.

    Args:
        choose: gives the upscaler for a picture; called twice.
        source: what to read.
        target: what to write.
        options: size and quality of the result, and what is refused.
        progress: called after each tile with the fraction done; what it raises ends the work.

    Raises:
        ImageError: the source cannot be read.
        ModelError: the model is missing or corrupt, or has no fidelity to choose.
        OptionError: the result would be too large, or there is no face of a number.
        OutOfMemoryError: memory does not suffice, even for small tiles.
        OutputError: the target cannot be written, or its format cannot hold the result.
    """
    decoded = decode(source, target, options, lambda pixels: choose(pixels).card)
    picture = decoded.picture
    upscaler = choose(picture.pixels)
    settings = upscaler.settings_for(picture.pixels, picture.jpeg)
    try:
        faces = _treated(upscaler, decoded, options, source.name)
        progress(0.0)  # it may be unwanted meanwhile
        plain = partial(Upscaler.bands, jpeg=picture.jpeg)
        upscale = partial(wrapped_bands, decoded.size) if options.wrap else plain
        enlarged = [each.face for each in faces if not each.left]
        bands = upscale(upscaler, picture.pixels, progress, settings.repair, enlarged)
        return replace(encode(decoded, bands, target, options), settings=settings, faces=faces)
    except MemoryError:
        raise OutOfMemoryError(f"{source.name}: out of memory: try a smaller --tile") from None


def _treated(upscaler: Upscaler, decoded: Decoded, options: Options, name: str) -> tuple[Treated, ...]:
    try:
        return treated(upscaler.faces_in(decoded.picture.pixels), options.only_faces)
    except OptionError as error:
        raise OptionError(f"{name}: {error}") from None


def decode(source: Source, target: Target, options: Options, card: Callable[[np.ndarray], Card]) -> Decoded:
    """Read a picture, fit it to the format of its result, and check that the result can be made and written.

    With `encode`, this is `convert` in two halves, for those who upscale several pictures together.

    Args:
        source: what to read.
        target: what is to be written.
        options: size and quality of the result, and what is refused.
        card: gives the card of the model for a picture's pixels.

    Raises:
        ImageError: the source cannot be read.
        ModelError: `card` raised it.
        OptionError: the result would be too large.
        OutOfMemoryError: memory does not suffice for the source.
        OutputError: the format cannot hold the result.
    """
    picture = source.read(source.data, source.name, options.max_pixels)
    picture = images.fitted(picture, target.format, options.background)
    try:
        model = card(picture.pixels)
        size = options.result_size(picture.size, model.scale)
    except (ModelError, OptionError) as error:
        raise type(error)(f"{source.name}: {error}") from None
    images.refuse_unwritable(target.name, target.format, picture.channels, size, picture.pixels.itemsize)
    return Decoded(picture, model, size)


def encode(decoded: Decoded, bands: Iterable[np.ndarray], target: Target, options: Options) -> Converted:
    """Write what a model made of a picture, in the size that was asked for.

    Args:
        decoded: the picture.
        bands: the model's output from top to bottom, `(h, scale W, C)` each.
        target: what to write.
        options: the same as for `decode`.

    Raises:
        OutputError: the target cannot be written.
    """
    size, card = decoded.picture.size, decoded.card
    bands, resized = resized_bands(bands, size, card, decoded.size, options.wrap)
    with target.open() as file:
        encoding = images.Encoding(target.format, options.quality, marked=True)
        lost = images.save(file, target.name, encoding, bands, decoded.size, decoded.picture)
    unread = (f"{what}, which cannot be read" for what in decoded.picture.unread)
    return Converted(decoded.size, resized, warnings=(*unread, *lost))
