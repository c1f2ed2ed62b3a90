"""What a PNG says beside its pixels, as chunks, https://www.w3.org/TR/png-3/: text, profiles and colours."""

import io
import struct
import zlib
from contextlib import suppress
from typing import IO

from PIL import Image

from srez.images.headers import tiff as tiff_header
from srez.images.headers.refusal import Refusal

BESIDE = "srez chunks"  # where `tell` puts them

Chunks = tuple[tuple[bytes, bytes], ...]  # kind and body of each

TEXT, COLOUR = (b"tEXt", b"zTXt", b"iTXt"), (b"gAMA", b"cHRM", b"sRGB", b"cICP")
_MOST_BESIDE = 64 * 1024**2  # bytes of all text and profiles as they are packed
MOST_UNPACKED = 16 * 1024**2  # bytes of a profile, or of a text
LEAST_CHUNK = 256  # bytes, on average; encoders write thousands
MOST_CHUNKS = 5_000  # that may be smaller
_XMP, _OLD_PROFILE = b"XML:com.adobe.xmp\0", b"Raw profile type "
_OLD_EXIF = _OLD_PROFILE + b"exif"


def split(file: IO[bytes]) -> tuple[Chunks, IO[bytes]]:
    """The text, profile and colour chunks of a PNG, and a file without its text and profile.

    Pillow unpacks text and profile when it opens a PNG and refuses more than 1 MB of each; here they stay
    packed. Chunks whose checksum is wrong are left out; what cannot be parsed is left to Pillow.

    Raises:
        Refusal: there are too many chunks.
    """
    end = file.seek(0, 2)
    most = MOST_CHUNKS + end // LEAST_CHUNK
    place, copied, total, count = 8, 0, 0, 0
    chunks: list[tuple[bytes, bytes]] = []
    pieces: list[bytes] = []
    while place + 12 <= end:
        file.seek(place)
        length, kind = struct.unpack(">I4s", file.read(8))
        after = place + 12 + length
        if after > end:
            break
        count += 1
        if count > most:
            raise Refusal("is cut into chunks of a few bytes")
        if kind in (*TEXT, *COLOUR, b"iCCP"):
            body, check = file.read(length), file.read(4)
            total += length
            if total <= _MOST_BESIDE and check == struct.pack(">I", zlib.crc32(body, zlib.crc32(kind))):
                chunks.append((kind, body))
            if kind not in COLOUR:
                file.seek(copied)
                pieces.append(file.read(place - copied))
                copied = after
        elif kind == b"eXIf":
            with suppress(IndexError, ValueError):  # damaged
                tiff_header.check_exif(file.read(length).removeprefix(b"Exif\0\0"))
        place = after
    file.seek(copied)
    return tuple(chunks), io.BytesIO(b"".join([*pieces, file.read()])) if pieces else file


def tell(image: Image.Image, chunks: Chunks) -> None:
    """Give an opened PNG what `split` took away: profile, XMP packet, EXIF data in text, and what to keep."""
    kept = []
    for kind, body in chunks:
        keyword = body.partition(b"\0")[0]
        if kind == b"iCCP":
            if "icc_profile" not in image.info:  # there is one; unpacking many takes for ever
                image.info["icc_profile"] = _unpacked(body[len(keyword) + 2 :])
        elif kind == b"iTXt" and body.startswith(_XMP):
            if "xmp" not in image.info:
                packed, packet = body[len(_XMP)], body[len(_XMP) + 2 :].split(b"\0", 2)[-1]
                image.info["xmp"] = _unpacked(packet) if packed else packet
        elif kind in (b"tEXt", b"zTXt") and keyword.startswith(_OLD_PROFILE):
            if keyword == _OLD_EXIF and _OLD_EXIF.decode() not in image.info:
                text = _unpacked(body[len(keyword) + 2 :]) if kind == b"zTXt" else body[len(keyword) + 1 :]
                _check_old_exif(text)
                image.info[_OLD_EXIF.decode()] = text.decode("latin-1")
        else:
            kept.append((kind, body))
    image.info[BESIDE] = tuple(kept)


def _check_old_exif(text: bytes) -> None:
    """Bound the tags of EXIF data in text: three lines, then digits."""
    with suppress(IndexError, ValueError):  # damaged
        data = bytes.fromhex("".join(text.decode("latin-1").split("\n")[3:]))
        tiff_header.check_exif(data.removeprefix(b"Exif\0\0"))


def with_xmp(chunks: Chunks, xmp: bytes | None) -> Chunks:
    """Chunks and one more for an XMP packet, if there is any."""
    return (*chunks, (b"iTXt", _XMP + bytes(4) + xmp)) if xmp else chunks


def texts(chunks: Chunks) -> list[tuple[str, str]]:
    """Keyword and text of each text chunk; what is damaged, or too much, is left out."""
    found, left = [], MOST_UNPACKED
    for kind, body in chunks:
        keyword, _, rest = body.partition(b"\0")
        coding = "latin-1"
        if kind == b"zTXt":
            rest = _unpacked(rest[1:], left)
        elif kind == b"iTXt":
            packed, coding = rest[:1] == b"\1", "utf-8"
            rest = rest[2:].split(b"\0", 2)[-1]
            rest = _unpacked(rest, left) if packed else rest
        left -= len(rest)
        if rest and left > 0:
            found.append((keyword.decode("latin-1"), rest.decode(coding, "replace")))
    return found


def text_chunk(keyword: str, text: str) -> tuple[bytes, bytes]:
    """A text as a chunk."""
    return b"iTXt", keyword.encode("latin-1") + bytes(5) + text.encode()


def _unpacked(data: bytes, most: int = MOST_UNPACKED) -> bytes:
    """Data as it was before it was packed; none if that is damaged or too much."""
    if most <= 0:
        return b""
    try:
        unpacker = zlib.decompressobj()
        unpacked = unpacker.decompress(data, most)
    except zlib.error:
        return b""
    return unpacked if unpacker.eof else b""
