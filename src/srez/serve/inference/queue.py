"""The queue of pictures that are answered directly: bounded, with two lanes and a thread for each.

Small pictures go through one lane: when its thread is free, it takes those of one size as a batch, so nobody
waits for a batch to fill. Others go through the other lane one by one, each on all cores. So a small picture
never waits for a large one.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from srez.serve.errors import busy
from srez.serve.limits import FIRST_PACE

RunBatch = Callable[[list[Any]], list[Any]]
_SMOOTHING = 0.5  # weight of the past in the mean pace


@dataclass(eq=False)
class _Item:
    key: Hashable
    value: Any
    run: RunBatch
    cost: int
    future: Future[Any] = field(default_factory=Future)


@dataclass
class _Lane:
    """What waits for one thread.

    Attributes:
        max_batch: items taken at once, if they share a key.
        cost: of all items that wait or run.
        pace: seconds per unit of cost: a guess, then a moving mean.
    """

    max_batch: int
    waiting: deque[_Item] = field(default_factory=deque)
    cost: int = 0
    pace: float = FIRST_PACE

    def take(self) -> list[_Item]:
        """Take the oldest item and others with its key."""
        if not self.waiting:
            return []
        key = self.waiting[0].key
        batch = [item for item in self.waiting if item.key == key][: self.max_batch]
        taken = set(batch)
        self.waiting = deque(item for item in self.waiting if item not in taken)
        return batch

    def drop(self, item: _Item) -> None:
        """Give up a cancelled item's place, unless it was taken already."""
        if item in self.waiting:
            self.waiting.remove(item)
            self.cost -= item.cost

    def learn(self, cost: int, seconds: float) -> None:
        """Note how long something took."""
        self.pace = _SMOOTHING * self.pace + (1 - _SMOOTHING) * seconds / cost


class Queue:
    """A bounded queue of work and the threads that do it."""

    def __init__(self, max_waiting: int, max_batch: int, max_wait: float) -> None:
        """Start the threads.

        Args:
            max_waiting: items that may wait, in both lanes together.
            max_batch: items that may run as one batch.
            max_wait: expected seconds that an item may have to wait.
        """
        self._max_waiting, self._max_wait = max_waiting, max_wait
        self._changed = threading.Condition()
        self._closed = False
        self._small, self._large = _Lane(max_batch), _Lane(1)
        self._threads = [
            threading.Thread(target=self._work, args=[lane], name="srez-lane", daemon=True)
            for lane in (self._small, self._large)
        ]
        for thread in self._threads:
            thread.start()

    def __len__(self) -> int:
        """Items that wait."""
        return len(self._small.waiting) + len(self._large.waiting)

    @property
    def alive(self) -> bool:
        """Whether work is still done."""
        return not self._closed and all(thread.is_alive() for thread in self._threads)

    def put(self, value: Any, run: RunBatch, cost: int, key: Hashable = None) -> Future[Any]:
        """Queue some work.

        Args:
            value: an element of what `run` will be called with.
            run: does the work for a list of values; called in another thread.
            cost: pixels of the input.
            key: items with one key may run together, by the `run` of the first; None runs the item alone.

        Returns:
            The future element of the result. Cancelled before its turn, it leaves the queue.

        Raises:
            HttpError: the queue is full (429), or the server is stopping (503).
        """
        item = _Item(key, value, run, max(cost, 1))
        lane = self._large if key is None else self._small
        with self._changed:
            if self._closed:
                raise busy("the server is stopping", 503)
            if len(self) >= self._max_waiting:
                raise busy(f"{self._max_waiting} pictures are waiting (--max-queue)")
            wait = lane.cost * lane.pace
            if wait > self._max_wait:
                raise busy(
                    f"the picture would wait for more than {self._max_wait:g} seconds (--max-wait)",
                    seconds=max(round(wait - self._max_wait), 1),
                )
            lane.waiting.append(item)
            lane.cost += item.cost
            self._changed.notify_all()
        item.future.add_done_callback(lambda future: self._drop(lane, item) if future.cancelled() else None)
        return item.future

    def quit(self) -> None:
        """Take no more; what waits is still done."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def close(self, seconds: float) -> None:
        """Take no more, finish what waits, and stop the threads.

        Args:
            seconds: to wait for that at most.
        """
        self.quit()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(end - time.monotonic(), 0))

    def _drop(self, lane: _Lane, item: _Item) -> None:
        with self._changed:
            lane.drop(item)

    def _work(self, lane: _Lane) -> None:
        while True:
            with self._changed:
                while not (batch := lane.take()):
                    if self._closed:
                        return
                    self._changed.wait()
            cost = sum(item.cost for item in batch)
            wanted = [item for item in batch if item.future.set_running_or_notify_cancel()]
            started = time.perf_counter()
            done = bool(wanted) and _run(wanted)
            with self._changed:
                lane.cost -= cost
                if done and len(wanted) == len(batch):  # a failure says nothing about the pace
                    lane.learn(cost, time.perf_counter() - started)
            del batch, wanted  # do not keep them while waiting for the next


def _run(items: list[_Item]) -> bool:
    """Run items together; False if that failed."""
    try:
        results = items[0].run([item.value for item in items])
    except BaseException as error:
        for item in items:
            item.future.set_exception(error)
        return False
    for item, result in zip(items, results, strict=True):
        item.future.set_result(result)
    return True
