"""The thread that runs the jobs."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

from srez import machine
from srez.errors import OutOfMemoryError, SrezError
from srez.serve.errors import INTERNAL_ERROR, StoppedError, is_damage, is_disk_full
from srez.serve.inference.found import FoundFace
from srez.serve.jobs.job import Job
from srez.serve.jobs.store import Store
from srez.serve.limits import CUT_SECONDS, MAX_ATTEMPTS
from srez.serve.observe import logs
from srez.upscaling.tiling import Progress

_EXPIRE_SECONDS = 30.0  # between two searches for expired jobs, at most
_LEAST_EXPIRE_SECONDS = 1.0  # and at least, however soon jobs expire
_DISK_SECONDS = 10.0  # between two attempts to write, when the disk is full

_log = logging.getLogger("srez.serve")

Run = Callable[[Job, Progress], tuple[FoundFace, ...] | None]


class JobWorker:
    """Runs the jobs of a store, oldest first, one at a time."""

    def __init__(self, store: Store, run: Run, keep_seconds: float) -> None:
        """Prepare; `start` begins.

        Args:
            store: of the jobs. One that is removed from it while it runs is given up.
            run: makes a job's result, and gives the faces if they were looked for; it must let through what
                its progress callback raises.
            keep_seconds: how long finished jobs are kept.
        """
        self._store, self._run_job, self._keep = store, run, keep_seconds
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._cut_short = False
        self._running: str | None = None
        self._progress_of: str | None = None  # the job whose fraction it is; stays when the job has ended
        self._fraction = 0.0
        self._without_room: set[str] = set()  # jobs whose results did not fit lately
        self._thread = threading.Thread(target=self._work, name="srez-jobs", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether jobs are run."""
        return self._thread.is_alive() and not self._stopping.is_set()

    def start(self) -> None:
        """Begin with what is queued."""
        self._thread.start()

    def wake(self) -> None:
        """Look for a job now: one is new, or there is more room for results."""
        self._changed.set()

    def progress(self, job: Job) -> float:
        """The fraction of a job that is done, from 0 to 1."""
        if job.state == "done":
            return 1.0
        return self._fraction if job.state == "running" and job.id == self._progress_of else 0.0

    def lacks_room(self, job: Job) -> bool:
        """Whether a job waits because its result did not fit on the disk."""
        return job.state == "queued" and job.id in self._without_room

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
        machine.step_back()
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
            except Exception as error:
                # A full disk, say: the rest of the server can still work.
                _tell("jobs cannot be run", error)
            self._changed.wait(min(_EXPIRE_SECONDS, max(_LEAST_EXPIRE_SECONDS, self._keep)))

    def _run(self, job: Job) -> None:
        if job.attempts > MAX_ATTEMPTS:
            self._note(self._store.finish, job.id, f"it stopped the server {MAX_ATTEMPTS} times")
            return
        self._fraction, self._running, self._progress_of = 0.0, job.id, job.id
        try:
            faces = self._run_job(job, self._check)
        except StoppedError:
            self._note(self._store.put_back, job.id)
        except Exception as error:
            if is_disk_full(error) and time.time() < job.created + self._keep:
                logs.event("no room for a result", logging.WARNING, job=job.id)
                self._without_room.add(job.id)
                self._note(self._store.postpone, job.id)
                self._wait_for_room()
            else:
                self._note(self._store.finish, job.id, self._reason(job, error))
        else:
            self._without_room.clear()
            self._note(self._store.finish, job.id, None, faces)
        finally:
            self._running = None

    def _wait_for_room(self) -> None:
        """Wait until the disk may have more room: somebody woke us, or some time has passed."""
        if not self._stopping.is_set():
            self._changed.clear()
            self._changed.wait(_DISK_SECONDS)

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

    def _note(self, note: Callable[..., None], *arguments: Any) -> None:
        """Note what became of a job; if the disk is full, as soon as there is room again."""
        while True:
            try:
                return note(*arguments)
            except sqlite3.Error as error:
                _tell("what became of a job cannot be noted", error)
                if self._stopping.is_set():
                    return None  # the next start will queue it again
                self._wait_for_room()

    def _check(self, fraction: float) -> None:
        """Note the progress of the running job, and stop it if it was removed or must be put back."""
        self._fraction = fraction
        # Looked up here, so that a removal can neither come too early nor hit the next job.
        if self._cut_short or (self._running and not self._store.get(self._running)):
            raise StoppedError


def _tell(what: str, error: Exception) -> None:
    """Log what went wrong; with a traceback only if nobody foresaw it."""
    if is_disk_full(error):
        logs.event(what, logging.WARNING, reason="the disk is full")
    elif is_damage(error):
        logs.event(what, logging.ERROR, reason=f"the database is damaged: {error}")
    else:
        _log.error(what, exc_info=error)
