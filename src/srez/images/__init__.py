"""The one place that reads and writes image files."""

import io
import re
import struct
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from srez.errors import ImageError, MissingPackageError, OutOfMemoryError, OutputError, TooLargeError
from srez.images import foreign, metadata, png, tiff
from srez.images.decode import decode
from srez.images.find import Found, find, find_in_zip, is_hidden, is_picture, none_found
from srez.images.formats import (
    AVIF,
    BMP,
    FORMATS,
    HEIC,
    JPEG,
    PNG,
    START_BYTES,
    TIFF,
    WEBP,
    WRITABLE,
    Format,
    format_named,
    format_of_bytes,
    format_of_suffix,
    format_to_write,
    require_package,
)
from srez.output import atomic

__all__ = [
    "AVIF",
    "FORMATS",
    "HEIC",
    "JPEG",
    "PNG",
    "START_BYTES",
    "TIFF",
    "WEBP",
    "WRITABLE",
    "Format",
    "Found",
    "find",
    "find_in_zip",
    "format_named",
    "format_of_bytes",
    "format_of_suffix",
    "format_to_write",
    "is_hidden",
    "is_picture",
    "none_found",
]

# Pillow warns of what it can mend (odd EXIF data, large pictures); what it cannot mend it raises. Turned off
# once and for all: `warnings.catch_warnings` in one thread undoes that of another.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

MAX_PIXELS = 178_956_970  # of a picture to read: where Pillow stops too, 512 MB of RGB
QUALITY = 95  # of lossy formats, from 1 to 100

_SAVE_OPTIONS = {
    JPEG: {"subsampling": 0},
    WEBP: {"method": 4},
    AVIF: {"subsampling": "4:4:4"},
    HEIC: {"chroma": 444},
}
_UNSUPPORTED = ("Unsupported", "unknown", "cannot handle")  # so begin what Pillow raises of valid files
_TIFF_SUBFILE, _XMP_TAG = 254, 700  # tags
_LONGEST_JPEG_EXIF = 65_533  # bytes: a segment of a JPEG has no more


@dataclass(frozen=True)
class Picture:
    """A picture in memory, upright.

    Attributes:
        pixels: uint8, or uint16 where the file has more than 8 bits a channel: `(H, W)` gray, `(H, W, 2)`
            gray with alpha, `(H, W, 3)` RGB or `(H, W, 4)` RGBA; alpha is straight.
        icc: the colour profile, as stored in the file.
        exif: the metadata as JPEG holds it, "Exif" mark in front, the orientation already applied.
        dpi: pixels per inch, across and along.
        beside: chunks of a PNG that say what its text and colours are, kept where a PNG is written.
        xmp: the XMP packet, without orientation.
        comment: of a JPEG.
    """

    pixels: np.ndarray
    icc: bytes | None = None
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    beside: png.Chunks = ()
    xmp: bytes | None = None
    comment: bytes | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def channels(self) -> int:
        """1 gray, 2 gray with alpha, 3 RGB, 4 RGBA."""
        return self.pixels.shape[2] if self.pixels.ndim == 3 else 1


def to_float(pixels: np.ndarray) -> np.ndarray:
    """uint8 or uint16 values as float32 in [0, 1]; float values as they are."""
    if pixels.dtype.kind == "f":
        return pixels
    return pixels / np.float32(np.iinfo(pixels.dtype).max)


def from_float(values: np.ndarray, dtype: np.typing.DTypeLike) -> np.ndarray:
    """Float values in [0, 1] as uint8 or uint16, rounded and never truncated, or as float; clipped."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return values.clip(0, 1).astype(dtype, copy=False)
    most = np.iinfo(dtype).max
    scaled = values * np.float32(most)
    np.rint(scaled, out=scaled)  # in place: copies of large pictures are expensive
    return scaled.clip(0, most, out=scaled).astype(dtype)


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Float values in [0, 1] as uint8: clipped and rounded, never truncated."""
    return from_float(values, np.uint8)


def rgb(picture: Picture) -> np.ndarray:
    """The colours alone, `(H, W, 3)` uint8: gray repeated, alpha left out, 16 bits rounded to 8."""
    pixels = picture.pixels
    pixels = pixels if pixels.dtype == np.uint8 else to_uint8(to_float(pixels))
    if pixels.ndim == 2 or pixels.shape[2] < 3:
        return np.repeat(pixels.reshape(*pixels.shape[:2], -1)[..., :1], 3, axis=2)
    return pixels[..., :3]


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
        raise OutputError(f"{name}: {label} cannot hold transparency; write a .png or a .webp instead")
    if longest and max(size) > longest:
        raise OutputError(
            f"{name}: {label} cannot hold a side of more than {longest:,} pixels; write a .png instead"
        )
    if format_ == TIFF and size[0] * size[1] * channels * itemsize > tiff.MOST:
        raise OutputError(f"{name}: TIFF cannot hold more than 4 GB; write a .png instead")
    require_package(format_, name, OutputError)


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


