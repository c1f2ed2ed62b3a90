"""Reads pictures of strangers: in the box, in threads of their own, and only as long as they are wanted."""

import asyncio
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from srez.apart import LARGE, PROCESSES, SECONDS, Box
from srez.errors import SrezError
from srez.images import Picture
from srez.serve.errors import StoppedError
from srez.serve.limits import REFUSAL_SECONDS, SMALL_PIXELS

T = TypeVar("T")
Check = Callable[[], None]
"""Called now and then; what it raises ends the reading."""


@contextmanager
def wanted() -> Iterator[Check]:
    """A check that lets all go on until the block ends, and raises StoppedError from then on."""
    over = threading.Event()

    def check() -> None:
        if over.is_set():
            raise StoppedError

    try:
        yield check
    finally:
        over.set()


class Reader:
    """Reads one request's picture in the box; a small one when its size is asked for."""

    def __init__(self, box: Box, check: Check) -> None:
        """Make a reader.

        Args:
            box: where it reads.
            check: called now and then; what it raises kills the process that reads.
        """
        self._box, self._check = box, check
        self._small: Picture | None = None

    def size(self, data: Path | bytes, name: str, max_pixels: int) -> tuple[int, int]:
        """Width and height, as `images.size` gives them."""
        found = self._box.look(data, name, max_pixels, SMALL_PIXELS, self._check)
        if not isinstance(found, Picture):
            return found
        self._small = found
        return found.size

    def read(self, data: Path | bytes, name: str, max_pixels: int) -> Picture:
        """The picture, as `images.read` gives it."""
        return self._small or self._box.read(data, name, max_pixels, self._check)


class Reading:
    """The box, and threads that wait for it and for nothing else."""

    def __init__(self) -> None:
        """Start the processes."""
        self._box = Box(PROCESSES, SECONDS)
        self._going_on = 0
        weakref.finalize(self, self._box.close)  # for a server that was never stopped, as in tests
        # Two more than the box has processes: they have the next file ready when an answer has been taken.
        self._small = ThreadPoolExecutor(PROCESSES + 2, thread_name_prefix="srez-reading")
        self._large = ThreadPoolExecutor(max(PROCESSES - 1, 1), thread_name_prefix="srez-reading-large")

    def reader(self, check: Check) -> Reader:
        """A reader that stops when a check raises."""
        return Reader(self._box, check)

    async def run(self, function: Callable[..., T], body: bytes, *arguments: Any) -> T:
        """Call a function that reads a file, in a thread for files of its size.

        A refusal is held back while others' files are read or refused: whoever gets it may send the next
        file at once, and several who do so would slow each other down, not everybody.

        Args:
            function: gets the file and the other arguments.
            body: the file.
            arguments: others.

        Raises:
            SrezError: of the function.
        """
        pool = self._large if len(body) > LARGE else self._small
        self._going_on += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, function, body, *arguments)
        except SrezError:
            if self._going_on > 1:
                await asyncio.sleep(REFUSAL_SECONDS)
            raise
        finally:
            self._going_on -= 1

    def close(self) -> None:
        """Kill what still reads."""
        for pool in (self._small, self._large):
            pool.shutdown(wait=False, cancel_futures=True)
        self._box.close()
