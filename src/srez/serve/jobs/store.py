"""Jobs: large pictures that are worked on one after another, and survive a restart.

A job's row is in a SQLite database, its upload and its result are files beside it. A file is complete before
the row says that it is there, so a server that is killed at any moment finds either all or nothing.
"""

import dataclasses
import json
import secrets
import sqlite3
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from srez import images
from srez.errors import OptionError, OutputError
from srez.output import atomic, make_folder
from srez.serve.errors import busy
from srez.serve.inference.picture import Options
from srez.upscaling.files import Size

FINISHED = ("done", "failed")
_TABLE = """CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, state TEXT NOT NULL, options TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, created REAL NOT NULL, finished REAL, error TEXT)"""


@dataclass(frozen=True)
class Job:
    """A job.

    Attributes:
        id: 32 random hexadecimal digits; whoever knows it can see the job.
        state: "queued", "running", "done" or "failed".
        options: what is to be made of the picture.
        attempts: how often it was begun.
        created: seconds since 1970.
        finished: the same, or None.
        error: why it failed, or None.
    """

    id: str
    state: str
    options: Options
    attempts: int
    created: float
    finished: float | None
    error: str | None


class Store:
    """The jobs of a server, in a folder that no other server uses. Thread safe."""

    def __init__(self, folder: Path, most: int) -> None:
        """Open or make the folder, and put back what a killed server was working on.

        Args:
            folder: the state folder.
            most: jobs that are kept, in any state.

        Raises:
            OutputError: the folder cannot be made or written to.
            OptionError: another server uses it.
        """
        self._most = most
        self._lock = threading.RLock()
        self._uploads, self._results = folder / "uploads", folder / "results"
        make_folder(self._uploads)
        make_folder(self._results)
        try:
            self._database = sqlite3.connect(
                folder / "jobs.sqlite3", check_same_thread=False, isolation_level=None, timeout=1
            )
            self._database.row_factory = sqlite3.Row
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._database.execute("BEGIN EXCLUSIVE")
            self._database.execute(_TABLE)
            self._database.execute("UPDATE jobs SET state = 'queued' WHERE state = 'running'")
            self._database.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise OptionError(f"another server uses the state folder {folder} (--state)") from None
            raise OutputError(f"the state folder {folder} cannot be used: {error}") from None
        self._remove_strays()

    def close(self) -> None:
        """Let go of the folder."""
        with self._lock:
            self._database.close()

    def add(self, body: bytes, options: Options) -> Job:
        """Keep a picture and what is to be made of it.

        Raises:
            HttpError: too many jobs are kept (429), or the disk is full (507).
        """
        self._refuse_too_many()
        name = secrets.token_hex(16)
        try:
            with atomic(self.upload(name)) as file:
                file.write(body)
        except OutputError:
            raise busy("the disk of the server is full", 507, seconds=30) from None
        words = json.dumps(dataclasses.asdict(options))
        try:
            with self._lock:
                self._refuse_too_many()
                self._database.execute(
                    "INSERT INTO jobs (id, state, options, created) VALUES (?, 'queued', ?, ?)",
                    (name, words, time.time()),
                )
        except BaseException:
            self.upload(name).unlink(missing_ok=True)
            raise
        job = self.get(name)
        assert job
        return job

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
        """Say that a job is done, or why it failed; the upload is no longer needed."""
        with self._lock:
            known = self._database.execute(
                "UPDATE jobs SET state = ?, finished = ?, error = ? WHERE id = ?",
                ("failed" if error else "done", time.time(), error, name),
            ).rowcount
        self.upload(name).unlink(missing_ok=True)
        if not known:  # it was removed meanwhile
            self._remove_files(name)

    def put_back(self, name: str) -> None:
        """Queue a running job again, as if it had not been begun; one that was removed stays so."""
        with self._lock:
            self._database.execute(
                "UPDATE jobs SET state = 'queued', attempts = attempts - 1 "
                "WHERE id = ? AND state = 'running'",
                (name,),
            )
            if not self.get(name):
                self._remove_files(name)

    def remove(self, name: str) -> bool:
        """Forget a job and its files; False if there is none."""
        with self._lock:
            known = self._database.execute("DELETE FROM jobs WHERE id = ?", (name,)).rowcount
        if known:
            self._remove_files(name)
        return bool(known)

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
        return self._results / (job.id + job.options.kind.suffix)

    def _refuse_too_many(self) -> None:
        with self._lock:
            count = self._database.execute("SELECT count(*) FROM jobs").fetchone()[0]
        if count >= self._most:
            raise busy(
                f"{self._most} jobs are kept already (--max-jobs): delete some, or try later", seconds=30
            )

    def _remove_files(self, name: str) -> None:
        for path in (self.upload(name), *(self._results / (name + each.suffix) for each in images.WRITABLE)):
            path.unlink(missing_ok=True)

    def _remove_strays(self) -> None:
        """Files of no job: a killed server left them."""
        known = {row["id"] for row in self._database.execute("SELECT id FROM jobs")}
        for path in (*self._uploads.iterdir(), *self._results.iterdir()):
            if path.name.partition(".")[0] not in known:
                path.unlink(missing_ok=True)


def _job(row: Any) -> Job:
    words = json.loads(row["options"])
    options = Options(**words | {"size": Size(**words["size"])})
    rest = ("id", "state", "attempts", "created", "finished", "error")
    return Job(options=options, **{key: row[key] for key in rest})
