"""Decoding what Pillow scrambles of BMP: palettes, runs, and 16 bits a pixel with alpha.

https://learn.microsoft.com/en-us/windows/win32/gdi/bitmap-compression
"""

import struct
from dataclasses import dataclass
from typing import IO

import numpy as np

_MASKS_555 = (0x7C00, 0x3E0, 0x1F, 0)
_RAW, _RLE8, _RLE4, _MASKS = range(4)  # kinds of compression
_END_OF_LINE, _END, _MOVE = range(3)  # what follows a zero among runs; from 3 on, so many pixels


@dataclass(frozen=True)
class _Header:
    size: int
    bits: int
    compression: int
    colours: int  # of the palette; 0 for as many as there can be
    offset: int  # of the pixels
    is_top_down: bool


def decode(file: IO[bytes], size: tuple[int, int]) -> np.ndarray | None:
    """The pixels of a BMP of up to 16 bits a pixel; None for others, which Pillow decodes.

    Args:
        file: that Pillow has opened as BMP.
        size: width and height, in pixels.

    Returns:
        uint8, `(H, W)` gray where the palette holds just the grays in order, else `(H, W, 3)` RGB or, where
        16-bit pixels have alpha, `(H, W, 4)` RGBA.

    Raises:
        ValueError: damaged.
    """
    file.seek(0)
    data = file.read()
    header = _header(data)
    if header.bits > 16:
        return None
    if header.bits == 16:
        pixels = _spread(_rows(data, header, size).view("<u2"), _masks(data, header))
    else:
        palette, offset = _palette(data, header)
        if header.compression == _RAW:
            indices = _indices(_rows(data, header, size, offset), header.bits)
        elif (header.compression, header.bits) in ((_RLE8, 8), (_RLE4, 4)):
            indices = _unpack_runs(data[offset:], header.bits, size)
        else:
            raise ValueError("its compression does not fit its bits a pixel")
        pixels = palette[indices]
    pixels = pixels[:, : size[0]]
    return pixels if header.is_top_down else pixels[::-1]


def _header(data: bytes) -> _Header:
    (offset, size) = struct.unpack_from("<II", data, 10)
    if size == 12:
        return _Header(size, struct.unpack_from("<H", data, 24)[0], _RAW, 0, offset, is_top_down=False)
    height, _, bits, compression = struct.unpack_from("<iHHI", data, 22)
    return _Header(size, bits, compression, struct.unpack_from("<I", data, 46)[0], offset, height < 0)


def _rows(data: bytes, header: _Header, size: tuple[int, int], offset: int | None = None) -> np.ndarray:
    """The bytes of every row, as the file has them; each row is padded to 4 bytes."""
    width, height = size
    bytes_a_row = (width * header.bits + 31) // 32 * 4
    needed = bytes_a_row * (height - 1) + (width * header.bits + 7) // 8
    start = header.offset if offset is None else offset
    pixels = data[start : start + bytes_a_row * height]
    if len(pixels) < needed:
        raise ValueError("its pixels end early")
    return np.frombuffer(pixels.ljust(bytes_a_row * height, b"\0"), np.uint8).reshape(height, bytes_a_row)


def _palette(data: bytes, header: _Header) -> tuple[np.ndarray, int]:
    """256 colours, or grays, and where the pixels begin."""
    start, entry = 14 + header.size, 3 if header.size == 12 else 4
    count = min(header.colours or 256, 1 << header.bits)
    stored = data[start : start + entry * count]
    offset = header.offset if header.offset > start else start + entry * (header.colours or 1 << header.bits)
    found = np.frombuffer(stored[: len(stored) // entry * entry], np.uint8).reshape(-1, entry)[:, 2::-1]
    grays = np.array([0, 255]) if count == 2 else np.arange(count)
    if np.array_equal(found, grays[:, None].repeat(3, axis=1)):
        return np.pad(found[:, 0], (0, 256 - len(found))), offset
    return np.pad(found, ((0, 256 - len(found)), (0, 0))), offset


def _indices(rows: np.ndarray, bits: int) -> np.ndarray:
    """One palette index a pixel; the first pixel is in a byte's high bits."""
    if bits == 8:
        return rows
    if bits == 4:
        return np.stack([rows >> 4, rows & 15], axis=2).reshape(len(rows), -1)
    return np.unpackbits(rows, axis=1)


def _unpack_runs(data: bytes, bits: int, size: tuple[int, int]) -> np.ndarray:
    """Palette indices of RLE8 or RLE4, bottom row first; what no run covers is 0."""
    width, height = size
    canvas = bytearray(width * height)
    place = x = y = steps = 0
    while y < height and not (y == height - 1 and x >= width):
        if place + 2 > len(data):
            raise ValueError("its pixels end early")
        steps += 1
        if steps > 2 * (width + 2) * height:  # a run for each pixel, and moves between them
            raise ValueError("it has more runs than pixels")
        count, value = data[place : place + 2]
        place += 2
        if count:
            run = bytes([value]) * count if bits == 8 else (bytes([value >> 4, value & 15]) * 128)[:count]
        elif value == _END_OF_LINE:
            x, y = 0, y + 1
            continue
        elif value == _END:
            break
        elif value == _MOVE:
            right, up = data[place : place + 2].ljust(2, b"\0")
            x, y, place = x + right, y + up, place + 2
            continue
        else:
            count, stored = value, (value * bits + 7) // 8
            run = data[place : place + stored]
            run = run if bits == 8 else bytes(half for byte in run for half in (byte >> 4, byte & 15))
            place += stored + stored % 2
        run = run[: min(count, max(0, width - x))]  # a run does not go on in the next row
        canvas[y * width + x : y * width + x + len(run)] = run
        x += count
    return np.frombuffer(canvas, np.uint8).reshape(height, width)


def _masks(data: bytes, header: _Header) -> tuple[int, ...]:
    """The bits of a pixel that are red, green, blue and alpha."""
    if header.compression != _MASKS:
        return _MASKS_555
    has_alpha = header.size >= 56
    return (*struct.unpack_from("<III", data, 54), struct.unpack_from("<I", data, 66)[0] if has_alpha else 0)


def _spread(values: np.ndarray, masks: tuple[int, ...]) -> np.ndarray:
    """Pixels of channels of few bits, spread over 0 to 255."""
    channels = []
    for mask in (mask & 0xFFFF for mask in masks if mask & 0xFFFF):
        lowest = mask & -mask
        channels.append((values & mask).astype(np.uint32) // lowest * 255 // (mask // lowest))
    return np.stack(channels, axis=2).astype(np.uint8)
