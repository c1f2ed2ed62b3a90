"""Writing image files."""

import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from srez.errors import OutputError, TransparencyError
from srez.images import keeping, metadata, png, png_chunks, tiff
from srez.images.formats import (
    AVIF,
    HEIC,
    JPEG,
    PNG,
    TIFF,
    WEBP,
    Format,
    format_to_write,
    register_heif,
    require_package,
)
from srez.images.picture import Metadata, Picture, from_float, to_float, to_uint8
from srez.output import atomic

QUALITY = 95  # of lossy formats, from 1 to 100

_SAVE_OPTIONS = {
    JPEG: {"subsampling": 0},
    WEBP: {"method": 4},
    AVIF: {"subsampling": "4:4:4"},
    HEIC: {"chroma": 444},
}


@dataclass(frozen=True)
class Encoding:
    """How a picture becomes a file.

    Attributes:
        format: of the file.
        quality: of lossy formats, from 1 to 100.
        marked: whether the file is to say that srez made it, for `is_our_result`.
    """

    format: Format
    quality: int = QUALITY
    marked: bool = False


def write(path: Path, picture: Picture, quality: int = QUALITY, marked: bool = False) -> None:
    """Write a picture, whole or not at all; the suffix decides the format.

    JPEG, AVIF and HEIC are written without chroma subsampling. Only PNG and TIFF keep 16 bits a channel.

    Args:
        path: the file.
        picture: what to write.
        quality: of JPEG, WebP, AVIF and HEIC, from 1 to 100.
        marked: see `Encoding`.

    Raises:
        OutputError: unknown suffix, alpha in a JPEG, or the file cannot be written.
    """
    encoding = Encoding(format_to_write(path), quality, marked)
    with atomic(path) as file:
        save(file, str(path), encoding, [picture.pixels], picture.size, picture)


def save(
    file: IO[bytes],
    name: str,
    encoding: Encoding,
    bands: Iterable[np.ndarray],
    size: tuple[int, int],
    like: Picture,
) -> tuple[str, ...]:
    """Write a picture that comes in bands; PNG and TIFF are written band by band.

    Args:
        file: to write to; for TIFF it must be able to seek.
        name: what to call it in an error.
        encoding: how to write it.
        bands: from top to bottom, `(h, W, C)` each.
        size: width and height of the whole picture, in pixels.
        like: a picture of the same channels and depth, whose metadata are kept.

    Returns:
        What of its metadata the format cannot hold, a phrase each: "IPTC data".

    Raises:
        OutputError: the format cannot hold the pixels, or the file cannot be written.
    """
    if encoding.format == TIFF:
        tiff.begin(file)
        return save_page(file, name, encoding, bands, size, like, tiff.FIRST)[1]
    like, lost = _kept(name, encoding, size, like)
    if encoding.format == PNG:
        _save_png(file, bands, size, like)
    else:
        _save_with_pillow(file, name, encoding, image_of(bands, size, like), like.metadata)
    return lost


def save_page(
    file: IO[bytes],
    name: str,
    encoding: Encoding,
    bands: Iterable[np.ndarray],
    size: tuple[int, int],
    like: Picture,
    link: int,
) -> tuple[int, tuple[str, ...]]:
    """Write a page of a TIFF, as `save` does a picture.

    Args:
        link: as for `tiff.write_page`; the other arguments are those of `save`.

    Returns:
        The link for the page after it, and what the format cannot hold.
    """
    like, lost = _kept(name, encoding, size, like)
    return _save_tiff_page(file, bands, size, like, link), lost


def _kept(
    name: str, encoding: Encoding, size: tuple[int, int], like: Picture
) -> tuple[Picture, tuple[str, ...]]:
    """A picture with the metadata that the format can hold, and what it cannot."""
    refuse_unwritable(name, encoding.format, like.channels, size, like.pixels.dtype.itemsize)
    resized = replace(like.metadata, exif=metadata.resized_exif(like.metadata.exif, size))
    kept, lost = keeping.fitted_to(resized, encoding.format)
    fits = metadata.fitting_profile(kept.icc, like.pixels) and not _becomes_rgb(like, encoding.format)
    if kept.icc and not fits:
        kept, lost = replace(kept, icc=None), (*lost, metadata.FOR_GRAY)
    if encoding.marked:
        kept = replace(kept, exif=metadata.marked(kept.exif))
    return replace(like, metadata=kept), lost


def _save_png(file: IO[bytes], bands: Iterable[np.ndarray], size: tuple[int, int], like: Picture) -> None:
    kept = like.metadata
    png.write(
        file,
        bands,
        size,
        like.channels,
        like.pixels.dtype,
        icc=kept.icc,
        exif=kept.exif and kept.exif.removeprefix(metadata.EXIF_MARK),
        dpi=kept.dpi,
        beside=png_chunks.with_xmp(kept.colours + kept.text, kept.xmp),
    )


