"""Writing animations frame by frame: Pillow's own writers keep all frames in memory.

Each module puts frames into the container of a format; what encodes the pixels of a frame is Pillow, or what
writes single pictures too. After the first frame only the rectangle that changes is written.
"""

from collections.abc import Callable, Iterable
from typing import IO

from srez.images.animation import apng, gif, webp
from srez.images.animation.patches import Look, Still
from srez.images.formats import GIF, PNG, WEBP, Format

__all__ = ["Look", "Still", "write"]

_WRITERS: dict[Format, Callable[[IO[bytes], Iterable[Still], Look], None]] = {
    GIF: gif.write,
    PNG: apng.write,
    WEBP: webp.write,
}


def write(file: IO[bytes], format_: Format, frames: Iterable[Still], look: Look) -> None:
    """Write an animation.

    Args:
        file: to write to, which can seek.
        format_: GIF, PNG or WebP.
        frames: in their order, as many as `look` says, all of its size.
        look: what there is beside the frames.
    """
    _WRITERS[format_](file, frames, look)
