"""Writing all frames of an animation, or pages, as they come."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import IO

import numpy as np

from srez.errors import OutputError
from srez.images import animation, keeping, metadata, tiff
from srez.images.animation import Look, Still
from srez.images.formats import GIF, TIFF, Format
from srez.images.frames import Sequence
from srez.images.picture import Picture
from srez.images.writing import Encoding, image_of, refuse_unwritable, save_page


@dataclass(frozen=True)
class Made:
    """A frame or a page to write.

    Attributes:
        bands: from top to bottom, `(h, W, C)` each.
        size: width and height, in pixels.
        like: a picture of the same channels and depth, whose metadata are kept.
        duration: of a frame, in milliseconds.
    """

    bands: Iterable[np.ndarray]
    size: tuple[int, int]
    like: Picture
    duration: float = 0.0


def refuse_sequence(name: str, format_: Format, sequence: Sequence, sizes: list[tuple[int, int]]) -> None:
    """Refuse a format that cannot hold frames, or pages; cheap, so that it comes before the work.

    Args:
        name: of the file, for the sentence.
        format_: to write.
        sequence: what is read.
        sizes: of the results, width and height each, in pixels.

    Raises:
        OutputError: it cannot.
    """
    count = len(sequence.sizes)
    if not sequence.animated and format_.animated and count > 1:
        raise OutputError(f"{name}: {count} pages would be frames without duration; write a .tif instead")
    if count > 1 and not format_.animated and not format_.pages:
        better = "a .webp, .png, .gif or .tif" if sequence.animated else "a .tif"
        raise OutputError(f"{name}: {format_.label} holds one picture, not {count}; write {better} instead")
    for size in set(sizes):
        refuse_unwritable(name, format_, 1, size)
    if format_ == TIFF and sum(width * height for width, height in sizes) > tiff.MOST:
        raise OutputError(f"{name}: TIFF cannot hold more than 4 GB")


def save_sequence(
    file: IO[bytes], name: str, encoding: Encoding, made: Iterator[Made], sequence: Sequence
) -> tuple[str, ...]:
    """Write frames or pages as they come; of an animation, two are in memory at a time.

    Args:
        file: to write to, which can seek.
        name: what errors call it.
        encoding: how to write it.
        made: in their order.
        sequence: what they were read from.

    Returns:
        What the format cannot hold, a phrase each: "IPTC data".

    Raises:
        OutputError: the format cannot hold them, or the file cannot be written.
    """
    if encoding.format == TIFF:
        lost = _save_pages(file, name, encoding, made)
        return (*lost, "times of frames") if sequence.animated else lost
    return _save_animation(file, encoding, made, sequence)


def _save_pages(file: IO[bytes], name: str, encoding: Encoding, made: Iterator[Made]) -> tuple[str, ...]:
    tiff.begin(file)
    link, lost = tiff.FIRST, {}
    for page in made:
        link, phrases = save_page(file, name, encoding, page.bands, page.size, page.like, link)
        if file.tell() > tiff.MOST:
            raise OutputError(f"{name}: TIFF cannot hold more than 4 GB")
        lost |= dict.fromkeys(phrases)
    return tuple(lost)


def _save_animation(
    file: IO[bytes], encoding: Encoding, made: Iterator[Made], sequence: Sequence
) -> tuple[str, ...]:
    first = next(made)
    kept, lost = _kept(first, encoding)
    look = Look(first.size, len(sequence.sizes), sequence.plays, encoding.quality, kept)
    animation.write(file, encoding.format, _stills(first, made), look)
    return lost


def _stills(first: Made, others: Iterator[Made]) -> Iterator[Still]:
    yield _still(first)
    yield from map(_still, others)


def _still(frame: Made) -> Still:
    return Still(np.asarray(image_of(frame.bands, frame.size, frame.like)), frame.duration)


def _kept(frame: Made, encoding: Encoding) -> tuple[metadata.Metadata, tuple[str, ...]]:
    """The metadata of an animation: those of its first frame."""
    found = frame.like.metadata
    if encoding.format == GIF:
        named = {"colour profile": found.icc, "EXIF data": found.exif, "XMP data": found.xmp}
        lost = [what for what, data in named.items() if data]
        return metadata.Metadata(comment=found.comment), (*lost, *(["text"] if found.text else []))
    resized = replace(found, exif=metadata.resized_exif(found.exif, frame.size))
    kept, lost = keeping.fitted_to(resized, encoding.format)
    kept = replace(kept, exif=metadata.marked(kept.exif) if encoding.marked else kept.exif)
    if kept.icc and not metadata.fitting_profile(kept.icc, np.empty((1, 1, 3))):
        kept, lost = replace(kept, icc=None), (*lost, metadata.FOR_GRAY)
    return kept, lost
