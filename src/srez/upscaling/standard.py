"""Standard input and standard output, where pictures or frames go through pipes."""

import sys

from srez import images
from srez.errors import ImageError, OptionError, TooLargeError

_BYTES_A_PIXEL = 8  # of an input at most: 16 bits, with transparency, not packed
_MOST_BESIDE = 64 * 1024**2  # bytes of an input beside its pixels


def picture(max_pixels: int) -> bytes:
    """The picture that standard input brings, as long as it may be one: it need not end.

    Args:
        max_pixels: that it may have.

    Raises:
        ImageError: standard input is closed, cannot be read, or holds several pictures.
        TooLargeError: it is longer than such a picture.
    """
    refuse_closed()
    most = _BYTES_A_PIXEL * max_pixels + _MOST_BESIDE
    start = read(images.START_BYTES)
    rest = read(most) if images.format_of_bytes(start) else b""
    if len(rest) == most:
        raise TooLargeError(
            f"standard input has more than {most:,} bytes, so more than {max_pixels:,} pixels: if you trust "
            "it, allow more (--max-pixels)"
        )
    data = start + rest
    if images.is_followed(data):
        raise ImageError(
            "standard input holds several pictures, one behind the other: give files, or raw frames (--raw)"
        )
    return data


def read(length: int) -> bytes:
    """So many bytes of standard input, or all that is left.

    Raises:
        ImageError: it cannot be read.
    """
    try:
        return sys.stdin.buffer.read(length)
    except OSError as error:
        raise ImageError(f"standard input cannot be read: {error.strerror or error}") from None


def refuse_closed() -> None:
    """Refuse to read where there is no standard input.

    Raises:
        ImageError: it is closed.
    """
    if sys.stdin is None:
        raise ImageError("standard input is closed")


def refuse_terminal() -> None:
    """Refuse to write pictures to a terminal.

    Raises:
        OptionError: standard output is one.
    """
    if sys.stdout and sys.stdout.isatty():
        raise OptionError("a picture cannot go to a terminal: write it to a file or a pipe")
