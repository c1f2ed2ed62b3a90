"""The thread that works on jobs."""

import logging
import sqlite3
import threading
from collections.abc import Callable

from srez.errors import SrezError
from srez.serve.errors import INTERNAL_ERROR, StoppedError
from srez.serve.jobs.store import Job, Store
from srez.serve.limits import CUT_SECONDS, MAX_ATTEMPTS
from srez.upscaling.tiling import Progress

_SWEEP_SECONDS = 30.0  # between two looks for expired results, at most
_LEAST_SWEEP = 1.0  # and at least, however soon results expire
_ROOM_SECONDS = 10.0  # between two tries to note what came of a job, when the disk is full

_log = logging.getLogger("srez.serve")


class JobWorker:
    """Works on the jobs of a store, oldest first, one at a time."""

    def __init__(self, store: Store, work: Callable[[Job, Progress], None], keep_seconds: float) -> None:
        """Prepare; `start` begins.

        Args:
            store: of the jobs. One that is removed from it while it runs is given up.
            work: makes a job's result; what its progress callback raises goes through it.
            keep_seconds: how long results are kept.
        """
        self._store, self._work, self._keep = store, work, keep_seconds
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._cut_short = False
        self._now: str | None = None
        self._shown: str | None = None  # whose fraction it is; stays when the job has ended
        self._fraction = 0.0
        self._thread = threading.Thread(target=self._run, name="srez-jobs", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether jobs are worked on."""
        return self._thread.is_alive() and not self._stopping.is_set()

    def start(self) -> None:
        """Begin with what is queued."""
        self._thread.start()

    def wake(self) -> None:
        """Say that there is a new job."""
        self._changed.set()

    def progress(self, job: Job) -> float:
        """The fraction of a job that is done, from 0 to 1."""
        if job.state == "done":
            return 1.0
        return self._fraction if job.state == "running" and job.id == self._shown else 0.0

    def quit(self) -> None:
        """Begin no further job."""
        self._stopping.set()
        self._changed.set()

    def stop(self, seconds: float) -> None:
        """Begin no further job, and wait for the running one; after a while, put it back.

        Args:
            seconds: that the running job has; then it has `CUT_SECONDS` to let go of its picture.
        """
        self.quit()
        self._thread.join(seconds)
        self._cut_short = True
        self._thread.join(CUT_SECONDS)
        if (name := self._now) and self._thread.is_alive():
            self._store.put_back(name)  # it is encoding, say, where nothing can stop it but the process' end

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._changed.clear()
            if self._stopping.is_set():
                return
            try:
                self._store.expire(self._keep)
                job = self._store.begin()
                if job:
                    self._do(job)
                    continue
            except Exception:
                # A full disk, say: the other jobs and the rest of the server are none the worse.
                _log.exception("jobs cannot be worked on")
            self._changed.wait(min(_SWEEP_SECONDS, max(_LEAST_SWEEP, self._keep)))

    def _do(self, job: Job) -> None:
        if job.attempts > MAX_ATTEMPTS:
            self._finish(job, f"the server was stopped by it {MAX_ATTEMPTS} times")
            return
        self._fraction, self._now, self._shown = 0.0, job.id, job.id
        try:
            self._work(job, self._watch)
        except StoppedError:
            self._store.put_back(job.id)
        except SrezError as error:
            # No path of this machine in an answer.
            self._finish(job, str(error).replace(str(self._store.result(job)), "the result"))
        except MemoryError:
            self._finish(job, "memory did not suffice for this picture")
        except Exception:
            _log.exception("job failed")
            self._finish(job, INTERNAL_ERROR)
        else:
            self._finish(job)
        finally:
            self._now = None

    def _finish(self, job: Job, error: str | None = None) -> None:
        """Note what came of a job; on a full disk, as soon as there is room again."""
        while True:
            try:
                return self._store.finish(job.id, error)
            except sqlite3.Error:
                _log.exception("what came of a job cannot be noted")
                if self._stopping.wait(_ROOM_SECONDS):
                    return None  # the next start will put it back

    def _watch(self, fraction: float) -> None:
        self._fraction = fraction
        # The store is asked, not told by: so no cancellation comes too early or hits the next job.
        if self._cut_short or (self._now and not self._store.get(self._now)):
            raise StoppedError
