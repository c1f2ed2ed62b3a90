"""Processes of a Ray that a command has started, and their end."""

import time
from collections.abc import Callable

import psutil
import pytest

from helpers.waiting import PATIENCE


def kill_one(driver: int, title: str, of: int, when: Callable[[], bool]) -> None:
    """Kill -9 one of so many Ray processes below a driver that have a word in their title."""
    deadline = time.monotonic() + 3 * PATIENCE
    while time.monotonic() < deadline:
        found = [each for each in psutil.Process(driver).children(recursive=True) if title in _title(each)]
        if len(found) == of and when():
            found[-1].kill()
            return
        time.sleep(0.02)
    pytest.fail(f"{of} processes {title} were not seen at work")


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it has just ended
        return ""
