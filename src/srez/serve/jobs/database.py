"""The database of jobs: opened by one process, brought up to date, and mended."""

import contextlib
import logging
import sqlite3
import time
from pathlib import Path

from srez.errors import OptionError, OutputError
from srez.serve.inference.options import Options
from srez.serve.jobs.job import job_of
from srez.serve.observe.logs import event

_DAMAGED = "its entry in the server's database was damaged"
_TABLE = """CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, state TEXT NOT NULL, options TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, created REAL NOT NULL, finished REAL, error TEXT,
    faces TEXT)"""


def open_database(path: Path) -> sqlite3.Connection:
    """The database, which no other process can open now, with no job running and no row that is no job.

    Raises:
        OptionError: another process has it open.
        OutputError: it is damaged, or cannot be read or written.
    """
    try:
        return _open(path)
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise OptionError(f"another server uses the state folder {path.parent} (--state)") from None
        raise OutputError(
            f"the database {path} cannot be used: {error}: move it away to start without jobs (--state)"
        ) from None


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=1)
    try:
        database.row_factory = sqlite3.Row
        database.text_factory = lambda text: text.decode(errors="replace")
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("BEGIN EXCLUSIVE")
        found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError("it is damaged")
        _migrate(database)
        database.execute(_TABLE)
        database.execute("UPDATE jobs SET state = 'queued' WHERE state = 'running'")
        _mend(database)
        database.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # what was wrong before may be wrong again
            database.close()
        raise
    return database


def _migrate(database: sqlite3.Connection) -> None:
    """Bring a table of an earlier version up to date.

    Its column of options was `wish`, with the size as an object; later it had none of faces.
    """
    columns = {row["name"] for row in database.execute("PRAGMA table_info(jobs)")}
    if "wish" in columns:
        database.execute("ALTER TABLE jobs RENAME COLUMN wish TO options")
        database.execute(
            "UPDATE jobs SET options = "
            "json_remove(json_patch(options, json_extract(options, '$.size')), '$.size') "
            "WHERE json_valid(options)"
        )
    if columns and "faces" not in columns:
        database.execute("ALTER TABLE jobs ADD COLUMN faces TEXT")


def _mend(database: sqlite3.Connection) -> None:
    """Let jobs fail whose rows no server of this version writes, so that they stop no other job."""
    damaged = 0
    for row in database.execute("SELECT * FROM jobs").fetchall():
        try:
            job_of(row)
        except (ValueError, RecursionError):
            damaged += 1
            now = time.time()
            database.execute(
                "UPDATE jobs SET state = 'failed', options = ?, attempts = 0, created = ?, finished = ?, "
                "error = ?, faces = NULL WHERE number = ?",
                (Options().model_dump_json(), now, now, _DAMAGED, row["number"]),
            )
    # A name that no server gave, which may lead to any file.
    database.execute("DELETE FROM jobs WHERE length(id) != 32 OR id GLOB '*[^0-9a-f]*'")
    if damaged:
        event("damaged jobs", logging.WARNING, count=damaged)
