"""A question to a process that may be slow, broken or a stranger's, and its answer."""

import socket
import time
from collections.abc import Callable
from functools import partial

from srez.apart.wire import BrokenMessageError, Message, take_from, unpack

LOOK = 0.05  # seconds between two looks at whether the answer is still wanted
_AT_ONCE = 1 << 16  # bytes of messages that are sent and received at once

Check = Callable[[], None]
"""Called now and then while one waits; what it raises ends the work."""


class SlowError(Exception):
    """The time for a picture is over."""


def exchange(
    channel: socket.socket, request: list[bytes | memoryview], most: int, seconds: float, check: Check
) -> Message:
    """Send a request and take its answer.

    Args:
        channel: to the other side, with a time-out of `LOOK`.
        request: a message as `wire.pack` gives it.
        most: bytes that the answer's body may have.
        seconds: for both.
        check: called now and then.

    Raises:
        BrokenMessageError: the other side has ended, or what it sends is no answer.
        SlowError: it takes too long.
    """
    end = time.monotonic() + seconds
    for piece in request:
        rest = memoryview(piece)
        while rest:
            rest = rest[_patient(lambda rest=rest: channel.send(rest), end, check) :]

    def receive(rest: memoryview) -> int:
        return _patient(lambda: channel.recv_into(rest), end, check)

    # At once what comes at once: each call waits for its turn among the threads of this process.
    start = bytearray(_AT_ONCE)
    count = receive(memoryview(start))
    return unpack(partial(take_from, _after(start[:count], receive)), most)


def _after(start: bytearray, receive: Callable[[memoryview], int]) -> Callable[[memoryview], int]:
    """Receives what has come already, and then what `receive` gives."""

    def receive_all(rest: memoryview) -> int:
        if not start:
            return receive(rest)
        count = min(len(start), len(rest))
        rest[:count] = start[:count]
        del start[:count]
        return count

    return receive_all


def _patient(call: Callable[[], int], end: float, check: Check) -> int:
    """Call until it moves bytes, with looks at the clock and at whether they are still wanted."""
    while True:
        try:
            return call()
        except TimeoutError:
            check()
            if time.monotonic() > end:
                raise SlowError from None
        except OSError:
            raise BrokenMessageError from None
