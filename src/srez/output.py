"""Writing files whole or not at all."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from srez.errors import OutputError

_SHOWN = 40  # letters of a file's name in that of its unfinished one, which must not become too long


def make_folder(path: Path) -> None:
    """Make a folder and those above it, unless it exists.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be made a folder: {error.strerror}") from None


@contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to that takes its name only when the block ends well.

    Raises:
        OutputError: the folder does not exist or cannot be written to, or the disk is full.
    """
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:_SHOWN]}.")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OutputError(f"{path} cannot be written: {error.strerror}") from None
        raise


@contextmanager
def standard_output() -> Iterator[IO[bytes]]:
    """A file to write to that goes to standard output when the block ends well.

    Raises:
        OutputError: it is closed, the disk is full, or nobody reads.
    """
    if sys.stdout is None:
        raise OutputError("standard output is closed")
    try:
        with tempfile.TemporaryFile() as file:
            yield file
            file.seek(0)
            shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
    except OSError as error:
        raise output_failure(error) from None


def output_failure(error: OSError) -> OutputError:
    """What is wrong where standard output takes no more; what still waits for it is dropped."""
    sys.stdout = None  # or Python would fail once more when it ends
    return OutputError(f"standard output cannot be written: {error.strerror}")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
