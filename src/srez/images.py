"""The one place that reads and writes image files."""

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from srez.errors import ImageError, OutputError
from srez.output import atomic

READABLE = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP"}
WRITABLE = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}

_SAVE_OPTIONS = {
    "PNG": {},
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95, "method": 4},
}
_DEEP_MODES = ("I", "F")  # also matches Pillow's I;16 family by prefix


@dataclass(frozen=True)
class Picture:
    """A picture in memory, upright.

    `pixels` is uint8: `(H, W)` gray, `(H, W, 3)` RGB or `(H, W, 4)` RGB with straight alpha. `icc` is the
    colour profile and `exif` the metadata, as stored in the file, the orientation already applied.
    """

    pixels: np.ndarray
    icc: bytes | None = None
    exif: bytes | None = None


def to_float(pixels: np.ndarray) -> np.ndarray:
    """uint8 values as float32 in [0, 1]."""
    return pixels / np.float32(255)


def to_uint8(values: np.ndarray) -> np.ndarray:
    """Float values in [0, 1] as uint8: clipped and rounded, never truncated."""
    return np.rint(values.clip(0, 1) * 255).astype(np.uint8)


def is_readable(name: str) -> bool:
    """Whether the suffix of a file name is one that `read` takes."""
    return Path(name).suffix.lower() in READABLE


def find(folder: Path) -> list[Path]:
    """The readable pictures directly in a folder, by name.

    Raises:
        ImageError: there are none.
    """
    found = sorted(path for path in folder.iterdir() if path.is_file() and is_readable(path.name))
    if not found:
        raise ImageError(f"{folder} holds no pictures ({', '.join(READABLE)})")
    return found


def read(source: Path | bytes, name: str | None = None) -> Picture:
    """Read a PNG, JPEG, WebP or BMP picture.

    The orientation of the EXIF data is applied, a palette becomes RGB (RGBA where it has transparency).

    Args:
        source: the file, or its bytes.
        name: what to call it in an error; the path by default.

    Raises:
        ImageError: missing, not a picture, damaged, animated, or with more than 8 bits a channel.
    """
    name = name or (str(source) if isinstance(source, Path) else "picture")
    try:
        data = source.read_bytes() if isinstance(source, Path) else source
    except FileNotFoundError:
        raise ImageError(f"{name} does not exist") from None
    except OSError as error:
        raise ImageError(f"{name} cannot be read: {error.strerror}") from None
    try:
        with warnings.catch_warnings():
            # Pillow warns of pictures half as large as it refuses; ours are still fine there.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=sorted(set(READABLE.values())))
            if getattr(image, "n_frames", 1) > 1:
                raise ImageError(f"{name} is animated: only still pictures can be read")
            if image.mode.startswith(_DEEP_MODES) or _png_depth(data) == 16:
                raise ImageError(f"{name} has more than 8 bits a channel: convert it to 8 bits first")
            image.load()
            image = ImageOps.exif_transpose(image)
    except UnidentifiedImageError:
        raise ImageError(f"{name} is not a PNG, JPEG, WebP or BMP picture") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{name} has too many pixels to be read safely") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError(f"{name} is damaged or cut short: {error}") from None
    pixels = np.asarray(_plain(image))
    return Picture(pixels, _fitting_profile(image.info.get("icc_profile"), pixels), image.info.get("exif"))


def _png_depth(data: bytes) -> int | None:
    """Bits a channel from a PNG's header; Pillow reads 16-bit RGB as 8 bits without a word."""
    return data[24] if data.startswith(b"\x89PNG\r\n\x1a\n") and len(data) > 24 else None


def _plain(image: Image.Image) -> Image.Image:
    """The picture as gray, RGB or RGBA, whatever its mode was."""
    if image.mode in ("L", "RGB", "RGBA") and "transparency" not in image.info:
        return image
    if image.mode == "1":
        return image.convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _fitting_profile(icc: bytes | None, pixels: np.ndarray) -> bytes | None:
    """The profile, unless it describes other channels than the pixels now have, as for CMYK."""
    space = b"GRAY" if pixels.ndim == 2 else b"RGB "
    return icc if icc and icc[16:20] == space else None


def refuse_alpha(path: Path) -> None:
    """Raise OutputError if a picture with alpha cannot be written under this name."""
    if WRITABLE.get(path.suffix.lower()) == "JPEG":
        raise OutputError(f"{path}: JPEG cannot hold transparency; write a .png or a .webp instead")


def write(path: Path, picture: Picture) -> None:
    """Write a picture whole or not at all; the suffix gives the format.

    JPEG and WebP are written at quality 95, JPEG without chroma subsampling.

    Raises:
        OutputError: unknown suffix, alpha in a JPEG, or the file cannot be written.
    """
    kind = WRITABLE.get(path.suffix.lower())
    if kind is None:
        raise OutputError(f"{path}: cannot write {path.suffix or 'a file without a suffix'}, only "
                          f"{', '.join(WRITABLE)}")  # fmt: skip
    if picture.pixels.shape[2:] == (4,):
        refuse_alpha(path)
    keep = {"icc_profile": picture.icc, "exif": picture.exif}
    options = _SAVE_OPTIONS[kind] | {key: value for key, value in keep.items() if value}
    with atomic(path) as file:
        try:
            Image.fromarray(picture.pixels).save(file, format=kind, **options)
        except (ValueError, OSError) as error:
            raise OutputError(f"{path} cannot be written as {kind}: {error}") from None
