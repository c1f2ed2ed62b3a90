"""A process that reads pictures of strangers, one after another, until it is not wanted any more."""

import socket
from functools import partial

from srez import images
from srez.apart import answers
from srez.apart.confined import address_space, allow, confine
from srez.apart.wire import BrokenMessageError, Message, pack, take_from, unpack
from srez.errors import ImageError, OutOfMemoryError

HEADER_MEMORY = 160 * 1024**2  # bytes, for looking at a header and for all that is beside the pixels
COPIES = 3  # of the file in memory
CANVAS_MEMORY = 16  # bytes for each pixel that is allowed: opening a WebP takes 8 for each that it has
PIXEL_MEMORY = 64  # bytes for each pixel: 16 bits with transparency take 48, in several copies
_MOST = 1 << 40  # bytes of a file; who sends it has a limit of his own


def serve(channel: socket.socket) -> None:
    """Read what is asked for, until the other side hangs up.

    Args:
        channel: to the box.
    """
    base = address_space()
    confine()
    while True:
        try:
            request = unpack(partial(take_from, channel.recv_into), _MOST)
        except BrokenMessageError:
            return
        for piece in _answer(request, base):
            channel.sendall(piece)


def _answer(request: Message, base: int) -> list[bytes | memoryview]:
    head, data = request.head, bytes(request.body)
    request.body.clear()
    name, most = head["name"], head["max_pixels"]
    memory = base + HEADER_MEMORY + COPIES * len(data) + CANVAS_MEMORY * most
    try:
        allow(memory, head["seconds"])
        size = images.size(data, name, most)
        if size[0] * size[1] > head["read"]:
            return pack({"size": size})
        allow(memory + PIXEL_MEMORY * size[0] * size[1], head["seconds"])
        answer, bodies = answers.of_picture(images.read(data, name, most))
        return pack(answer, *bodies)
    except (MemoryError, OutOfMemoryError):
        error = ImageError(f"{name} takes more memory than its pixels need: save it again")
        return pack(answers.of_error(error))
    except ImageError as error:
        return pack(answers.of_error(error))
