"""What a file says beside its pixels: orientation, EXIF data, resolution, colour profile."""

import re
import struct
from typing import Any

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from srez.images import png_chunks, tiff
from srez.images.orientation import turn
from srez.images.picture import Metadata

EXIF_MARK = b"Exif\0\0"
_SHORTEST = 28  # bytes of EXIF data that say anything: mark, header, count and one tag

_ORIENTATION, _EXIF_FOLDER, _GPS_FOLDER = 0x0112, 0x8769, 0x8825
_WIDTH, _HEIGHT, _EXIF_WIDTH, _EXIF_HEIGHT = 0x0100, 0x0101, 0xA002, 0xA003
_PROCESSING_SOFTWARE = 0x000B  # known to exiftool and exiv2; no camera writes it
_OURS = "srez"
GIF_MARK = b"SREZ    1.0"  # an application and its version
_RESOLUTION, _RESOLUTION_ALONG, _RESOLUTION_UNIT, _INCH = 282, 283, 296, 2  # of a TIFF and of EXIF data
XMP_TAG, IPTC_TAG = 700, 33723  # where a TIFF has them
_IPTC_RESOURCE = 0x0404  # of Photoshop, in a JPEG
_USER_COMMENT = 0x9286
FOR_GRAY = "colour profile, which is for gray"  # as a phrase of what is lost
_XMP_ORIENTATION = re.compile(rb'tiff:Orientation="\d+"|<tiff:Orientation>\d+</tiff:Orientation>')


def read(image: Image.Image) -> tuple[Metadata, int, tuple[str, ...]]:
    """All but the colour profile, the orientation, and what is there but cannot be read."""
    data, orientation, is_read = exif(image)
    across_along = dpi(image)
    if turn(orientation)[0] and across_along:
        across_along = across_along[1], across_along[0]
    beside: png_chunks.Chunks = image.info.get(png_chunks.BESIDE, ())
    named = "icc_profile" in image.info and image.format != "PNG"  # a profile says more than code points
    found = Metadata(
        colours=() if named else tuple(each for each in beside if each[0] in png_chunks.COLOUR),
        exif=data,
        dpi=across_along,
        xmp=xmp(image),
        iptc=iptc(image),
        comment=comment(image),
        text=tuple(each for each in beside if each[0] in png_chunks.TEXT),
    )
    return found, orientation, () if is_read else ("EXIF data",)


def exif(image: Image.Image) -> tuple[bytes | None, int, bool]:
    """The EXIF data without the orientation, the orientation (1 if unknown), and whether all parsed."""
    orientation = 1
    try:
        exif = image.getexif()
        told = exif.pop(_ORIENTATION, None)
        orientation = told if told in range(1, 9) else 1
        if image.format == "TIFF":
            for tag in tiff.STRUCTURE & exif.keys():
                del exif[tag]
            for tag in {XMP_TAG, IPTC_TAG} & exif.keys():  # kept by themselves, see `xmp` and `iptc`
                del exif[tag]
        stored = image.info.get("exif")
        # Pillow parses it when it opens the file, and keeps silent about damage from then on.
        is_damaged = image.format != "TIFF" and len(stored or b"") >= _SHORTEST and not exif and told is None
        untouched = stored and told in (None, 1) and image.format != "TIFF"
        data = (stored if untouched else exif.tobytes()) if len(exif) else None
        data = data and EXIF_MARK + data.removeprefix(EXIF_MARK)
        _ = resized_exif(data, image.size), tags(data)  # what cannot be written again is left out here
    except Exception:
        # Its parser raises anything for damaged data, and a picture is worth more than its EXIF data.
        return None, orientation, False
    return data, orientation, not is_damaged


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
    """The XMP packet without orientation."""
    packet = image.tag_v2.get(XMP_TAG) if isinstance(image, TiffImageFile) else image.info.get("xmp")
    return _XMP_ORIENTATION.sub(b"", packet) if isinstance(packet, bytes) and packet else None


