"""Writing TIFF 6.0 strip by strip, with deflate and horizontal differences: Pillow needs all rows at once."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import IO, Any

import numpy as np
from PIL.TiffImagePlugin import ImageFileDirectory_v2

FIRST = 4  # where a file says where its first page is

_STRIP = 64  # rows
_STRIP_OFFSETS = 273  # a tag
# Bytes of pixels that are sure to fit: offsets have 32 bits, and noise becomes a little larger when packed.
MOST = 2**32 - 2**24

# Tags of storage: how pixels are kept, and what is written anew here. The ranges hold little else.
STRUCTURE = frozenset(
    {*range(254, 267), 273, 274, *range(277, 285), *range(288, 294), 296, 301, *range(317, 348), 34675}
    | {*range(512, 533)}
    | {34377, 37724}  # of Photoshop: a preview, paths and layers in the old size
    | {33550, 33922, 34264}  # of GeoTIFF: how large a pixel is on a map, and where
)


def begin(file: IO[bytes]) -> None:
    """Write what comes before the pages."""
    file.write(struct.pack("<2sHI", b"II", 42, 0))


def write_page(
    file: IO[bytes],
    link: int,
    bands: Iterable[np.ndarray],
    size: tuple[int, int],
    channels: int,
    dtype: np.dtype,
    *,
    icc: bytes | None = None,
    tags: dict[int, Any] | None = None,
    dpi: tuple[float, float] | None = None,
) -> int:
    """Write a page as it comes, at the end of the file.

    Args:
        file: to write to; it must be able to seek.
        link: where the page before says where this one is; `FIRST` for the first page.
        bands: from top to bottom, `(h, W, C)` each, of `dtype`.
        size: width and height, in pixels; all pixels of all pages have at most `MOST` bytes.
        channels: 1 gray, 2 gray with alpha, 3 RGB, 4 RGBA.
        dtype: uint8 or uint16.
        icc: the colour profile.
        tags: EXIF data by tag; those in `STRUCTURE` are left out.
        dpi: pixels per inch, across and along.

    Returns:
        The link for the page after it.
    """
    places, lengths = [], []
    for strip in _strips(bands):
        differences = strip.astype(dtype.newbyteorder("<"))
        differences[:, 1:] -= strip[:, :-1]
        packed = zlib.compress(differences.tobytes(), 1)
        places.append(file.tell())
        lengths.append(file.write(packed))
    if file.tell() % 2:
        file.write(b"\0")  # a directory begins at an even place
    directory = _directory(size, channels, dtype)
    directory.tagtype[_STRIP_OFFSETS] = 4  # whole numbers of 32 bits
    directory[_STRIP_OFFSETS], directory[279] = (0,) * len(places), tuple(lengths)
    if icc:
        directory.tagtype[34675] = 7
        directory[34675] = icc
    if dpi:
        directory[282], directory[283], directory[296] = *dpi, 2
    for tag, value in (tags or {}).items():
        if tag not in STRUCTURE:
            directory[tag] = value
    place = file.tell()
    written = _with_offsets(directory.tobytes(place), place, places)
    file.write(written)
    file.seek(link)
    file.write(struct.pack("<I", place))
    file.seek(0, 2)
    return place + 2 + 12 * struct.unpack_from("<H", written)[0]


def _directory(size: tuple[int, int], channels: int, dtype: np.dtype) -> ImageFileDirectory_v2:
    directory = ImageFileDirectory_v2(b"II\x2a\x00\x00\x00\x00\x00")
    directory[256], directory[257] = size
    directory[258] = (8 * dtype.itemsize,) * channels
    directory[259] = 8  # deflate
    directory[262] = 2 if channels > 2 else 1  # RGB, or gray with black at 0
    directory[277] = channels
    directory[278] = _STRIP
    directory[317] = 2  # horizontal differences
    if channels in (2, 4):
        directory[338] = 2  # the last channel is straight alpha
    return directory


def _with_offsets(directory: bytes, place: int, offsets: list[int]) -> bytes:
    """A directory with the strips' places in the file; Pillow can only put them behind the directory."""
    patched = bytearray(directory)
    for entry in range(2, 2 + 12 * struct.unpack_from("<H", directory)[0], 12):
        tag, _, count, value = struct.unpack_from("<HHII", directory, entry)
        if tag == _STRIP_OFFSETS:
            struct.pack_into(f"<{count}I", patched, entry + 8 if count == 1 else value - place, *offsets)
    return bytes(patched)


def _strips(bands: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The same rows in strips of `_STRIP` each; only the last may have fewer."""
    kept: list[np.ndarray] = []
    for band in bands:
        rows = np.concatenate([*kept, band])
        whole = len(rows) - len(rows) % _STRIP
        yield from np.split(rows[:whole], range(_STRIP, whole, _STRIP)) if whole else ()
        kept = [rows[whole:].copy()]
    yield from (rest for rest in kept if len(rest))
