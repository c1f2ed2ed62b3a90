"""What a process of the box answers, as a message and back: a size, a picture, or why there is none."""

import math
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from srez.apart.wire import BrokenMessageError, Message, cut
from srez.errors import ImageError
from srez.images import Jpeg, Metadata, Picture
from srez.images.jpeg import BLOCK

Head = dict[str, Any]

_ERRORS = {kind.__name__: kind for kind in (ImageError, *ImageError.__subclasses__())}
_FIELDS = tuple(field.name for field in fields(Metadata))
_CHUNKS = ("colours", "text")  # fields of `Metadata` that are pairs of bytes


def of_error(error: ImageError) -> Head:
    """A picture that cannot be read."""
    return {"error": type(error).__name__, "text": str(error)}


def of_picture(picture: Picture) -> tuple[Head, list[bytes | memoryview]]:
    """A picture, as the head and the bodies of a message."""
    found = picture.metadata
    bodies: list[bytes | memoryview] = [picture.pixels.data.cast("B")]
    lengths: Head = {}
    for name in _FIELDS:
        value = getattr(found, name)
        if name in _CHUNKS:
            pieces = [piece for pair in value for piece in pair]
            lengths[name] = [len(piece) for piece in pieces]
        elif isinstance(value, bytes):
            pieces = [value]
            lengths[name] = len(value)
        else:
            continue
        bodies += pieces
    head = {
        "shape": picture.pixels.shape,
        "dtype": picture.pixels.dtype.name,
        "dpi": found.dpi,
        "unread": picture.unread,
        "jpeg": picture.jpeg and asdict(picture.jpeg),
        "lengths": lengths,
    }
    return head, bodies


def error_in(message: Message) -> ImageError | None:
    """The error that a message tells of."""
    kind = _ERRORS.get(message.head.get("error", ""))
    return kind(str(message.head["text"])) if kind else None


def size_in(message: Message) -> tuple[int, int]:
    """The width and height in a message."""
    width, height = message.head["size"]
    return _whole(width), _whole(height)


def found_in(message: Message) -> tuple[int, int] | Picture:
    """The size or the picture in a message."""
    return size_in(message) if "size" in message.head else picture_in(message)


def picture_in(message: Message) -> Picture:
    """The picture in a message; all that it says is checked, for a stranger may have written it.

    Raises:
        BrokenMessageError: there is none.
    """
    head = message.head
    shape = tuple(_whole(length) for length in head["shape"])
    if head["dtype"] not in ("uint8", "uint16") or not (
        len(shape) == 2 or (len(shape) == 3 and 2 <= shape[2] <= 4)
    ):
        raise BrokenMessageError
    dtype = np.dtype(head["dtype"])
    end = math.prod(shape) * dtype.itemsize
    if not 0 < end <= len(message.body):
        raise BrokenMessageError
    pixels = np.frombuffer(message.body, dtype, math.prod(shape)).reshape(shape)
    metadata = _metadata(head, message.body[end:])
    unread = tuple(str(each) for each in head["unread"])
    return Picture(pixels, metadata, unread, None if head["jpeg"] is None else _jpeg(head["jpeg"]))


def _jpeg(told: Head) -> Jpeg:
    steps = told["steps"] and tuple(_whole(step) for step in told["steps"])
    row, column = (_whole(begun) for begun in told["begin"])
    chroma = told["chroma_step"] and _whole(told["chroma_step"])
    halved = told["chroma_halved"]
    if max(row, column) >= BLOCK or (steps and (len(steps) != BLOCK**2 or min(steps) < 1)):
        raise BrokenMessageError
    if not isinstance(halved, bool):
        raise BrokenMessageError
    return Jpeg(float(told["quality"]), steps, (row, column), chroma, halved)


def _metadata(head: Head, body: bytearray) -> Metadata:
    lengths: Head = head["lengths"]
    if not set(lengths) <= set(_FIELDS):
        raise BrokenMessageError
    flat = [
        _whole(each) for value in lengths.values() for each in (value if isinstance(value, list) else [value])
    ]
    pieces = iter(cut(body, flat))
    found: Head = {}
    for name, value in lengths.items():
        if name in _CHUNKS:
            found[name] = tuple((next(pieces), next(pieces)) for _ in range(len(value) // 2))
        else:
            found[name] = next(pieces)
    if head["dpi"]:
        across, along = (float(value) for value in head["dpi"])
        found["dpi"] = across, along
    return Metadata(**found)


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BrokenMessageError
    return value
