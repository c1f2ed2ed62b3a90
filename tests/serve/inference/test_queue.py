"""The queue by itself."""

import threading
import time
from types import SimpleNamespace

import pytest

from helpers.waiting import PATIENCE, until
from srez.serve.errors import HttpError
from srez.serve.inference.pace import Pace
from srez.serve.inference.queue import Queue
from srez.serve.limits import MAX_RETRY_SECONDS


def test_what_waits_is_run_together() -> None:
    queue = Queue(100, 4, 10)
    gate, batches = threading.Event(), []

    def run(values: list[int]) -> list[int]:
        gate.wait()
        batches.append(values)
        return [value * 2 for value in values]

    first = queue.put(0, run, 1, "a")
    until(lambda: not len(queue))
    rest = [queue.put(number, run, 1, "ab"[number % 2]) for number in range(1, 11)]
    gate.set()
    assert [future.result(PATIENCE) for future in [first, *rest]] == [2 * number for number in range(11)]
    assert batches == [[0], [1, 3, 5, 7], [2, 4, 6, 8], [9], [10]]
    queue.close(PATIENCE)


def test_a_failure_is_everybodys_and_the_next_batch_is_none_the_worse() -> None:
    queue = Queue(100, 4, 10)

    def fail(_: list[int]) -> list[int]:
        raise MemoryError

    with pytest.raises(MemoryError):
        queue.put(1, fail, 1, "a").result(PATIENCE)
    assert queue.put(1, list, 1, "a").result(PATIENCE) == 1
    assert queue.alive
    queue.close(PATIENCE)
    assert not queue.alive
    with pytest.raises(HttpError, match="stopping"):
        queue.put(1, list, 1)


def test_what_is_cancelled_is_not_run() -> None:
    queue, gate, ran = Queue(100, 4, 10), threading.Event(), []
    queue.put(0, lambda values: [gate.wait() for _ in values], 1)
    waiting = queue.put(1, lambda values: ran.extend(values) or values, 1)
    assert waiting.cancel()
    gate.set()
    assert queue.put(2, list, 1).result(PATIENCE) == 2
    assert not ran
    queue.close(PATIENCE)


def test_what_is_cancelled_leaves_its_place_and_its_cost() -> None:
    queue, gate = Queue(1, 4, 10), threading.Event()
    running = queue.put(0, lambda values: [gate.wait() for _ in values], 1)
    until(lambda: not len(queue))
    for _ in range(3):  # each would take a minute
        assert queue.put(b"a body", list, 3_000_000).cancel()
        assert not len(queue)
    assert not running.done()
    gate.set()
    assert queue.put(2, list, 1).result(PATIENCE) == 2
    queue.close(PATIENCE)


def test_a_failure_teaches_no_pace() -> None:
    queue, gate = Queue(100, 4, 0.5), threading.Event()

    def fail(_: list[int]) -> list[int]:
        time.sleep(0.2)  # for one pixel
        raise MemoryError

    with pytest.raises(MemoryError):
        queue.put(0, fail, 1).result(PATIENCE)
    futures = [queue.put(0, lambda values: [gate.wait() for _ in values], 100)]
    futures.append(queue.put(0, list, 1))  # not refused for a long wait
    gate.set()
    assert [future.result(PATIENCE) for future in futures] == [True, 0]
    queue.close(PATIENCE)


def test_closing_does_not_wait_for_work_that_does_not_end() -> None:
    queue, gate = Queue(100, 4, 10), threading.Event()
    futures = [queue.put(0, lambda values: [gate.wait() for _ in values], 1, key) for key in (None, "a")]
    queue.close(0.3)  # else for ever
    assert not any(future.done() for future in futures)
    gate.set()
    queue.close(PATIENCE)


def test_closing_takes_no_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0

    class Deaf:
        """A thread that does not end; to wait for it takes time by a clock of its own."""

        def join(self, seconds: float) -> None:
            nonlocal now
            now += seconds

    queue = Queue(100, 4, 10)
    monkeypatch.setattr(queue, "_threads", [Deaf(), Deaf()])
    clock = SimpleNamespace(monotonic=lambda: now, perf_counter=time.perf_counter)
    monkeypatch.setattr("srez.serve.inference.queue.time", clock)
    queue.close(3)
    assert now == 103


def test_bounds_are_kept() -> None:
    queue, gate = Queue(2, 4, 10), threading.Event()

    def wait(values: list[int]) -> list[int]:
        gate.wait()
        return values

    futures = [queue.put(0, wait, 1)]
    until(lambda: not len(queue))
    futures += [queue.put(number, wait, 1) for number in (1, 2)]
    with pytest.raises(HttpError) as refused:
        queue.put(3, wait, 1)
    assert refused.value.status == 429
    assert int(refused.value.headers["Retry-After"]) > 0
    gate.set()
    assert [future.result(PATIENCE) for future in futures] == [0, 1, 2]
    queue.close(PATIENCE)


def test_a_long_wait_is_foreseen() -> None:
    queue, gate = Queue(100, 4, 0.5), threading.Event()
    queue.put(0, lambda values: [time.sleep(0.1) for _ in values], 100).result(PATIENCE)  # a millisecond each
    queue.put(0, list, 1).result(PATIENCE)  # only when this is taken, the pace has been noted
    futures = [queue.put(0, lambda values: [gate.wait() for _ in values], 100_000)]
    with pytest.raises(HttpError, match="max-wait"):
        queue.put(0, list, 1)
    gate.set()
    assert [future.result(PATIENCE) for future in futures]
    queue.close(PATIENCE)


def wait_behind_one(queue: Queue, count: int, pixels: int) -> None:
    """Put honest pictures behind one that runs; none may be refused."""
    gate = threading.Event()
    futures = [queue.put(0, lambda values: [gate.wait() for _ in values], pixels)]
    futures += [queue.put(0, list, pixels) for _ in range(count)]
    gate.set()
    assert len([future.result(PATIENCE) for future in futures]) == count + 1


def test_a_picture_of_one_pixel_makes_nobody_wait() -> None:
    queue = Queue(100, 4, 10)
    for _ in range(10):  # a fixed cost of 50 ms, which is no 50 ms for each pixel
        queue.put(0, lambda values: [time.sleep(0.05) for _ in values], 1).result(PATIENCE)
    wait_behind_one(queue, 24, 80 * 80)
    queue.close(PATIENCE)


def test_what_is_prepared_is_no_time_of_the_run() -> None:
    queue = Queue(100, 1, 5)  # in seconds; twenty that took as long as their preparation would be refused
    for _ in range(5):
        queue.put(0, list, 4096, prepare=lambda: time.sleep(0.3)).result(PATIENCE)
    wait_behind_one(queue, 20, 4096)
    queue.close(PATIENCE)


def test_nobody_is_told_to_come_again_next_week() -> None:
    queue, gate = Queue(100, 4, 1), threading.Event()
    running = queue.put(0, lambda values: [gate.wait() for _ in values], 10**12)
    with pytest.raises(HttpError) as refused:
        queue.put(0, list, 1)
    assert int(refused.value.headers["Retry-After"]) == MAX_RETRY_SECONDS
    gate.set()
    assert running.result(PATIENCE)
    queue.close(PATIENCE)


def test_a_pace_comes_near_what_it_sees() -> None:
    pace = Pace()
    for pixels in (1, 256, 4096, 1, 1_000_000) * 6:
        pace.learn(pixels, 0.05 + pixels * 100e-6)
    assert pace.seconds(1) == pytest.approx(0.05, rel=0.3)
    assert pace.seconds(1_000_000) == pytest.approx(100, rel=0.3)
