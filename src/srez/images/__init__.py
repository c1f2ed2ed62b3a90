"""The one place that reads and writes image files."""

from srez.images.find import Found, find, find_in_zip, is_hidden, is_picture, none_found
from srez.images.formats import (
    AVIF,
    FORMATS,
    HEIC,
    JPEG,
    PNG,
    START_BYTES,
    TIFF,
    WEBP,
    WRITABLE,
    Format,
    format_named,
    format_of_bytes,
    format_of_suffix,
    format_to_write,
)
from srez.images.headers.following import is_followed
from srez.images.picture import Metadata, Picture, from_float, rgb, to_float, to_uint8
from srez.images.reading import MAX_PIXELS, is_our_result, read, size
from srez.images.writing import QUALITY, Encoding, fitted, refuse_unwritable, save, write

__all__ = [
    "AVIF",
    "FORMATS",
    "HEIC",
    "JPEG",
    "MAX_PIXELS",
    "PNG",
    "QUALITY",
    "START_BYTES",
    "TIFF",
    "WEBP",
    "WRITABLE",
    "Encoding",
    "Format",
    "Found",
    "Metadata",
    "Picture",
    "find",
    "find_in_zip",
    "fitted",
    "format_named",
    "format_of_bytes",
    "format_of_suffix",
    "format_to_write",
    "from_float",
    "is_followed",
    "is_hidden",
    "is_our_result",
    "is_picture",
    "none_found",
    "read",
    "refuse_unwritable",
    "rgb",
    "save",
    "size",
    "to_float",
    "to_uint8",
    "write",
]
