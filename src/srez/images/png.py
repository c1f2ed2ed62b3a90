"""Writing PNG as rows come, https://www.w3.org/TR/png-3/: Pillow needs them all, and knows no 16-bit RGB."""

import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import IO

import numpy as np
from PIL import Image

from srez.images.headers import tiff as tiff_header
from srez.images.headers.refusal import Refusal

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by channels
_UP = 2  # the filter that takes the difference to the pixel above
_INCH = 0.0254  # metres
_ROWS = 64  # filtered and packed at once, so that no second copy of a band is needed
_PIECE = 256 * 1024  # bytes of an IDAT chunk: the same whatever the bands are, so that files are too


BESIDE = "srez chunks"  # where `tell` puts them

Chunks = tuple[tuple[bytes, bytes], ...]  # kind and body of each

TEXT, COLOUR = (b"tEXt", b"zTXt", b"iTXt"), (b"gAMA", b"cHRM", b"sRGB", b"cICP")
_MOST_BESIDE = 64 * 1024**2  # bytes of all text and profiles as they are packed
MOST_UNPACKED = 16 * 1024**2  # bytes of a profile, or of a text
LEAST_CHUNK = 256  # bytes, on average; encoders write thousands
MOST_CHUNKS = 5_000  # that may be smaller
_XMP, _OLD_PROFILE = b"XML:com.adobe.xmp\0", b"Raw profile type "
_OLD_EXIF = _OLD_PROFILE + b"exif"


def split(file: IO[bytes]) -> tuple[Chunks, IO[bytes]]:
    """The text, profile and colour chunks of a PNG, and a file without its text and profile.

    Pillow unpacks text and profile when it opens a PNG and refuses more than 1 MB of each; here they stay
    packed. Chunks whose checksum is wrong are left out; what cannot be parsed is left to Pillow.

    Raises:
        Refusal: there are too many chunks.
    """
    end = file.seek(0, 2)
    most = MOST_CHUNKS + end // LEAST_CHUNK
    place, copied, total, count = 8, 0, 0, 0
    chunks: list[tuple[bytes, bytes]] = []
    pieces: list[bytes] = []
    while place + 12 <= end:
        file.seek(place)
        length, kind = struct.unpack(">I4s", file.read(8))
        after = place + 12 + length
        if after > end:
            break
        count += 1
        if count > most:
            raise Refusal("is cut into chunks of a few bytes")
        if kind in (*TEXT, *COLOUR, b"iCCP"):
            body, check = file.read(length), file.read(4)
            total += length
            if total <= _MOST_BESIDE and check == struct.pack(">I", zlib.crc32(body, zlib.crc32(kind))):
                chunks.append((kind, body))
            if kind not in COLOUR:
                file.seek(copied)
                pieces.append(file.read(place - copied))
                copied = after
        elif kind == b"eXIf":
            with suppress(IndexError, ValueError):  # damaged
                tiff_header.check_exif(file.read(length).removeprefix(b"Exif\0\0"))
        place = after
    file.seek(copied)
    return tuple(chunks), io.BytesIO(b"".join([*pieces, file.read()])) if pieces else file


def tell(image: Image.Image, chunks: Chunks) -> None:
    """Give an opened PNG what `split` took away: profile, XMP packet, EXIF data in text, and what to keep."""
    kept = []
    for kind, body in chunks:
        keyword = body.partition(b"\0")[0]
        if kind == b"iCCP":
            if "icc_profile" not in image.info:  # there is one; unpacking many takes for ever
                image.info["icc_profile"] = _unpacked(body[len(keyword) + 2 :])
        elif kind == b"iTXt" and body.startswith(_XMP):
            if "xmp" not in image.info:
                packed, packet = body[len(_XMP)], body[len(_XMP) + 2 :].split(b"\0", 2)[-1]
                image.info["xmp"] = _unpacked(packet) if packed else packet
        elif kind in (b"tEXt", b"zTXt") and keyword.startswith(_OLD_PROFILE):
            if keyword == _OLD_EXIF and _OLD_EXIF.decode() not in image.info:
                text = _unpacked(body[len(keyword) + 2 :]) if kind == b"zTXt" else body[len(keyword) + 1 :]
                _check_old_exif(text)
                image.info[_OLD_EXIF.decode()] = text.decode("latin-1")
        else:
            kept.append((kind, body))
    image.info[BESIDE] = tuple(kept)


def _check_old_exif(text: bytes) -> None:
    """Bound the tags of EXIF data in text: three lines, then digits."""
    with suppress(IndexError, ValueError):  # damaged
        data = bytes.fromhex("".join(text.decode("latin-1").split("\n")[3:]))
        tiff_header.check_exif(data.removeprefix(b"Exif\0\0"))


def with_xmp(chunks: Chunks, xmp: bytes | None) -> Chunks:
    """Chunks and one more for an XMP packet, if there is any."""
    return (*chunks, (b"iTXt", _XMP + bytes(4) + xmp)) if xmp else chunks


def texts(chunks: Chunks) -> list[tuple[str, str]]:
    """Keyword and text of each text chunk; what is damaged, or too much, is left out."""
    found, left = [], MOST_UNPACKED
    for kind, body in chunks:
        keyword, _, rest = body.partition(b"\0")
        coding = "latin-1"
        if kind == b"zTXt":
            rest = _unpacked(rest[1:], left)
        elif kind == b"iTXt":
            packed, coding = rest[:1] == b"\1", "utf-8"
            rest = rest[2:].split(b"\0", 2)[-1]
            rest = _unpacked(rest, left) if packed else rest
        left -= len(rest)
        if rest and left > 0:
            found.append((keyword.decode("latin-1"), rest.decode(coding, "replace")))
    return found


def text_chunk(keyword: str, text: str) -> tuple[bytes, bytes]:
    """A text as a chunk."""
    return b"iTXt", keyword.encode("latin-1") + bytes(5) + text.encode()


def _unpacked(data: bytes, most: int = MOST_UNPACKED) -> bytes:
    """Data as it was before it was packed; none if that is damaged or too much."""
    if most <= 0:
        return b""
    try:
        unpacker = zlib.decompressobj()
        unpacked = unpacker.decompress(data, most)
    except zlib.error:
        return b""
    return unpacked if unpacker.eof else b""


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
