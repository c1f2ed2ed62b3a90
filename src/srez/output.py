"""Writing files completely or not at all."""

import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from srez.errors import OutputError

_PREFIX = 40  # characters of a file's name in that of its temporary file, which must not become too long


def make_folder(path: Path) -> None:
    """Create a folder and its parents, unless it exists.

    Raises:
        OutputError: it cannot be created.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be created: {error.strerror}") from None


def refuse_no_file(path: Path) -> None:
    """Refuse to write what is there and is no file: a folder, a device or a pipe.

    Raises:
        OutputError: it is such.
    """
    try:
        if path.exists() and not path.is_file():
            raise OutputError(f"{path} cannot be written: it is no file")
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None


@contextmanager
def atomic(path: Path, overwrite: bool = True) -> Iterator[IO[bytes]]:
    """A file to write to, which takes its name only when the block ends well.

    Args:
        path: the file.
        overwrite: whether it takes the place of a file that is there by then.

    Raises:
        OutputError: the folder does not exist or cannot be written to, the disk is full, or a file is there;
            or what is there is none, as a device or a pipe.
    """
    refuse_no_file(path)
    try:
        temporary = path.with_name(f".{path.name[:_PREFIX]}.{secrets.token_hex(8)}")
        # Open to all that the umask lets in, as any new file is; `tempfile` would hide it from others.
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            temporary.replace(path)
        else:
            _move_to_free(temporary, path)
    except FileExistsError:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"{path} appeared meanwhile: use --overwrite to replace it") from None
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OutputError(f"{path} cannot be written: {error.strerror}") from None
        raise


@contextmanager
def removed_on_failure() -> Iterator[list[Path]]:
    """A list of files that are written one after the other: if the block fails, they are removed."""
    written: list[Path] = []
    try:
        yield written
    except BaseException:
        for path in written:
            with suppress(OSError):  # the failure that is under way says more
                path.unlink()
        raise


def _move_to_free(temporary: Path, path: Path) -> None:
    """Give a file a name that nobody else has taken.

    Raises:
        FileExistsError: somebody has.
    """
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: the name is taken first, by an empty file
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        temporary.replace(path)
    else:
        temporary.unlink()


@contextmanager
def standard_output() -> Iterator[IO[bytes]]:
    """A file to write to, which is copied to standard output when the block ends well.

    Raises:
        OutputError: standard output is closed or has no reader, or the disk is full.
    """
    with stream() as standard, tempfile.TemporaryFile() as file:
        yield file
        file.seek(0)
        shutil.copyfileobj(file, standard)


@contextmanager
def stream() -> Iterator[IO[bytes]]:
    """Standard output itself, for what has no end to wait for.

    Raises:
        OutputError: standard output is closed or has no reader, or the disk is full.
    """
    if sys.stdout is None:
        raise OutputError("standard output is closed")
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except OSError as error:
        raise output_failure(error) from None


def output_failure(error: OSError) -> OutputError:
    """The error about standard output that takes no more; what still waits to be written is dropped."""
    with suppress(OSError):  # where standard output is not a file
        standard = sys.stdout.fileno()
        # Python flushes it when it ends, and would fail once more (see "SIGPIPE" in the docs of `signal`).
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, standard)
        os.close(null)
    return OutputError(f"standard output cannot be written: {error.strerror}")
