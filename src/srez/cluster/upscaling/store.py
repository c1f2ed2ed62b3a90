"""A folder or a bucket: the one place where Ray batches list, read and write files."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from srez import images, output
from srez.errors import ImageError, OptionError, OutputError

_IN_MEMORY = 64 * 1024**2  # bytes of a file for a bucket; a larger one waits on disk until it is complete
_VERSION_KEYS = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "CRC")  # each file system has its own


@dataclass(frozen=True)
class StoredFile:
    """What a store's listing says about a file.

    Attributes:
        bytes: its size, if the store knows.
        version: what changes when the file changes: an ETag, a checksum or a time; "" if there is none.
    """

    bytes: int | None
    version: str


@dataclass(frozen=True)
class Store:
    """A folder in any file system that fsspec knows. Files are named by their path below it."""

    url: str
    file_system: fsspec.AbstractFileSystem
    root: str

    @classmethod
    def at(cls, url: str) -> "Store":
        """The store at a path or URL.

        Raises:
            OptionError: the URL's scheme is unknown, or its package is not installed.
        """
        try:
            file_system, root = fsspec.url_to_fs(url)
        except (ImportError, ValueError, OSError) as error:
            raise OptionError(f"{url} cannot be opened: {error}") from None
        return cls(url, file_system, root.rstrip("/"))

    def below(self, folder: str) -> "Store":
        """A folder in this one as a store of its own."""
        return replace(self, url=self.url_of(folder), root=self.path(folder))

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return isinstance(self.file_system, LocalFileSystem)

    def path(self, name: str) -> str:
        """A file's path as the file system takes it."""
        return f"{self.root}/{name}" if self.root else name

    def url_of(self, name: str) -> str:
        """A file's name in messages."""
        return f"{self.url.rstrip('/')}/{name}"

    def same_as(self, other: "Store") -> bool:
        """Whether both are the same folder."""
        return (type(self.file_system), self.root) == (type(other.file_system), other.root)

    def holds(self, other: "Store", name: str) -> bool:
        """Whether a file of another store lies in this one too."""
        same = type(self.file_system) is type(other.file_system)
        return same and other.path(name).startswith(f"{self.root}/")

    def exists(self, name: str) -> bool:
        """Whether there is a file or folder of that name."""
        return self.file_system.exists(self.path(name))

    def read_start(self, name: str) -> bytes:
        """A file's first bytes, enough to tell its format; none if they cannot be read."""
        try:
            start: Any = self.file_system.cat_file(self.path(name), 0, images.START_BYTES)
            return start
        except Exception:  # buckets and networks raise anything
            return b""

    def files(self, recursive: bool = True) -> dict[str, StoredFile]:
        """All files by name, hidden ones too; none if the folder does not exist.

        Raises:
            ImageError: it cannot be listed.
        """
        return self.listing(recursive)[0]

    def listing(self, recursive: bool) -> tuple[dict[str, StoredFile], dict[str, str]]:
        """All files by name, as `files` gives them; and why subfolders could not be listed, by name.

        Raises:
            ImageError: the folder itself cannot be listed.
        """
        unlisted: dict[str, str] = {}
        try:
            if self.is_local:
                found = dict(self._walk(recursive, unlisted))
            else:
                found: Any = self.file_system.find(self.root, maxdepth=None if recursive else 1, detail=True)
        except FileNotFoundError:
            return {}, {}
        except Exception as error:  # buckets and networks raise anything
            raise ImageError(f"{self.url} cannot be listed: {type(error).__name__}: {error}") from None
        return {self._name(path): _stored_file(info) for path, info in found.items()}, unlisted

    def _walk(self, recursive: bool, unlisted: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
        """A local folder's files; fsspec would silently leave out subfolders that it cannot list."""

        def fail(error: OSError) -> None:
            if error.filename == self.root:
                raise error
            unlisted[self._name(error.filename)] = f"{error.filename} cannot be listed: {error.strerror}"

        for parent, folders, names in os.walk(self.root, onerror=fail):
            if not recursive:
                folders.clear()
            for path in (f"{parent}/{name}" for name in names):
                yield path, self.file_system.info(path)

    def _name(self, path: str) -> str:
        return path[len(self.root) + 1 if self.root else 0 :]

    def read(self, name: str) -> bytes:
        """A file's contents; raises whatever the file system does."""
        data: Any = self.file_system.cat_file(self.path(name))
        return data

    @contextmanager
    def writing(self, name: str) -> Iterator[IO[bytes]]:
        """A file to write to, which can seek; it takes its name only when the block ends well.

        Raises:
            OutputError: it cannot be written.
        """
        path = self.path(name)
        if self.is_local:
            output.make_folder(Path(path).parent)
            with output.atomic(Path(path)) as file:
                yield file
            return
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
            yield file
            file.seek(0)
            try:
                self.file_system.pipe_file(path, file.read())  # a bucket shows complete objects only
            except Exception as error:
                reason = f"{type(error).__name__}: {error}"
                raise OutputError(f"{self.url_of(name)} cannot be written: {reason}") from None

    def remove_folder(self, name: str) -> None:
        """Delete a folder and the files in it; nothing happens if there is none."""
        if self.exists(name):
            self.file_system.rm(self.path(name), recursive=True)


def _stored_file(info: dict[str, Any]) -> StoredFile:
    version = next((str(info[key]) for key in _VERSION_KEYS if info.get(key) is not None), "")
    return StoredFile(info.get("size"), version)
