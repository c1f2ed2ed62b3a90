"""The thread that runs the jobs."""

import logging
import sqlite3
import threading
from collections.abc import Callable

from srez.errors import OutOfMemoryError, SrezError
from srez.serve.errors import INTERNAL_ERROR, StoppedError, is_disk_full
from srez.serve.jobs.store import Job, Store
from srez.serve.limits import CUT_SECONDS, MAX_ATTEMPTS
from srez.upscaling.tiling import Progress

_EXPIRE_SECONDS = 30.0  # between two searches for expired jobs, at most
_LEAST_EXPIRE_SECONDS = 1.0  # and at least, however soon jobs expire
_DISK_SECONDS = 10.0  # between two attempts to note what became of a job, when the disk is full

_log = logging.getLogger("srez.serve")


class JobWorker:
    """Runs the jobs of a store, oldest first, one at a time."""

    def __init__(self, store: Store, run: Callable[[Job, Progress], None], keep_seconds: float) -> None:
        """Prepare; `start` begins.

        Args:
            store: of the jobs. One that is removed from it while it runs is given up.
            run: makes a job's result; it must let through what its progress callback raises.
            keep_seconds: how long finished jobs are kept.
        """
        self._store, self._run_job, self._keep = store, run, keep_seconds
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._cut_short = False
        self._running: str | None = None
        self._progress_of: str | None = None  # the job whose fraction it is; stays when the job has ended
        self._fraction = 0.0
        self._thread = threading.Thread(target=self._work, name="srez-jobs", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether jobs are run."""
        return self._thread.is_alive() and not self._stopping.is_set()

    def start(self) -> None:
        """Begin with what is queued."""
        self._thread.start()

    def wake(self) -> None:
        """Look for a new job now."""
        self._changed.set()

    def progress(self, job: Job) -> float:
        """The fraction of a job that is done, from 0 to 1."""
        if job.state == "done":
            return 1.0
        return self._fraction if job.state == "running" and job.id == self._progress_of else 0.0

    def quit(self) -> None:
        """Begin no further job."""
        self._stopping.set()
        self._changed.set()

    def stop(self, seconds: float) -> None:
        """Begin no further job, and wait for the running one; put it back if it takes too long.

        Args:
            seconds: for the running job; then it has `CUT_SECONDS` to release its picture.
        """
        self.quit()
        self._thread.join(seconds)
        self._cut_short = True
        self._thread.join(CUT_SECONDS)
        if (name := self._running) and self._thread.is_alive():
            self._store.put_back(name)  # it is encoding, say, which only the end of the process stops

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._changed.clear()
            if self._stopping.is_set():
                return
            try:
                self._store.expire(self._keep)
                job = self._store.begin()
                if job:
                    self._run(job)
                    continue
            except Exception:
                # A full disk, say: the rest of the server can still work.
                _log.exception("jobs cannot be run")
            self._changed.wait(min(_EXPIRE_SECONDS, max(_LEAST_EXPIRE_SECONDS, self._keep)))

    def _run(self, job: Job) -> None:
        if job.attempts > MAX_ATTEMPTS:
            self._finish(job, f"it stopped the server {MAX_ATTEMPTS} times")
            return
        self._fraction, self._running, self._progress_of = 0.0, job.id, job.id
        try:
            self._run_job(job, self._check)
        except StoppedError:
            self._store.put_back(job.id)
        except Exception as error:
            self._finish(job, self._reason(job, error))
        else:
            self._finish(job)
        finally:
            self._running = None

    def _reason(self, job: Job, error: Exception) -> str:
        """Why a job failed, in a sentence without any path of this machine."""
        if isinstance(error, (MemoryError, OutOfMemoryError)):
            return "not enough memory for this picture"
        if is_disk_full(error):
            return "the server's disk is full"
        if isinstance(error, SrezError):
            return str(error).replace(str(self._store.result(job)), "the result")
        _log.error("job failed", exc_info=error)
        return INTERNAL_ERROR

    def _finish(self, job: Job, error: str | None = None) -> None:
        """Note what became of a job; if the disk is full, as soon as there is room again."""
        while True:
            try:
                return self._store.finish(job.id, error)
            except sqlite3.Error:
                _log.exception("what became of a job cannot be noted")
                if self._stopping.wait(_DISK_SECONDS):
                    return None  # the next start will queue it again

    def _check(self, fraction: float) -> None:
        """Note the progress of the running job, and stop it if it was removed or must be put back."""
        self._fraction = fraction
        # Looked up here, so that a removal can neither come too early nor hit the next job.
        if self._cut_short or (self._running and not self._store.get(self._running)):
            raise StoppedError
