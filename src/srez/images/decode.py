"""From an image that Pillow has opened to an array: every mode, 8 bits a channel or 16."""

import io
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from srez.errors import ImageError
from srez.images import bmp

# Pillow's modes of 8 bits or fewer, and what they become.
_MODES = {
    **dict.fromkeys(("1", "L"), "L"),
    **dict.fromkeys(("LA", "La"), "LA"),
    **dict.fromkeys(("RGB", "RGBX", "P", "YCbCr", "CMYK"), "RGB"),
    **dict.fromkeys(("RGBA", "RGBa", "PA"), "RGBA"),
}
_TIFF_BITS, _TIFF_PHOTOMETRIC, _TIFF_PLANAR, _TIFF_FORMAT = 258, 262, 284, 339  # tags
_SIGNED = 2


def decode(
    image: Image.Image, name: str, reopened: Callable[[], AbstractContextManager[Image.Image]]
) -> tuple[np.ndarray, bytes | None]:
    """The pixels of an opened image, and its colour profile.

    Args:
        image: whose pixels have not been loaded.
        name: what to call it in an error.
        reopened: opens the same file once more.

    Returns:
        uint8 or uint16, `(H, W)` gray, `(H, W, 2)` gray with alpha, `(H, W, 3)` RGB or `(H, W, 4)` RGBA; and
        the ICC profile as stored, None where the pixels were converted by it.

    Raises:
        ImageError: a kind of picture that is not supported.
    """
    low_bytes = _low_bytes(image, name)
    if low_bytes is None:
        return _shallow(image, name)
    transparency, icc = image.info.get("transparency"), image.info.get("icc_profile")
    with reopened() as again:
        return _deep(image, again, low_bytes, transparency), icc


def decode_in_memory(image: Image.Image) -> tuple[np.ndarray, bytes | None]:
    """The pixels of an image that need not come from a file, and its colour profile, as from `decode`.

    Raises:
        ImageError: a mode that is not supported.
    """
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16), image.info.get("icc_profile")
    return _shallow(image, "the image")


def _low_bytes(image: Image.Image, name: str) -> str | None:
    """How to ask Pillow for the other half of 16-bit channels; None for pictures of 8 bits.

    Pillow has no 16-bit RGB: it decodes the high byte of each channel and drops the other. But it knows both
    byte orders, and with the wrong one the high byte is the low one. So a second pass gets what the first
    left.

    Returns:
        The raw mode of the second pass; "" where one pass gives all 16 bits.
    """
    if image.mode in ("I", "F") or image.mode.startswith("I;32"):
        raise ImageError(f"{name} has floating-point or 32-bit values: convert it to 8 or 16 bits first")
    if image.format == "TIFF" and _SIGNED in _tag(image, _TIFF_FORMAT, (1,)):
        raise ImageError(f"{name} has negative values: convert it to unsigned 8 or 16 bits first")
    if image.mode.startswith("I;16"):
        return ""
    if image.mode not in ("RGB", "RGBA", "RGBX") or image.format not in ("PNG", "TIFF"):
        return None
    assert isinstance(image, ImageFile)
    raw_modes = {_raw_mode(tile) for tile in image.tile}
    has_halves = all(";16" in raw and not raw.startswith("RGBa") for raw in raw_modes)
    is_deep_tiff = image.format == "TIFF" and max(_tag(image, _TIFF_BITS, (8,))) > 8
    if is_deep_tiff and not (has_halves and _tag(image, _TIFF_PLANAR, 1) == 1):
        raise ImageError(f"{name} stores its 16-bit channels in a way that cannot be read: save it again")
    raw = raw_modes.pop() if len(raw_modes) == 1 else ""
    if not raw.endswith((";16B", ";16L", ";16N")):
        return None
    is_big = raw.endswith("B") or (raw.endswith("N") and sys.byteorder == "big")
    return raw[:-1] + ("L" if is_big else "B")


