"""What a file says beside its pixels: orientation, EXIF data, resolution, colour profile."""

import re
from typing import Any

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from srez.images import tiff

EXIF_MARK = b"Exif\0\0"

_ORIENTATION, _EXIF_FOLDER, _GPS_FOLDER = 0x0112, 0x8769, 0x8825
_WIDTH, _HEIGHT, _EXIF_WIDTH, _EXIF_HEIGHT = 0x0100, 0x0101, 0xA002, 0xA003
_PROCESSING_SOFTWARE = 0x000B  # known to exiftool and exiv2; no camera writes it
_OURS = "srez"
_RESOLUTION = 282  # of a TIFF
_XMP = 700  # where a TIFF has it
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation="\d+"|<tiff:Orientation>\d+</tiff:Orientation>')


def exif(image: Image.Image) -> tuple[bytes | None, int]:
    """The EXIF data without the orientation, and that; nothing and 1 as far as it cannot be parsed."""
    orientation = 1
    try:
        exif = image.getexif()
        told = exif.pop(_ORIENTATION, 1)
        orientation = told if told in range(1, 9) else 1
        if image.format == "TIFF":
            for tag in tiff.STRUCTURE & exif.keys():
                del exif[tag]
            if _XMP in exif:
                exif[_XMP] = _XMP_ORIENTATION.sub(b"", exif[_XMP])
        stored = image.info.get("exif")
        untouched = stored and told == 1 and image.format != "TIFF"
        data = (stored if untouched else exif.tobytes()) if len(exif) else None
        data = data and EXIF_MARK + data.removeprefix(EXIF_MARK)
        _ = resized_exif(data, image.size), tags(data)  # what cannot be written again is left out here
    except Exception:
        # Its parser raises anything for damaged data, and a picture is worth more than its EXIF data.
        return None, orientation
    return data, orientation


def resized_exif(data: bytes | None, size: tuple[int, int]) -> bytes | None:
    """EXIF data that tells of another size, if it tells of one."""
    if data is None:
        return None
    exif = Image.Exif()
    exif.load(data)
    places = ((exif, _WIDTH, _HEIGHT), (exif.get_ifd(_EXIF_FOLDER), _EXIF_WIDTH, _EXIF_HEIGHT))
    told = [place for place in places if {place[1], place[2]} & place[0].keys()]
    if not told:
        return data
    for folder, width, height in told:
        folder[width], folder[height] = size
    return EXIF_MARK + exif.tobytes().removeprefix(EXIF_MARK)


def xmp(image: Image.Image) -> bytes | None:
    """The XMP packet without orientation; for a TIFF it is among the tags."""
    packet = image.info.get("xmp")
    if image.format == "TIFF" or not isinstance(packet, bytes) or not packet:
        return None
    return _XMP_ORIENTATION.sub(b"", packet)


def comment(image: Image.Image) -> bytes | None:
    """The comment of a JPEG or GIF."""
    found = image.info.get("comment")
    return found if isinstance(found, bytes) and found else None


def marked(data: bytes | None) -> bytes:
    """EXIF data that say srez made the picture."""
    exif = Image.Exif()
    exif.load(data or b"")
    exif[_PROCESSING_SOFTWARE] = _OURS
    return EXIF_MARK + exif.tobytes().removeprefix(EXIF_MARK)


def is_marked(image: Image.Image) -> bool:
    """Whether `marked` was here."""
    try:
        # A PNG looks for EXIF data behind its pixels, and decodes them for it; ours is in front.
        exif = Image.Image.getexif(image)
        return exif.get(_PROCESSING_SOFTWARE) == _OURS
    except Exception:  # the parser raises anything for damaged data
        return False


def tags(data: bytes | None) -> dict[int, Any]:
    """EXIF data by tag, as a TIFF holds it."""
    exif = Image.Exif()
    exif.load(data or b"")
    folders = {tag: dict(exif.get_ifd(tag)) for tag in (_EXIF_FOLDER, _GPS_FOLDER) if tag in exif}
    return {**exif, **folders}


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn and mirror as the EXIF orientation asks, 1 to 8."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def dpi(image: Image.Image) -> tuple[float, float] | None:
    """Pixels per inch across and along, if the file says so and it makes sense."""
    if isinstance(image, TiffImageFile) and _RESOLUTION not in image.tag_v2:
        return None  # Pillow makes it 1
    try:
        across, along = (float(value) for value in image.info.get("dpi", (0, 0)))
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, along) if 0 < across < 1e6 and 0 < along < 1e6 else None


def fitting_profile(icc: bytes | None, pixels: np.ndarray) -> bytes | None:
    """The profile, unless it describes other channels than the pixels now have, as for CMYK."""
    space = b"GRAY" if pixels.ndim == 2 or pixels.shape[2] < 3 else b"RGB "
    return icc if icc and icc[16:20] == space else None
