"""A picture in memory, and its values as numbers of other types."""

from dataclasses import dataclass

import numpy as np

from srez.images import png_chunks
from srez.images.jpeg import Jpeg

_AT_ONCE = 1 << 16  # values that are rounded at a time: they stay in the processor's cache


@dataclass(frozen=True)
class Metadata:
    """What a file says beside its pixels.

    Attributes:
        icc: the colour profile, as stored in the file.
        colours: what else says what the values mean, as chunks of a PNG: gAMA, cHRM, sRGB and cICP.
        exif: the EXIF data as JPEG holds it, "Exif" mark in front, the orientation already applied.
        dpi: pixels per inch, across and along.
        xmp: the XMP packet, without orientation.
        iptc: the IPTC record.
        comment: of a JPEG or GIF.
        text: text chunks of a PNG, as they are.
    """

    icc: bytes | None = None
    colours: png_chunks.Chunks = ()
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
    comment: bytes | None = None
    text: png_chunks.Chunks = ()


@dataclass(frozen=True)
class Picture:
    """A picture in memory, upright.

    Attributes:
        pixels: uint8, or uint16 where the file has more than 8 bits a channel: `(H, W)` gray, `(H, W, 2)`
            gray with alpha, `(H, W, 3)` RGB or `(H, W, 4)` RGBA; alpha is straight.
        metadata: what else the file says.
        unread: what the file says, but could not be read: "EXIF data", "colour profile".
        jpeg: what the JPEG file tells that it comes from.
    """

    pixels: np.ndarray
    metadata: Metadata = Metadata()
    unread: tuple[str, ...] = ()
    jpeg: Jpeg | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def channels(self) -> int:
        """1 gray, 2 gray with alpha, 3 RGB, 4 RGBA."""
        return self.pixels.shape[2] if self.pixels.ndim == 3 else 1


def white(dtype: np.typing.DTypeLike) -> int:
    """The largest value: 255, 65535, or 1 of floats."""
    dtype = np.dtype(dtype)
    return 1 if dtype.kind == "f" else np.iinfo(dtype).max


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
    output, flat = np.empty(values.shape, dtype), values.reshape(-1)
    for start in range(0, flat.size, _AT_ONCE):
        scaled = flat[start : start + _AT_ONCE] * np.float32(most)
        np.rint(scaled, out=scaled)
        output.reshape(-1)[start : start + _AT_ONCE] = scaled.clip(0, most, out=scaled)
    return output


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
