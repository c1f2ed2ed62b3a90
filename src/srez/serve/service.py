"""What the API and the page share: models, queue, jobs, and how a picture goes through them."""

import asyncio
import io
import itertools
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np

from srez import machine
from srez.errors import TooLargeError
from srez.images import Picture
from srez.models import box
from srez.output import atomic
from srez.serve.errors import busy
from srez.serve.guard.memory import Memory
from srez.serve.inference import picture, several
from srez.serve.inference.found import FoundFace
from srez.serve.inference.models import Models
from srez.serve.inference.options import Options
from srez.serve.inference.picture import UpscalePlan
from srez.serve.inference.queue import Queue
from srez.serve.inference.reading import Check, Reading, wanted
from srez.serve.jobs.store import Job, Store
from srez.serve.jobs.worker import JobWorker
from srez.serve.limits import LOOKUP_THREADS, Settings
from srez.serve.observe.metrics import Metrics
from srez.serve.observe.timing import Stopwatch
from srez.upscaling.convert import Decoded
from srez.upscaling.settings import ModelSettings
from srez.upscaling.tiling import Progress
from srez.wording import counted

T = TypeVar("T")
Hold = Callable[[int], None]
_Done = tuple[ModelSettings, tuple[FoundFace, ...] | None]
"""What a result was made with, and the faces, if they were looked for."""


@dataclass(frozen=True)
class Upscaled:
    """A picture that was upscaled for a direct answer.

    Attributes:
        data: the file.
        plan: how it was to be made.
        settings: what it was made with.
        milliseconds: how long each stage took, by name.
        batch: pictures that ran together.
        faces: that were found, if they were looked for.
    """

    data: bytes
    plan: UpscalePlan
    settings: ModelSettings
    milliseconds: dict[str, float]
    batch: int
    faces: tuple[FoundFace, ...] | None = None


