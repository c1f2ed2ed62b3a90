"""The page's files: uploads and results, in a folder of their own, for a while."""

import contextlib
import os
import secrets
import shutil
import threading
import time
from pathlib import Path
from urllib.parse import quote

from srez.output import make_folder
from srez.serve.errors import busy
from srez.serve.limits import LEAST_PAGE_SECONDS, MAX_PAGE_BYTES, MAX_PAGE_FILES
from srez.serve.page.alias import ALIAS


class PageFiles:
    """A folder that starts empty, and from which old files are removed.

    Attributes:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folder, or empty it of what a killed server left.

        Raises:
            OutputError: it cannot be made.
        """
        self.folder = folder.absolute()
        self._permanent: set[Path] = set()
        self._lock = threading.Lock()
        self.clear()
        make_folder(self.folder)

    def new(self, name: str) -> Path:
        """A path for a new file, which nobody can guess."""
        folder = self.folder / secrets.token_hex(16)
        folder.mkdir()
        return folder / name

    def keep(self, name: str, body: bytes) -> Path:
        """Keep a file under a new path.

        Raises:
            HttpError: the folder holds as much as it may (429).
            OSError: the disk is full; nothing is left of the file.
        """
        with self._lock:
            self.make_room(len(body))
            path = self.new(name)
            try:
                path.write_bytes(body)
            except OSError:
                shutil.rmtree(path.parent, ignore_errors=True)
                raise
        return path

    def make_room(self, size: int) -> None:
        """Make room for a file, at the cost of the oldest ones that nobody looks at any more.

        Raises:
            HttpError: the folder holds as much as it may (429).
        """
        kept = [path for path in self.folder.rglob("*") if path.is_file() and path not in self._permanent]
        looks = sorted((look.st_mtime, look.st_size, path) for path in kept if (look := _look(path)))
        total, count = sum(size for _, size, _ in looks) + size, len(looks)
        for moment, bytes_, path in looks:
            if total <= MAX_PAGE_BYTES and count < MAX_PAGE_FILES:
                return
            if moment > time.time() - LEAST_PAGE_SECONDS:
                break
            path.unlink(missing_ok=True)
            total, count = total - bytes_, count - 1
        if total > MAX_PAGE_BYTES or count >= MAX_PAGE_FILES:
            raise busy("the page holds as many pictures as it may", seconds=round(LEAST_PAGE_SECONDS))

    def contains(self, path: str) -> bool:
        """Whether a path leads into the folder."""
        return Path(os.path.normpath(path)).is_relative_to(self.folder)

    def hidden(self, path: Path) -> str:
        """A path as clients see it."""
        return f"{ALIAS}/{path.relative_to(self.folder).as_posix()}"

    def address(self, path: Path) -> str:
        """Where a client gets a file, relative to the page."""
        return f"gradio_api/file={quote(self.hidden(path))}"

    def keep_all(self) -> None:
        """Never remove the files that are there now: they belong to the page itself."""
        self._permanent = {path for path in self.folder.rglob("*") if path.is_file()}

    def sweep(self, seconds: float) -> None:
        """Remove files that are older, and their folders."""
        limit = time.time() - seconds
        for path in self.folder.rglob("*"):
            with contextlib.suppress(OSError):  # it is gone, or a folder that is not empty
                if path in self._permanent or path.stat().st_mtime > limit:
                    continue
                if path.is_dir():
                    path.rmdir()
                else:
                    path.unlink()

    def clear(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _look(path: Path) -> os.stat_result | None:
    """What the system says of a file; None if it has just gone."""
    try:
        return path.stat()
    except OSError:
        return None
