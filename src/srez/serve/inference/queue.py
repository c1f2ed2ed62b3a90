"""The queue of pictures that are answered directly: bounded, with two lanes and a thread for each.

Small pictures go through one lane: when its thread is free, it takes those of one size as a batch, so nobody
waits for a batch to fill. Others go through the other lane one by one, each on all cores that the small ones
leave. So a small picture never waits for a large one.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from srez import machine
from srez.serve.errors import busy
from srez.serve.inference.pace import Pace
from srez.serve.limits import MAX_RETRY_SECONDS
from srez.wording import counted

RunBatch = Callable[[list[Any]], list[Any]]


def _prepare_nothing() -> None:
    pass


@dataclass(eq=False)
class _Item:
    key: Hashable
    value: Any
    run: RunBatch
    cost: int
    prepare: Callable[[], object]
    future: Future[Any] = field(default_factory=Future)


@dataclass
class _Lane:
    """What waits for one thread.

    Attributes:
        max_batch: items taken at once, if they share a key.
        running: items taken last, until they are done.
        pace: how long runs take.
    """

    max_batch: int
    waiting: deque[_Item] = field(default_factory=deque)
    running: list[_Item] = field(default_factory=list)
    pace: Pace = field(default_factory=Pace)

    def take(self) -> list[_Item]:
        """Take the oldest item and others with its key."""
        if not self.waiting:
            return []
        key = self.waiting[0].key
        self.running = [item for item in self.waiting if item.key == key][: self.max_batch]
        taken = set(self.running)
        self.waiting = deque(item for item in self.waiting if item not in taken)
        return self.running

    def drop(self, item: _Item) -> None:
        """Give up a cancelled item's place, unless it was taken already."""
        if item in self.waiting:
            self.waiting.remove(item)

    def wait(self) -> float:
        """Seconds until a further item would be run."""
        batches = [
            -(-count // self.max_batch) for count in Counter(item.key for item in self.waiting).values()
        ]
        pixels = sum(item.cost for item in (*self.running, *self.waiting))
        return self.pace.seconds(pixels, runs=sum(batches) + bool(self.running))


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

    def put(
        self,
        value: Any,
        run: RunBatch,
        cost: int,
        key: Hashable = None,
        prepare: Callable[[], object] = _prepare_nothing,
    ) -> Future[Any]:
        """Queue some work.

        Args:
            value: an element of what `run` will be called with.
            run: does the work for a list of values; called in another thread.
            cost: pixels of the input.
            key: items with one key may run together, by the `run` of the first; None runs the item alone.
            prepare: called by the first before `run`, and not counted as its time: loads the model, say.

        Returns:
            The future element of the result. Cancelled before its turn, it leaves the queue.

        Raises:
            HttpError: the queue is full (429), or the server is stopping (503).
        """
        item = _Item(key, value, run, cost, prepare)
        lane = self._large if key is None else self._small
        with self._changed:
            if self._closed:
                raise busy("the server is stopping", 503)
            if len(self) >= self._max_waiting:
                raise busy(f"no more than {counted(self._max_waiting, 'picture')} may wait (--max-queue)")
            wait = lane.wait()
            if wait > self._max_wait:
                raise busy(
                    f"the picture would wait for more than {counted(self._max_wait, 'second')} (--max-wait)",
                    seconds=min(max(round(wait - self._max_wait), 1), MAX_RETRY_SECONDS),
                )
            lane.waiting.append(item)
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
        if lane is self._large:
            machine.step_back()
        while True:
            with self._changed:
                while not (batch := lane.take()):
                    if self._closed:
                        return
                    self._changed.wait()
            wanted = [item for item in batch if item.future.set_running_or_notify_cancel()]
            seconds = _run(wanted) if wanted else None
            with self._changed:
                if seconds is not None:
                    lane.pace.learn(sum(item.cost for item in wanted), seconds)
                lane.running = []
            del batch, wanted  # do not keep them while waiting for the next


def _run(items: list[_Item]) -> float | None:
    """Run items together: seconds, or None if that failed, which says nothing about the pace."""
    try:
        items[0].prepare()
        started = time.perf_counter()
        results = items[0].run([item.value for item in items])
        seconds = time.perf_counter() - started
    except BaseException as error:
        for item in items:
            item.future.set_exception(error)
        return None
    for item, result in zip(items, results, strict=True):
        item.future.set_result(result)
    return seconds
