"""A budget for the memory of requests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from srez.serve.errors import busy


class Memory:
    """Counts the bytes that requests hold; used by the event loop's thread only."""

    def __init__(self, limit: int) -> None:
        """Allow some bytes.

        Args:
            limit: bytes that all requests together may hold.
        """
        self._limit = limit
        self._held = 0

    @contextmanager
    def holding(self) -> Iterator[Callable[[int], None]]:
        """Count the memory of one request, all of which is released at the end of the block.

        Yields:
            A function to call with a number of bytes before holding them. It raises HttpError (429) if the
            budget is exceeded.
        """
        held = 0

        def hold(count: int) -> None:
            nonlocal held
            if self._held + count > self._limit:
                raise busy("the pictures in progress take all the memory allowed (--max-memory)")
            held += count
            self._held += count

        try:
            yield hold
        finally:
            self._held -= held
