"""Kinds of files that are not read: what each is called, and what to do with it."""

_EXPORT = "export it as PNG or TIFF first"
_PAGE = "export a page of it as PNG first"

# What a file begins with, or holds from its fifth byte where it has a box in front: name and advice.
_STARTS = {
    b"\xff\x0a": ("a JPEG XL picture", _EXPORT),
    b"\0\0\0\x0cJXL ": ("a JPEG XL picture", _EXPORT),
    b"\0\0\0\x0cjP  ": ("a JPEG 2000 picture", _EXPORT),
    b"\xff\x4f\xff\x51": ("a JPEG 2000 picture", _EXPORT),
    b"\0\0\1\0": ("an icon (ICO)", "export one of its sizes as PNG first"),
    b"\0\0\2\0": ("a cursor (CUR)", "export it as PNG first"),
    b"8BPS": ("a Photoshop document (PSD)", _EXPORT),
    b"gimp xcf": ("a GIMP document (XCF)", _EXPORT),
    b"%PDF": ("a PDF document", _PAGE),
    b"%!PS": ("a PostScript document", _PAGE),
    b"<svg": ("an SVG drawing", "it can be drawn at any size as it is"),
    b"\x76\x2f\x31\x01": ("an OpenEXR picture", "export it with 8 or 16 bits a channel first"),
    b"#?RADIANCE": ("a Radiance HDR picture", "export it with 8 or 16 bits a channel first"),
    b"DDS ": ("a DDS texture", _EXPORT),
    b"qoif": ("a QOI picture", _EXPORT),
    b"FUJIFILMCCD-RAW": ("a camera's raw file", "develop it first"),
    b"IIRO": ("a camera's raw file", "develop it first"),
    b"PK\3\4": ("a zip or an office document", "unpack it first"),
    b"\x1f\x8b": ("a gzip archive", "unpack it first"),
    b"\x1aE\xdf\xa3": ("a video", "export single frames first"),
    **{b"P%d" % n + end: ("a PNM picture", _EXPORT) for n in range(1, 8) for end in (b"\n", b" ", b"\r")},
}
_BRANDS = {b"crx ": ("a camera's raw file (CR3)", "develop it first")}
_VIDEO = ("a video", "export single frames first")


def kind_of(start: bytes) -> tuple[str, str] | None:
    """What a file that we do not read is, from its first bytes: its name and what to do; None if unknown."""
    if start[4:8] == b"ftyp":
        return _BRANDS.get(start[8:12], _VIDEO)
    if start.startswith(b"RIFF") and start[8:12] == b"AVI ":
        return _VIDEO
    return next((kind for mark, kind in _STARTS.items() if start.startswith(mark)), None)
