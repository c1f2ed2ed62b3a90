"""The thread that works on jobs."""

import logging
import threading
from collections.abc import Callable

from srez.errors import SrezError
from srez.serve.jobs import Job, Store
from srez.serve.limits import MAX_ATTEMPTS
from srez.serve.refusals import StoppedError
from srez.tiling import Progress

_SWEEP_SECONDS = 30.0  # between two looks for expired results

_log = logging.getLogger("srez.serve")


class Runner:
    """Works on the jobs of a store, oldest first, one at a time."""

    def __init__(self, store: Store, work: Callable[[Job, Progress], None], keep_seconds: float) -> None:
        """Prepare; `start` begins.

        Args:
            store: of the jobs.
            work: makes a job's result; what its progress callback raises goes through it.
            keep_seconds: how long results are kept.
        """
        self._store, self._work, self._keep = store, work, keep_seconds
        self._changed = threading.Event()
        self._stopping = False
        self._cut_short = False
        self._now: str | None = None
        self._cancelled = False
        self._fraction = 0.0
        self._thread = threading.Thread(target=self._run, name="srez-jobs", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether jobs are worked on."""
        return self._thread.is_alive() and not self._stopping

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
        return self._fraction if job.id == self._now else 0.0

    def remove(self, name: str) -> bool:
        """Forget a job, and stop working on it; False if there is none."""
        known = self._store.remove(name)
        if name == self._now:
            self._cancelled = True
        return known

    def stop(self, seconds: float) -> None:
        """Begin nothing more, and wait for the running job; after a while, put it back."""
        self._stopping = True
        self._changed.set()
        self._thread.join(seconds)
        self._cut_short = True
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            self._changed.clear()
            if self._stopping:
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
            self._changed.wait(min(_SWEEP_SECONDS, self._keep))

    def _do(self, job: Job) -> None:
        if job.attempts > MAX_ATTEMPTS:
            self._store.finish(job.id, f"the server was stopped by it {MAX_ATTEMPTS} times")
            return
        self._fraction, self._cancelled, self._now = 0.0, False, job.id
        try:
            self._work(job, self._watch)
        except StoppedError:
            self._store.put_back(job.id)
        except SrezError as error:
            # No path of this machine in an answer.
            self._store.finish(job.id, str(error).replace(str(self._store.result(job)), "the result"))
        except MemoryError:
            self._store.finish(job.id, "memory did not suffice for this picture")
        except Exception:
            _log.exception("job failed")
            self._store.finish(job.id, "the server made a mistake; its log says more")
        else:
            self._store.finish(job.id)
        finally:
            self._now = None

    def _watch(self, fraction: float) -> None:
        self._fraction = fraction
        if self._cut_short or self._cancelled:
            raise StoppedError
