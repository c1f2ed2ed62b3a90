"""Animated GIF, https://www.w3.org/Graphics/GIF/spec-gif89a.txt."""

import io
import struct
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import IO, NamedTuple

import numpy as np
from PIL import Image

from srez.images.animation.patches import Clock, Look, Still, changed
from srez.images.headers.gif import after_palette
from srez.images.metadata import GIF_MARK

_HUNDREDTH = 10.0  # of a second, in milliseconds
_LONGEST = 65_535  # hundredths, and repeats
_KEEP, _CLEAR = 1, 2  # what becomes of a frame afterwards
_CLEAREST = 255  # the colour that is none
_OPAQUE = 128  # alpha from which on a pixel is seen


def write(file: IO[bytes], frames: Iterable[Still], look: Look) -> None:
    """Write an animated GIF, each frame with up to 256 colours of its own, or 255 and transparency.

    A frame cannot make pixels transparent that an earlier one has filled. So all is cleared before a frame
    that has transparent pixels; it is written whole then, and so is the one before it.
    """
    file.write(b"GIF89a" + struct.pack("<HHBBB", *look.size, 0x70, 0, 0))
    if look.plays != 1:
        repeats = min(max(look.plays - 1, 0), _LONGEST)
        _extension(file, 0xFF, b"NETSCAPE2.0", b"\1" + struct.pack("<H", repeats))
    if look.metadata.comment:
        text = look.metadata.comment
        _extension(file, 0xFE, *(text[place : place + 255] for place in range(0, len(text), 255)))
    _extension(file, 0xFF, GIF_MARK)  # the last: Pillow tells no other
    clock = Clock(_HUNDREDTH)
    for step in _steps(frames):
        top, left, pixels = step.top, step.left, step.pixels
        # Some programs clear to a background colour, unless the frame itself has a transparent one.
        is_transparent = step.clears or pixels.shape[2] == 4
        palette, image = _encoded(pixels, is_transparent)
        flags = (_CLEAR if step.clears else _KEEP) << 2 | is_transparent
        delay = min(clock.units(step.duration), _LONGEST)
        _extension(file, 0xF9, struct.pack("<BHB", flags, delay, _CLEAREST if is_transparent else 0))
        bits = (len(palette) // 3).bit_length() - 2
        file.write(struct.pack("<BHHHHB", 0x2C, left, top, *pixels.shape[1::-1], 0x80 | bits))
        file.write(palette + image)
    file.write(b"\x3b")


class _Step(NamedTuple):
    """A frame as it is written: where, what, and whether all is cleared after it."""

    left: int
    top: int
    pixels: np.ndarray
    duration: float
    clears: bool


def _steps(frames: Iterable[Still]) -> Iterator[_Step]:
    """What is written for each frame, on which the next one has a say."""
    shown, waiting = None, None
    for following in chain((Still(_seen(each.pixels), each.duration) for each in frames), [None]):
        if waiting:
            pixels = waiting.pixels
            clears = following is not None and following.pixels.shape[2] == 4
            box = (0, 0, *pixels.shape[1::-1]) if shown is None or clears else changed(shown, pixels)
            left, top, right, bottom = box
            yield _Step(left, top, pixels[top:bottom, left:right], waiting.duration, clears)
            shown = None if clears else pixels
        waiting = following


def _seen(pixels: np.ndarray) -> np.ndarray:
    """Pixels that are either seen or not: RGB where all are."""
    if pixels.shape[2] == 4:
        alpha = np.where(pixels[..., 3:] < _OPAQUE, np.uint8(0), np.uint8(255))
        return pixels[..., :3] if alpha.all() else np.concatenate([pixels[..., :3], alpha], axis=2)
    return pixels


def _encoded(pixels: np.ndarray, is_transparent: bool) -> tuple[bytes, bytes]:
    """The colours of a frame, and its packed pixels, out of a GIF of it alone."""
    colours = Image.fromarray(np.ascontiguousarray(pixels[..., :3]))
    few = colours.quantize(_CLEAREST if is_transparent else 256)
    dithered = colours.quantize(palette=few, dither=Image.Dither.FLOYDSTEINBERG)
    if is_transparent:
        hidden = pixels[..., 3] == 0 if pixels.shape[2] == 4 else np.False_
        numbers = np.where(hidden, np.uint8(_CLEAREST), np.asarray(dithered))
        table = bytes(dithered.getpalette() or ()).ljust(3 * 256, b"\0")
        dithered = Image.fromarray(numbers, "L")
        dithered.putpalette(table)
    alone = io.BytesIO()
    dithered.save(alone, "GIF", optimize=False, interlace=0)
    data = alone.getvalue()
    start = after_palette(data, 10, 13)
    palette = data[13:start]
    while data[start] == 0x21:  # an extension
        start += 2
        while length := data[start]:
            start += length + 1
        start += 1
    return palette, data[after_palette(data, start + 9, start + 10) : -1]


def _extension(file: IO[bytes], kind: int, *blocks: bytes) -> None:
    file.write(bytes([0x21, kind]))
    for block in blocks:
        file.write(bytes([len(block)]) + block)
    file.write(b"\0")