def _deep(
    image: Image.Image, again: Image.Image, low_bytes: str, transparency: int | tuple[int, ...] | None
) -> np.ndarray:
    """A picture of 16 bits a channel, uint16, from two openings of the same file."""
    assert isinstance(image, ImageFile)
    assert isinstance(again, ImageFile)
    if not low_bytes:
        pixels = np.asarray(image).astype(np.uint16)[..., None]
        if image.format == "TIFF":
            bits = _tag(image, _TIFF_BITS, (16,))[0]
            pixels = pixels if bits == 16 else pixels << (16 - bits) | pixels >> (2 * bits - 16)
            pixels = pixels if _tag(image, _TIFF_PHOTOMETRIC, 1) else 65535 - pixels  # 0 is white
    elif low_bytes.startswith("LA"):
        # Gray and alpha of 16 bits are 4 bytes, as RGBA is.
        image.tile = [tile._replace(args="RGBA") for tile in image.tile]
        pixels = _array(image).view(">u2").astype(np.uint16)
    else:
        again.tile = [_in_raw_mode(tile, low_bytes) for tile in again.tile]
        pixels = _array(image).astype(np.uint16) << 8 | _array(again)
        pixels = pixels[..., :3] if image.mode == "RGBX" else pixels
    if transparency is not None and pixels.shape[2] in (1, 3):
        opaque = (pixels != np.asarray(transparency, np.uint16)).any(axis=2, keepdims=True)
        pixels = np.concatenate([pixels, opaque * np.uint16(65535)], axis=2)
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels


def _raw_mode(tile: Any) -> str:
    """How a piece of a file is to be unpacked; it stands alone or before other arguments of the decoder."""
    return tile.args if isinstance(tile.args, str) else (tile.args or ("",))[0]


def _in_raw_mode(tile: Any, raw: str) -> Any:
    return tile._replace(args=raw if isinstance(tile.args, str) else (raw, *(tile.args or ())[1:]))


def _shallow(image: Image.Image, name: str) -> tuple[np.ndarray, bytes | None]:
    """A picture of 8 bits a channel as gray, gray with alpha, RGB or RGBA, and its profile."""
    icc = image.info.get("icc_profile")
    if image.mode not in _MODES:
        raise ImageError(
            f"{name} has a colour mode that cannot be upscaled ({image.mode}): convert it to RGB"
        )
    if image.format == "BMP" and isinstance(image, ImageFile) and image.fp:
        pixels = bmp.decode(image.fp, image.size)
        if pixels is not None:
            return pixels, icc
    _mend_transparency(image)
    image.load()
    if image.mode == "CMYK":
        converted = _by_profile(image, icc) if icc else None
        return _array(converted or image.convert("RGB")), None if converted else icc
    target = _MODES[image.mode]
    if image.has_transparency_data:
        target = "LA" if target in ("L", "LA") else "RGBA"
    return _array(image if image.mode == target else image.convert(target)), icc


def _mend_transparency(image: Image.Image) -> None:
    """Pillow spreads gray of 2 and 4 bits over 8, but not the gray that is transparent."""
    if image.format == "PNG" and isinstance(image, ImageFile) and image.tile:
        step = {"L;2": 85, "L;4": 17}.get(_raw_mode(image.tile[0]))
        if step and isinstance(image.info.get("transparency"), int):
            image.info["transparency"] *= step


def _by_profile(image: Image.Image, icc: bytes) -> Image.Image | None:
    """CMYK as RGB by its profile, if that is usable."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return None


def _array(image: Image.Image) -> np.ndarray:
    """The pixels, copied in bands: in one go, Pillow needs the picture's size twice more."""
    image.load()
    bands = len(image.getbands())
    pixels = np.empty((image.height, image.width, bands), np.uint8)
    for top in range(0, image.height, 256):
        band = np.asarray(image.crop((0, top, image.width, min(top + 256, image.height))))
        pixels[top : top + 256] = band.reshape(len(band), image.width, bands)
    return pixels[..., 0] if bands == 1 else pixels


def _tag(image: Image.Image, number: int, default: Any) -> Any:
    """A tag of a TIFF; `default` also gives its form, a tuple or a single value."""
    assert isinstance(image, TiffImageFile)
    value = image.tag_v2.get(number, default)
    several = value if isinstance(value, tuple) else (value,)
    return several if isinstance(default, tuple) else several[0]
