"""Jobs: large pictures that are upscaled one after another, and survive a restart.

A job's row is in a SQLite database; its upload and its result are files beside it. A file is complete before
the row says that it is there, so a server that is killed at any moment leaves either all or nothing.
"""

import contextlib
import json
import secrets
import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from srez import images
from srez.errors import OptionError, OutputError
from srez.output import atomic, make_folder
from srez.serve.errors import busy, is_disk_full
from srez.serve.inference.options import Options

State = Literal["queued", "running", "done", "failed"]
_TABLE = """CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, state TEXT NOT NULL, options TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, created REAL NOT NULL, finished REAL, error TEXT)"""


@dataclass(frozen=True)
class Job:
    """A job.

    Attributes:
        id: 32 random hexadecimal digits; whoever knows it can see the job.
        state: where it stands.
        options: that it was asked for with.
        attempts: how often it was begun.
        created: seconds since 1970.
        finished: seconds since 1970, or None.
        error: why it failed, or None.
    """

    id: str
    state: State
    options: Options
    attempts: int
    created: float
    finished: float | None
    error: str | None


class Store:
    """The jobs of a server, in a folder that no other server uses. Thread safe."""

    def __init__(self, folder: Path, max_jobs: int) -> None:
        """Open or make the folder, and queue again what a killed server was working on.

        Args:
            folder: the state folder.
            max_jobs: jobs that are kept, in any state.

        Raises:
            OutputError: the folder cannot be made or written to.
            OptionError: another server uses it.
        """
        self._max_jobs = max_jobs
        self._lock = threading.RLock()
        self._uploads, self._results = folder / "uploads", folder / "results"
        make_folder(self._uploads)
        make_folder(self._results)
        try:
            self._database = _open(folder / "jobs.sqlite3")
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise OptionError(f"another server uses the state folder {folder} (--state)") from None
            raise OutputError(f"the state folder {folder} cannot be used: {error} (--state)") from None
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
            self.upload(name).unlink(missing_ok=True)
            raise
        return _job(row)

    def get(self, name: str) -> Job | None:
        """The job of an id, or None."""
        with self._lock:
            row = self._database.execute("SELECT * FROM jobs WHERE id = ?", (name,)).fetchone()
        return row and _job(row)

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
        return row and _job(row)

    def finish(self, name: str, error: str | None = None) -> None:
        """Note that a job is done, or why it failed, and remove its upload."""
        with self._lock:
            known = self._database.execute(
                "UPDATE jobs SET state = ?, finished = ?, error = ? WHERE id = ?",
                ("failed" if error else "done", time.time(), error, name),
            ).rowcount
        self.upload(name).unlink(missing_ok=True)
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
        return self._results / (job.id + job.options.file_format.suffix)

    def _refuse_too_many(self) -> None:
        with self._lock:
            count = self._database.execute("SELECT count(*) FROM jobs").fetchone()[0]
        if count >= self._max_jobs:
            raise busy(
                f"the server keeps {self._max_jobs} jobs (--max-jobs): delete some, or try again later",
                seconds=30,
            )

    def _delete(self, name: str) -> bool:
        with self._lock:
            return bool(self._database.execute("DELETE FROM jobs WHERE id = ?", (name,)).rowcount)

    def _remove_files(self, name: str) -> None:
        for path in (self.upload(name), *(self._results / (name + each.suffix) for each in images.WRITABLE)):
            path.unlink(missing_ok=True)

    def _remove_strays(self) -> None:
        """Remove files of no job, which a killed server left."""
        known = {row["id"] for row in self._database.execute("SELECT id FROM jobs")}
        for path in (*self._uploads.iterdir(), *self._results.iterdir()):
            if path.name.partition(".")[0] not in known:
                with contextlib.suppress(OSError):  # a folder, say: not ours
                    path.unlink(missing_ok=True)


def _open(path: Path) -> sqlite3.Connection:
    """The database, which no other process can open now, with no job running."""
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=1)
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute("BEGIN EXCLUSIVE")
    _migrate(database)
    database.execute(_TABLE)
    database.execute("UPDATE jobs SET state = 'queued' WHERE state = 'running'")
    database.execute("COMMIT")
    return database


def _migrate(database: sqlite3.Connection) -> None:
    """Bring a table of an earlier version up to date: its column was `wish`, with the size as an object."""
    columns = {row["name"] for row in database.execute("PRAGMA table_info(jobs)")}
    if "wish" in columns:
        database.execute("ALTER TABLE jobs RENAME COLUMN wish TO options")
        database.execute(
            "UPDATE jobs SET options = "
            "json_remove(json_patch(options, json_extract(options, '$.size')), '$.size')"
        )


def _job(row: sqlite3.Row) -> Job:
    # Not validated again: a format that could be written then may be one that cannot be written now.
    options = Options.model_construct(**json.loads(row["options"]))
    values = {key: row[key] for key in ("id", "state", "attempts", "created", "finished", "error")}
    return Job(options=options, **values)
