"""The page's files: uploads and results, in a folder of their own, for a while."""

import contextlib
import os
import secrets
import shutil
import time
from pathlib import Path

from srez.output import make_folder


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
        self.clear()
        make_folder(self.folder)

    def new(self, name: str) -> Path:
        """A path for a new file, which nobody can guess."""
        folder = self.folder / secrets.token_hex(16)
        folder.mkdir()
        return folder / name

    def contains(self, path: str) -> bool:
        """Whether a path leads into the folder."""
        return Path(os.path.normpath(path)).is_relative_to(self.folder)

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
