"""Errors as HTTP answers: what only a server refuses, and the status of every other error."""

import errno
import sqlite3

from srez.errors import OutOfMemoryError, OutputError, SlowModelError, SrezError
from srez.serve.limits import RETRY_SECONDS

DISK_FULL = "the server's disk is full"
INTERNAL_ERROR = "internal error: the server's log has the details"
# EFBIG: a limit on the size of files, of the process or of the file system.
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DATABASE_FULL = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_DIR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE,
}
_DATABASE_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_DISK_RETRY_SECONDS = 30


class HttpError(SrezError):
    """A request that is refused.

    Attributes:
        status: HTTP status of the answer.
        headers: further headers of the answer.
    """

    def __init__(self, status: int, sentence: str, headers: dict[str, str] | None = None) -> None:
        """Refuse with a status, one sentence that says why, and further headers."""
        super().__init__(sentence)
        self.status = status
        self.headers = headers or {}


class StoppedError(Exception):
    """Raised inside work that was cancelled or must stop; never shown to a client."""


def busy(sentence: str, status: int = 429, seconds: int = RETRY_SECONDS) -> HttpError:
    """A refusal that says when to try again.

    Args:
        sentence: why.
        status: 429 if there are too many requests, 503 or 507 if the server itself is in trouble.
        seconds: value of the header `Retry-After`.
    """
    return HttpError(status, sentence, {"Retry-After": str(seconds)})


def as_http_error(error: BaseException) -> HttpError:
    """The HTTP error for any error of the work.

    A format that cannot hold the result is the client's mistake (422); a full disk (507), too little memory
    or a damaged database (503) is the server's trouble.

    Raises:
        BaseException: the error itself, if it is a defect.
    """
    if isinstance(error, HttpError):
        return error
    if is_disk_full(error):
        return busy(DISK_FULL, 507, _DISK_RETRY_SECONDS)
    if is_damage(error):
        return busy("the server's database of jobs is damaged", 503, _DISK_RETRY_SECONDS)
    if isinstance(error, (MemoryError, OutOfMemoryError)):
        return busy("not enough memory for this picture at the moment", 503)
    if isinstance(error, OutputError):
        return HttpError(422, str(error))
    if isinstance(error, SlowModelError):
        return busy(str(error), 503)
    if isinstance(error, SrezError):
        return HttpError(error.http_status, str(error))
    raise error


def is_disk_full(error: BaseException | None) -> bool:
    """Whether a full disk or quota caused an error, be it of a file or of the database."""
    while error:
        if isinstance(error, OSError) and error.errno in _DISK_FULL:
            return True
        if isinstance(error, sqlite3.Error) and _code(error) in _DATABASE_FULL:
            return True
        error = error.__context__
    return False


def is_damage(error: BaseException) -> bool:
    """Whether an error says that the database is damaged."""
    return isinstance(error, sqlite3.Error) and _code(error) & 0xFF in _DATABASE_DAMAGED


def _code(error: sqlite3.Error) -> int:
    """SQLite's extended code of an error, or 0."""
    return getattr(error, "sqlite_errorcode", 0)