class Service:
    """Everything behind the routes.

    Attributes:
        settings: how the server is run.
        models: that it offers.
        memory: of requests.
        reading: of the pictures of strangers.
        queue: of pictures that are answered directly.
        store: of jobs.
        worker: that runs the jobs.
        metrics: of all requests.
        at_quit: functions called in the event loop's thread when the server is told to stop.
    """

    def __init__(self, settings: Settings) -> None:
        """Open the state folder and load the built-in models; `start` begins with the jobs.

        Raises:
            SrezError: a folder or a model cannot be used.
        """
        self.settings = settings
        self.store = Store(settings.state, settings.max_jobs)
        self.models = Models(settings.models, settings.tile, settings.place)
        for name in box.names():
            self.models.get(name, self.models.fidelity(name, None), None)
        self.memory = Memory(settings.max_memory)
        self.queue = Queue(settings.max_queue, settings.max_batch, settings.max_wait)
        self.worker = JobWorker(self.store, self._run_job, settings.keep_hours * 3600)
        self.metrics = Metrics(lambda: len(self.queue), self.store.counts)
        self.at_quit: list[Callable[[], None]] = []
        self.reading = Reading()
        self._pool = ThreadPoolExecutor(machine.cores() + 1, thread_name_prefix="srez-files")
        self._lookups = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="srez-lookups")
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
        """Accept nothing more and begin no job; running work has the grace of the settings."""
        if self._deadline is not None:
            return
        self._deadline = time.monotonic() + self.settings.grace_seconds
        self.queue.quit()
        self.worker.quit()
        for call in self.at_quit:
            call()

    def stop(self) -> None:
        """Finish running work, or put it back, within the grace since `quit`."""
        self.quit()
        self.queue.close(self._grace_left())
        self.worker.stop(self._grace_left())
        self.reading.close()
        for pool in (self._pool, self._lookups):
            pool.shutdown(wait=False, cancel_futures=True)
        self.store.close()

    async def in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function that computes or uses the disk, in a thread for that."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

    async def look_up(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function that takes a moment, in a thread that pictures never occupy."""
        return await asyncio.get_running_loop().run_in_executor(self._lookups, function, *arguments)

    async def upscale(self, body: bytes, options: Options, hold: Hold) -> Upscaled:
        """Upscale a picture directly, as soon as it is its turn.

        Args:
            body: the file.
            options: what is asked for.
            hold: of `memory.holding`.

        Raises:
            SrezError: the picture cannot be read, is too large, or the options do not suit it.
            HttpError: the queue is full (429), or it took too long (503).
        """
        watch = Stopwatch()
        try:
            async with asyncio.timeout(self.settings.max_seconds):
                with wanted() as check:
                    plan, decoded = await self.reading.run(self._plan_direct, body, options, check)
                    hold(plan.result_bytes)
                    watch.lap("decode")
                    if decoded is not None:
                        return await self._upscale_small(plan, decoded, watch)
                    return await self._upscale_large(plan, check, watch)
        except TimeoutError:
            raise busy(
                f"the picture took more than {counted(self.settings.max_seconds, 'second')} (--max-seconds): "
                "try again later, or send it as a job",
                503,
            ) from None

    async def add_job(self, body: bytes, options: Options) -> Job:
        """Queue a picture as a job, with the model and the fidelity that "auto" and the default stand for.

        Raises:
            SrezError: of `plan` and `Store.add`.
        """

        plan = await self.plan(body, options)
        has_looks = self.models.cards[plan.model].vivid and not options.samples
        fidelity = plan.fidelity if has_looks and not options.faces else options.fidelity
        resolved = options.model_copy(update={"model": plan.model, "fidelity": fidelity})
        adding = asyncio.ensure_future(self.look_up(self.store.add, body, resolved))
        try:
            job = await asyncio.shield(adding)
        except asyncio.CancelledError:
            adding.add_done_callback(self._forget)  # the client has gone, and will never know the job's id
            raise
        self.worker.wake()
        return job

    async def plan(self, body: bytes, options: Options) -> UpscalePlan:
        """What will be done with a picture, as far as its header tells.

        Raises:
            SrezError: it is no picture, it is too large, or the options do not suit it.
        """
        with wanted() as check:
            return await self.reading.run(self._plan, body, options, check)

    async def read(self, body: bytes) -> Picture:
        """A picture of a stranger.

        Raises:
            SrezError: it is no picture, or it is too large.
        """
        with wanted() as check:
            read = self.reading.reader(check).read
            return await self.reading.run(read, body, picture.NAME, self.settings.max_pixels)

    def _forget(self, adding: asyncio.Future[Job]) -> None:
        """Remove a job that nobody knows."""
        if not adding.cancelled() and not adding.exception():
            self._lookups.submit(self.store.remove, adding.result().id)

    def _grace_left(self) -> float:
        """Seconds."""
        return max((self._deadline or 0) - time.monotonic(), 0)

    def _plan(self, body: bytes | Path, options: Options, check: Check) -> UpscalePlan:
        settings = self.settings
        reader = self.reading.reader(check)
        plan = picture.plan(self.models, reader, body, options, settings.max_pixels, settings.max_memory)
        if options.several:
            several.check(plan, self.models.cards[plan.model], settings.max_direct_pixels)
        return plan

    def _plan_direct(self, body: bytes, options: Options, check: Check) -> tuple[UpscalePlan, Decoded | None]:
        """The plan for a picture, and the picture itself if it is small."""
        plan = self._plan(body, options, check)
        if plan.pixels > self.settings.max_direct_pixels:
            raise TooLargeError(
                f"the picture has {plan.pixels:,} pixels, more than the {self.settings.max_direct_pixels:,} "
                "that are answered directly (--max-direct-pixels): send it as a job, to /v1/jobs"
            )
        return plan, picture.decode(plan) if plan.is_batched else None

    async def _upscale_small(self, plan: UpscalePlan, decoded: Decoded, watch: Stopwatch) -> Upscaled:
        """Upscale a picture in a batch with others of its size."""
        key = (plan.model, plan.fidelity, plan.options.repair, plan.size)
        if not picture.can_batch(decoded):
            key = (*key, next(self._alone))

        def run(batch: list[Decoded]) -> list[tuple[float, int, np.ndarray, ModelSettings]]:
            started = time.perf_counter()
            self.metrics.batch.observe(len(batch))
            results = picture.upscale_batch(self.models, plan, batch)
            return [(started, len(batch), *result) for result in results]

        load = partial(plan.load, self.models)
        started, count, larger, settings = await asyncio.wrap_future(
            self.queue.put(decoded, run, plan.pixels, key, load)
        )
        watch.split("queue", "run", started)
        data = await self.in_thread(picture.encode, plan, decoded, larger)
        watch.lap("encode")
        return Upscaled(data, plan, settings, watch.milliseconds, count)

    async def _upscale_large(self, plan: UpscalePlan, check: Check, watch: Stopwatch) -> Upscaled:
        """Upscale a picture alone, tile by tile; a client that hangs up or a time-out ends that."""

        def run(plans: list[UpscalePlan]) -> list[tuple[float, bytes, _Done]]:
            started = time.perf_counter()
            file = io.BytesIO()
            done = self._convert(plans[0], lambda: nullcontext(file), lambda _: check())
            return [(started, file.getvalue(), done)]

        load = partial(plan.load, self.models)
        started, data, (settings, faces) = await asyncio.wrap_future(
            self.queue.put(plan, run, plan.work, prepare=load)
        )
        watch.split("queue", "run", started)
        return Upscaled(data, plan, settings, watch.milliseconds, 1, faces)

    def _run_job(self, job: Job, progress: Progress) -> tuple[FoundFace, ...] | None:
        plan = self._plan(self.store.upload(job.id), job.options, partial(progress, 0.0))
        return self._convert(plan, lambda: atomic(self.store.result(job)), progress)[1]

    def _convert(
        self, plan: UpscalePlan, open: Callable[[], AbstractContextManager[IO[bytes]]], progress: Progress
    ) -> _Done:
        convert = several.convert if plan.options.several else picture.convert
        return convert(self.models, plan, open, progress)
