"""Writing PNG as rows come, https://www.w3.org/TR/png-3/: Pillow needs them all, and knows no 16-bit RGB."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np

from srez.images.png_chunks import Chunks

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by channels
_UP = 2  # the filter that takes the difference to the pixel above
_INCH = 0.0254  # metres
_ROWS = 64  # filtered and packed at once, so that no second copy of a band is needed
_PIECE = 256 * 1024  # bytes of an IDAT chunk: the same whatever the bands are, so that files are too


def write(
    file: IO[bytes],
    bands: Iterable[np.ndarray],
    size: tuple[int, int],
    channels: int,
    dtype: np.dtype,
    *,
    icc: bytes | None = None,
    exif: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    beside: Chunks = (),
) -> None:
    """Write a picture as it comes.

    Args:
        file: to write to.
        bands: from top to bottom, `(h, W, C)` each, of `dtype`.
        size: width and height, in pixels.
        channels: 1 gray, 2 gray with alpha, 3 RGB, 4 RGBA.
        dtype: uint8 or uint16.
        icc: the colour profile.
        exif: the EXIF data, as a TIFF structure without the "Exif" mark in front.
        dpi: pixels per inch, across and along.
        beside: chunks of text and colours, as they are.
    """
    begin(file, size, channels, dtype, icc=icc, exif=exif, dpi=dpi, beside=beside)
    for piece in packed(bands, size[0] * channels, dtype):
        chunk(file, b"IDAT", piece)
    chunk(file, b"IEND", b"")


def begin(
    file: IO[bytes],
    size: tuple[int, int],
    channels: int,
    dtype: np.dtype,
    *,
    icc: bytes | None = None,
    exif: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    beside: Chunks = (),
) -> None:
    """Write what comes before the pixels; the arguments are those of `write`."""
    depth = 8 * dtype.itemsize
    file.write(_SIGNATURE)
    chunk(file, b"IHDR", struct.pack(">IIBBBBB", *size, depth, _COLOUR_TYPES[channels], 0, 0, 0))
    if icc:
        chunk(file, b"iCCP", b"ICC profile\0\0" + zlib.compress(icc))
    for kind, body in beside:
        chunk(file, kind, body)
    if dpi:
        chunk(file, b"pHYs", struct.pack(">IIB", *(round(value / _INCH) for value in dpi), 1))
    if exif:
        chunk(file, b"eXIf", exif)


def packed(bands: Iterable[np.ndarray], width: int, dtype: np.dtype) -> Iterator[bytes]:
    """Pixels as a PNG has them, in pieces for a chunk each.

    Args:
        bands: from top to bottom, `(h, W, C)` each, of `dtype`.
        width: values of a row.
        dtype: uint8 or uint16.
    """
    # What is left of an upscaled picture are small numbers without repeats: run lengths and Huffman codes
    # make it as small as a search for repeats does, in two thirds of the time (docs/adr/0012).
    compressor = zlib.compressobj(strategy=zlib.Z_RLE)
    compressed = bytearray()
    above = np.zeros((1, width * dtype.itemsize), np.uint8)
    for piece in (band[top : top + _ROWS] for band in bands for top in range(0, len(band), _ROWS)):
        pixels = np.ascontiguousarray(piece, dtype.newbyteorder(">")).view(np.uint8).reshape(len(piece), -1)
        rows = np.empty((len(pixels), pixels.shape[1] + 1), np.uint8)
        rows[:, 0] = _UP
        np.subtract(pixels[0], above[0], out=rows[0, 1:])
        np.subtract(pixels[1:], pixels[:-1], out=rows[1:, 1:])
        above = pixels[-1:].copy()
        compressed += compressor.compress(rows.data)
        while len(compressed) >= _PIECE:
            yield bytes(compressed[:_PIECE])
            del compressed[:_PIECE]
    yield bytes(compressed + compressor.flush())


def chunk(file: IO[bytes], kind: bytes, body: bytes) -> None:
    """Write a chunk."""
    file.write(struct.pack(">I", len(body)) + kind)
    file.write(body)
    file.write(struct.pack(">I", zlib.crc32(body, zlib.crc32(kind))))
