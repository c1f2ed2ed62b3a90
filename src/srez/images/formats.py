"""The formats of image files: what each is called, by whom, and what it can hold."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import PurePath

from PIL import ImageColor

from srez.errors import ImageError, OptionError, OutputError

START_BYTES = 64  # of a file, which `format_of_bytes` needs at most


@dataclass(frozen=True)
class Format:
    """A format of image files.

    Attributes:
        name: as `--format` and the HTTP API have it, "jpeg".
        label: as sentences have it, "JPEG".
        suffixes: of its files, in lower case; the first is the one that we give.
        media_types: the first is the one that we send.
        pillow: what Pillow calls it.
        longest_side: of a picture, in pixels; None where nothing gets near it.
        writable: whether we write single pictures in it; all are read.
        lossy: whether a quality, from 1 to 100, makes a difference.
        streamed: whether rows are written as they come; if not, the whole picture must fit in memory.
        alpha: whether it holds transparency.
        deep: whether we write 16 bits a channel; if not, they are rounded to 8.
        animated: whether we write animations.
        pages: whether we write several pictures of any size.
        package: that must be installed besides ours, as Python imports it; `srez[heic]` brings it.
    """

    name: str
    label: str
    suffixes: tuple[str, ...]
    media_types: tuple[str, ...]
    pillow: str
    longest_side: int | None = None
    writable: bool = True
    lossy: bool = False
    streamed: bool = False
    alpha: bool = True
    deep: bool = False
    animated: bool = False
    pages: bool = False
    package: str | None = None

    @property
    def suffix(self) -> str:
        """The suffix that we give, ".jpg"."""
        return self.suffixes[0]

    @property
    def media_type(self) -> str:
        """The media type that we send, "image/jpeg"."""
        return self.media_types[0]

    @property
    def is_available(self) -> bool:
        """Whether what it needs is installed."""
        return self.package is None or find_spec(self.package) is not None


PNG = Format(
    "png",
    "PNG",
    (".png",),
    ("image/png",),
    "PNG",
    longest_side=2**31 - 1,
    streamed=True,
    deep=True,
    animated=True,
)
JPEG = Format(
    "jpeg",
    "JPEG",
    (".jpg", ".jpeg", ".jpe", ".jfif"),
    ("image/jpeg",),
    "JPEG",
    longest_side=65_535,
    lossy=True,
    alpha=False,
)
WEBP = Format(
    "webp", "WebP", (".webp",), ("image/webp",), "WEBP", longest_side=16_383, lossy=True, animated=True
)
TIFF = Format(
    "tiff", "TIFF", (".tif", ".tiff"), ("image/tiff",), "TIFF", streamed=True, deep=True, pages=True
)
AVIF = Format("avif", "AVIF", (".avif",), ("image/avif",), "AVIF", longest_side=65_536, lossy=True)
HEIC = Format(
    "heic",
    "HEIC",
    (".heic", ".heif", ".hif"),
    ("image/heic", "image/heif"),
    "HEIF",
    longest_side=65_535,
    lossy=True,
    package="pillow_heif",
)
BMP = Format("bmp", "BMP", (".bmp", ".dib"), ("image/bmp",), "BMP", writable=False)
GIF = Format(
    "gif", "GIF", (".gif",), ("image/gif",), "GIF", longest_side=65_535, writable=False, animated=True
)

FORMATS = (PNG, JPEG, WEBP, TIFF, AVIF, HEIC, BMP, GIF)
WRITABLE = tuple(each for each in FORMATS if each.writable)

_BY_SUFFIX = {suffix: each for each in FORMATS for suffix in each.suffixes}
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the last two are BigTIFF
_BMP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)  # bytes
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def format_named(name: str) -> Format:
    """The writable format of a name, "jpeg", or of a suffix, "jpg".

    Raises:
        OptionError: there is none.
    """
    found = next((each for each in WRITABLE if each.name == name or f".{name}" in each.suffixes), None)
    if found is None:
        names = ", ".join(each.name for each in WRITABLE)
        raise OptionError(f"there is no format {name!r}: use one of {names}")
    return found


def colour_named(name: str) -> tuple[int, int, int]:
    """Red, green and blue of 8 bits of a name as in CSS: "white", "#c04020", "rgb(192, 64, 32)".

    Raises:
        OptionError: there is no such colour.
    """
    try:
        red, green, blue = ImageColor.getrgb(name)[:3]
    except ValueError:
        raise OptionError(
            f"there is no colour {name!r}: give one as in CSS, such as white or #c04020"
        ) from None
    return red, green, blue


def format_of_suffix(path: PurePath) -> Format | None:
    """The format that a file's suffix stands for, readable or writable; None if it is none of ours."""
    return _BY_SUFFIX.get(path.suffix.lower())


def format_to_write(path: PurePath, animated: bool = False) -> Format:
    """The format that the suffix of a file to write asks for.

    Args:
        path: the file.
        animated: whether it may be one for animations alone, as GIF is.

    Raises:
        OutputError: it is none of ours.
    """
    found = format_of_suffix(path)
    if found is GIF and not animated:
        raise OutputError(f"{path}: GIF is written for animations (--frames all); write a .png instead")
    if found is None or not (found.writable or found.animated):
        what = path.suffix or "a file without a suffix"
        suffixes = ", ".join(suffix for each in WRITABLE for suffix in each.suffixes)
        raise OutputError(f"{path}: cannot write {what}, only {suffixes}")
    return found


def format_of_bytes(start: bytes) -> Format | None:
    """The format that the first `START_BYTES` of a file show; None if it is none of ours."""
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if start.startswith(b"\xff\xd8\xff"):
        return JPEG
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return WEBP
    if start.startswith(TIFF_STARTS):
        return TIFF
    if start.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if start.startswith(b"BM") and int.from_bytes(start[14:18], "little") in _BMP_HEADERS:
        return BMP
    if start[4:8] == b"ftyp":
        return _of_brands(start)
    return None


def _of_brands(start: bytes) -> Format | None:
    """AVIF or HEIC; an AVIF may begin as a HEIC does, but has its own brand among those that follow."""
    length = int.from_bytes(start[:4], "big")
    following = start[16:length]
    brands = {start[8:12], *(following[place : place + 4] for place in range(0, len(following), 4))}
    if brands & {b"avif", b"avis"}:
        return AVIF
    return HEIC if start[8:12] in _HEIC_BRANDS else None


def require_package(needed: Format, name: str, error: type[ImageError] | type[OutputError]) -> None:
    """Raise an error that names the file if what a format needs is not installed."""
    if not needed.is_available:
        raise error(f"{name}: {needed.label} needs one more package: pip install 'srez[heic]'")


def register_heif() -> None:
    """Teach Pillow to read and write HEIC, by the package that it requires."""
    import pillow_heif  # slow to import

    pillow_heif.register_heif_opener()
