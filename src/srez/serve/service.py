"""What the API and the page have in common: models, queue, jobs, and how a picture goes through them."""

import asyncio
import io
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from srez import machine
from srez.errors import TooLargeError
from srez.images import Picture
from srez.models import box
from srez.output import atomic
from srez.serve.errors import StoppedError, busy
from srez.serve.inference import picture as work
from srez.serve.inference.models import Models
from srez.serve.inference.picture import Options, UpscalePlan
from srez.serve.inference.queue import Queue
from srez.serve.jobs.store import Job, Store
from srez.serve.jobs.worker import JobWorker
from srez.serve.limits import Settings
from srez.serve.observe.metrics import Metrics
from srez.upscaling.tiling import Progress

T = TypeVar("T")


@dataclass(frozen=True)
class Upscaled:
    """A larger picture.

    Attributes:
        data: the file.
        options: that it fulfils.
        plan: sizes and fidelity.
        milliseconds: what took how long, by name.
        batch: pictures that were run together.
    """

    data: bytes
    options: Options
    plan: UpscalePlan
    milliseconds: dict[str, float]
    batch: int


class Service:
    """Everything behind the routes.

    Attributes:
        settings: how the server is run.
        models: that it offers.
        queue: of pictures answered at once.
        store: of jobs.
        runner: that works on them.
        metrics: of what happens.
        at_quit: called, in the event loop's thread, when the server is told to stop.
    """

    def __init__(self, settings: Settings) -> None:
        """Open the state folder, read the models and load those in the box; `start` begins with the jobs.

        Raises:
            SrezError: a folder or a model cannot be used.
        """
        self.settings = settings
        self.models = Models(settings.models, settings.tile)
        for name in box.names():
            self.models.get(name, self.models.fidelity(name, None))
        self.store = Store(settings.state, settings.max_jobs)
        self.queue = Queue(settings.max_queue, settings.max_batch, settings.max_wait)
        self.worker = JobWorker(self.store, self._do_job, settings.keep_hours * 3600)
        self.metrics = Metrics(self)
        self._pool = ThreadPoolExecutor(machine.cores() + 1, thread_name_prefix="srez-files")
        self.at_quit: list[Callable[[], None]] = []
        self._held = 0
        self._alone = itertools.count()
        self._deadline: float | None = None  # of stopping

    @property
    def ready(self) -> bool:
        """Whether pictures and jobs are worked on."""
        return self.queue.alive and self.worker.alive

    @property
    def stopping(self) -> bool:
        """Whether the server has been told to stop."""
        return self._deadline is not None

    def start(self) -> None:
        """Begin with the jobs that are queued."""
        self.worker.start()

    def quit(self) -> None:
        """Take nothing more and begin no job; what is under way has the grace of the settings."""
        if self._deadline is not None:
            return
        self._deadline = time.monotonic() + self.settings.grace_seconds
        self.queue.quit()
        self.worker.quit()
        for call in self.at_quit:
            call()

    def stop(self) -> None:
        """Finish what is running, or put it back, within the grace since `quit`."""
        self.quit()
        self.queue.close(self._left())
        self.worker.stop(self._left())
        self._pool.shutdown(wait=False, cancel_futures=True)
        self.store.close()

    @contextmanager
    def holding(self) -> Iterator[Callable[[int], None]]:
        """Account for memory of a request; all of it is given back at the end of the block.

        Yields:
            What to call with a number of bytes before holding them; it raises HttpError (429) when the
            server holds too many.
        """
        own = 0

        def hold(count: int) -> None:
            nonlocal own
            if self._held + count > self.settings.max_memory:
                raise busy("the server holds as many pictures as its memory allows (--max-memory)")
            own += count
            self._held += count

        try:
            yield hold
        finally:
            self._held -= own

    async def in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call what takes a moment or a disk, in a thread for it."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

    async def upscale(self, body: bytes, options: Options, hold: Callable[[int], None]) -> Upscaled:
        """Make a picture larger, as soon as it is its turn.

        Args:
            body: the file.
            options: what is to be made of it.
            hold: of `holding`.

        Raises:
            SrezError: of `work.look` and `work.decode`.
            HttpError: there is no place in the queue (429), or it took too long (503).
        """
        clock = _Clock()
        plan, picture = await self.in_thread(self._look, body, options)
        hold(plan.result_bytes)
        clock.lap("decode")
        stop = threading.Event()
        try:
            async with asyncio.timeout(self.settings.max_seconds):
                if picture is not None:
                    return await self._with_others(picture, options, plan, clock)
                return await self._alone_in_lane(body, options, plan, clock, stop)
        except TimeoutError:
            raise busy(
                f"the picture took more than {self.settings.max_seconds:g} seconds (--max-seconds): "
                "try later; jobs may take longer",
                503,
            ) from None
        finally:
            stop.set()

    async def add_job(self, body: bytes, options: Options) -> Job:
        """Queue a picture as a job, with the model and the fidelity that will be taken for it.

        Raises:
            SrezError: of `work.look` and `Store.add`.
        """

        def add() -> Job:
            plan = self.look(body, options)
            fidelity = plan.fidelity if self.models.cards[plan.model].vivid else None
            return self.store.add(body, replace(options, model=plan.model, fidelity=fidelity))

        job = await self.in_thread(add)
        self.worker.wake()
        return job

    def look(self, body: bytes | Path, options: Options) -> UpscalePlan:
        """What a picture's header says, and what will come of it.

        Raises:
            SrezError: of `work.look`.
        """
        settings = self.settings
        return work.look(self.models, body, options, settings.max_pixels, settings.max_memory)

    def _left(self) -> float:
        """Seconds until the grace is over."""
        return max((self._deadline or 0) - time.monotonic(), 0)

    def _look(self, body: bytes, options: Options) -> tuple[UpscalePlan, Picture | None]:
        """What the header says, and the picture itself if it is small."""
        settings = self.settings
        plan = self.look(body, options)
        if plan.pixels > settings.max_direct_pixels:
            raise TooLargeError(
                f"the picture has {plan.pixels:,} pixels, more than the {settings.max_direct_pixels:,} "
                "that are answered at once (--max-direct-pixels): send it as a job, to /v1/jobs"
            )
        if not plan.is_small:
            return plan, None
        return plan, work.decode(body, options, plan.target, settings.max_pixels)

    async def _with_others(
        self, picture: Picture, options: Options, plan: UpscalePlan, clock: "_Clock"
    ) -> Upscaled:
        key = (plan.model, plan.fidelity, plan.size)
        if not work.can_batch(picture):
            key = (*key, next(self._alone))
        run = work.together(self.models, plan)

        def timed(pictures: list[Picture]) -> list[Any]:
            begun = time.perf_counter()
            self.metrics.batch.observe(len(pictures))
            results = run(pictures)
            return [(begun, len(pictures), result) for result in results]

        started, batch, larger = await asyncio.wrap_future(self.queue.put(picture, timed, plan.pixels, key))
        clock.split("queue", "run", started)
        scale = self.models.cards[plan.model].scale
        data = await self.in_thread(work.encode, larger, picture, options, scale, plan.target)
        clock.lap("encode")
        return Upscaled(data, options, plan, clock.milliseconds, batch)

    async def _alone_in_lane(
        self, body: bytes, options: Options, plan: UpscalePlan, clock: "_Clock", stop: threading.Event
    ) -> Upscaled:
        def watch(_: float) -> None:
            if stop.is_set():
                raise StoppedError

        def run(bodies: list[bytes]) -> list[tuple[float, bytes]]:
            begun = time.perf_counter()
            file = io.BytesIO()
            limit = self.settings.max_pixels
            work.convert(self.models, bodies[0], options, plan, file, limit, watch)
            return [(begun, file.getvalue())]

        started, data = await asyncio.wrap_future(self.queue.put(body, run, plan.pixels))
        clock.split("queue", "run", started)
        return Upscaled(data, options, plan, clock.milliseconds, 1)

    def _do_job(self, job: Job, progress: Progress) -> None:
        upload = self.store.upload(job.id)
        plan = self.look(upload, job.options)
        with atomic(self.store.result(job)) as file:
            work.convert(self.models, upload, job.options, plan, file, self.settings.max_pixels, progress)


class _Clock:
    """Laps of a request, in milliseconds."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.milliseconds[name] = (now - self._last) * 1e3
        self._last = now

    def split(self, first: str, second: str, at: float) -> None:
        """Two laps, with the moment between them known only now."""
        self.milliseconds[first] = (at - self._last) * 1e3
        self._last = at
        self.lap(second)
