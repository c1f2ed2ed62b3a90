"""What checks of headers raise, and read from."""

import mmap
import struct

Data = bytes | mmap.mmap
"""All bytes of a file."""


class Refusal(Exception):  # noqa: N818 - a verdict, caught in this room
    """Why a file is refused, as a sentence without its subject: "has more than 100 scans: save it again"."""

    def __init__(self, what: str, advice: str = "save it again with another program") -> None:
        """What is wrong, and what to do."""
        super().__init__(f"{what}: {advice}")


def numbers(layout: str, data: Data, place: int) -> tuple[int, ...]:
    """Numbers at a place.

    Raises:
        ValueError: the data end before them.
    """
    try:
        return struct.unpack_from(layout, data, place)
    except struct.error:
        raise ValueError from None


def require(number: int, most: int, what: str) -> None:
    """Refuse a file that has more than so many of something.

    Raises:
        Refusal: it has.
    """
    if number > most:
        raise Refusal(f"has more than {most:,} {what}")
