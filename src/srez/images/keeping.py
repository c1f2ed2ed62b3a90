"""What of a picture's metadata a format can hold, and where it goes."""

import struct
from dataclasses import replace

from srez.images import metadata, png_chunks
from srez.images.formats import JPEG, PNG, TIFF, Format
from srez.images.picture import Metadata

_LONGEST_SEGMENT = 65_533  # bytes, of a JPEG
_XMP_HEADER, _IPTC_HEADER = 29, 27  # bytes of a segment before the data
_GAMMA, _TOLERANCE = 45_455, 1_000  # of sRGB, times 100,000
_SRGB_CHROMATICITIES = (31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
# Code points of H.273: unspecified, sRGB, and the curves of BT.709 and BT.601, which are shown as sRGB's.
_LIKE_SRGB = ({1, 2}, {1, 2, 6, 13})


def fitted_to(found: Metadata, format_: Format) -> tuple[Metadata, tuple[str, ...]]:
    """Metadata as a format holds them, and what it cannot hold.

    Text of a PNG, and a comment where there is no place for it, become the EXIF tag UserComment: a line
    "keyword: text" each, or the text alone if there is one and its keyword is "parameters". Pixels per inch
    go into the EXIF data where there is no other place for them.

    Args:
        found: of the source.
        format_: to write.

    Returns:
        What to write; and a phrase for each thing lost, "IPTC data".
    """
    lost = []
    if found.iptc and (
        format_ not in (JPEG, TIFF) or (format_ == JPEG and _is_long(found.iptc, _IPTC_HEADER))
    ):
        found = replace(found, iptc=None)
        lost.append("IPTC data")
    if format_ == PNG:
        comment = (
            () if found.comment is None else (png_chunks.text_chunk("Comment", _decoded(found.comment)),)
        )
        return replace(found, text=found.text + comment, comment=None), tuple(lost)
    if differ_from_srgb(found):
        lost.append(f"colour description ({', '.join(kind.decode() for kind, _ in found.colours)})")
    found = replace(found, colours=())
    if format_ == JPEG:
        found, too_long = _as_segments(found)
        lost += too_long
    elif format_ != TIFF and found.dpi:
        found = replace(found, exif=metadata.with_dpi(found.exif, found.dpi), dpi=None)
    found, without_place = _text_in_exif(found, format_)
    return found, (*lost, *without_place)


def differ_from_srgb(found: Metadata) -> bool:
    """Whether the colours would look wrong without their description."""
    chunks = dict(found.colours)
    if code_points := chunks.get(b"cICP"):
        return not all(code in like for code, like in zip(code_points, _LIKE_SRGB, strict=False))
    if found.icc or b"sRGB" in chunks:
        return False
    gamma, chromaticities = chunks.get(b"gAMA", b""), chunks.get(b"cHRM", b"")
    if len(gamma) == 4 and abs(struct.unpack(">I", gamma)[0] - _GAMMA) > _TOLERANCE:
        return True
    if len(chromaticities) != 32:
        return False
    pairs = zip(struct.unpack(">8I", chromaticities), _SRGB_CHROMATICITIES, strict=True)
    return any(abs(value - srgb) > _TOLERANCE for value, srgb in pairs)


def _as_segments(found: Metadata) -> tuple[Metadata, list[str]]:
    """Metadata without what is too long for a segment of a JPEG, and what that was."""
    lost = []
    if found.exif and _is_long(found.exif):
        found = replace(found, exif=None)
        lost.append("EXIF data of more than 64 KB")
    if found.xmp and _is_long(found.xmp, _XMP_HEADER):
        found = replace(found, xmp=None)
        lost.append("XMP data of more than 64 KB")
    if found.comment and _is_long(found.comment):
        found = replace(found, comment=None)
        lost.append("comment of more than 64 KB")
    return found, lost


def _text_in_exif(found: Metadata, format_: Format) -> tuple[Metadata, tuple[str, ...]]:
    """Metadata whose text and, but for a JPEG, comment are in the EXIF data; or lost."""
    texts = png_chunks.texts(found.text)
    if found.comment and format_ != JPEG:
        texts.append(("Comment", _decoded(found.comment)))
        found = replace(found, comment=None)
    found = replace(found, text=())
    if not texts:
        return found, ()
    alone = len(texts) == 1 and texts[0][0] == "parameters"
    text = texts[0][1] if alone else "\n".join(f"{keyword}: {text}" for keyword, text in texts)
    exif = metadata.with_text(found.exif, text)
    if exif is None or (format_ == JPEG and _is_long(exif)):
        return found, ("text",)
    return replace(found, exif=exif), ()


def _is_long(data: bytes, header: int = 0) -> bool:
    return len(data) + header > _LONGEST_SEGMENT


def _decoded(comment: bytes) -> str:
    try:
        return comment.decode()
    except UnicodeDecodeError:
        return comment.decode("latin-1")