def iptc(image: Image.Image) -> bytes | None:
    """The IPTC record of a JPEG or TIFF."""
    if not isinstance(image, TiffImageFile):
        resources = image.info.get("photoshop")
        return resources.get(_IPTC_RESOURCE) if isinstance(resources, dict) else None
    record = image.tag_v2.get(IPTC_TAG)
    if isinstance(record, tuple) and all(isinstance(each, int) for each in record):
        order = "<" if image.tag_v2.prefix == b"II" else ">"  # some programs say that it is made of numbers
        record = struct.pack(f"{order}{len(record)}I", *record)
    return record if isinstance(record, bytes) else None


def iptc_segment(record: bytes) -> bytes:
    """An IPTC record as a segment of a JPEG (APP13)."""
    data = record + bytes(len(record) % 2)
    body = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", _IPTC_RESOURCE, 0, len(record)) + data
    return b"\xff\xed" + struct.pack(">H", 2 + len(body)) + body


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
    if image.format == "GIF":  # which holds no EXIF data
        return image.info.get("extension", (b"",))[0] == GIF_MARK
    try:
        # A PNG looks for EXIF data behind its pixels, and decodes them for it; ours is in front.
        exif = Image.Image.getexif(image)
        return exif.get(_PROCESSING_SOFTWARE) == _OURS
    except Exception:  # the parser raises anything for damaged data
        return False


def with_text(data: bytes | None, text: str) -> bytes | None:
    """EXIF data with a text as UserComment; None if there is one already."""
    exif = Image.Exif()
    exif.load(data or b"")
    folder = exif.get_ifd(_EXIF_FOLDER)
    if _USER_COMMENT in folder:
        return None
    folder[_USER_COMMENT] = (
        b"ASCII\0\0\0" + text.encode() if text.isascii() else b"UNICODE\0" + text.encode("utf-16-be")
    )
    return EXIF_MARK + exif.tobytes().removeprefix(EXIF_MARK)


def with_dpi(data: bytes | None, dpi: tuple[float, float]) -> bytes:
    """EXIF data with pixels per inch, for formats that hold them nowhere else."""
    exif = Image.Exif()
    exif.load(data or b"")
    exif[_RESOLUTION], exif[_RESOLUTION_ALONG], exif[_RESOLUTION_UNIT] = *dpi, _INCH
    return EXIF_MARK + exif.tobytes().removeprefix(EXIF_MARK)


def tags(data: bytes | None) -> dict[int, Any]:
    """EXIF data by tag, as a TIFF holds it."""
    exif = Image.Exif()
    exif.load(data or b"")
    folders = {tag: dict(exif.get_ifd(tag)) for tag in (_EXIF_FOLDER, _GPS_FOLDER) if tag in exif}
    return {**exif, **folders}


def dpi(image: Image.Image) -> tuple[float, float] | None:
    """Pixels per inch across and along, if the file says so and it makes sense."""
    if isinstance(image, TiffImageFile) and _RESOLUTION not in image.tag_v2:
        return None  # Pillow makes it 1
    try:
        across, along = (float(value) for value in image.info.get("dpi") or _dpi_in_exif(image))
    except Exception:  # EXIF data may be damaged, see `exif`
        return None
    return (across, along) if 0 < across < 1e6 and 0 < along < 1e6 else None


def _dpi_in_exif(image: Image.Image) -> tuple[Any, Any]:
    """Where formats without a place of their own have it, see `with_dpi`; otherwise nothing."""
    if image.format not in ("WEBP", "AVIF", "HEIF"):
        return 0, 0
    exif = image.getexif()
    inches = 1 if exif.get(_RESOLUTION_UNIT, _INCH) == _INCH else 2.54
    return exif.get(_RESOLUTION, 0) * inches, exif.get(_RESOLUTION_ALONG, 0) * inches


def fitting_profile(icc: bytes | None, pixels: np.ndarray) -> bytes | None:
    """The profile, unless it describes other channels than the pixels now have, as for CMYK."""
    space = b"GRAY" if pixels.ndim == 2 or pixels.shape[2] < 3 else b"RGB "
    return icc if icc and icc[16:20] == space else None