def _save_tiff_page(
    file: IO[bytes], bands: Iterable[np.ndarray], size: tuple[int, int], like: Picture, link: int
) -> int:
    channels, kept = like.channels, like.metadata
    if _is_deep_gray_with_alpha(channels, like.pixels.dtype.itemsize):
        channels, bands = 4, (np.repeat(band, (3, 1), axis=2) for band in bands)
    own = {metadata.XMP_TAG: kept.xmp, metadata.IPTC_TAG: kept.iptc}
    tags = metadata.tags(kept.exif) | {tag: value for tag, value in own.items() if value}
    dtype = like.pixels.dtype
    return tiff.write_page(file, link, bands, size, channels, dtype, icc=kept.icc, tags=tags, dpi=kept.dpi)


def _save_with_pillow(
    file: IO[bytes], name: str, encoding: Encoding, image: Image.Image, kept: Metadata
) -> None:
    """Save an image in a lossy format."""
    format_ = encoding.format
    options = {"icc_profile": kept.icc, "exif": kept.exif, "dpi": kept.dpi, "xmp": kept.xmp}
    if format_ == JPEG:
        options |= {"comment": kept.comment, "extra": kept.iptc and metadata.iptc_segment(kept.iptc)}
    options = _SAVE_OPTIONS[format_] | {key: value for key, value in options.items() if value}
    if format_ == HEIC:
        register_heif()
    # Not into the file itself: Pillow takes no notice when a full disk takes only a part of a JPEG.
    encoded = io.BytesIO()
    try:
        image.save(encoded, format=format_.pillow, quality=encoding.quality, **options)
    except (ValueError, RuntimeError, OSError) as error:
        raise OutputError(f"{name} cannot be written as {format_.label}: {error}") from None
    file.write(encoded.getbuffer())


def fitted(picture: Picture, format_: Format, background: tuple[int, int, int] | None = None) -> Picture:
    """A picture as a format can hold it: for JPEG, on a background, or without an alpha that is all opaque.

    Args:
        picture: what is to be upscaled and written.
        format_: to write.
        background: red, green and blue of 8 bits behind what is transparent; without one, a picture that is
            not all opaque stays as it is.
    """
    pixels = picture.pixels
    if format_.alpha or picture.channels in (1, 3):
        return picture
    if pixels[..., -1].min() < np.iinfo(pixels.dtype).max:
        return replace(picture, pixels=_on(pixels, background)) if background else picture
    return replace(picture, pixels=pixels[..., 0] if picture.channels == 2 else pixels[..., :3])


def _on(pixels: np.ndarray, background: tuple[int, int, int]) -> np.ndarray:
    """Pixels with alpha on a background: gray on gray, else RGB."""
    if pixels.shape[2] == 2 and len(set(background)) > 1:
        pixels = pixels[..., [0, 0, 0, 1]]
    values, behind = to_float(pixels), np.array(background[: pixels.shape[2] - 1], np.float32) / 255
    alpha = values[..., -1:]
    filled = from_float(values[..., :-1] * alpha + behind * (1 - alpha), pixels.dtype)
    return filled[..., 0] if filled.shape[2] == 1 else filled


def refuse_unwritable(
    name: str, format_: Format, channels: int, size: tuple[int, int], itemsize: int = 1
) -> None:
    """Raise OutputError if a format cannot hold a picture: cheap, so that it comes before the work.

    Args:
        name: of the file, for the sentence.
        format_: to write.
        channels: 1 gray, 2 gray with alpha, 3 RGB, 4 RGBA.
        size: width and height, in pixels.
        itemsize: bytes of a channel.
    """
    label, longest = format_.label, format_.longest_side
    if channels in (2, 4) and not format_.alpha:
        raise TransparencyError(f"{name}: {label} cannot hold transparency; write a .png or a .webp instead")
    if longest and max(size) > longest:
        raise OutputError(
            f"{name}: {label} cannot hold a side of more than {longest:,} pixels; write a .png instead"
        )
    if _is_deep_gray_with_alpha(channels, itemsize):
        channels = 4
    if format_ == TIFF and size[0] * size[1] * channels * itemsize > tiff.MOST:
        raise OutputError(f"{name}: TIFF cannot hold more than 4 GB; write a .png instead")
    require_package(format_, name, OutputError)


def _becomes_rgb(picture: Picture, format_: Format) -> bool:
    """Whether a picture is gray and its file is not."""
    channels = picture.channels
    deep = _is_deep_gray_with_alpha(channels, picture.pixels.dtype.itemsize)
    return (
        (channels <= 2 and format_ in (WEBP, AVIF))
        or (channels == 2 and format_ == HEIC)
        or (format_ == TIFF and deep)
    )


def _is_deep_gray_with_alpha(channels: int, itemsize: int) -> bool:
    """Whether pixels are gray with alpha in 16 bits, which few programs read from a TIFF: it gets RGB."""
    return channels == 2 and itemsize == 2


def image_of(bands: Iterable[np.ndarray], size: tuple[int, int], like: Picture) -> Image.Image:
    """Bands put together in 8 bits, for Pillow."""
    pixels = np.empty((size[1], size[0], like.channels), np.uint8)
    top = 0
    for band in bands:
        rows = band.reshape(len(band), size[0], like.channels)
        pixels[top : top + len(rows)] = rows if rows.dtype == np.uint8 else to_uint8(to_float(rows))
        top += len(rows)
    return Image.fromarray(pixels[..., 0] if like.channels == 1 else pixels)
