"""Kinds of files that are not read: what each is called, and what to do with it."""

from typing import NamedTuple

START_BYTES = 1024  # of a file, which `kind_of` needs at most


class Kind(NamedTuple):
    """What a file is, "a PDF document", and what to do with it."""

    name: str
    advice: str

    def __str__(self) -> str:
        return f"{self.name}, which cannot be read: {self.advice}"


_EXPORT = "export it as PNG or TIFF first"
_PAGE = "export a page of it as PNG first"
_UNPACK = "unpack it first"
_DEVELOP = "develop it to TIFF or JPEG first"
_TO_16_BITS = "export it with 8 or 16 bits a channel first"

_VIDEO = Kind("a video", "export single frames first")
_SOUND = Kind("a sound file", "give a picture instead")
_SVG = Kind("an SVG drawing", "export it as PNG, at any size")
_HTML = Kind("a web page (HTML)", "download the picture itself")
_LFS = Kind("a Git LFS pointer", "run git lfs pull to fetch the picture")
_JPEG_XL = Kind("a JPEG XL picture", _EXPORT)
_JPEG_2000 = Kind("a JPEG 2000 picture", _EXPORT)
_ZEROS = Kind("nothing but zeros", "copy it anew from where it came from")

_STARTS = {
    b"\xff\x0a": _JPEG_XL,
    b"\0\0\0\x0cJXL ": _JPEG_XL,
    b"\0\0\0\x0cjP  ": _JPEG_2000,
    b"\xff\x4f\xff\x51": _JPEG_2000,
    b"II\xbc\x01": Kind("a JPEG XR picture", _EXPORT),
    b"\0\0\1\0": Kind("an icon (ICO)", "export one of its sizes as PNG first"),
    b"icns": Kind("an icon (ICNS)", "export one of its sizes as PNG first"),
    b"\0\0\2\0": Kind("a cursor (CUR)", "export it as PNG first"),
    b"8BPS": Kind("a Photoshop document (PSD)", _EXPORT),
    b"gimp xcf": Kind("a GIMP document (XCF)", _EXPORT),
    b"%PDF": Kind("a PDF document", _PAGE),
    b"%!PS": Kind("a PostScript document", _PAGE),
    b"AT&TFORM": Kind("a DjVu document", _PAGE),
    b"\xd0\xcf\x11\xe0": Kind("an office document", _PAGE),
    b"\x76\x2f\x31\x01": Kind("an OpenEXR picture", _TO_16_BITS),
    b"#?RADIANCE": Kind("a Radiance HDR picture", _TO_16_BITS),
    b"SIMPLE  =": Kind("a FITS picture", _TO_16_BITS),
    b"DDS ": Kind("a DDS texture", _EXPORT),
    b"\xabKTX ": Kind("a KTX texture", _EXPORT),
    b"qoif": Kind("a QOI picture", _EXPORT),
    b"BPG\xfb": Kind("a BPG picture", _EXPORT),
    b"FUJIFILMCCD-RAW": Kind("a camera's raw file", _DEVELOP),
    b"IIRO": Kind("a camera's raw file (ORF)", _DEVELOP),
    b"IIU\0": Kind("a camera's raw file (RW2)", _DEVELOP),
    b"PK\3\4": Kind("a zip or an office document", _UNPACK),
    b"\x1f\x8b": Kind("a gzip archive", _UNPACK),
    b"Rar!": Kind("a RAR archive", _UNPACK),
    b"7z\xbc\xaf": Kind("a 7-Zip archive", _UNPACK),
    b"\x1aE\xdf\xa3": _VIDEO,  # Matroska, WebM
    b"\0\0\1\xba": _VIDEO,  # MPEG
    b"\0\0\1\xb3": _VIDEO,
    b"\x30\x26\xb2\x75": _VIDEO,  # Windows Media
    b"FLV\1": _VIDEO,
    b"OggS": Kind("a video or a sound file", "export single frames first"),
    b"ID3": _SOUND,
    b"fLaC": _SOUND,
    b"version https://git-lfs": _LFS,
    **{b"P%d" % n + end: Kind("a PNM picture", _EXPORT) for n in range(1, 8) for end in (b"\n", b" ", b"\r")},
}
_BRANDS = {b"crx ": Kind("a camera's raw file (CR3)", _DEVELOP), b"M4A ": _SOUND}
_RIFF = {b"AVI ": _VIDEO, b"WAVE": _SOUND}
_TAGS = {b"<svg": _SVG, b"<!doctype svg": _SVG, b"<!doctype html": _HTML, b"<html": _HTML, b"<head": _HTML}


def kind_of(start: bytes) -> Kind | None:
    """What a file is that is of none of our formats, by its first `START_BYTES`; None if unknown."""
    if start[4:8] == b"ftyp":
        return _BRANDS.get(start[8:12], _VIDEO)
    if start[4:8] in (b"moov", b"mdat", b"wide"):  # QuickTime of old
        return _VIDEO
    if start.startswith(b"RIFF") and start[8:12] in _RIFF:
        return _RIFF[start[8:12]]
    if len(start) > 3 and not start.strip(b"\0"):
        return _ZEROS
    found = next((kind for mark, kind in _STARTS.items() if start.startswith(mark)), None)
    return found or _marked_up(start)


def _marked_up(start: bytes) -> Kind | None:
    """What a text that begins with a tag is; what comes before may be an XML declaration or comments."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not text.startswith(b"<"):
        return None
    places = {text.find(tag): kind for tag, kind in _TAGS.items() if tag in text}
    return places[min(places)] if places else None
