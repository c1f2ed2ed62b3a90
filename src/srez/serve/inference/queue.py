"""The queue of pictures that are answered at once: a bound, and a thread for each of two lanes.

Small pictures go through one lane: when its thread is free, it takes what waits of one size, so a batch costs
nobody any waiting. Others go through the other lane one after another, each on all cores. So a small picture
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

Run = Callable[[list[Any]], list[Any]]
_INERTIA = 0.5  # of the mean speed


@dataclass(eq=False)
class _Item:
    key: Hashable
    value: Any
    run: Run
    cost: int
    future: Future[Any] = field(default_factory=Future)


@dataclass
class _Lane:
    """What waits for one thread.

    Attributes:
        most: items taken at once, if they have one key.
        cost: of all that waits or is running.
        pace: seconds for each unit of cost: a guess, then a moving mean.
    """

    most: int
    waiting: deque[_Item] = field(default_factory=deque)
    cost: int = 0
    pace: float = FIRST_PACE

    def take(self) -> list[_Item]:
        """The oldest item, and others of its key."""
        if not self.waiting:
            return []
        key = self.waiting[0].key
        fitting = [item for item in self.waiting if item.key == key][: self.most]
        taken = set(fitting)
        self.waiting = deque(item for item in self.waiting if item not in taken)
        return fitting

    def forget(self, item: _Item) -> None:
        """Give up the place and the value of what nobody wants any more, unless it was taken already."""
        if item in self.waiting:
            self.waiting.remove(item)
            self.cost -= item.cost

    def learn(self, cost: int, seconds: float) -> None:
        """Note how long something took."""
        self.pace = _INERTIA * self.pace + (1 - _INERTIA) * seconds / cost


class Queue:
    """Work that waits, and the threads that do it."""

    def __init__(self, most: int, together: int, max_wait: float) -> None:
        """Start the threads.

        Args:
            most: items that may wait in both lanes.
            together: items that may be run as one batch.
            max_wait: seconds that an item may have to wait, as far as can be foreseen.
        """
        self._most, self._max_wait = most, max_wait
        self._changed = threading.Condition()
        self._closed = False
        self._small, self._large = _Lane(together), _Lane(1)
        self._threads = [
            threading.Thread(target=self._work, args=[lane], name="srez-lane", daemon=True)
            for lane in (self._small, self._large)
        ]
        for thread in self._threads:
            thread.start()

    def __len__(self) -> int:
        return len(self._small.waiting) + len(self._large.waiting)

    @property
    def alive(self) -> bool:
        """Whether work is still done."""
        return not self._closed and all(thread.is_alive() for thread in self._threads)

    def put(self, value: Any, run: Run, cost: int, key: Hashable = None) -> Future[Any]:
        """Let something be done.

        Args:
            value: an element of what `run` will get.
            run: does it, for a list of values; called in another thread.
            cost: what it takes: pixels of its input.
            key: items of one key may be run together, by the `run` of the first; None runs it alone.

        Returns:
            What will be the element of the result. Cancelled before its turn, it leaves the queue.

        Raises:
            HttpError: too many are waiting (429), or the server is stopping (503).
        """
        item = _Item(key, value, run, max(cost, 1))
        lane = self._large if key is None else self._small
        with self._changed:
            if self._closed:
                raise busy("the server is stopping", 503)
            if len(self) >= self._most:
                raise busy(f"{self._most} pictures are waiting already (--max-queue)")
            wait = lane.cost * lane.pace
            if wait > self._max_wait:
                raise busy(
                    f"the picture would wait for more than {self._max_wait:g} seconds (--max-wait)",
                    seconds=max(round(wait - self._max_wait), 1),
                )
            lane.waiting.append(item)
            lane.cost += item.cost
            self._changed.notify_all()
        item.future.add_done_callback(lambda future: self._forget(lane, item) if future.cancelled() else None)
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
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0))

    def _forget(self, lane: _Lane, item: _Item) -> None:
        with self._changed:
            lane.forget(item)

    def _work(self, lane: _Lane) -> None:
        while True:
            with self._changed:
                while not (items := lane.take()):
                    if self._closed:
                        return
                    self._changed.wait()
            cost = sum(item.cost for item in items)
            wanted = [item for item in items if item.future.set_running_or_notify_cancel()]
            started = time.perf_counter()
            done = bool(wanted) and _do(wanted)
            with self._changed:
                lane.cost -= cost
                if done and len(wanted) == len(items):  # a failure says nothing about the pace
                    lane.learn(cost, time.perf_counter() - started)
            del items, wanted  # not while the next one is waited for


def _do(items: list[_Item]) -> bool:
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
