"""GIF, https://www.w3.org/Graphics/GIF/spec-gif89a.txt."""

from srez.images.headers.refusal import Data, Refusal, numbers, require

MOST_BLOCKS = 10_000  # extensions and frames
LEAST_PIECE = 32  # bytes, on average, of the pieces that blocks are cut into: they can have 255
MOST_PIECES = 10_000  # that may be smaller

_EXTENSION, _FRAME = 0x21, 0x2C


def check(data: Data, max_pixels: int) -> None:
    """Bound blocks and their pieces; frames are counted by Pillow, and pixels too."""
    del max_pixels
    most = MOST_PIECES + len(data) // LEAST_PIECE
    place = after_palette(data, 10, 13)
    blocks = pieces = 0
    while place < len(data):
        kind = data[place]
        if kind == _FRAME:
            place = after_palette(data, place + 9, place + 10) + 1
        elif kind == _EXTENSION:
            place += 2
        else:
            place += 1  # the end, or what Pillow skips
            continue
        blocks += 1
        require(blocks, MOST_BLOCKS, "blocks")
        while length := data[place]:
            place += length + 1
            pieces += 1
            if pieces > most:
                raise Refusal("is cut into pieces of a few bytes")
        place += 1


def after_palette(data: Data, flags: int, place: int) -> int:
    """The place behind the colours at `place`, of which there are as many as the flags say, or none."""
    (packed,) = numbers("B", data, flags)
    return place + (3 << (packed & 7) + 1 if packed & 0x80 else 0)
