"""All frames of an animation, or all pages of a file, to a larger one of the same kind."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from srez import images
from srez.errors import OptionError, OutOfMemoryError
from srez.images import Format, Frames, Made, Picture, Sequence
from srez.models.card import Card
from srez.upscaling.convert import Converted, Options, Source, Target
from srez.upscaling.loading import Choose
from srez.upscaling.resizing import Resizing, resized_bands, resizing
from srez.upscaling.settings import ModelSettings
from srez.upscaling.tiling import Progress
from srez.upscaling.upscaler import Upscaler
from srez.upscaling.wrapping import wrapped_bands


def are_several(data: Path | bytes, options: Options, format_: Format) -> bool:
    """Whether all pictures of a file are wanted, and it has several or its result is of a kind that would.

    Args:
        data: the file, or its bytes; what cannot be read is left to those who read it.
        options: which say whether all are wanted.
        format_: to write.
    """
    if options.frames != Frames.all:
        return False
    return not format_.writable or images.holds_several(data)


def convert_all(
    choose: Choose, source: Source, target: Target, options: Options, progress: Progress
) -> Converted:
    """Upscale all frames or pages, as `convert` does a picture.

    A page is upscaled as if it were alone. The frames of an animation have one model and one repair, those of
    the first: else it would flicker.

    Args:
        choose: gives the upscaler for a picture.
        source: what to read.
        target: what to write.
        options: as for `convert`.
        progress: called after each tile with the fraction done; what it raises ends the work.

    Raises:
        SrezError: as for `convert`; or the target cannot hold several pictures.
    """
    sequence = images.sequence(source.data, source.name, options.max_pixels)
    work = _Work(choose, source, target, options, progress, sequence)
    encoding = images.Encoding(target.format, options.quality, marked=True)
    try:
        made = work.made()
        first = next(made)  # before the target is opened: what is wrong is known by then
        with target.open() as file:
            lost = images.save_sequence(file, target.name, encoding, _after(first, made), sequence)
    except MemoryError:
        raise OutOfMemoryError(f"{source.name}: out of memory: try a smaller --tile") from None
    count = len(sequence.sizes)
    return replace(work.first, warnings=(*work.unread, *lost), frames=count)


def foreseen(source: Path, target: str, format_: Format, options: Options, card: Card) -> Converted:
    """What `convert_all` would make, as far as the header tells.

    Args:
        source: the file.
        target: what errors call the result.
        format_: to write.
        options: as for `convert_all`.
        card: the model's.

    Raises:
        SrezError: it cannot be made.
    """
    sequence = images.sequence(source, str(source), options.max_pixels)
    sizes = _result_sizes(sequence, options, card.scale, str(source))
    images.refuse_sequence(target, format_, sequence, sizes)
    resized = resizing(sequence.sizes[0], card, sizes[0])
    return Converted(sizes[0], resized, frames=len(sizes))


def _result_sizes(sequence: Sequence, options: Options, scale: int, name: str) -> list[tuple[int, int]]:
    try:
        return [options.result_size(size, scale) for size in sequence.sizes]
    except OptionError as error:
        raise OptionError(f"{name}: {error}") from None


def _after(first: Made, others: Iterator[Made]) -> Iterator[Made]:
    yield first
    yield from others


@dataclass
class _Work:
    """The way from frames to larger ones.

    Attributes:
        first: what became of the first.
        unread: what was there but could not be read.
    """

    choose: Choose
    source: Source
    target: Target
    options: Options
    progress: Progress
    sequence: Sequence
    first: Converted = field(default_factory=lambda: Converted((0, 0)))
    unread: dict[str, None] = field(default_factory=dict)

    def made(self) -> Iterator[Made]:
        """The results, each computed while it is taken."""
        source, sequence = self.source, self.sequence
        pixels = [width * height for width, height in sequence.sizes]
        same: tuple[Upscaler, ModelSettings] | None = None
        frames = images.read_frames(source.data, source.name, self.options.max_pixels)
        for number, frame in enumerate(frames):
            picture = images.fitted(frame.picture, self.target.format, self.options.background)
            upscaler, settings = same or self._chosen(picture)
            if sequence.animated:
                same = upscaler, settings
            if not number:
                sizes = _result_sizes(sequence, self.options, upscaler.card.scale, source.name)
                images.refuse_sequence(self.target.name, self.target.format, sequence, sizes)
            within = partial(self._advance, sum(pixels[:number]), pixels[number], sum(pixels))
            made, resized = self._larger(picture, upscaler, settings, within)
            self.first = self.first if number else Converted(made.size, resized, settings)
            self.unread |= dict.fromkeys(f"{what}, which cannot be read" for what in picture.unread)
            yield replace(made, duration=frame.duration)

    def _chosen(self, picture: Picture) -> tuple[Upscaler, ModelSettings]:
        upscaler = self.choose(picture.pixels)
        return upscaler, upscaler.settings_for(picture.pixels, picture.jpeg)

    def _larger(
        self, picture: Picture, upscaler: Upscaler, settings: ModelSettings, progress: Progress
    ) -> tuple[Made, Resizing | None]:
        card, wrap = upscaler.card, self.options.wrap
        size = self.options.result_size(picture.size, card.scale)
        upscale = partial(wrapped_bands, size) if wrap else partial(Upscaler.bands, jpeg=picture.jpeg)
        faces = upscaler.faces_in(picture.pixels)
        bands = upscale(upscaler, picture.pixels, progress, settings.repair, faces)
        resized, how = resized_bands(bands, picture.size, card, size, wrap)
        return Made(map(np.ascontiguousarray, resized), size, picture), how

    def _advance(self, done: int, pixels: int, total: int, fraction: float) -> None:
        self.progress((done + fraction * pixels) / total)
