"""Jobs: large pictures that are upscaled one after another, and survive a restart.

A job's row is in a SQLite database; its upload and its result are files beside it. A file is complete before
the row says that it is there, so a server that is killed at any moment leaves either all or nothing.
"""

import json
import logging
import secrets
import sqlite3
import threading
import time
from pathlib import Path

from srez import images
from srez.errors import OutputError
from srez.output import atomic, make_folder
from srez.serve.errors import busy, is_disk_full
from srez.serve.inference.found import FoundFace
from srez.serve.inference.options import ZIP, Options
from srez.serve.jobs.database import open_database
from srez.serve.jobs.job import Job, job_of
from srez.serve.observe.logs import event
from srez.wording import counted


class Store:
    """The jobs of a server, in a folder that no other server uses. Thread safe."""

    def __init__(self, folder: Path, max_jobs: int) -> None:
        """Open or make the folder, and queue again what a killed server was working on.

        Args:
            folder: the state folder.
            max_jobs: jobs that are kept, in any state.

        Raises:
            OutputError: the folder cannot be made or written to, or its database is damaged.
            OptionError: another server uses it.
        """
        self._max_jobs = max_jobs
        self._lock = threading.RLock()
        self._uploads, self._results = folder / "uploads", folder / "results"
        make_folder(self._uploads)
        make_folder(self._results)
        self._database = open_database(folder / "jobs.sqlite3")
        self._remove_strays()

    def close(self) -> None:
        """Release the folder."""
        with self._lock:
            self._database.close()

    def add(self, body: bytes, options: Options) -> Job:
        """Keep a picture and its options as a queued job.

        Raises:
            HttpError: too many jobs are kept (429).
            OutputError, sqlite3.Error: the disk is full; nothing is left of them.
            RuntimeError: the folder cannot be written to for another reason.
        """
        self._refuse_too_many()
        name = secrets.token_hex(16)
        try:
            with atomic(self.upload(name)) as file:
                file.write(body)
        except OutputError as error:
            if is_disk_full(error):
                raise
            raise RuntimeError("the state folder cannot be written to") from error
        try:
            with self._lock:
                self._refuse_too_many()
                row = self._database.execute(
                    "INSERT INTO jobs (id, state, options, created) VALUES (?, 'queued', ?, ?) RETURNING *",
                    (name, options.model_dump_json(), time.time()),
                ).fetchone()
        except BaseException:
            _discard(self.upload(name))
            raise
        return job_of(row)

    def get(self, name: str) -> Job | None:
        """The job of an id, or None."""
        with self._lock:
            row = self._database.execute("SELECT * FROM jobs WHERE id = ?", (name,)).fetchone()
        return row and job_of(row)

    def counts(self) -> dict[str, int]:
        """How many jobs there are in each state."""
        with self._lock:
            return dict(self._database.execute("SELECT state, count(*) FROM jobs GROUP BY state").fetchall())

    def begin(self) -> Job | None:
        """The oldest queued job, which is running from now on; None if there is none."""
        with self._lock:
            row = self._database.execute(
                "UPDATE jobs SET state = 'running', attempts = attempts + 1 WHERE number = "
                "(SELECT min(number) FROM jobs WHERE state = 'queued') RETURNING *"
            ).fetchone()
        return row and job_of(row)

    def finish(self, name: str, error: str | None = None, faces: tuple[FoundFace, ...] | None = None) -> None:
        """Note that a job is done, with the faces it found, or why it failed, and remove its upload."""
        told = None if faces is None else json.dumps([each.model_dump() for each in faces])
        with self._lock:
            known = self._database.execute(
                "UPDATE jobs SET state = ?, finished = ?, error = ?, faces = ? WHERE id = ?",
                ("failed" if error else "done", time.time(), error, told, name),
            ).rowcount
        _discard(self.upload(name))
        if not known:  # it was removed meanwhile
            self._remove_files(name)

    def put_back(self, name: str) -> None:
        """Queue a running job again, as if it had not been begun; one that was removed stays removed."""
        with self._lock:
            self._database.execute(
                "UPDATE jobs SET state = 'queued', attempts = attempts - 1 "
                "WHERE id = ? AND state = 'running'",
                (name,),
            )
            if not self.get(name):
                self._remove_files(name)

    def postpone(self, name: str) -> None:
        """Put a running job back behind all others, as if it had not been begun."""
        with self._lock:
            self._database.execute(
                "UPDATE jobs SET number = (SELECT max(number) + 1 FROM jobs) WHERE id = ?", (name,)
            )
            self.put_back(name)

    def remove(self, name: str) -> bool:
        """Remove a job and its files; False if there is none."""
        try:
            known = self._delete(name)
        except sqlite3.Error as error:
            if not is_disk_full(error):
                raise
            self._remove_files(name)  # makes the room that the database needs
            known = self._delete(name)
        if known:
            self._remove_files(name)
        return known

    def expire(self, seconds: float) -> int:
        """Remove the jobs that were finished longer ago; their number."""
        with self._lock:
            rows = self._database.execute(
                "SELECT id FROM jobs WHERE finished < ?", (time.time() - seconds,)
            ).fetchall()
        return sum(self.remove(row["id"]) for row in rows)

    def upload(self, name: str) -> Path:
        """The file of a job's picture."""
        return self._uploads / name

    def result(self, job: Job) -> Path:
        """The file of a job's result."""
        return self._results / (job.id + job.options.answer[0])

    def _refuse_too_many(self) -> None:
        with self._lock:
            count = self._database.execute("SELECT count(*) FROM jobs").fetchone()[0]
        if count >= self._max_jobs:
            raise busy(
                f"the server keeps {counted(self._max_jobs, 'job')} (--max-jobs): delete some, or try "
                "again later",
                seconds=30,
            )

    def _delete(self, name: str) -> bool:
        with self._lock:
            return bool(self._database.execute("DELETE FROM jobs WHERE id = ?", (name,)).rowcount)

    def _remove_files(self, name: str) -> None:
        for suffix in (ZIP[0], *(each.suffix for each in images.WRITABLE)):
            _discard(self._results / (name + suffix))
        _discard(self.upload(name))

    def _remove_strays(self) -> None:
        """Remove files of no job, which a killed server left."""
        known = {row["id"] for row in self._database.execute("SELECT id FROM jobs")}
        for path in (*self._uploads.iterdir(), *self._results.iterdir()):
            if path.name.partition(".")[0] not in known:
                _discard(path)


def _discard(path: Path) -> None:
    """Remove a file. What cannot be removed, a folder say, stays: its job is over all the same."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        event("cannot be removed", logging.WARNING, file=path.name, reason=error.strerror)
