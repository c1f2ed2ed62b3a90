"""Pictures of many kinds, made byte by byte where no library writes them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

from srez.evaluation import demo
from srez.images import resample


def smooth(shape: tuple[int, ...], top: int = 255) -> np.ndarray:
    """A picture of waves, which no format harms much."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    channels = [np.sin(x / (5 + c) + c) + np.cos(y / (7 - c)) for c in range((*shape, 1)[2])]
    values = np.stack(channels, axis=2) / 4 + 0.5
    pixels = np.rint(values * top).astype(np.uint8 if top == 255 else np.uint16)
    return pixels if len(shape) == 3 else pixels[..., 0]


def as_jpeg(pixels: np.ndarray, quality: int, **options: object) -> bytes:
    """A JPEG file of uint8 pixels, gray or RGB; the options are Pillow's."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, **options)
    return file.getvalue()


def portrait() -> np.ndarray:
    """A face of a real person, as `faces` knows them, `(16, 16, 3)` uint8."""
    return np.rint(resample.area(demo.portrait(), 4)).astype(np.uint8)


def near(output: np.ndarray, source: np.ndarray, tolerance: float) -> bool:
    """Whether block means of the output are the source: what every good upscaling comes near to."""
    height, width = source.shape[:2]
    blocks = output.reshape(height, 4, width, 4, -1).astype(float).mean(axis=(1, 3))
    return bool(np.abs(blocks - source.reshape(height, width, -1)).mean() < tolerance)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(width: int, height: int, data: bytes, before: bytes = b"", kind: int = 2, depth: int = 8) -> bytes:
    """A PNG that says what it is told to, whether that is true or not.

    Args:
        width: in pixels.
        height: likewise.
        data: compressed pixels.
        before: chunks before them.
        kind: of the colours; 2 is RGB.
        depth: bits a channel.
    """
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            png_chunk(b"IHDR", header),
            before,
            png_chunk(b"IDAT", data),
            png_chunk(b"IEND", b""),
        ]
    )


def deep_png(pixels: np.ndarray, transparent: bytes | None = None) -> bytes:
    """A PNG of 16 bits a channel, which Pillow cannot write in colour; no filters."""
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = pixels.astype(">u2").view(np.uint8).reshape(len(pixels), -1)
    data = np.pad(rows, ((0, 0), (1, 0))).tobytes()
    before = png_chunk(b"tRNS", transparent) if transparent else b""
    return png_of(pixels.shape[1], pixels.shape[0], zlib.compress(data), before, kind, depth=16)


def profile(space: str) -> bytes:
    """An sRGB profile, or one that says of itself to be of other channels."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    data[16:20] = space.encode()
    return bytes(data)


def cmyk_profile() -> bytes:
    """A small profile by which lcms converts CMYK: to paper less the inks, in eight bits of Lab."""
    inks = np.indices((2, 2, 2, 2)).reshape(4, -1).T  # of the corners, in the order of the table
    lightness = 255 * (1 - inks.max(axis=1))
    corners = np.stack([lightness, np.full(16, 128), np.full(16, 128)], axis=1).astype(np.uint8)
    identity = np.arange(256, dtype=np.uint8).tobytes()
    matrix = struct.pack(">9i", *(np.eye(3, dtype=int).ravel() * 65536))
    table = (
        b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + 4 * identity + corners.tobytes() + 3 * identity
    )
    header = bytearray(128)
    header[8:12], header[12:24], header[36:40] = bytes([2, 0x20, 0, 0]), b"prtrCMYKLab ", b"acsp"
    header[68:80] = struct.pack(">3i", 63190, 65536, 54061)  # D50
    directory = struct.pack(">I4sII", 1, b"A2B0", 144, len(table))
    header[0:4] = struct.pack(">I", 144 + len(table))
    return bytes(header) + directory + table


def empty_png(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    idat = png_chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + idat + png_chunk(b"IEND", b"")
