"""The queue of pictures that are answered at once: a bound, and a thread for each of two lanes.

Small pictures go through one lane: when its thread is free, it takes what waits of one size, so a batch costs
nobody any waiting. Others go through the other lane one after another, each on all cores. So a small picture
never waits for a large one.
"""

import threading
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from srez.serve.refusals import busy

Run = Callable[[list[Any]], list[Any]]


@dataclass
class _Item:
    key: Hashable
    value: Any
    run: Run
    future: Future[Any] = field(default_factory=Future)


class Queue:
    """Work that waits, and the threads that do it."""

    def __init__(self, most: int, together: int) -> None:
        """Start the threads.

        Args:
            most: items that may wait in both lanes.
            together: items that may be run as one batch.
        """
        self._most = most
        self._together = together
        self._changed = threading.Condition()
        self._small: deque[_Item] = deque()
        self._large: deque[_Item] = deque()
        self._closed = False
        lanes = {"small": self._take_batch, "large": self._take_one}
        self._threads = [
            threading.Thread(target=self._work, args=[take], name=f"srez-{name}", daemon=True)
            for name, take in lanes.items()
        ]
        for thread in self._threads:
            thread.start()

    def __len__(self) -> int:
        return len(self._small) + len(self._large)

    @property
    def alive(self) -> bool:
        """Whether work is still done."""
        return not self._closed and all(thread.is_alive() for thread in self._threads)

    def put(self, value: Any, run: Run, key: Hashable = None) -> Future[Any]:
        """Let something be done.

        Args:
            value: an element of what `run` will get.
            run: does it, for a list of values; called in another thread.
            key: items of one key may be run together, by the `run` of the first; None runs it alone.

        Returns:
            What will be the element of the result. Cancelled before its turn, it costs nothing.

        Raises:
            RefusalError: too many are waiting (429), or the server is stopping (503).
        """
        item = _Item(key, value, run)
        with self._changed:
            if self._closed:
                raise busy("the server is stopping", 503)
            if len(self) >= self._most:
                raise busy(f"{self._most} pictures are waiting already (--max-queue)")
            (self._large if key is None else self._small).append(item)
            self._changed.notify_all()
        return item.future

    def close(self, seconds: float) -> None:
        """Take no more, finish what waits, and stop the threads.

        Args:
            seconds: to wait for that.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(seconds)

    def _take_one(self) -> list[_Item]:
        return [self._large.popleft()] if self._large else []

    def _take_batch(self) -> list[_Item]:
        """The oldest item, and the others of its key."""
        if not self._small:
            return []
        key = self._small[0].key
        fitting = [item for item in self._small if item.key == key][: self._together]
        taken = {id(item) for item in fitting}
        self._small = deque(item for item in self._small if id(item) not in taken)
        return fitting

    def _work(self, take: Callable[[], list[_Item]]) -> None:
        while True:
            with self._changed:
                while not (items := take()):
                    if self._closed:
                        return
                    self._changed.wait()
            wanted = [item for item in items if item.future.set_running_or_notify_cancel()]
            if wanted:
                _do(wanted)
            del items, wanted  # not while the next one is waited for


def _do(items: list[_Item]) -> None:
    try:
        results = items[0].run([item.value for item in items])
    except BaseException as error:
        for item in items:
            item.future.set_exception(error)
        return
    for item, result in zip(items, results, strict=True):
        item.future.set_result(result)
