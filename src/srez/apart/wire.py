"""Messages between the box and its processes: JSON and bytes, never pickles, which a stranger could forge."""

import json
import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

_LENGTHS = struct.Struct("<IQ")  # of the head and of the bytes behind it
_SMALL = 1 << 16  # bytes of a body that are sent with the head
MOST_HEAD = 1 << 20  # bytes


class Message(NamedTuple):
    """What is sent: names and numbers, and the bytes that belong to them."""

    head: dict[str, Any]
    body: bytearray


Take = Callable[[int], bytearray]
"""Gives so many bytes of the other side."""


class BrokenMessageError(Exception):
    """What the other side sent is no message, or it has ended."""


def pack(head: dict[str, Any], *bodies: bytes | memoryview) -> list[bytes | memoryview]:
    """A message in the pieces to send."""
    data = json.dumps(head).encode()
    start = _LENGTHS.pack(len(data), sum(len(each) for each in bodies)) + data
    if bodies and len(bodies[0]) <= _SMALL:
        return [start + bodies[0], *bodies[1:]]
    return [start, *bodies]


def unpack(take: Take, most: int) -> Message:
    """Take a message from the other side.

    Args:
        take: gives bytes.
        most: bytes that the body may have.

    Raises:
        BrokenMessageError: it is longer, or no message.
    """
    length, body = _LENGTHS.unpack(take(_LENGTHS.size))
    if length > MOST_HEAD or body > most:
        raise BrokenMessageError
    try:
        head = json.loads(take(length))
    except (ValueError, RecursionError):
        raise BrokenMessageError from None
    if not isinstance(head, dict):
        raise BrokenMessageError
    return Message(head, take(body))


def cut(body: bytes | bytearray, lengths: Sequence[int]) -> list[bytes]:
    """A body in pieces.

    Raises:
        BrokenMessageError: the lengths do not add up to it.
    """
    if any(length < 0 for length in lengths) or sum(lengths) != len(body):
        raise BrokenMessageError
    pieces, place = [], 0
    for length in lengths:
        pieces.append(bytes(body[place : place + length]))
        place += length
    return pieces


def take_from(receive: Callable[[memoryview], int], count: int) -> bytearray:
    """So many bytes of the other side.

    Args:
        receive: fills some of a buffer and says how many bytes; 0 if the other side has ended.
        count: bytes.

    Raises:
        BrokenMessageError: the other side has ended.
    """
    data = bytearray(count)
    rest = memoryview(data)
    while rest:
        received = receive(rest)
        if not received:
            raise BrokenMessageError
        rest = rest[received:]
    return data
