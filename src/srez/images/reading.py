"""Reading image files."""

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO

from PIL import Image, UnidentifiedImageError

from srez.errors import (
    CutShortError,
    ImageError,
    MissingPackageError,
    OutOfMemoryError,
    SeveralError,
    TooLargeError,
)
from srez.images import cut_jpeg, foreign, headers, heif, jpeg, metadata, png_chunks, salvaging, unsupported
from srez.images.decode import decode
from srez.images.formats import (
    AVIF,
    FORMATS,
    HEIC,
    JPEG,
    PNG,
    START_BYTES,
    TIFF,
    WEBP,
    Format,
    format_of_bytes,
    register_heif,
    require_package,
)
from srez.images.orientation import turn, upright
from srez.images.picture import Picture
from srez.images.quiet import quiet

quiet()

_PAGES = "srez pages"  # where `opened` puts their number

MAX_PIXELS = 178_956_970  # of a picture to read: where Pillow stops too, 512 MB of RGB


def read(
    source: Path | bytes,
    name: str | None = None,
    max_pixels: int = MAX_PIXELS,
    *,
    salvage: bool = False,
    first: bool = False,
) -> Picture:
    """Read a picture: PNG, JPEG, WebP, TIFF, AVIF, BMP, GIF, and HEIC where pillow-heif is installed.

    What it is is found out from its contents, not from its name. The orientation of the EXIF data is
    applied, a palette becomes RGB (RGBA where it has transparency), CMYK becomes RGB by its profile. EXIF
    data that cannot be parsed is left out, and so is a profile of other channels, or of CMYK that cannot be
    used; `Picture.unread` names both. A JPEG may lack the mark at its end.

    Args:
        source: the file, or its bytes.
        name: what to call it in an error; the path by default.
        max_pixels: what is larger is refused before it is decoded.
        salvage: whether what there is of a file that is cut short is read, see `salvaging.salvage`.
        first: whether the first of several frames or pages is read, instead of refused.

    Raises:
        ImageError: missing, not a picture, damaged, too large, animated, or of a kind that is not supported.
        OutOfMemoryError: memory does not suffice for its pixels.
    """
    name = name or (str(source) if isinstance(source, Path) else "picture")
    again = partial(_read, source, name, max_pixels, first)
    try:
        return again()
    except ImageError as damage:
        if isinstance(damage, CutShortError) and _is_jpeg(source):
            return cut_jpeg.read_cut(again, damage, in_part=salvage)
        if not salvage or isinstance(damage, TooLargeError):
            raise
        return salvaging.salvage(again, damage)


def _is_jpeg(source: Path | bytes) -> bool:
    with _file(source) as file:
        return format_of_bytes(file.read(START_BYTES)) == JPEG


def _read(
    source: Path | bytes,
    name: str,
    max_pixels: int,
    first: bool,
    prepare: salvaging.Prepare = salvaging.as_opened,
) -> Picture:
    @contextmanager
    def again() -> Iterator[Image.Image]:
        with opened(source, name, max_pixels) as image:
            prepare(image)
            yield image

    with again() as image:
        if not first:
            refuse_several(image, name)
        return picture_in(image, name, again)


def picture_in(
    image: Image.Image, name: str, again: Callable[[], AbstractContextManager[Image.Image]]
) -> Picture:
    """What an opened image shows, at the frame or page where it is; `again` opens the same once more."""
    pixels, icc = decode(image, name, again)
    # After the pixels: a PNG may have EXIF data behind them, and Pillow turns a TIFF while it decodes it.
    found, orientation, unread = metadata.read(image)
    told = jpeg.told(image)
    if icc and (image.mode == "CMYK" or not metadata.fitting_profile(icc, pixels)):
        icc, unread = None, (*unread, "colour profile")
    pixels = upright(pixels, orientation)
    height, width = pixels.shape[:2]
    told = told and told.upright(orientation, (width, height))
    return Picture(pixels, replace(found, icc=icc), unread, told)


def size(
    source: Path | bytes, name: str | None = None, max_pixels: int = MAX_PIXELS, *, first: bool = False
) -> tuple[int, int]:
    """Width and height of a picture as `read` would give it, from its header; the arguments are its.

    Raises:
        ImageError: missing, not a picture, too large, or animated.
    """
    name = name or str(source)
    with opened(source, name, max_pixels) as image:
        if not first:
            refuse_several(image, name)
        width, height = image.size
        # A TIFF is turned by Pillow; to look for EXIF data, a PNG without any in its header would be decoded.
        looked_for = image.format not in ("PNG", "TIFF") or (image.format == "PNG" and "exif" in image.info)
        turned = looked_for and turn(metadata.exif(image)[1])[0]
        return (height, width) if turned else (width, height)


def is_our_result(source: Path | bytes) -> bool:
    """Whether a file, or its bytes, is a picture written as `marked`, by its header; False for all else.

    The mark is the EXIF tag ProcessingSoftware (0x000B), "srez": a camera's own Software tag stays as it
    is. All formats that we write hold EXIF data, so it is the same in each.
    """
    try:
        with opened(source, "picture", sys.maxsize) as image:
            return metadata.is_marked(image)
    except (ImageError, OutOfMemoryError, OSError):
        return False


