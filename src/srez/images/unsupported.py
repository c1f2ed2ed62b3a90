"""Kinds of our formats that are not read, though nothing is wrong with them: what each is called."""

import re
import struct
from typing import IO

from PIL.TiffImagePlugin import ImageFileDirectory_v2

from srez.images.foreign import Kind
from srez.images.formats import AVIF, BMP, JPEG, TIFF, Format

_AS_PNG = "save it as PNG first"
_AS_8_BITS = "save it with 8 or 16 bits a channel first"
_DEVELOP = "develop it to TIFF or JPEG first"

_LOSSLESS, _HIERARCHICAL = (0xC3, 0xCB), (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF)  # marks of JPEG's frames
_JPEG_LS, _NO_FRAMES = 0xF7, (0xC4, 0xC8, 0xCC)

_WIDTH, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _SAMPLE_FORMAT = (
    256,
    258,
    259,
    262,
    277,
    339,
)  # TIFF's tags
_TIFF_PACKED_AS = {
    6: "old-style JPEG",
    9: "JBIG",
    10: "JBIG",
    32766: "NeXT RLE",
    32809: "ThunderScan",
    32908: "PixarFilm",
    32909: "PixarLog",
    34661: "JBIG",
    34676: "LogLuv",
    34677: "LogLuv",
    34712: "JPEG 2000",
    34887: "LERC",
    34892: "lossy JPEG of a raw file",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
_TIFF_READ = (1, 2, 3, 4, 5, 7, 8, 32771, 32773, 32946, 34925, 50000)  # kinds of compression
_TIFF_NUMBERS = {2: "values below 0", 3: "floating-point values", 5: "complex values", 6: "complex values"}
_TIFF_COLOURS = {
    4: "a mask instead of colours",
    8: "Lab colours",
    9: "Lab colours",
    10: "Lab colours",
    32844: "LogLuv colours",
    32845: "LogLuv colours",
}
_TIFF_RAW = (32803, 34892)  # photometric: what a sensor sees

_BMP_BITS = (1, 4, 8, 16, 24, 32)
_BMP_PACKED_AS = {3: "Huffman codes", 4: "JPEG", 5: "PNG", 11: "CMYK", 12: "CMYK", 13: "CMYK"}
_OS2, _MASKS, _RLE24 = 64, 3, 4

_LONGEST_SIDE = 32_768  # of an AVIF, for its decoder


def kind_of(format_: Format, file: IO[bytes], is_opened: bool) -> Kind | None:
    """What a file is that Pillow does not read; None where it is damaged, as far as can be seen.

    Args:
        format_: of the file, by its first bytes.
        file: to read from.
        is_opened: whether Pillow took its header, and failed only with its pixels.
    """
    file.seek(0)
    try:
        if format_ == JPEG:
            return _jpeg(file)
        if format_ == TIFF:
            return _tiff(file, is_opened)
        if format_ == BMP:
            return _bmp(file, is_opened)
        return _avif(file) if format_ == AVIF else None
    except Exception:  # Pillow raises anything for damaged tags
        return None


def largest_size(file: IO[bytes]) -> tuple[int, int]:
    """The width and height that an AVIF or HEIC says to have: of its largest picture, (0, 0) if it says none.

    Their decoders do not tell a size beyond their limits from damage.
    """
    file.seek(0)
    start = file.read(1 << 16)
    places = [found.end() + 4 for found in re.finditer(b"ispe", start)]
    sizes = [struct.unpack_from(">II", start, place) for place in places if place + 8 <= len(start)]
    return max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))


def _jpeg(file: IO[bytes]) -> Kind | None:
    mark, precision = _jpeg_frame(file.read(1 << 24))
    if mark == _JPEG_LS:
        return Kind("a JPEG-LS picture", _AS_PNG)
    if mark in _LOSSLESS:
        return Kind("a lossless JPEG", _AS_PNG)
    if mark in _HIERARCHICAL:
        return Kind("a hierarchical JPEG", _AS_PNG)
    if mark and precision == 12:
        return Kind("a JPEG of 12 bits a channel", "save it as PNG with 16 bits first")
    return None


def _jpeg_frame(data: bytes) -> tuple[int, int]:
    """The mark of a JPEG's frame header, and its bits a channel; (0, 0) if there is none."""
    place = 2
    while place + 5 <= len(data) and data[place] == 0xFF:
        mark = data[place + 1]
        if mark == 0xFF:  # padding
            place += 1
            continue
        if (0xC0 <= mark <= 0xCF and mark not in _NO_FRAMES) or mark == _JPEG_LS:
            return mark, data[place + 4]
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return 0, 0


def _tiff(file: IO[bytes], is_opened: bool) -> Kind | None:
    tags = _tiff_tags(file)
    compression, photometric = tags.get(_COMPRESSION, 1), tags.get(_PHOTOMETRIC)
    if photometric in _TIFF_RAW:
        return Kind("a camera's raw file", _DEVELOP)
    if compression not in _TIFF_READ:
        return Kind(f"a TIFF packed as {_TIFF_PACKED_AS.get(compression, f'number {compression}')}", _AS_PNG)
    if is_opened or _WIDTH not in tags:
        return None
    for number in _several(tags.get(_SAMPLE_FORMAT, 1)):
        if number in _TIFF_NUMBERS:
            return Kind(f"a TIFF with {_TIFF_NUMBERS[number]}", _AS_8_BITS)
    if photometric in _TIFF_COLOURS:
        return Kind(f"a TIFF with {_TIFF_COLOURS[photometric]}", "convert it to RGB first")
    bits = _several(tags.get(_BITS, 1))
    if any(each not in (1, 8, 16) for each in bits):
        return Kind(f"a TIFF of {max(bits)} bits a channel", _AS_8_BITS)
    return Kind(f"a TIFF with {tags.get(_SAMPLES, 1)} channels of an unusual kind", "convert it to RGB first")


def _tiff_tags(file: IO[bytes]) -> ImageFileDirectory_v2:
    """The tags of the first page."""
    header = file.read(8)
    is_big = header[2] == 43 or header[3] == 43
    tags = ImageFileDirectory_v2(header + file.read(8) if is_big else header)
    file.seek(tags.next)
    tags.load(file)
    return tags


def _several(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,)


def _bmp(file: IO[bytes], is_opened: bool) -> Kind | None:
    start = file.read(34)
    (size,) = struct.unpack_from("<I", start, 14)
    if size == 16:
        return Kind("a BMP of OS/2 with a short header", _AS_PNG)
    if size == 12 or is_opened:
        return None
    bits, compression = struct.unpack_from("<HI", start, 28)
    if size == _OS2 and compression == _RLE24:
        return Kind("a BMP packed as RLE24", _AS_PNG)
    if compression in _BMP_PACKED_AS and (compression != _MASKS or size == _OS2):
        return Kind(f"a BMP packed as {_BMP_PACKED_AS[compression]}", _AS_PNG)
    if bits not in _BMP_BITS:
        return Kind(f"a BMP of {bits} bits a pixel", _AS_PNG) if bits in (2, 64) else None
    return Kind("a BMP with unusual colour masks", _AS_PNG) if compression == _MASKS else None


def _avif(file: IO[bytes]) -> Kind | None:
    if max(largest_size(file)) > _LONGEST_SIDE:
        return Kind(f"an AVIF with a side of more than {_LONGEST_SIDE:,} pixels", "save it as PNG first")
    return None
