"""Keeps what C++ code prints, TensorFlow's news at its start above all, from the terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from srez.errors import OutputError

_STDERR = 2  # the file descriptor, which C++ writes to


@contextmanager
def native_log(path: Path) -> Iterator[None]:
    """Append to a file what is written to the process's standard error, but not what Python writes.

    Without anything to say there is no file.

    Raises:
        OutputError: the file cannot be written.
    """
    try:
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None
    sys.stderr.flush()
    before, terminal = sys.stderr, os.dup(_STDERR)
    os.dup2(log, _STDERR)
    os.close(log)
    is_terminal = before is sys.__stderr__  # else something has taken Python's errors, which keeps them
    if is_terminal:
        sys.stderr = os.fdopen(
            terminal, "w", buffering=1, encoding=before.encoding, errors=before.errors, closefd=False
        )
    try:
        yield
    finally:
        sys.stderr.flush()
        sys.stderr = before
        os.dup2(terminal, _STDERR)
        os.close(terminal)
        if path.is_file() and not path.stat().st_size:  # not the null device
            path.unlink()
