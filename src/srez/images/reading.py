"""Reading image files."""

import io
import re
import struct
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from srez.errors import ImageError, MissingPackageError, OutOfMemoryError, TooLargeError
from srez.images import foreign, metadata, png
from srez.images.decode import decode
from srez.images.formats import (
    AVIF,
    BMP,
    FORMATS,
    HEIC,
    JPEG,
    PNG,
    START_BYTES,
    TIFF,
    Format,
    format_of_bytes,
    register_heif,
    require_package,
)
from srez.images.picture import Picture

# Pillow warns of what it can mend (odd EXIF data, large pictures); what it cannot mend it raises. Turned off
# once and for all: `warnings.catch_warnings` in one thread undoes that of another.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

MAX_PIXELS = 178_956_970  # of a picture to read: where Pillow stops too, 512 MB of RGB

_UNSUPPORTED = ("Unsupported", "unknown", "cannot handle")  # so begin what Pillow raises of valid files
_TIFF_SUBFILE = 254  # a tag


def read(source: Path | bytes, name: str | None = None, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read a picture: PNG, JPEG, WebP, TIFF, AVIF, BMP, GIF, and HEIC where pillow-heif is installed.

    What it is is found out from its contents, not from its name. The orientation of the EXIF data is
    applied, a palette becomes RGB (RGBA where it has transparency), CMYK becomes RGB by its profile. EXIF
    data that cannot be parsed is left out, and so is a profile of other channels.

    Args:
        source: the file, or its bytes.
        name: what to call it in an error; the path by default.
        max_pixels: what is larger is refused before it is decoded.

    Raises:
        ImageError: missing, not a picture, damaged, too large, animated, or of a kind that is not supported.
        OutOfMemoryError: memory does not suffice for its pixels.
    """
    name = name or (str(source) if isinstance(source, Path) else "picture")
    with _opened(source, name, max_pixels) as image:
        _refuse_several(image, name)
        pixels, icc = decode(image, name, lambda: _opened(source, name, max_pixels))
        # After the pixels: a PNG may have EXIF data behind them, and Pillow turns a TIFF while it decodes it.
        exif, orientation = metadata.exif(image)
        dpi = metadata.dpi(image)
        beside, xmp, comment = image.info.get(png.BESIDE, ()), metadata.xmp(image), metadata.comment(image)
    if orientation >= 5:
        dpi = dpi and (dpi[1], dpi[0])
    fitting = metadata.fitting_profile(icc, pixels)
    return Picture(metadata.upright(pixels, orientation), fitting, exif, dpi, beside, xmp, comment)


def size(source: Path | bytes, name: str | None = None, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Width and height of a picture as `read` would give it, from its header.

    Raises:
        ImageError: missing, not a picture, too large, or animated.
    """
    name = name or str(source)
    with _opened(source, name, max_pixels) as image:
        _refuse_several(image, name)
        width, height = image.size
        # A TIFF is turned by Pillow; to look for EXIF data, a PNG without any in its header would be decoded.
        looked_for = image.format not in ("PNG", "TIFF") or (image.format == "PNG" and "exif" in image.info)
        turned = looked_for and metadata.exif(image)[1] >= 5
        return (height, width) if turned else (width, height)


def is_our_result(source: Path | bytes) -> bool:
    """Whether a file, or its bytes, is a picture written as `marked`, by its header; False for all else.

    The mark is the EXIF tag ProcessingSoftware (0x000B), "srez": a camera's own Software tag stays as it
    is. All formats that we write hold EXIF data, so it is the same in each.
    """
    try:
        with _opened(source, "picture", sys.maxsize) as image:
            return metadata.is_marked(image)
    except (ImageError, OutOfMemoryError, OSError):
        return False


@contextmanager
def _opened(source: Path | bytes, name: str, max_pixels: int) -> Iterator[Image.Image]:
    """An image whose pixels are not yet decoded; whatever goes wrong with it becomes an ImageError."""
    try:
        if isinstance(source, Path) and source.is_fifo():
            raise ImageError(f"{name} is a pipe: hand it over as standard input, with - for its name")
        with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as file:
            found = _format(file, name)
            if Image.MAX_IMAGE_PIXELS and max_pixels > 2 * Image.MAX_IMAGE_PIXELS:
                Image.MAX_IMAGE_PIXELS = max_pixels  # who raises our limit raises Pillow's
            beside, shown = png.split(file) if found == PNG else ((), file)
            with Image.open(shown, formats=[found.pillow]) as image:
                if image.width * image.height > max_pixels:
                    raise Image.DecompressionBombError
                png.tell(image, beside)
                yield image
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError(f"{name} does not exist") from None
    except UnidentifiedImageError:
        raise ImageError(f"{name} {_unreadable(source, max_pixels)}") from None
    except Image.DecompressionBombError:
        raise TooLargeError(
            f"{name} has more than {max_pixels:,} pixels: if you trust it, allow more (--max-pixels)"
        ) from None
    except MemoryError:
        raise OutOfMemoryError(f"{name} does not fit in memory") from None
    except Exception as error:
        # Decoders raise anything for damaged files: SyntaxError, struct.error, IndexError, zlib.error ...
        if isinstance(error, OSError) and error.errno is not None:
            raise ImageError(f"{name} cannot be read: {error.strerror}") from None
        if str(error).startswith(_UNSUPPORTED):
            raise ImageError(f"{name} {_unreadable(source, max_pixels)}") from None
        raise ImageError(f"{name} is damaged or cut short: {error}") from None


def _format(file: IO[bytes], name: str) -> Format:
    """The format of an opened file, by its first bytes."""
    start = file.read(START_BYTES)
    file.seek(0)
    found = format_of_bytes(start)
    if found is None:
        raise ImageError(f"{name} {_not_ours(start)}")
    require_package(found, name, MissingPackageError)
    if found == HEIC:
        register_heif()
    return found


def _not_ours(start: bytes) -> str:
    """What to say of a file of none of our formats."""
    if not start:
        return "is empty"
    if kind := foreign.kind_of(start):
        return f"is {kind[0]}, which cannot be read: {kind[1]}"
    return f"is not a {', '.join(each.label for each in FORMATS[:-1])} or {FORMATS[-1].label} picture"


def _unreadable(source: Path | bytes, max_pixels: int) -> str:
    """What is wrong with a file of one of our formats that Pillow does not take."""
    data = source.read_bytes() if isinstance(source, Path) else source
    found = format_of_bytes(data[:START_BYTES])
    if found in (AVIF, HEIC):
        # Where its limit is exceeded, the decoder says nothing else than where a file is damaged.
        sides = [struct.unpack(">II", data[at + 8 : at + 16]) for at in _places(b"ispe", data[:65536])]
        if any(width * height > max_pixels for width, height in sides):
            raise Image.DecompressionBombError
    if found == JPEG and any(data[at + 4] == 12 for at in _places(b"\xff\xc1", data[:65536])):
        return "is a JPEG of 12 bits a channel, which cannot be read: save it as PNG with 16 bits"
    if found in (TIFF, BMP, JPEG):
        return f"is a {found.label} of a kind that cannot be read, or is damaged: save it anew as PNG"
    label = found.label if found else "picture"
    return f"is a damaged {label}"


def _places(mark: bytes, data: bytes) -> list[int]:
    places = [found.start() for found in re.finditer(re.escape(mark), data)]
    return [place for place in places if place + 16 <= len(data)]


def _refuse_several(image: Image.Image, name: str) -> None:
    if (count := _frames(image)) > 1:
        what = f"has {count} pages" if image.format == "TIFF" else f"is animated ({count} frames)"
        raise ImageError(f"{name} {what}: only single pictures can be upscaled")


def _frames(image: Image.Image) -> int:
    # A camera's MPO is a JPEG with further views or a preview behind the picture.
    # And of several pictures in a HEIC one is the primary one, which is opened.
    count = 1 if image.format in ("MPO", HEIC.pillow) else getattr(image, "n_frames", 1)
    if count == 1 or not isinstance(image, TiffImageFile):
        return count
    smaller = 0  # of the first page, as maps and programs for photographs keep them
    for page in range(1, count):
        image.seek(page)
        smaller += image.tag_v2.get(_TIFF_SUBFILE, 0) & 1
    image.seek(0)
    return count - smaller