@contextmanager
def opened(source: Path | bytes, name: str, max_pixels: int) -> Iterator[Image.Image]:
    """An image whose pixels are not yet decoded; whatever goes wrong with it becomes an ImageError."""
    image = None
    try:
        if isinstance(source, Path) and source.is_fifo():
            raise ImageError(f"{name} is a pipe: hand it over as standard input, with - for its name")
        with _file(source) as file:
            found = _format(file, name)
            if Image.MAX_IMAGE_PIXELS and max_pixels > 2 * Image.MAX_IMAGE_PIXELS:
                Image.MAX_IMAGE_PIXELS = max_pixels  # who raises our limit raises Pillow's
            pages = headers.check(found, file, max_pixels)
            beside, shown = png_chunks.split(file) if found == PNG else ((), file)
            beside = heif.colours(file) if found in (AVIF, HEIC) else beside
            with Image.open(shown, formats=[found.pillow]) as image:
                if image.width * image.height > max_pixels:
                    raise Image.DecompressionBombError
                png_chunks.tell(image, beside)
                image.info[_PAGES] = pages
                yield image
    except ImageError:
        raise
    except headers.Refusal as refusal:
        raise ImageError(f"{name} {refusal}") from None
    except FileNotFoundError:
        raise ImageError(f"{name} does not exist") from None
    except MemoryError:
        raise OutOfMemoryError(f"{name} does not fit in memory") from None
    except Exception as error:
        # Decoders raise anything for damaged files: SyntaxError, struct.error, IndexError, zlib.error ...
        if isinstance(error, OSError) and error.errno is not None:
            raise ImageError(f"{name} cannot be read: {error.strerror}") from None
        raise _problem(source, name, max_pixels, error, image) from None


def _file(source: Path | bytes) -> IO[bytes]:
    return source.open("rb") if isinstance(source, Path) else io.BytesIO(source)


def _format(file: IO[bytes], name: str) -> Format:
    """The format of an opened file, by its first bytes."""
    start = file.read(foreign.START_BYTES)
    file.seek(0)
    found = format_of_bytes(start)
    if found is None:
        raise ImageError(f"{name} is {_not_ours(start)}")
    require_package(found, name, MissingPackageError)
    if found == HEIC:
        register_heif()
    return found


def _not_ours(start: bytes) -> str:
    """What a file is that is of none of our formats."""
    if not start:
        return "empty"
    kind = foreign.kind_of(start)
    ours = f"{', '.join(each.label for each in FORMATS[:-1])} or {FORMATS[-1].label}"
    return str(kind) if kind else f"not a {ours} picture"


def _problem(
    source: Path | bytes, name: str, max_pixels: int, error: Exception, image: Image.Image | None
) -> ImageError:
    """What is wrong with a file of one of our formats that Pillow does not take, or does not decode."""
    with _file(source) as file:
        found = format_of_bytes(file.read(START_BYTES))
        width, height = unsupported.largest_size(file) if found in (AVIF, HEIC) else (0, 0)
        kind = unsupported.kind_of(found, file, image is not None) if found else None
    if isinstance(error, Image.DecompressionBombError) or width * height > max_pixels:
        return TooLargeError(
            f"{name} has more than {max_pixels:,} pixels: if you trust it, allow more (--max-pixels)"
        )
    if kind:
        return ImageError(f"{name} is {kind}")
    # Where Pillow does not take a file at all, it gives no reason but an address in memory.
    reason = "" if isinstance(error, UnidentifiedImageError) or not str(error) else f": {error}"
    kind_of_error = CutShortError if image and _is_decoded_in_part(image) else ImageError
    return kind_of_error(f"{name} is damaged or cut short{reason}")


def _is_decoded_in_part(image: Image.Image) -> bool:
    """Whether the decoder of an opened image gives what it has of a file that is cut short."""
    if image.format == TIFF.pillow:
        return image.info.get("compression") == "raw"
    return image.format not in (WEBP.pillow, AVIF.pillow, HEIC.pillow)


def several(image: Image.Image) -> int:
    """How many frames or pages an image has that was just opened."""
    # A camera's MPO is a JPEG with further views or a preview behind the picture; reduced copies among the
    # pages of a TIFF do not count either.
    if image.format == "MPO":
        return 1
    return image.info[_PAGES] if image.format == TIFF.pillow else getattr(image, "n_frames", 1)


def refuse_several(image: Image.Image, name: str) -> None:
    """Refuse what is not a single picture. Of several in a HEIC one is the primary one, which is opened.

    Raises:
        SeveralError: it is an animation, or has pages.
    """
    if image.format == HEIC.pillow or (count := several(image)) == 1:
        return
    what = f"has {count} pages" if image.format == TIFF.pillow else f"is animated ({count} frames)"
    raise SeveralError(f"{name} {what}: only single pictures can be upscaled")