def save(
    file: IO[bytes],
    name: str,
    encoding: Encoding,
    bands: Iterable[np.ndarray],
    size: tuple[int, int],
    like: Picture,
) -> None:
    """Write a picture that comes in bands; PNG and TIFF are written band by band.

    Args:
        file: to write to; for TIFF it must be able to seek.
        name: what to call it in an error.
        encoding: how to write it.
        bands: from top to bottom, `(h, W, C)` each.
        size: width and height of the whole picture, in pixels.
        like: a picture of the same channels and depth, whose profile, EXIF data and resolution are kept.

    Raises:
        OutputError: the format cannot hold it, or the file cannot be written.
    """
    format_, dtype = encoding.format, like.pixels.dtype
    refuse_unwritable(name, format_, like.channels, size, dtype.itemsize)
    exif = _exif_to_write(like, size, encoding)
    if format_ == PNG:
        plain_exif = exif and exif.removeprefix(metadata.EXIF_MARK)
        beside = png.with_xmp(like.beside, like.xmp)
        png.write(
            file,
            bands,
            size,
            like.channels,
            dtype,
            icc=like.icc,
            exif=plain_exif,
            dpi=like.dpi,
            beside=beside,
        )
    elif format_ == TIFF:
        tags = ({_XMP_TAG: like.xmp} if like.xmp else {}) | metadata.tags(exif)
        tiff.write(file, bands, size, like.channels, dtype, icc=like.icc, tags=tags, dpi=like.dpi)
    else:
        _save_with_pillow(file, name, encoding, _image(bands, size, like), replace(like, exif=exif))


def _exif_to_write(like: Picture, size: tuple[int, int], encoding: Encoding) -> bytes | None:
    """A picture's EXIF data, with the new size and, if asked, our mark."""
    exif = metadata.resized_exif(like.exif, size)
    if encoding.format == JPEG and exif and len(exif) > _LONGEST_JPEG_EXIF:
        exif = None
    return metadata.marked(exif) if encoding.marked else exif


def _save_with_pillow(
    file: IO[bytes], name: str, encoding: Encoding, image: Image.Image, like: Picture
) -> None:
    """Save an image in a lossy format, with the profile, EXIF data and resolution of a picture."""
    format_ = encoding.format
    icc = like.icc if format_ == JPEG else metadata.fitting_profile(like.icc, np.asarray(image))
    kept = {"icc_profile": icc, "exif": like.exif, "dpi": like.dpi, "xmp": like.xmp}
    if format_ == JPEG:
        kept["comment"] = like.comment
        kept["xmp"] = like.xmp if like.xmp and len(like.xmp) < _LONGEST_JPEG_EXIF - 40 else None
    options = _SAVE_OPTIONS[format_] | {key: value for key, value in kept.items() if value}
    if format_ == HEIC:
        _register_heif()
    try:
        image.save(file, format=format_.pillow, quality=encoding.quality, **options)
    except (ValueError, RuntimeError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk, not of the encoder
        raise OutputError(f"{name} cannot be written as {format_.label}: {error}") from None


def fitted(picture: Picture, format_: Format) -> Picture:
    """A picture as a format can hold it, if nothing is lost: for JPEG, without an alpha that is all opaque.

    Args:
        picture: what is to be upscaled and written.
        format_: to write.
    """
    pixels = picture.pixels
    if format_.alpha or picture.channels in (1, 3) or pixels[..., -1].min() < np.iinfo(pixels.dtype).max:
        return picture
    return replace(picture, pixels=pixels[..., 0] if picture.channels == 2 else pixels[..., :3])


def _image(bands: Iterable[np.ndarray], size: tuple[int, int], like: Picture) -> Image.Image:
    """Bands put together in 8 bits, for Pillow."""
    pixels = np.empty((size[1], size[0], like.channels), np.uint8)
    top = 0
    for band in bands:
        rows = band.reshape(len(band), size[0], like.channels)
        pixels[top : top + len(rows)] = rows if rows.dtype == np.uint8 else to_uint8(to_float(rows))
        top += len(rows)
    return Image.fromarray(pixels[..., 0] if like.channels == 1 else pixels)


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
        _register_heif()
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


def _register_heif() -> None:
    import pillow_heif  # slow to import

    pillow_heif.register_heif_opener()


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
