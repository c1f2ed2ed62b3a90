"""Waiting for what must come, however slow or busy the machine is."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 300.0  # seconds; far more than anything takes that is waited for


def until(find: Callable[[], T | None]) -> T:
    """What a function gives as soon as that is true; fails if it never is."""
    end = time.monotonic() + PATIENCE
    while not (found := find()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found
