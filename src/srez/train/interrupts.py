"""Ctrl-C and SIGTERM during a training: the first ends the step, the second ends the process."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stop_request() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C or SIGTERM sets, instead of ending the process in the middle of a step.

    From then on, and after the block, signals do what they did before: a second Ctrl-C is a
    KeyboardInterrupt, a second SIGTERM ends the process. Outside the main thread, signals are left alone.
    """
    requested = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield requested
        return

    def restore() -> None:
        for kind, handler in before.items():
            signal.signal(kind, handler)

    def request(*_: object) -> None:
        requested.set()
        restore()

    before = {kind: signal.signal(kind, request) for kind in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield requested
    finally:
        restore()
